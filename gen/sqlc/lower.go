package sqlc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// edit is what one database gets instead of a token, and around it.
type edit struct {
	before, after string
	instead       string // "": the token itself
}

// lowering writes what means the same thing in another way on one database.
// What it does is told in docs/access.md; each has its test on every database.
type lowering struct {
	*typer
	db    model.Database
	edits map[int]edit // by the token's offset in the file
}

// lowered returns the edits of a query for one database.
func (q *written) lowered(db model.Database) map[int]edit {
	l := lowering{typer: q.typer, db: db, edits: map[int]edit{}}
	l.declared(q)
	seen := map[*relation]bool{}
	for _, part := range q.typer.p.all {
		part.each(l.node)
		part.each(l.collate)
		l.collateItems(part)
		for _, r := range part.ctes {
			if !seen[r] { // the arms of a UNION share them
				seen[r] = true
				l.renamed(r)
				l.recursive(r)
			}
		}
		l.order(part)
	}
	return l.edits
}

// wrap puts text around an expression.
func (l *lowering) wrap(e span, before, after string) {
	if e.to <= e.from {
		return
	}
	code := l.p.code
	first, last := code[e.from].at, code[e.to-1].at
	x := l.edits[first]
	x.before += before
	l.edits[first] = x
	x = l.edits[last]
	x.after = after + x.after
	l.edits[last] = x
}

func (l *lowering) replace(i int, text string) {
	x := l.edits[l.p.code[i].at]
	x.instead = text
	l.edits[l.p.code[i].at] = x
}

func (l *lowering) node(n *node) {
	switch {
	case (n.op == "/" || n.op == "%") && l.typ(n).Type == "number":
		l.whole(n)
	case n.op == "like" && n.name == "like" && len(n.args) == 2 && n.args[1].op != "text" && l.db != model.SQLite:
		l.wrap(n.args[1].span, "", l.unescaped())
	case n.op == "call" && n.name == "length" && len(n.args) == 1 && l.db == model.MySQL && l.typ(n.args[0]).kind() == check.Text:
		l.replace(n.from, "char_length")
	case n.op == "cast":
		l.cast(n)
	case n.op == "bits" && l.typ(n).Type == "number" && l.db == model.MySQL: // whose bits are unsigned
		l.wrap(n.span, "CAST(", " AS SIGNED)")
	case n.op == "call" && n.name == "date" && len(n.args) == 1 && l.db == model.Postgres:
		l.replace(n.from, "CAST")
		l.wrap(n.args[0].span, "", " AS date")
	}
}

// unescaped lets no character of a LIKE's pattern escape another, as the standard
// has it, unless the query says which. MariaDB takes ESCAPE ” for a backslash;
// \Z is a control character, which no pattern holds.
func (l *lowering) unescaped() string {
	if l.db == model.MySQL {
		return ` ESCAPE '\Z'`
	}
	return " ESCAPE ''"
}

// whole keeps a division of whole numbers whole: MySQL's / makes a fraction, and
// PostgreSQL's sum of bigint is numeric.
func (l *lowering) whole(n *node) {
	if n.op == "/" && l.db == model.MySQL {
		l.replace(n.args[1].from-1, "DIV")
	}
	if l.db != model.Postgres {
		return
	}
	n.walk(func(c *node) {
		if c.op == "call" && c.name == "sum" && l.edits[l.p.code[c.to-1].at].after == "" {
			l.wrap(c.span, "", "::bigint")
		}
	})
}

// order puts nulls where the store's own sorts put them: first, and last where
// the order descends.
func (l *lowering) order(q *query) {
	if l.db != model.Postgres {
		return
	}
	for _, o := range q.order {
		if v := l.typ(q.ordered(o.node)); o.told || v.Type != "" && !v.Null {
			continue
		}
		if o.desc {
			l.wrap(span{o.from, o.end}, "", " NULLS LAST")
		} else {
			l.wrap(span{o.from, o.end}, "", " NULLS FIRST")
		}
	}
}

// ordered returns the expression that ORDER BY means: of the list, where it names
// one of it.
func (q *query) ordered(n *node) *node {
	if n.op == "column" && n.of == "" {
		for i, name := range q.names {
			if name == n.name {
				return q.items[i]
			}
		}
	}
	return n
}

// renamed names the columns of a WITH name(column) AS (...) where they are made,
// too: sqlc looks at the list for PostgreSQL alone.
func (l *lowering) renamed(r *relation) {
	if r.result == nil || len(r.result.items) != len(r.names) || r.result.verb != "select" || l.db == model.Postgres {
		return
	}
	for i, n := range r.result.items {
		if w := l.p.word(n.to); n.op != "star" && (w == "" || w == "from" || w == "union") {
			l.wrap(n.span, "", " AS "+r.names[i])
		}
	}
}

// declared rounds what is declared a decimal and is none: an average, a product
// with a fraction. SQLite has no exact fractions, and a decimal there is a scaled
// whole number.
func (l *lowering) declared(q *written) {
	top := q.top
	for _, d := range q.columns {
		for i, n := range top.items {
			v := l.typ(n)
			if top.names[i] != d.name || n.op == "star" || n.op == "column" && v.Type != float {
				continue
			}
			switch {
			case d.typ == float && v.Type == fraction:
				l.inFloats(n, v.Scale)
			case d.typ == "decimal" && (v.Type == "" && l.decimalsIn(n) == nil || v.Type == fraction || v.Type == float):
				l.round(n, d.scale, v.Scale)
			}
		}
	}
}

func (l *lowering) round(n *node, scale, has int) {
	switch l.db {
	case model.SQLite:
		factor := ""
		if scale > has {
			factor = " * 1" + strings.Repeat("0", scale-has) + ".0"
		} else if scale < has {
			factor = " / 1" + strings.Repeat("0", has-scale) + ".0"
		}
		// The inner round takes away what binary fractions are off, so that a
		// half goes where it goes on the other databases.
		l.wrap(n.span, "CAST(round(round((", ")"+factor+", 6)) AS INTEGER)")
	case model.Postgres:
		l.wrap(n.span, "round(CAST(", fmt.Sprintf(" AS numeric), %d)", scale))
	case model.MySQL:
		if l.typ(n).Type == float { // of which MySQL would round the binary fraction
			l.wrap(n.span, "ROUND(CAST(", fmt.Sprintf(" AS DECIMAL(38,12)), %d)", scale))
			return
		}
		l.wrap(n.span, "ROUND(", fmt.Sprintf(", %d)", scale))
		n.walk(l.digits)
	}
}

// inFloats has PostgreSQL and MySQL compute a fraction as SQLite does, in floating point: what they
// would compute in digits has as many as each of them thinks fit. What is made of a decimal, which
// SQLite alone keeps scaled, stays exact until the end.
func (l *lowering) inFloats(n *node, scale int) {
	if l.db == model.SQLite {
		if scale > 0 {
			l.wrap(n.span, "((", ") / 1"+strings.Repeat("0", scale)+".0)")
		}
		return
	}
	as := " AS double precision)"
	if l.db == model.MySQL {
		as = " AS DOUBLE)"
	}
	l.wrap(n.span, "CAST(", as)
	switch {
	case scale == 0:
		l.operands(n, as)
	case l.db == model.MySQL:
		n.walk(l.digits)
	}
}

// operands makes floats of what averages, sums and products of fractions are made of. Round has no
// form for floats on PostgreSQL, and what is within it stays exact.
func (l *lowering) operands(n *node, as string) {
	switch {
	case n.op == "call" && n.name == "round":
		if l.db == model.MySQL {
			n.walk(l.digits)
		}
		return
	case n.op == "call" && n.name == "avg" && len(n.args) == 1, slices.Contains([]string{"+", "-", "*", "/"}, n.op) && l.typ(n).Type == fraction:
		l.wrap(n.args[0].span, "CAST(", as)
	}
	for _, a := range n.args {
		l.operands(a, as)
	}
}

// digits gives MySQL's divisions the digits that they have elsewhere: they keep
// four more than what is divided.
func (l *lowering) digits(n *node) {
	switch {
	case n.op == "call" && n.name == "avg" && len(n.args) == 1, n.op == "/" && l.typ(n).Type == fraction:
		l.wrap(n.args[0].span, "CAST(", " AS DECIMAL(38,12))")
	}
}
