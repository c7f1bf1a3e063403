package sqlc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/model"
)

// UserQuery is a query of the user's, the same on every database.
type UserQuery struct {
	Pos     model.Pos
	Name    string   // a Go method's name: "TopAuthors"
	Doc     []string // its comments, a line each
	Command string   // ":one", ":many", ":exec" or ":execrows"
	Params  []UserValue
	Columns []UserValue

	// Text is the statement for each database. Parameters are $1, $2 ... on
	// PostgreSQL and ?1, ?2 ... on SQLite, counted as Params is, and ? on MySQL,
	// where Order gives for each ? the index in Params.
	Text  map[model.Database]string
	Order map[model.Database][]int // nil: in order, each once
}

// UserValue is a parameter of a user's query or a column of its result.
type UserValue struct {
	Name string // as written: "last_at"
	Type string // a row of gen/fieldtype, "id" and "ulid" included
	Null bool
	// Scale is the digits behind the point of a decimal.
	Scale int
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

// first gives the version whose file and doc speak for the query: PostgreSQL's
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
func collect(files []*source) []*versions {
	var out []*versions
	byName := map[string]*versions{}
	for _, s := range files {
		for _, q := range split(s) {
			examine(q)
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

// complete reports the databases for which a query is missing.
func (v *versions) complete() bool {
	var missing []string
	for _, db := range model.Databases {
		if v.of[db] == nil {
			missing = append(missing, string(db))
		}
	}
	if len(missing) == 0 {
		return true
	}
	r := v.first()
	r.query.file.mistake(r.query.at, "write it into x."+missing[0]+".sql too, or once for all databases into x.sql",
		"the query %s is missing for %s", v.name, strings.Join(missing, " and "))
	return false
}

// reconciler makes one Go signature out of what three databases say.
type reconciler struct {
	datatypes map[string]*model.Datatype
	v         *versions
	analysed  map[model.Database]*Analysed
}

func (r *reconciler) query() *UserQuery {
	first := r.v.first()
	q := &UserQuery{
		Pos: first.query.file.pos(first.query.at), Name: r.v.name, Doc: first.query.doc, Command: first.query.command,
		Text: map[model.Database]string{}, Order: map[model.Database][]int{},
	}
	if !r.sameShape() {
		return nil
	}
	ok := true
	for i := range r.analysed[model.Postgres].Columns {
		c, good := r.column(i)
		ok = ok && good
		if slices.ContainsFunc(q.Columns, func(o UserValue) bool { return o.Name == c.Name }) {
			r.mistake(model.Postgres, "name it with AS", "two columns of the query %s are called %s", r.v.name, c.Name)
			ok = false
		}
		q.Columns = append(q.Columns, c)
	}
	for _, name := range r.paramNames(first.db) {
		p, good := r.param(name)
		ok = ok && good
		q.Params = append(q.Params, p)
	}
	if !ok || !r.usedDeclarations(q) {
		return nil
	}
	for _, db := range model.Databases {
		q.Text[db], q.Order[db] = r.text(db, q.Params)
	}
	return q
}

func (r *reconciler) mistake(db model.Database, hint, format string, args ...any) {
	w := r.v.of[db].query
	w.file.mistake(w.at, hint, format, args...)
}

func (r *reconciler) paramNames(db model.Database) []string {
	var out []string
	for _, u := range r.v.of[db].uses {
		if !slices.Contains(out, u.name) {
			out = append(out, u.name)
		}
	}
	return out
}

// sameShape compares commands, columns and parameters of the versions.
func (r *reconciler) sameShape() bool {
	ok := true
	first := r.v.first()
	want, params := r.analysed[first.db], r.paramNames(first.db)
	slices.Sort(params)
	for _, db := range model.Databases {
		a, w := r.analysed[db], r.v.of[db].query
		names := r.paramNames(db)
		slices.Sort(names)
		switch {
		case w.command != first.query.command:
			r.mistake(db, "", "the query %s is %s here and %s at %s:%d", w.name, w.command, first.query.command, first.query.file.Path, first.query.file.pos(first.query.at).Line)
		case !slices.Equal(names, params):
			r.mistake(db, "use the same names everywhere", "the query %s has the parameters %s on %s and %s on %s", w.name, listed(names), db, listed(params), first.db)
		case !slices.EqualFunc(a.Columns, want.Columns, func(x, y Column) bool { return strings.EqualFold(x.Name, y.Name) }):
			r.mistake(db, "name every column with AS", "the query %s gives the columns %s on %s and %s on %s", w.name, columnNames(a), db, columnNames(want), first.db)
		case (w.command == ":one" || w.command == ":many") && len(a.Columns) == 0:
			r.mistake(db, "write :exec or :execrows", "the query %s is %s and returns nothing", w.name, w.command)
		default:
			continue
		}
		ok = false
	}
	return ok
}

func listed(names []string) string {
	if len(names) == 0 {
		return "(none)"
	}
	return strings.Join(names, ", ")
}

func columnNames(a *Analysed) string {
	var out []string
	for _, c := range a.Columns {
		out = append(out, c.Name)
	}
	return listed(out)
}

// column finds the type of the i-th column.
func (r *reconciler) column(i int) (UserValue, bool) {
	cols := map[model.Database]Column{}
	out := UserValue{Name: strings.ToLower(r.analysed[model.Postgres].Columns[i].Name)}
	for _, db := range model.Databases {
		c := r.analysed[db].Columns[i]
		cols[db] = c
		out.Null = out.Null || !c.NotNull
	}
	if d, ok := findDeclared(r.v, out.Name, func(w *written) []declared { return w.columns }); ok {
		out.Type, out.Scale, out.Null = d.typ, d.scale, d.null
		return out, true
	}
	if r.fieldOf(&out, cols[model.Postgres], cols[model.SQLite], cols[model.MySQL]) {
		return out, true
	}
	return out, r.expression(&out, cols)
}

// fieldOf sets a value to the field of the first column that stands in a table.
func (r *reconciler) fieldOf(v *UserValue, cols ...Column) bool {
	for _, c := range cols {
		d, f := r.field(c)
		if f == nil {
			continue
		}
		v.Datatype, v.Field, v.Type, v.Scale = d, f, f.Type, f.Scale
		return true
	}
	return false
}

func (r *reconciler) field(c Column) (*model.Datatype, *model.Field) {
	d := r.datatypes[strings.ToLower(c.Table)]
	if d == nil {
		return nil, nil
	}
	name := strings.ToLower(c.Original)
	if name == "" {
		name = strings.ToLower(c.Name)
	}
	if name == "id" {
		return d, d.IDField()
	}
	for _, f := range d.Fields {
		if f.Name == name {
			return d, f
		}
	}
	return nil, nil
}

// expression finds the type of a column that no table has: PostgreSQL's word
// counts, the others may not contradict it, and where it has none the other two
// must agree.
func (r *reconciler) expression(v *UserValue, cols map[model.Database]Column) bool {
	types := map[model.Database]string{}
	for db, c := range cols {
		types[db] = fieldtype.OfColumn(c.Type)
	}
	pg, lite, my := types[model.Postgres], types[model.SQLite], types[model.MySQL]
	if pg == "" && lite == my {
		pg = lite
	}
	if cols[model.Postgres].Type == "int" && r.namesDecimal() {
		pg = "decimal" // sqlc calls all arithmetic int
	}
	if pg == "" || pg == "decimal" {
		r.mistake(model.Postgres, fmt.Sprintf("add a line below the query's name, with its field type: -- column: %s %s", v.Name, example(pg)),
			"the type of the column %s of the query %s is not known (%s)", v.Name, r.v.name, reported(cols))
		return false
	}
	for _, db := range []model.Database{model.SQLite, model.MySQL} {
		if contradicts(pg, types[db]) {
			r.mistake(model.Postgres, "CAST it to the one that is meant, or add a line: -- column: "+v.Name+" "+pg,
				"the column %s of the query %s is not the same on all databases (%s)", v.Name, r.v.name, reported(cols))
			return false
		}
	}
	v.Type = pg
	return true
}

func example(pg string) string {
	if pg == "decimal" {
		return "decimal(2)"
	}
	return "number null"
}

// namesDecimal tells whether a decimal field is named anywhere in the query.
func (r *reconciler) namesDecimal() bool {
	named := map[string]bool{}
	for w := range words(r.v.first().text) {
		named[w] = true
	}
	for _, d := range r.datatypes {
		for _, f := range d.Fields {
			if named[d.Name] && f.Type == "decimal" && named[f.Name] {
				return true
			}
		}
	}
	return false
}

func reported(cols map[model.Database]Column) string {
	var out []string
	for _, db := range model.Databases {
		out = append(out, fmt.Sprintf("%s: %s", db, strings.TrimPrefix(cols[db].Type, "pg_catalog.")))
	}
	return strings.Join(out, ", ")
}

// contradicts tells a number from a text. Other differences are ways of keeping
// the same thing: a time is text on SQLite, a boolean a number.
func contradicts(a, b string) bool {
	number := func(t string) bool { return t == "number" || t == "boolean" }
	text := func(t string) bool { return t == "textarea" }
	return number(a) && text(b) || text(a) && number(b)
}

// param finds the type of a parameter: of the columns that it is compared with
// or written to, wherever it stands.
func (r *reconciler) param(name string) (UserValue, bool) {
	out := UserValue{Name: name}
	var cols []Column
	for _, db := range []model.Database{model.Postgres, model.SQLite, model.MySQL} {
		for i, u := range r.v.of[db].uses {
			if u.name != name {
				continue
			}
			out.Null = out.Null || u.null
			if c, ok := placeholderColumn(db, r.analysed[db], i); ok {
				cols = append(cols, c)
			}
		}
	}
	if d, ok := findDeclared(r.v, name, func(w *written) []declared { return w.params }); ok {
		out.Type, out.Scale = d.typ, d.scale
		out.Null = out.Null || d.null
		return out, true
	}
	if ok, settled := r.paramField(&out, cols); settled {
		return out, ok
	}
	for _, c := range cols {
		if t := fieldtype.OfColumn(c.Type); t != "" && t != "decimal" {
			out.Type = t
			return out, true
		}
	}
	r.mistakeAtUse(name, "add a line below the query's name, with its field type: -- param: "+name+" text", "the type of the parameter %s is not known", name)
	return out, false
}

// paramField types a parameter by the fields that it meets. Fields of one kind
// make it that kind; of two kinds, a mistake.
func (r *reconciler) paramField(v *UserValue, cols []Column) (ok, settled bool) {
	for _, c := range cols {
		d, f := r.field(c)
		if f == nil {
			continue
		}
		if v.Type == "" {
			v.Datatype, v.Field, v.Type, v.Scale = d, f, f.Type, f.Scale
			continue
		}
		if v.Datatype == d && v.Field != nil && v.Field.Name == f.Name {
			continue
		}
		if fieldtype.MustLookup(v.Type).Kind != fieldtype.MustLookup(f.Type).Kind {
			r.mistakeAtUse(v.Name, "use two parameters", "the parameter %s stands for a %s and for a %s", v.Name, v.Type, f.Type)
			return false, true
		}
		if v.Field != nil && sameGo(v.Field, f) {
			continue
		}
		v.Datatype, v.Field = nil, nil
		if v.Type != f.Type {
			v.Type = plain(v.Type)
		}
	}
	return true, v.Type != ""
}

// sameGo tells whether two fields have the same Go type.
func sameGo(a, b *model.Field) bool {
	return a.Type == b.Type && a.References == b.References && a.EnumGoName == b.EnumGoName && a.GoType == b.GoType && a.Scale == b.Scale &&
		a.Type != "id" && a.Type != "ulid" && a.JSONGoName == b.JSONGoName
}

// plain is the type without meaning of its own that holds a type's values.
func plain(t string) string {
	switch t {
	case "text", "textarea", "richtext", "select", "email", "url", "slug", "ulid":
		return "textarea"
	case "id", "reference":
		return "number"
	}
	return t
}

func (r *reconciler) mistakeAtUse(name, hint, format string, args ...any) {
	w := r.v.first()
	for _, u := range w.uses {
		if u.name == name {
			w.query.file.mistake(u.at, hint, format, args...)
			return
		}
	}
}

// placeholderColumn gives what is known about the i-th placeholder. MySQL's have
// no numbers, and sqlc counts those in an IN wrongly, but keeps their order.
func placeholderColumn(db model.Database, a *Analysed, i int) (Column, bool) {
	if db == model.MySQL {
		if i < len(a.Params) {
			return a.Params[i].Column, true
		}
		return Column{}, false
	}
	for _, p := range a.Params {
		if p.Number == i+1 {
			return p.Column, true
		}
	}
	return Column{}, false
}

// text writes the final statement: placeholders counted as the parameters are.
func (r *reconciler) text(db model.Database, params []UserValue) (string, []int) {
	uses := r.v.of[db].uses
	index := make([]int, len(uses))
	for i, u := range uses {
		index[i] = slices.IndexFunc(params, func(p UserValue) bool { return p.Name == u.name })
	}
	tokens, _ := newLexer(r.analysed[db].Text, []model.Database{db}).tokens()
	var b strings.Builder
	for _, t := range tokens {
		if n, err := strconv.Atoi(strings.TrimLeft(t.text, "?$")); err == nil && t.kind == positional && n <= len(index) {
			b.WriteString(placeholder(db, index[n-1]+1))
			continue
		}
		b.WriteString(t.text)
	}
	text := strings.TrimSpace(b.String())
	if db != model.MySQL || inOrder(index, len(params)) {
		return text, nil
	}
	return text, index
}

func inOrder(index []int, params int) bool {
	if len(index) != params {
		return false
	}
	for i, n := range index {
		if i != n {
			return false
		}
	}
	return true
}

func findDeclared(v *versions, name string, of func(*written) []declared) (declared, bool) {
	for _, db := range model.Databases {
		for _, d := range of(v.of[db].query) {
			if d.name == name {
				return d, true
			}
		}
	}
	return declared{}, false
}

// usedDeclarations reports declared names that the query does not have.
func (r *reconciler) usedDeclarations(q *UserQuery) bool {
	ok := true
	seen := map[*written]bool{}
	for _, db := range model.Databases {
		w := r.v.of[db].query
		if seen[w] {
			continue
		}
		seen[w] = true
		unknown := func(what string, ds []declared, values []UserValue) {
			for _, d := range ds {
				if !slices.ContainsFunc(values, func(v UserValue) bool { return v.Name == d.name }) {
					w.file.mistake(d.at, "", "the query %s has no %s %s", q.Name, what, d.name)
					ok = false
				}
			}
		}
		unknown("column", w.columns, q.Columns)
		unknown("parameter", w.params, q.Params)
	}
	return ok
}

// parseDeclared reads "last_at datetime null" and "total decimal(2)".
func parseDeclared(text string) (declared, bool) {
	m := declBody.FindStringSubmatch(text)
	if m == nil {
		return declared{}, false
	}
	d := declared{name: strings.ToLower(m[1]), typ: m[2], null: m[4] != ""}
	t, known := fieldtype.Lookup(d.typ)
	if !known || t.Help == "" || d.typ == "select" || d.typ == "reference" || (d.typ == "decimal") != (m[3] != "") {
		return declared{}, false
	}
	d.scale, _ = strconv.Atoi(m[3])
	return d, d.scale <= 18
}
