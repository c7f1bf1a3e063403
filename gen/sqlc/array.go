package sqlc

import (
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// PostgreSQL takes a whole list as one argument, an array: id = ANY(@ids), unnest(@names::text[]).
const arrayMark = "[]"

func (c Column) isArray() bool { return strings.HasSuffix(c.Type, arrayMark) || c.Type == "anyarray" }

// element is the column that an array has the values of.
func (c Column) element() Column {
	c.Type = strings.TrimSuffix(c.Type, arrayMark)
	return c
}

// arrayed reports whether a parameter is an array, which it must be wherever it stands.
func (r *reconciler) arrayed(name string) (array, ok bool) {
	single := false
	for _, db := range r.v.databases() {
		r.eachUse(db, name, func(u use, c Column, known bool) {
			if db == model.Postgres && (known && c.isArray() || r.v.of[db].query.ofAny(u)) {
				array = true
			} else {
				single = true
			}
		})
	}
	if array && single {
		r.mistakeAtUse(name, "use two parameters", "the parameter %s stands for an array and for a single value", name)
		return true, false
	}
	return array, true
}

// ofAny reports whether a parameter stands alone in ANY(...), SOME(...) or ALL(...), of which sqlc tells
// the type of one value.
func (q *written) ofAny(u use) bool {
	s := scope{code: q.code()}
	i := slices.IndexFunc(s.code, func(t token) bool { return t.at == u.at })
	if i < 2 || !s.is(i-1, "(") || !slices.Contains([]string{"any", "some", "all"}, s.word(i-2)) {
		return false
	}
	_, n, ok := parameter(s.code[i:])
	return ok && s.is(i+n, ")")
}

// arrayOf makes a parameter the array of what was found for one of its values.
func (r *reconciler) arrayOf(v UserValue) (UserValue, bool) {
	v.Array = true
	switch v.kind() {
	case check.Int, check.Float, check.Text, check.Time, check.Bool, check.Date:
	default:
		r.mistakeAtUse(v.Name, "pass texts, and cast them: @"+v.Name+"::text[]::numeric[]", "the parameter %s is an array of the type %s, which Go has no argument for", v.Name, v.Type)
		return v, false
	}
	if v.Null {
		r.mistakeAtUse(v.Name, "write sqlc.arg("+v.Name+"): an empty slice is an empty array", "the parameter %s is an array, and cannot be null", v.Name)
		return v, false
	}
	return v, true
}

// besideCall reports whether a parameter is compared with what a function makes, as in
// json_extract(meta, '$.width') = @width, of which sqlc says that it is the function's argument.
func (r *reconciler) besideCall(name string) bool {
	found := false
	for _, w := range r.v.written() {
		for _, part := range w.typer.p.all {
			part.each(func(n *node) {
				for _, pair := range pairs(n) {
					for i, x := range pair {
						found = found || x.op == "parameter" && x.name == name && pair[1-i].op == "call"
					}
				}
			})
		}
	}
	return found
}

// arrayColumn reports a column of a result that is an array, which no field type holds.
func (r *reconciler) arrayColumn(name string) {
	r.mistakeAtColumn(name, "write to_jsonb(...) around it, and add a line below the query's name: -- column: "+name+" json null",
		"the column %s of the query %s is an array, which no field type holds", name, r.v.name)
}
