package sqlc

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
)

// UserQuery is a query of the user's, the same on every database that the project targets.
type UserQuery struct {
	Pos     model.Pos
	Name    string   // a Go method's name: "TopAuthors"
	Doc     []string // its comments, a line each
	Command string   // ":one", ":many", ":exec" or ":execrows"
	Params  []UserValue
	Columns []UserValue

	// Row is the name of the Go type of the result's rows, where they have several
	// columns. Shared tells that a query before this one has the same type.
	Row    string
	Shared bool

	// Notes say what the generator cannot judge about it, for its doc.
	Notes []string
	// Writes are the datatypes whose rows it writes itself, by name.
	Writes []string
	// Bypassed says which effects of a write it does not run, a sentence each.
	Bypassed []string

	// Text is the statement for each database. Parameters are $1, $2 ... on
	// PostgreSQL and ?1, ?2 ... on SQLite, counted as Params is, and ? on MySQL,
	// where Order gives for each ? the index in Params.
	Text  map[model.Database]string
	Order map[model.Database][]int // nil: in order, each once
	// Clock tells that SQLite's text takes the process's clock as one more
	// argument, the last.
	Clock bool

	version *rewritten // that speaks for it
}

// wrong reports what a rehearsal found, once for a column, or for the query.
func (q *UserQuery) wrong(column, why string) {
	w := q.version.query
	at, hint := w.at, ""
	if column != "" {
		why = fmt.Sprintf("the column %s of the query %s cannot be read: %s", column, q.Name, why)
		hint = "write coalesce(...) around it, or add a line below the query's name that says its type: -- column: " + column + " number null"
		for _, d := range w.columns {
			if d.name == column {
				at, hint = d.at, "write null behind the type"
			}
		}
		if n := w.output(column); at == w.at && n != nil {
			at = w.typer.p.code[n.from].at
		}
	} else {
		why = fmt.Sprintf("the query %s cannot run: %s", q.Name, why)
	}
	w.mistakeOnce(at, hint, why)
}

// UserValue is a parameter of a user's query or a column of its result.
type UserValue struct {
	Name string // as written: "last_at"
	Type string // a row of gen/fieldtype, "id" and "ulid" included
	Null bool
	// List tells a parameter of several values, sqlc.slice; Null is false there.
	List bool
	// Row is the datatype of which the value is a whole row, from sqlc.embed or the
	// only star; Type is "" there. Where it is Null, an outer join may leave it out.
	Row *model.Datatype
	// Scale is the digits behind the point of a decimal.
	Scale int
	// Array tells a parameter that is an array of PostgreSQL's, of values of the type.
	Array bool
	// Field and Datatype are set where the value is a column of a table: its Go
	// type is then that field's. The id is the datatype's IDField.
	Field    *model.Field
	Datatype *model.Datatype
}

// versions is a query by the databases it was written for.
type versions struct {
	name string
	of   map[model.Database]*rewritten
}

// databases returns those that the query is written for: once complete has found nothing,
// those that the project targets.
func (v *versions) databases() []model.Database {
	return slices.DeleteFunc(slices.Clone(model.Databases), func(db model.Database) bool { return v.of[db] == nil })
}

// first returns the version whose file and doc speak for the query: PostgreSQL's
// where there is one, because its types are the ones that count.
func (v *versions) first() *rewritten {
	for _, db := range []model.Database{model.Postgres, model.SQLite, model.MySQL} {
		if r := v.of[db]; r != nil {
			return r
		}
	}
	return nil
}

// collect reads the user's files and puts the versions of each query together,
// in the order of their first appearance. Mistakes that need no engine are noted.
func collect(files []*source, datatypes map[string]*model.Datatype) []*versions {
	var out []*versions
	byName := map[string]*versions{}
	for _, s := range files {
		for _, q := range split(s) {
			examine(q)
			q.parse(datatypes)
			q.lists()
			q.embeds()
			v := byName[q.name]
			if v == nil {
				v = &versions{name: q.name, of: map[model.Database]*rewritten{}}
				byName[q.name] = v
				out = append(out, v)
			}
			for _, db := range s.Databases {
				if other := v.of[db]; other != nil {
					p := other.query.file.pos(other.query.at)
					s.mistake(q.at, "", "the query %s stands twice for %s, first at %s:%d", q.name, db, p.File, p.Line)
					break
				}
				v.of[db] = rewrite(q, db)
			}
		}
	}
	return out
}

// eachWritten returns the queries as they stand in files: a version for several
// databases once.
func eachWritten(user []*versions) []*written {
	var out []*written
	for _, v := range user {
		out = append(out, v.written()...)
	}
	return out
}

func (v *versions) written() []*written {
	var out []*written
	for _, db := range v.databases() {
		if w := v.of[db].query; !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// complete reports the databases for which a query is missing, of those that the project targets.
func (v *versions) complete(targets []model.Database) bool {
	var missing []string
	for _, db := range targets {
		if v.of[db] == nil {
			missing = append(missing, string(db))
		}
	}
	if len(missing) == 0 {
		return true
	}
	r := v.first()
	stem, _, _ := strings.Cut(path.Base(r.query.file.Path), ".")
	r.query.file.mistake(r.query.at, fmt.Sprintf("write it into %s.%s.sql too, or once for all databases into a file of another name", stem, missing[0]),
		"the query %s is missing for %s", v.name, strings.Join(missing, " and "))
	return false
}
