package core

import (
	"slices"

	"github.com/hegner123/modulagen/runtime/store"
)

// refused is an argument of a Statement that cannot be bound: the statement returns
// its error and does not run.
type refused struct{ err error }

// Option returns what a value of a datatype's select is bound from as an argument of
// a Statement. Generated code calls it. With a value that was not declared the
// statement does not run, and its error is a *store.ValidationError.
//
//go:noinline
func Option[E ~string](v *E, datatype, field string, declared []E) any {
	if slices.Contains(declared, *v) {
		return string(*v)
	}
	return refused{notAnOption(datatype, field, string(*v), Texts(declared), false)}
}

// OptionArray is Option for the values of an array of PostgreSQL's.
//
//go:noinline
func OptionArray[E ~string](values []E, datatype, field string, declared []E) any {
	for i := range values {
		if no, ok := Option(&values[i], datatype, field, declared).(refused); ok {
			return no
		}
	}
	return Texts(values)
}

// NullOption is Option for a value that may be null.
//
//go:noinline
func NullOption[E ~string](v *store.Null[E], datatype, field string, declared []E) any {
	if !v.Valid {
		return nil
	}
	return Option(&v.V, datatype, field, declared)
}
