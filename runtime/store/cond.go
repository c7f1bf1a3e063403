package store

// Cond is a filter on the rows of one datatype, which the type of its ids stands
// for: a filter of another datatype does not compile. (Ids, and not rows, because
// the compiler then has one body for each method, whatever the datatype.) The
// zero value and And() keep every row.
//
// Two-valued: a comparison with a column that is NULL is false, and Not of it
// is true. So Ne keeps the rows that Eq leaves out, NULLs among them, and every
// row is kept by exactly one of c and Not(c). Text compares by code point,
// case-sensitively, on every database.
type Cond[ID any] struct{ n *node }

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
func Everything[ID any]() Cond[ID] { return Cond[ID]{&node{op: opAll}} }

// And keeps the rows that every condition keeps; without one, every row.
func And[ID any](conds ...Cond[ID]) Cond[ID] { return join(opAnd, conds) }

// Or keeps the rows that at least one condition keeps; without one, none.
func Or[ID any](conds ...Cond[ID]) Cond[ID] { return join(opOr, conds) }

// Not keeps the rows that the condition does not keep.
func Not[ID any](c Cond[ID]) Cond[ID] { return Cond[ID]{&node{op: opNot, kids: []*node{c.n}}} }

func join[ID any](o op, conds []Cond[ID]) Cond[ID] {
	n := &node{op: o}
	for _, c := range conds {
		n.kids = append(n.kids, c.n)
	}
	return Cond[ID]{n}
}

// Order is one column of a sort. NULL is smaller than every value.
type Order[ID any] struct {
	col  int
	desc bool
}

// Col is a column whose values are T, for filters and sorts of the datatype whose
// ids are ID. Its methods are the pointer's: half as many to compile.
type Col[ID, T any] struct{ col int }

// FieldOf makes a column; generated code does.
func FieldOf[ID, T any](col int) Col[ID, T] { return Col[ID, T]{col} }

// leaf is a comparison. It is not inlined into the methods below, of which
// every datatype has its own for every type of column.
//
//go:noinline
func leaf(o op, col int, args ...any) *node { return &node{op: o, col: col, args: args} }

// Eq keeps rows with this value.
func (c *Col[ID, T]) Eq(v T) Cond[ID] { return Cond[ID]{leaf(opEq, c.col, v)} }

// Ne keeps rows without this value, NULLs among them.
func (c *Col[ID, T]) Ne(v T) Cond[ID] { return Cond[ID]{leaf(opNe, c.col, v)} }

// In keeps rows with one of these values, MaxIn at most; without one, no row.
func (c *Col[ID, T]) In(vs ...T) Cond[ID] {
	args := make([]any, len(vs))
	for i, v := range vs {
		args[i] = v
	}
	return Cond[ID]{leaf(opIn, c.col, args...)}
}

// Lt keeps rows with a smaller value.
func (c *Col[ID, T]) Lt(v T) Cond[ID] { return Cond[ID]{leaf(opLt, c.col, v)} }

// Lte keeps rows with this value or a smaller one.
func (c *Col[ID, T]) Lte(v T) Cond[ID] { return Cond[ID]{leaf(opLte, c.col, v)} }

// Gt keeps rows with a greater value.
func (c *Col[ID, T]) Gt(v T) Cond[ID] { return Cond[ID]{leaf(opGt, c.col, v)} }

// Gte keeps rows with this value or a greater one.
func (c *Col[ID, T]) Gte(v T) Cond[ID] { return Cond[ID]{leaf(opGte, c.col, v)} }

// Between keeps rows from low to high, both included.
func (c *Col[ID, T]) Between(low, high T) Cond[ID] {
	return Cond[ID]{leaf(opBetween, c.col, low, high)}
}

// IsNull keeps rows where the column is NULL.
func (c *Col[ID, T]) IsNull() Cond[ID] { return Cond[ID]{leaf(opNull, c.col)} }

// NotNull keeps rows where the column holds a value.
func (c *Col[ID, T]) NotNull() Cond[ID] { return Cond[ID]{leaf(opNotNull, c.col)} }

// Asc sorts by the column, NULLs first.
func (c *Col[ID, T]) Asc() Order[ID] { return Order[ID]{col: c.col} }

// Desc sorts by the column, greatest first, NULLs last.
func (c *Col[ID, T]) Desc() Order[ID] { return Order[ID]{col: c.col, desc: true} }

// TextCol is a text column.
type TextCol[ID, T any] struct{ Col[ID, T] }

// TextOf makes a text column; generated code does.
func TextOf[ID, T any](col int) TextCol[ID, T] { return TextCol[ID, T]{FieldOf[ID, T](col)} }

// Prefix keeps rows whose text starts with s, letter for letter. It can use an
// index on the column.
func (c *TextCol[ID, T]) Prefix(s string) Cond[ID] { return Cond[ID]{leaf(opPrefix, c.col, s)} }

// Contains keeps rows whose text holds s, letter for letter. It reads every
// row that the other conditions leave.
func (c *TextCol[ID, T]) Contains(s string) Cond[ID] { return Cond[ID]{leaf(opContains, c.col, s)} }

// OpaqueCol is a column that is not compared: JSON.
type OpaqueCol[ID any] struct{ col int }

// OpaqueOf makes an opaque column; generated code does.
func OpaqueOf[ID any](col int) OpaqueCol[ID] { return OpaqueCol[ID]{col} }

// IsNull keeps rows where the column is NULL.
func (c *OpaqueCol[ID]) IsNull() Cond[ID] { return Cond[ID]{leaf(opNull, c.col)} }

// NotNull keeps rows where the column holds a value.
func (c *OpaqueCol[ID]) NotNull() Cond[ID] { return Cond[ID]{leaf(opNotNull, c.col)} }
