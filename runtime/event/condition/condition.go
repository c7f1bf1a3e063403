package condition

import (
	"slices"

	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// The limits of a condition.
const (
	MaxBytes = 16 << 10
	MaxTerms = 100 // operators, and values in lists
	MaxDepth = 8   // groups within one another
)

// Row has the place of each column of a row, in the order of the columns, as
// Spec.Fields appends them. A nil Row is a row that is not there. One Row serves any
// number of conditions:
//
//	after = spec.Fields(change.After, after[:0])
type Row []any

// Condition is a condition that was checked. It is safe for concurrent use.
type Condition struct{ root node }

// Parse reads a condition on rows that have these columns, those of a core.Spec. An
// error is an [*Error] with every mistake, and is store.ErrInvalid.
func Parse(raw []byte, columns []core.Column) (*Condition, error) {
	p := &parser{columns: columns}
	root := p.parse(raw)
	if len(p.mistakes) > 0 {
		slices.SortStableFunc(p.mistakes, func(a, b Mistake) int { return a.Offset - b.Offset })
		return nil, &Error{Mistakes: p.mistakes}
	}
	return &Condition{root: root}, nil
}

// Holds reports whether the condition holds for a change from before to after, which
// are nil where there is no such row. It does not fail: a place that is not of its
// column's type counts as null. It does not allocate, except for decimals and changed JSON.
func (c *Condition) Holds(before, after Row) bool {
	return c.root.holds(before, after)
}

// op is what a node does.
type op uint8

const (
	opAll op = iota
	opAny
	opNone
	opEq
	opNe
	opIn
	opLt
	opLte
	opGt
	opGte
	opChanged
	opExists
)

// row is the one that a term looks at.
type row uint8

const (
	rowLast row = iota // after, or before where nothing is after
	rowBefore
	rowAfter
)

// node is a group or one operator of a term.
type node struct {
	op   op
	kids []node // of a group

	col    int
	kind   check.Kind
	row    row
	want   bool    // of changed and exists
	values []value // of the others: one, or those of in; none is null
}

// value is a value that can be compared: a number, or a text.
type value struct {
	n int64 // numbers, decimals without their point, the places of floats, 0 and 1, microseconds, dates as 20060102
	s string
}
