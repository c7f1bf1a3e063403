package store

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/hegner123/modulagen/runtime/store/internal/value"
)

// Null is a column that may be NULL, in a row, or a member that may be missing, in JSON
// with declared fields and in a payload. Its zero value is NULL.
type Null[T any] struct {
	V     T    // meaningful only when Valid
	Valid bool // false: the column is NULL
}

// Some returns a Null that holds v.
func Some[T any](v T) Null[T] { return Null[T]{V: v, Valid: true} }

// Or returns the value, or def when the column is NULL.
func (n Null[T]) Or(def T) T {
	if n.Valid {
		return n.V
	}
	return def
}

// Ptr returns a pointer to a copy of the value, or nil when the column is NULL.
func (n Null[T]) Ptr() *T {
	if !n.Valid {
		return nil
	}
	v := n.V
	return &v
}

// IsZero reports whether there is no value; `json:",omitzero"` uses it.
func (n Null[T]) IsZero() bool { return !n.Valid }

// Any returns the value as an any; false when the column is NULL.
func (n Null[T]) Any() (any, bool) { return n.V, n.Valid }

// Scan sets n from what a database gave; nil is NULL.
func (n *Null[T]) Scan(src any) error {
	if src == nil {
		*n = Null[T]{}
		return nil
	}
	if err := value.Assign(&n.V, src); err != nil {
		return err
	}
	n.Valid = true
	return nil
}

// Bind returns the plain value to write; nil for NULL.
func (n *Null[T]) Bind() any {
	if !n.Valid {
		return nil
	}
	v, err := value.Plain(&n.V)
	if err != nil {
		return err
	}
	return v
}

// MarshalJSON writes null or the value.
func (n Null[T]) MarshalJSON() ([]byte, error) {
	if !n.Valid {
		return []byte("null"), nil
	}
	data, err := json.Marshal(n.V)
	if e, ok := errors.AsType[*json.MarshalerError](err); ok {
		err = e.Err // which encoding/json puts into another one
	}
	return data, err
}

// UnmarshalJSON reads null or a value.
func (n *Null[T]) UnmarshalJSON(data []byte) error {
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		*n = Null[T]{}
		return nil
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*n = Some(v)
	return nil
}
