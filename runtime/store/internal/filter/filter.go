// Package filter is what a condition and a sort of package store hold, without
// the datatype that they belong to.
package filter

// Node is a condition: a comparison of a column, or others joined.
type Node struct {
	Op   Op
	Col  int
	Args []any
	Kids []*Node
}

// Key is one column of a sort.
type Key struct {
	Col  int
	Desc bool
}

// Op is what a Node does.
type Op uint8

// The operations. All keeps every row.
const (
	All Op = iota
	And
	Or
	Not
	Eq
	Ne
	Lt
	Lte
	Gt
	Gte
	Between
	In
	Null
	NotNull
	Prefix
	Contains
	Unreferenced // by the *Referrer in Args
	Length       // of a text, in characters: between the two int64 in Args
)

// Referrer is a column of a table that refers to rows.
type Referrer struct{ Table, Column string }
