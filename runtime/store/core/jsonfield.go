package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/internal/value"
)

type jsonField[T any] struct{ p *T }

// JSONField is a JSON column of a row, as a Go type.
func JSONField[T any](p *T) Field { return jsonField[T]{p} }

func (f jsonField[T]) Bind() any {
	data, err := exactJSON(f.p)
	if fault, ok := errors.AsType[*textFault](err); ok {
		return fault
	}
	if err != nil {
		return fmt.Errorf("store: %T does not become JSON: %w", *f.p, err)
	}
	return json.RawMessage(data)
}

func (f jsonField[T]) normalizeMembers() { normalizeMembers(reflect.ValueOf(f.p).Elem()) }

func (f jsonField[T]) Scan(src any) error {
	var v T
	var err error
	switch s := src.(type) {
	case string:
		err = json.Unmarshal([]byte(s), &v)
	case []byte:
		err = json.Unmarshal(s, &v)
	default:
		return value.CannotAssign(f.p, src)
	}
	if err != nil {
		return fmt.Errorf("store: the stored JSON is no %T: %w", v, JSONFault(err))
	}
	*f.p = v
	return nil
}

// MustJSON reads a document that is known to fit a Go type, as a default in
// generated code is. It panics otherwise.
func MustJSON[T any](doc string) T {
	var v T
	if err := json.Unmarshal([]byte(doc), &v); err != nil {
		panic(fmt.Sprintf("store: the JSON is no %T: %v", v, err))
	}
	return v
}

type nullJSONField[T any] struct{ p *store.Null[T] }

// NullJSONField is a JSON column that may be NULL, as a Go type.
func NullJSONField[T any](p *store.Null[T]) Field { return nullJSONField[T]{p} }

func (f nullJSONField[T]) Bind() any {
	if !f.p.Valid {
		return nil
	}
	return jsonField[T]{&f.p.V}.Bind()
}

func (f nullJSONField[T]) normalizeMembers() {
	if f.p.Valid {
		jsonField[T]{&f.p.V}.normalizeMembers()
	}
}

func (f nullJSONField[T]) Scan(src any) error {
	if src == nil {
		*f.p = store.Null[T]{}
		return nil
	}
	f.p.Valid = true
	return jsonField[T]{&f.p.V}.Scan(src)
}
