package core

import (
	"slices"

	"github.com/hegner123/modulagen/runtime/store"
)

// Places puts the places of a result's columns together. Generated code calls it.
func Places(lists ...[]any) []any { return slices.Concat(lists...) }

// NullRow returns the places of the columns of a row that an outer join may leave out:
// where its id, the first column, is NULL, n becomes NULL. fields are the places of
// the row itself, which are filled otherwise. Generated code calls it.
func NullRow[R any](n *store.Null[R], fields func(row any, buf []any) []any) []any {
	places := fields(&n.V, nil)
	for i, dest := range places[1:] {
		places[1+i] = &joined{dest: dest, there: &n.Valid}
	}
	places[0] = &joinedID{dest: places[0], set: func(there bool) {
		*n = store.Null[R]{Valid: there}
	}}
	return places
}

// joinedID is the id of a row that may be left out, which is scanned first.
type joinedID struct {
	dest any
	set  func(there bool)
}

// Scan finds by the id whether there is a row.
func (j *joinedID) Scan(src any) error {
	j.set(src != nil)
	if src == nil {
		return nil
	}
	return Assign(j.dest, src)
}

// Bind is not called: the place is one of a result.
func (j *joinedID) Bind() any { return invalidf("a row is no argument") }

// joined is another column of a row that may be left out.
type joined struct {
	dest  any
	there *bool
}

// Scan sets the column of a row that is there.
func (j *joined) Scan(src any) error {
	if !*j.there {
		return nil
	}
	return Assign(j.dest, src)
}

// Bind is not called: the place is one of a result.
func (j *joined) Bind() any { return invalidf("a row is no argument") }
