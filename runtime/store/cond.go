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

// AnyCond is a Cond without its type, as a Core takes it. A Cond converts to it.
type AnyCond struct{ n *node }

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
// ids are ID. What it does are fields and not methods, because the methods of a
// generic type are compiled anew for each datatype and each T, in every package
// that names it; fields cost the compiler nothing.
type Col[ID, T any] struct {
	Eq  func(v T) Cond[ID]     // rows with this value
	Ne  func(v T) Cond[ID]     // rows without this value, NULLs among them
	In  func(vs ...T) Cond[ID] // rows with one of these values, MaxIn at most; without one, no row
	Lt  func(v T) Cond[ID]     // rows with a smaller value
	Lte func(v T) Cond[ID]     // rows with this value or a smaller one
	Gt  func(v T) Cond[ID]     // rows with a greater value
	Gte func(v T) Cond[ID]     // rows with this value or a greater one

	Between func(low, high T) Cond[ID] // rows from low to high, both included
	IsNull  func() Cond[ID]            // rows where the column is NULL
	NotNull func() Cond[ID]            // rows where the column holds a value

	Asc  func() Order[ID] // by the column, NULLs first
	Desc func() Order[ID] // by the column, greatest first, NULLs last
}

// FieldOf makes a column; generated code does.
//
//go:noinline
func FieldOf[ID, T any](col int) Col[ID, T] {
	return Col[ID, T]{
		Eq:  func(v T) Cond[ID] { return Cond[ID]{leaf(opEq, col, v)} },
		Ne:  func(v T) Cond[ID] { return Cond[ID]{leaf(opNe, col, v)} },
		Lt:  func(v T) Cond[ID] { return Cond[ID]{leaf(opLt, col, v)} },
		Lte: func(v T) Cond[ID] { return Cond[ID]{leaf(opLte, col, v)} },
		Gt:  func(v T) Cond[ID] { return Cond[ID]{leaf(opGt, col, v)} },
		Gte: func(v T) Cond[ID] { return Cond[ID]{leaf(opGte, col, v)} },
		In: func(vs ...T) Cond[ID] {
			args := make([]any, len(vs))
			for i, v := range vs {
				args[i] = v
			}
			return Cond[ID]{leaf(opIn, col, args...)}
		},
		Between: func(low, high T) Cond[ID] { return Cond[ID]{leaf(opBetween, col, low, high)} },
		IsNull:  func() Cond[ID] { return Cond[ID]{leaf(opNull, col)} },
		NotNull: func() Cond[ID] { return Cond[ID]{leaf(opNotNull, col)} },
		Asc:     func() Order[ID] { return Order[ID]{col: col} },
		Desc:    func() Order[ID] { return Order[ID]{col: col, desc: true} },
	}
}

// leaf is a comparison. It is not inlined into the functions above, of which there
// are some for every type of column.
//
//go:noinline
func leaf(o op, col int, args ...any) *node { return &node{op: o, col: col, args: args} }

// TextCol is a text column.
type TextCol[ID, T any] struct {
	Col[ID, T]

	// Prefix keeps rows whose text starts with s, letter for letter. It can use an
	// index on the column.
	Prefix func(s string) Cond[ID]

	// Contains keeps rows whose text holds s, letter for letter. It reads every
	// row that the other conditions leave.
	Contains func(s string) Cond[ID]
}

// TextOf makes a text column; generated code does.
//
//go:noinline
func TextOf[ID, T any](col int) TextCol[ID, T] {
	return TextCol[ID, T]{
		Col:      FieldOf[ID, T](col),
		Prefix:   func(s string) Cond[ID] { return Cond[ID]{leaf(opPrefix, col, s)} },
		Contains: func(s string) Cond[ID] { return Cond[ID]{leaf(opContains, col, s)} },
	}
}

// OpaqueCol is a column that is not compared: JSON.
type OpaqueCol[ID any] struct {
	IsNull  func() Cond[ID] // rows where the column is NULL
	NotNull func() Cond[ID] // rows where the column holds a value
}

// OpaqueOf makes an opaque column; generated code does.
//
//go:noinline
func OpaqueOf[ID any](col int) OpaqueCol[ID] {
	return OpaqueCol[ID]{
		IsNull:  func() Cond[ID] { return Cond[ID]{leaf(opNull, col)} },
		NotNull: func() Cond[ID] { return Cond[ID]{leaf(opNotNull, col)} },
	}
}
