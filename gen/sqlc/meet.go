package sqlc

import (
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/runtime/store/check"
)

// markBase begins the literals that stand for parameters in what is analysed, see
// [written.marks].
const markBase = "908172635"

// mark is the literal that stands for the n-th use of a parameter.
func mark(n int) string { return fmt.Sprintf("%s%03d", markBase, n) }

// marks reports whether a literal stands for a use of a parameter when the query
// is analysed. It does where the type of the parameter is known without: sqlc looks
// for what a parameter meets among the tables of the whole statement, and refuses a
// name that is plain where it stands, such as a column of a recursive WITH, or one
// that two subqueries have. A list has no placeholder of its own in any case.
func (q *written) marks(u use) bool {
	if u.list {
		return true
	}
	if !slices.ContainsFunc(q.typer.p.all, func(part *query) bool { return part.parent != nil && part.verb == "select" }) {
		return false
	}
	_, ok := q.parameterType(u.name)
	return ok
}

// parameterType is the type of a parameter as far as the query itself tells it: as
// it is declared, or of what it is compared with.
func (q *written) parameterType(name string) (UserValue, bool) {
	for _, d := range q.params {
		if d.name == name {
			return UserValue{Type: d.typ, Scale: d.scale, Null: d.null}, true
		}
	}
	return q.met(name, false)
}

// met is the type of what a parameter is compared with, wherever it stands; with
// inRows, in rows of values alone, as in (created_at, id) < (@at, @id).
func (q *written) met(name string, inRows bool) (UserValue, bool) {
	var found []UserValue
	for _, part := range q.typer.p.all {
		part.each(func(n *node) {
			if inRows && !slices.ContainsFunc(n.args, func(a *node) bool { return a.op == "row" }) {
				return
			}
			for _, pair := range metBy(n) {
				for i, p := range pair {
					if p.op == "parameter" && p.name == name {
						found = append(found, q.typer.typ(pair[1-i]))
					}
				}
			}
		})
	}
	return together(found)
}

// metBy returns the pairs of an expression of which one tells the other's type.
func metBy(n *node) [][2]*node {
	if n.op == "like" && len(n.args) > 1 {
		return [][2]*node{{n.args[0], n.args[1]}}
	}
	return pairs(n)
}

// together is the type of a parameter that meets several values: theirs, where it
// is one, else the plain type that holds them.
func together(values []UserValue) (UserValue, bool) {
	var out UserValue
	for i, v := range values {
		switch {
		case !v.known():
			return UserValue{}, false
		case i == 0:
			out = v
		case out.kind() != v.kind() || out.kind() == check.Decimal && out.Scale != v.Scale:
			return UserValue{}, false
		case out.Datatype == v.Datatype && out.Field != nil && v.Field != nil && out.Field.Name == v.Field.Name:
		case out.Field != nil && v.Field != nil && sameGo(out.Field, v.Field):
		default:
			out = UserValue{Type: plain(out.Type), Scale: out.Scale}
		}
	}
	out.Null = false
	return out, out.known()
}
