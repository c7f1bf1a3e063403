// Package rows is what generated code calls where a behavior of the runtime reads and writes
// rows of datatypes that it does not know.
package rows

import (
	"context"
	"iter"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Each makes structs of rows.
func Each[R, T any](rows iter.Seq2[*R, error], as func(*R) *T) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for r, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(as(r), nil) {
				return
			}
		}
	}
}

// IDs returns the ids of the rows of a query.
func IDs(ctx context.Context, t core.Table, q core.AnyQuery, id func(row any) int64) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		t.All(ctx, q, func(row any, err error) bool {
			if err != nil {
				return yield(0, err)
			}
			return yield(id(row), nil)
		})
	}
}

// Opt is a value of a new row, left out where it is zero.
func Opt[T comparable](v T) store.Opt[T] {
	var zero T
	if v == zero {
		return store.Opt[T]{}
	}
	return store.Set(v)
}

// OptJSON is Opt of a document.
func OptJSON(v store.JSON) store.Opt[store.JSON] {
	if len(v) == 0 {
		return store.Opt[store.JSON]{}
	}
	return store.Set(v)
}

// OptBytes is Opt of bytes.
func OptBytes(v []byte) store.Opt[[]byte] {
	if len(v) == 0 {
		return store.Opt[[]byte]{}
	}
	return store.Set(v)
}

// OrNull is a value of a patch, null where it is zero: left out, it would keep what the row
// has.
func OrNull[T comparable](v T) store.Opt[T] {
	var zero T
	if v == zero {
		return store.SetNull[T]()
	}
	return store.Set(v)
}
