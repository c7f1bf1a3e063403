package store

import "github.com/hegner123/modulagen/runtime/store/internal/filter"

// Cond is a filter on the rows of one datatype, which the type of its ids stands
// for: a filter of another datatype does not compile. (Ids, and not rows, because
// the compiler then has one body for each method, whatever the datatype.) The
// zero value and And() keep every row.
//
// Two-valued: a comparison with a column that is NULL is false, and Not of it
// is true. So Ne keeps the rows that Eq leaves out, NULLs among them, and every
// row is kept by exactly one of c and Not(c). Text compares by code point,
// case-sensitively, on every database.
type Cond[ID any] struct {
	_      [0]ID        // of two datatypes neither converts to the other
	Filter *filter.Node // set by columns and by the functions below
}

// Everything keeps every row, and says so: DeleteWhere refuses other conditions that
// every row meets, such as a zero Cond or And of none.
func Everything[ID any]() Cond[ID] { return Cond[ID]{Filter: &filter.Node{Op: filter.All}} }

// And keeps the rows that every condition keeps; without one, every row.
func And[ID any](conds ...Cond[ID]) Cond[ID] { return join(filter.And, conds) }

// Or keeps the rows that at least one condition keeps; without one, none.
func Or[ID any](conds ...Cond[ID]) Cond[ID] { return join(filter.Or, conds) }

// Not keeps the rows that the condition does not keep.
func Not[ID any](c Cond[ID]) Cond[ID] {
	return Cond[ID]{Filter: &filter.Node{Op: filter.Not, Kids: []*filter.Node{c.Filter}}}
}

func join[ID any](o filter.Op, conds []Cond[ID]) Cond[ID] {
	n := &filter.Node{Op: o}
	for _, c := range conds {
		n.Kids = append(n.Kids, c.Filter)
	}
	return Cond[ID]{Filter: n}
}

// Order is one column of a sort. NULL is smaller than every value.
type Order[ID any] struct {
	_   [0]ID      // as in Cond
	Key filter.Key // set by columns
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

// OpaqueCol is a column that is not compared: JSON.
type OpaqueCol[ID any] struct {
	IsNull  func() Cond[ID] // rows where the column is NULL
	NotNull func() Cond[ID] // rows where the column holds a value
}
