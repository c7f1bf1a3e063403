package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Opt is an optional field of a new row or of a patch: unset (the zero value: take the
// default, or leave the column alone), null, or a value; in a patch also a change of the
// value that is there, see Add.
type Opt[T any] struct {
	v     T
	state optState
}

type optState uint8

const (
	optUnset optState = iota
	optNull
	optValue
	optAdd
	optMul
	optAppend
)

// Set returns an Opt that holds v.
func Set[T any](v T) Opt[T] { return Opt[T]{v: v, state: optValue} }

// SetNull returns an Opt that makes the column NULL.
func SetNull[T any]() Opt[T] { return Opt[T]{state: optNull} }

// Int is Set for a number, which an untyped constant would otherwise make an int.
func Int(n int64) Opt[int64] { return Set(n) }

// IsSet reports whether the field was given at all: as null, as a value or as a change.
func (o Opt[T]) IsSet() bool { return o.state != optUnset }

// IsNull reports whether the field was given as null.
func (o Opt[T]) IsNull() bool { return o.state == optNull }

// IsZero reports whether the field is unset; `json:",omitzero"` uses it.
func (o Opt[T]) IsZero() bool { return o.state == optUnset }

// Get returns the value; false when unset, null or a change such as Add.
func (o Opt[T]) Get() (T, bool) { return o.v, o.state == optValue }

// Any returns the value as an any; false when Get is.
func (o Opt[T]) Any() (any, bool) { return o.v, o.state == optValue }

// Or returns the value, or def when Get has none.
func (o Opt[T]) Or(def T) T {
	if o.state == optValue {
		return o.v
	}
	return def
}

// Format prints the value as fmt prints it by itself, "null", or "<unset>".
// What fmt finds in o without it would be printed past the methods of T, by
// which generated types keep their secrets out of what is printed.
func (o Opt[T]) Format(f fmt.State, verb rune) {
	switch o.state {
	case optUnset:
		io.WriteString(f, "<unset>")
	case optNull:
		io.WriteString(f, "null")
	case optMul:
		io.WriteString(f, "*")
		o.formatValue(f, verb)
	case optAdd, optAppend:
		io.WriteString(f, "+")
		o.formatValue(f, verb)
	case optValue:
		o.formatValue(f, verb)
	}
}

func (o Opt[T]) formatValue(f fmt.State, verb rune) {
	fmt.Fprintf(f, fmt.FormatString(f, verb), o.v)
}

// MarshalJSON writes the value, or null when null or unset. A change has no JSON: it is ErrInvalid.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if o.state > optValue {
		return nil, fmt.Errorf("store: %w: a change such as Add, Mul or Append has no JSON", ErrInvalid)
	}
	if o.state != optValue {
		return []byte("null"), nil
	}
	return json.Marshal(o.v)
}

// UnmarshalJSON reads null or a value. A key that is absent leaves the Opt unset.
func (o *Opt[T]) UnmarshalJSON(data []byte) error {
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		*o = SetNull[T]()
		return nil
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*o = Set(v)
	return nil
}
