package condition

import (
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Filter returns the condition as a filter of the store on rows with these columns, those that Parse
// was given: it keeps the rows for which the condition holds when nothing changes. A
// condition that asks what changed, or for a row before a change, is an error that is
// store.ErrInvalid.
func (c *Condition) Filter(columns []core.Column) (store.Cond[int64], error) {
	return c.root.filter(columns)
}

func (n *node) filter(columns []core.Column) (cond store.Cond[int64], err error) {
	switch n.op {
	case opAll, opAny, opNone:
		kids := make([]store.Cond[int64], len(n.kids))
		for i := range n.kids {
			if kids[i], err = n.kids[i].filter(columns); err != nil {
				return cond, err
			}
		}
		switch n.op {
		case opAll:
			return store.And(kids...), nil
		case opAny:
			return store.Or(kids...), nil
		}
		return store.Not(store.Or(kids...)), nil
	}
	c := &columns[n.col]
	if n.op == opChanged || n.row != rowLast {
		return cond, fmt.Errorf("condition: %w: %s: rows are selected by what they are, not by what changed", store.ErrInvalid, c.Name)
	}
	return n.compares(c)
}

// compares is the filter of an operator that looks at a value.
func (n *node) compares(c *core.Column) (store.Cond[int64], error) {
	column := core.FieldOf[int64, any](n.col)
	args := make([]any, len(n.values))
	for i, v := range n.values {
		args[i] = v.of(c)
	}
	switch {
	case n.op == opExists && n.want, n.op == opNe && len(args) == 0:
		return column.NotNull(), nil
	case n.op == opExists, len(args) == 0:
		return column.IsNull(), nil
	case n.op == opIn:
		return column.In(args...), nil
	}
	one := map[op]func(any) store.Cond[int64]{
		opEq: column.Eq, opNe: column.Ne, opLt: column.Lt, opLte: column.Lte, opGt: column.Gt, opGte: column.Gte,
	}[n.op]
	return one(args[0]), nil
}

// of is the value as a column of the store has it.
func (v value) of(c *core.Column) any {
	switch c.Rules.Kind {
	case check.Int:
		return v.n
	case check.Decimal:
		return core.Number{Unscaled: v.n, Scale: c.Rules.Scale}
	case check.Float:
		return core.FloatAt(v.n)
	case check.Bool:
		return v.n != 0
	case check.Time:
		return time.UnixMicro(v.n).UTC()
	case check.Date:
		return store.Date{Year: int(v.n / 10000), Month: time.Month(v.n / 100 % 100), Day: int(v.n % 100)}
	}
	return v.s
}
