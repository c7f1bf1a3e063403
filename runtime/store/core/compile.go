package core

import (
	"strconv"

	"github.com/hegner123/modulagen/runtime/store/internal/filter"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Limits of a filter.
const (
	maxDepth = 64    // conditions inside conditions
	maxNodes = 1_000 // conditions in all
	maxSort  = 8     // columns of a sort
)

// builder writes the varying part of a statement. Values only ever become
// bound parameters; names only ever come from the Spec.
type builder struct {
	d      sqltext.Dialect
	name   string // of the datatype
	table  string // quoted
	cols   []Column
	quoted []string
	sql    []byte
	args   []any
	nodes  int
	listed int
	err    error // the first
}

func (b *builder) write(parts ...string) {
	for _, p := range parts {
		b.sql = append(b.sql, p...)
	}
}

// bind writes a placeholder for v.
func (b *builder) bind(v any) {
	b.args = append(b.args, v)
	if b.d == sqltext.Postgres {
		b.sql = append(b.sql, '$')
		b.sql = strconv.AppendInt(b.sql, int64(len(b.args)), 10)
		return
	}
	b.sql = append(b.sql, '?')
}

func (b *builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// truth writes a condition that is always v.
func (b *builder) truth(v bool) {
	if v {
		b.write("1 = 1")
	} else {
		b.write("1 = 0")
	}
}

// where writes " WHERE ..." for the filter and for what follows a cursor.
func (b *builder) where(n *filter.Node, after func()) {
	filtered := n != nil && n.Op != filter.All
	if !filtered && after == nil {
		return
	}
	b.write("\nWHERE ")
	if filtered {
		b.cond(n, false, 0)
	}
	if after != nil {
		if filtered {
			b.write("\n  AND ")
		}
		after()
	}
}

// cond writes a condition, or its opposite. A Not is carried down to the
// comparisons, which know whether a NULL can be there.
func (b *builder) cond(n *filter.Node, negate bool, depth int) {
	if n == nil {
		b.truth(!negate)
		return
	}
	b.nodes++
	if depth > maxDepth || b.nodes > maxNodes {
		b.fail(invalidf("a filter holds more than %d conditions, or more than %d inside one another", maxNodes, maxDepth))
		return
	}
	switch n.Op {
	case filter.All:
		b.truth(!negate)
	case filter.Not:
		b.cond(n.Kids[0], !negate, depth+1)
	case filter.And, filter.Or:
		b.join(n, negate, depth)
	default:
		if n.Col >= len(b.cols) {
			b.fail(invalidf("a filter names column %d of %d: it is another datatype's", n.Col, len(b.cols)))
			return
		}
		b.leaf(n, negate)
	}
}

func (b *builder) join(n *filter.Node, negate bool, depth int) {
	all := (n.Op == filter.And) != negate
	if len(n.Kids) == 0 {
		b.truth(all)
		return
	}
	word := " OR "
	if all {
		word = " AND "
	}
	b.group(n.Kids, word, negate, depth+1)
}

// group writes conditions with a word between. SQLite takes "a OR b OR c" for a
// tree as deep as it is long, and has a limit of 1,000: there, halves are put
// into parentheses of their own.
func (b *builder) group(kids []*filter.Node, word string, negate bool, depth int) {
	b.write("(")
	if half := len(kids) / 2; b.d == sqltext.SQLite && len(kids) > 8 {
		b.group(kids[:half], word, negate, depth)
		b.write(word)
		b.group(kids[half:], word, negate, depth)
	} else {
		for i, kid := range kids {
			if i > 0 {
				b.write(word)
			}
			b.cond(kid, negate, depth)
		}
	}
	b.write(")")
}

func (b *builder) leaf(n *filter.Node, negate bool) {
	col := &b.cols[n.Col]
	switch n.Op {
	case filter.Null, filter.NotNull:
		b.null(n.Col, (n.Op == filter.Null) != negate)
		return
	case filter.In:
		b.in(n, negate)
		return
	case filter.Unreferenced:
		b.unreferenced(n, negate)
		return
	case filter.Length:
		b.orNull(n.Col, negate, func() { b.length(n, negate) })
		return
	case filter.Prefix, filter.Contains:
		s, _ := n.Args[0].(string)
		if err := col.storableText(s); err != nil {
			b.fail(err)
			return
		}
		b.orNull(n.Col, negate, func() { b.match(n, s, negate) })
		return
	case filter.Between:
		low := &filter.Node{Op: filter.Gte, Col: n.Col, Args: n.Args[:1]}
		high := &filter.Node{Op: filter.Lte, Col: n.Col, Args: n.Args[1:]}
		b.join(&filter.Node{Op: filter.And, Kids: []*filter.Node{low, high}}, negate, 0)
		return
	}
	arg, exact, err := col.compared(b.name, n.Args[0])
	if s, ok := arg.(string); ok && !exact && n.Op != filter.Eq && n.Op != filter.Ne {
		err = col.storableText(s) // of something that is no id, only its place can be asked for
	}
	if err != nil {
		b.fail(err)
		return
	}
	b.compare(n.Op, n.Col, arg, exact, negate)
}

// null writes IS NULL or IS NOT NULL, or its answer where the column has none.
func (b *builder) null(col int, is bool) {
	switch {
	case !b.cols[col].Null:
		b.truth(!is)
	case is:
		b.write(b.quoted[col], " IS NULL")
	default:
		b.write(b.quoted[col], " IS NOT NULL")
	}
}

// orNull writes a condition that must also keep NULLs.
func (b *builder) orNull(col int, wanted bool, cond func()) {
	if !wanted || !b.cols[col].Null {
		cond()
		return
	}
	b.write("(")
	cond()
	b.write(" OR ", b.quoted[col], " IS NULL)")
}

var opposite = map[filter.Op]filter.Op{filter.Eq: filter.Ne, filter.Ne: filter.Eq, filter.Lt: filter.Gte, filter.Gte: filter.Lt, filter.Gt: filter.Lte, filter.Lte: filter.Gt}

var signs = map[filter.Op]string{filter.Eq: " = ", filter.Ne: " <> ", filter.Lt: " < ", filter.Lte: " <= ", filter.Gt: " > ", filter.Gte: " >= "}

// compare writes column op arg. With exact false, arg is the greatest storable
// value below the one meant.
func (b *builder) compare(o filter.Op, col int, arg any, exact, negate bool) {
	nulls := (o == filter.Ne) != negate // a NULL is not equal, and not smaller
	if negate {
		o = opposite[o]
	}
	if !exact {
		if arg == belowAll {
			b.null1(col, nulls, o == filter.Ne || o == filter.Gt || o == filter.Gte)
			return
		}
		switch o {
		case filter.Eq:
			b.null1(col, nulls, false)
			return
		case filter.Ne:
			b.null1(col, nulls, true)
			return
		case filter.Lt:
			o = filter.Lte
		case filter.Gte:
			o = filter.Gt
		}
	}
	b.orNull(col, nulls, func() {
		b.write(b.quoted[col], signs[o])
		b.bind(arg)
	})
}

// null1 writes a comparison whose answer is the same for every value.
func (b *builder) null1(col int, nulls, values bool) {
	switch {
	case nulls == values || !b.cols[col].Null:
		b.truth(values)
	default:
		b.null(col, nulls)
	}
}
