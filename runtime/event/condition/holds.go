package condition

import (
	"bytes"
	"cmp"

	"github.com/hegner123/modulagen/runtime/store/check"
)

// holds evaluates a node. Its depth is bounded by MaxDepth.
func (n *node) holds(before, after Row) bool {
	switch n.op {
	case opAll:
		for i := range n.kids {
			if !n.kids[i].holds(before, after) {
				return false
			}
		}
		return true
	case opAny, opNone:
		for i := range n.kids {
			if n.kids[i].holds(before, after) {
				return n.op == opAny
			}
		}
		return n.op == opNone
	case opChanged:
		return n.changed(before, after) == n.want
	}
	row := after
	if n.row == rowBefore || n.row == rowLast && after == nil {
		row = before
	}
	if n.op == opExists {
		return exists(row.at(n.col)) == n.want
	}
	return n.compare(row.at(n.col))
}

// at returns the place of a column; nil when there is none.
func (r Row) at(col int) any {
	if col >= len(r) {
		return nil
	}
	return r[col]
}

func (n *node) compare(place any) bool {
	if len(n.values) == 0 { // eq null, ne null
		return exists(place) == (n.op == opNe)
	}
	have, ok := read(place, n.kind)
	if !ok {
		return n.op == opNe
	}
	if n.op == opIn {
		for i := range n.values {
			if have == n.values[i] {
				return true
			}
		}
		return false
	}
	want := &n.values[0]
	sign := cmp.Compare(have.n, want.n)
	if n.kind == check.Text {
		sign = cmp.Compare(have.s, want.s)
	}
	switch n.op {
	case opEq:
		return sign == 0
	case opNe:
		return sign != 0
	case opLt:
		return sign < 0
	case opLte:
		return sign <= 0
	case opGt:
		return sign > 0
	}
	return sign >= 0
}

func (n *node) changed(before, after Row) bool {
	was, is := before.at(n.col), after.at(n.col)
	if some := exists(was); some != exists(is) || !some {
		return some != exists(is)
	}
	switch n.kind {
	case check.Bytes:
		return !bytes.Equal(content(was), content(is))
	case check.JSON:
		return !sameJSON(content(was), content(is))
	}
	a, _ := read(was, n.kind)
	b, _ := read(is, n.kind)
	return a != b
}
