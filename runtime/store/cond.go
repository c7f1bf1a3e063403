package store

// Cond is a filter on rows of R. The zero value and And() keep every row.
//
// Two-valued: a comparison with a column that is NULL is false, and Not of it
// is true. So Ne keeps the rows that Eq leaves out, NULLs among them, and every
// row is kept by exactly one of c and Not(c). Text compares by code point,
// case-sensitively, on every database.
type Cond[R any] struct{ n *node }

type node struct {
	op   op
	col  int
	args []any
	kids []*node
}

type op uint8

const (
	opAll op = iota
	opAnd
	opOr
	opNot
	opEq
	opNe
	opLt
	opLte
	opGt
	opGte
	opBetween
	opIn
	opNull
	opNotNull
	opPrefix
	opContains
)

// Everything keeps every row, and says so: DeleteWhere refuses a zero Cond.
func Everything[R any]() Cond[R] { return Cond[R]{&node{op: opAll}} }

// And keeps the rows that every condition keeps; without one, every row.
func And[R any](conds ...Cond[R]) Cond[R] { return join(opAnd, conds) }

// Or keeps the rows that at least one condition keeps; without one, none.
func Or[R any](conds ...Cond[R]) Cond[R] { return join(opOr, conds) }

// Not keeps the rows that the condition does not keep.
func Not[R any](c Cond[R]) Cond[R] { return Cond[R]{&node{op: opNot, kids: []*node{c.n}}} }

func join[R any](o op, conds []Cond[R]) Cond[R] {
	n := &node{op: o}
	for _, c := range conds {
		n.kids = append(n.kids, c.n)
	}
	return Cond[R]{n}
}

// Order is one column of a sort. NULL is smaller than every value.
type Order[R any] struct {
	col  int
	desc bool
}

// Col is a column of R whose values are T, for filters and sorts.
type Col[R, T any] struct{ col int }

// FieldOf makes a column; generated code does.
func FieldOf[R, T any](col int) Col[R, T] { return Col[R, T]{col} }

func (c Col[R, T]) cond(o op, args ...any) Cond[R] {
	return Cond[R]{&node{op: o, col: c.col, args: args}}
}

// Eq keeps rows with this value.
func (c Col[R, T]) Eq(v T) Cond[R] { return c.cond(opEq, v) }

// Ne keeps rows without this value, NULLs among them.
func (c Col[R, T]) Ne(v T) Cond[R] { return c.cond(opNe, v) }

// In keeps rows with one of these values, MaxIn at most; without one, no row.
func (c Col[R, T]) In(vs ...T) Cond[R] {
	args := make([]any, len(vs))
	for i, v := range vs {
		args[i] = v
	}
	return c.cond(opIn, args...)
}

// Lt keeps rows with a smaller value.
func (c Col[R, T]) Lt(v T) Cond[R] { return c.cond(opLt, v) }

// Lte keeps rows with this value or a smaller one.
func (c Col[R, T]) Lte(v T) Cond[R] { return c.cond(opLte, v) }

// Gt keeps rows with a greater value.
func (c Col[R, T]) Gt(v T) Cond[R] { return c.cond(opGt, v) }

// Gte keeps rows with this value or a greater one.
func (c Col[R, T]) Gte(v T) Cond[R] { return c.cond(opGte, v) }

// Between keeps rows from low to high, both included.
func (c Col[R, T]) Between(low, high T) Cond[R] { return c.cond(opBetween, low, high) }

// IsNull keeps rows where the column is NULL.
func (c Col[R, T]) IsNull() Cond[R] { return c.cond(opNull) }

// NotNull keeps rows where the column holds a value.
func (c Col[R, T]) NotNull() Cond[R] { return c.cond(opNotNull) }

// Asc sorts by the column, NULLs first.
func (c Col[R, T]) Asc() Order[R] { return Order[R]{col: c.col} }

// Desc sorts by the column, greatest first, NULLs last.
func (c Col[R, T]) Desc() Order[R] { return Order[R]{col: c.col, desc: true} }

// TextCol is a text column.
type TextCol[R, T any] struct{ Col[R, T] }

// TextOf makes a text column; generated code does.
func TextOf[R, T any](col int) TextCol[R, T] { return TextCol[R, T]{FieldOf[R, T](col)} }

// Prefix keeps rows whose text starts with s, letter for letter. It can use an
// index on the column.
func (c TextCol[R, T]) Prefix(s string) Cond[R] { return c.cond(opPrefix, s) }

// Contains keeps rows whose text holds s, letter for letter. It reads every
// row that the other conditions leave.
func (c TextCol[R, T]) Contains(s string) Cond[R] { return c.cond(opContains, s) }

// OpaqueCol is a column that is not compared: JSON.
type OpaqueCol[R any] struct{ col int }

// OpaqueOf makes an opaque column; generated code does.
func OpaqueOf[R any](col int) OpaqueCol[R] { return OpaqueCol[R]{col} }

// IsNull keeps rows where the column is NULL.
func (c OpaqueCol[R]) IsNull() Cond[R] { return Cond[R]{&node{op: opNull, col: c.col}} }

// NotNull keeps rows where the column holds a value.
func (c OpaqueCol[R]) NotNull() Cond[R] { return Cond[R]{&node{op: opNotNull, col: c.col}} }
