package sqlc

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

func byName(p *model.Project) map[string]*model.Datatype {
	out := make(map[string]*model.Datatype, len(p.Datatypes))
	for _, d := range p.Datatypes {
		out[d.Name] = d
	}
	return out
}

// reconcile makes the user's queries out of their analyses.
func reconcile(datatypes map[string]*model.Datatype, user []*versions, own []*unit, known map[*unit][]Analysed) []*UserQuery {
	byVersion := map[*rewritten]*Analysed{}
	for _, u := range own {
		byVersion[u.user] = &known[u][0]
	}
	var out []*UserQuery
	for _, v := range user {
		r := reconciler{datatypes: datatypes, v: v, analysed: map[model.Database]*Analysed{}}
		for _, db := range v.databases() {
			r.analysed[db] = byVersion[v.of[db]]
		}
		if q := r.query(); q != nil {
			out = append(out, q)
		}
	}
	return out
}

// reconciler makes one Go signature out of what the databases of a project say.
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
		Writes: first.query.writes(), Bypassed: first.query.bypassed(), Row: first.query.rowName(), version: first,
	}
	for _, w := range r.v.written() {
		notes := w.notes()
		if len(r.v.databases()) == 1 {
			notes = w.unjudged()
		}
		for _, note := range notes {
			if !slices.Contains(q.Notes, note) {
				q.Notes = append(q.Notes, note)
			}
		}
	}
	if !slices.Contains(r.v.databases(), model.SQLite) {
		q.Notes = append(q.Notes, "The generator has not run it: it runs queries on SQLite alone.")
	}
	if !r.sameShape() || !r.knownDeclarations() {
		return nil
	}
	rows, ok := r.rows()
	if !ok {
		return nil
	}
	for i := 0; i < len(r.analysed[first.db].Columns); i++ {
		c, good := rows[i], true
		if c.Row != nil {
			i += len(c.Row.Columns()) - 1
		} else {
			c, good = r.column(i)
		}
		ok = ok && good && r.goodColumn(c.Name, q.Columns)
		q.Columns = append(q.Columns, c)
	}
	for _, name := range r.paramNames(first.db) {
		p, good := r.param(name)
		if other, taken := sameGoName(name, q.Params); taken {
			r.mistakeAtUse(name, "give one of them another name", "the parameters %s and %s have the same Go name", other, name)
			good = false
		}
		ok = ok && good && r.goodList(p)
		q.Params = append(q.Params, p)
	}
	if !ok {
		return nil
	}
	for _, db := range r.v.databases() {
		q.Text[db], q.Order[db] = r.text(db, q.Params)
		q.Clock = q.Clock || slices.ContainsFunc(r.v.of[db].uses, func(u use) bool { return u.name == clockName })
	}
	return q
}

// goodColumn reports a column that cannot be a field beside the others.
func (r *reconciler) goodColumn(name string, others []UserValue) bool {
	if !goodParam(name) {
		r.mistake(r.v.first().db, "name it with AS, with letters, digits and _", "the column %q of the query %s cannot be a field's name", name, r.v.name)
		return false
	}
	if other, taken := sameGoName(name, others); taken {
		r.mistake(r.v.first().db, "name it with AS", "the columns %s and %s of the query %s have the same Go name", other, name, r.v.name)
		return false
	}
	return true
}

// sameGoName finds the value that has a name's Go name already.
func sameGoName(name string, others []UserValue) (string, bool) {
	for _, o := range others {
		if goname.Exported(o.Name) == goname.Exported(name) {
			return o.Name, true
		}
	}
	return "", false
}

func (r *reconciler) mistake(db model.Database, hint, format string, args ...any) {
	w := r.v.of[db].query
	w.file.mistake(w.at, hint, format, args...)
}

func (r *reconciler) paramNames(db model.Database) []string {
	var out []string
	for _, u := range r.v.of[db].uses {
		if u.name != clockName && !slices.Contains(out, u.name) {
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
	for _, db := range r.v.databases() {
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

// text writes the final statement: placeholders counted as the parameters are.
func (r *reconciler) text(db model.Database, params []UserValue) (string, []int) {
	uses := r.v.of[db].uses
	index := make([]int, len(uses))
	for i, u := range uses {
		index[i] = slices.IndexFunc(params, func(p UserValue) bool { return p.Name == u.name })
		if u.name == clockName {
			index[i] = len(params) // the last argument
		}
	}
	tokens, _ := newLexer(r.analysed[db].Text, []model.Database{db}).tokens()
	text := final(db, tokens, uses, index, params)
	if db != model.MySQL || inOrder(index, len(params)) {
		return text, nil
	}
	return text, index
}

// number returns which placeholder a token is, from 0.
func number(t token) (int, bool) {
	n, err := strconv.Atoi(strings.TrimLeft(t.text, "?$"))
	return n - 1, err == nil && t.kind == positional
}

// postgresType is the type of a parameter in a CAST: without a length, which
// would cut the value silently.
func postgresType(v UserValue) string {
	if v.Array {
		v.Array = false
		return postgresType(v) + arrayMark
	}
	switch v.kind() {
	case check.Int:
		return "bigint"
	case check.Decimal:
		return "numeric"
	case check.Float:
		return "double precision"
	case check.Bool:
		return "boolean"
	case check.Time:
		return "timestamptz"
	case check.Date:
		return "date"
	case check.JSON:
		return "jsonb"
	case check.Bytes:
		return "bytea"
	}
	if v.Field != nil && v.Field.Storage().Name == "ulid" || v.Type == "ulid" {
		return "bpchar"
	}
	return "text"
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
