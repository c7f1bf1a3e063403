package sqlc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// differ reports what does not mean the same on the databases of a query.
func (q *written) differ() {
	t := q.typer
	for _, part := range t.p.all {
		part.each(func(n *node) {
			for _, d := range differences {
				if !q.on(d.on) || d.alone && len(q.file.Databases) == 1 {
					continue
				}
				if wrong, instead := d.found(t, n); wrong != "" {
					q.mistakeOnce(t.p.code[n.from].at, instead, wrong)
					return
				}
			}
		})
		q.grouping(part)
		q.distinct(part)
		q.assigned(part)
		q.seeds(part)
	}
}

func (q *written) on(dbs []model.Database) bool {
	return slices.ContainsFunc(dbs, func(db model.Database) bool { return slices.Contains(q.file.Databases, db) })
}

// mistakeOnce leaves out what has been reported at the same place.
func (q *written) mistakeOnce(at int, hint, message string) {
	p := q.file.pos(at)
	for _, m := range *q.file.mistakes {
		if m.File == p.File && m.Line == p.Line && m.Column == p.Column {
			return
		}
	}
	q.file.mistake(at, hint, "%s", message)
}

// grouping reports a column that is neither grouped by nor in an aggregate:
// SQLite and MySQL take any of its values, PostgreSQL refuses it. The key of a
// table groups by all of it.
func (q *written) grouping(part *query) {
	if part.verb != "select" || !part.grouped && part.having == nil && !slices.ContainsFunc(part.items, aggregates) {
		return
	}
	t := q.typer
	if part.having != nil {
		part.having.walk(func(n *node) {
			if n.op != "column" || n.of != "" || t.typ(n).Type != "" {
				return
			}
			for i, name := range part.names {
				if name == n.name && part.items[i].op != "column" {
					q.mistakeOnce(t.p.code[n.from].at, fmt.Sprintf("write %s", t.p.source(part.items[i].span)), "postgres knows no name of the list in HAVING")
				}
			}
		})
	}
	for _, n := range part.items {
		if n.op == "star" && part.grouped {
			continue
		}
		q.loose(part, n)
	}
}

func (q *written) loose(part *query, n *node) {
	t := q.typer
	for _, g := range part.group {
		if t.p.text(part.ordered(g).span) == t.p.text(n.span) {
			return
		}
		if g.op == "number" {
			if i := int(g.name[0] - '1'); len(g.name) == 1 && i >= 0 && i < len(part.items) && part.items[i] == n {
				return
			}
		}
	}
	switch {
	case n.op == "call" && slices.Contains(aggregateNames, n.name), n.op == "select", n.op == "exists":
		return
	case n.op == "column":
		v := t.typ(n)
		if v.Datatype == nil || part.groups(t, v) {
			return
		}
		q.mistakeOnce(t.p.code[n.from].at, "name it in GROUP BY, or write min() or max() of it", fmt.Sprintf("%s has several values in a group: sqlite and mysql take any of them, postgres none", n.name))
		return
	}
	for _, a := range n.args {
		q.loose(part, a)
	}
}

// groups reports whether a query groups by a column, or by its table's id.
func (part *query) groups(t *typer, v UserValue) bool {
	return slices.ContainsFunc(part.group, func(g *node) bool {
		w := t.typ(part.ordered(g))
		return w.Field != nil && w.Datatype == v.Datatype && (w.Field.Name == v.Field.Name || w.Field.Name == "id")
	})
}

// distinct reports an order by what SELECT DISTINCT does not select.
func (q *written) distinct(part *query) {
	if !part.unique || slices.ContainsFunc(part.items, func(n *node) bool { return n.op == "star" }) {
		return
	}
	t := q.typer
	for _, o := range part.order {
		if o.op == "number" || slices.ContainsFunc(part.items, func(n *node) bool { return t.p.text(n.span) == t.p.text(o.span) || n == part.ordered(o.node) }) {
			continue
		}
		if v := t.typ(o.node); v.Field != nil && slices.ContainsFunc(part.items, func(n *node) bool {
			w := t.typ(n)
			return n.op == "column" && w.Datatype == v.Datatype && w.Field == v.Field
		}) {
			continue
		}
		q.mistakeOnce(t.p.code[o.from].at, "select it too, or group by what is selected", "one row of SELECT DISTINCT stands for several, and may have several of these: postgres refuses the order")
	}
}

// assigned reports values that a column cannot take on every database, and
// columns that are read after the same statement has written them, of which
// MySQL reads the new value.
func (q *written) assigned(part *query) {
	t := q.typer
	var before []string
	for _, s := range slices.Concat(part.sets, part.updates) {
		if part.verb == "update" && q.on(mysql) && len(q.file.Databases) > 1 {
			s.value.walk(func(n *node) {
				if n.op == "column" && slices.Contains(before, n.name) && (n.of == "" || n.of == s.table.called) {
					q.mistakeOnce(t.p.code[n.from].at, "assign it after this column", fmt.Sprintf("mysql has changed %s already, and reads its new value", n.name))
				}
			})
			before = append(before, s.column)
		}
		if s.table.datatype == nil {
			continue
		}
		f := fieldNamed(s.table.datatype, s.column)
		v := t.typ(s.value)
		if f == nil || v.Type == "" || v.Type == null || v.Type == argument || s.value.op == "text" || s.value.op == "number" || s.value.op == "fraction" {
			continue
		}
		want := UserValue{Type: f.Type, Scale: f.Scale, Field: f}
		at := t.p.code[s.value.from].at
		switch {
		case f.Storage().Kind == check.Time && v.kind() == check.Date, f.Storage().Kind == check.Date && v.kind() == check.Time:
			q.mistakeOnce(at, "CURRENT_TIMESTAMP is for a datetime, CURRENT_DATE for a date", fmt.Sprintf("%s is a %s, and this a %s", f.Name, f.Type, v.Type))
		case family(v) != family(want):
			q.mistakeOnce(at, "use a parameter", fmt.Sprintf("%s is a %s, and this a %s", f.Name, f.Type, said(v)))
		case v.Type == float && f.Type != float:
			q.mistakeOnce(at, "calculate it in Go, and use a parameter", fmt.Sprintf("%s is a %s, and this a float, which postgres and mysql would round", f.Name, typeText(f.Type, f.Scale)))
		case v.Type == fraction && f.Type == float && v.Scale == 0:
			if len(q.file.Databases) > 1 {
				q.mistakeOnce(at, "multiply a float column, or calculate it in Go and use a parameter", fmt.Sprintf("%s is a float, and this a fraction, of which each database keeps other digits", f.Name))
			}
		case q.on(lite) && family(v) == check.Int && (v.Type == fraction || v.Scale != f.Scale):
			q.mistakeOnce(at, "calculate it in Go, and use a parameter", fmt.Sprintf("%s is a %s, and this another kind of number on sqlite", f.Name, typeText(f.Type, f.Scale)))
		}
	}
}

// notes say in the method's doc what cannot be judged, or is not the same.
func (q *written) notes() []string {
	var out []string
	add := func(s string) {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	t := q.typer
	for _, part := range t.p.all {
		part.each(func(n *node) {
			switch {
			case n.op == "call" && (n.name == "upper" || n.name == "lower") && q.on(mysql):
				add("Beyond ASCII, " + n.name + " changes letters on MySQL alone.")
			case n.op == "call" && n.name == "avg" && q.on(lite):
				add("On SQLite the average is computed in floating point.")
			case n.op == "call" && (n.name == "sqrt" || n.name == "ln" || n.name == "log10") && q.on(postgres) && len(q.file.Databases) > 1:
				add("Where " + n.name + " has no value, as for a negative number, it is null on SQLite and MySQL, and an error on PostgreSQL.")
			case n.op == "call" && functions[n.name] == (function{}) && n.name != "abs" && n.name != "coalesce" && n.name != "values":
				add("Whether " + n.name + " means the same on every database is not known to the generator.")
			case n.op == "like" && len(n.args) == 3 && n.args[1].op != "text" && q.on(postgres):
				add("A pattern that ends with the character of ESCAPE is an error on PostgreSQL.")
			case n.op == "" && n.to > n.from:
				add("The generator does not understand " + shorten(t.p.source(n.span)) + ": compare its results on every database.")
			}
		})
	}
	return out
}

// unjudged says in the method's doc what of a query for a project's only database the generator has
// not judged: parts that it does not know, whose values may be null, and may fail.
func (q *written) unjudged() []string {
	var parts []string
	t := q.typer
	for _, part := range t.p.all {
		part.each(func(n *node) {
			if n.op == "" && n.to > n.from && t.typ(n).Type == "" {
				parts = append(parts, shorten(t.p.source(n.span)))
			}
		})
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{"The generator has not judged " + strings.Join(slices.Compact(parts), ", ") + "."}
}

func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
