package core

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// PayloadJSON returns a payload as JSON, with its secrets and its times in UTC and microseconds. If it breaks its rules, the error is a
// *store.ValidationError of what has the name.
func PayloadJSON(name string, payload any, rules check.Rules) (store.JSON, error) {
	text, err := exactJSON(Normalized(payload))
	if fault, ok := errors.AsType[*textFault](err); ok {
		return nil, &store.ValidationError{Datatype: name, Violations: []store.Violation{fault.violation("payload")}}
	}
	if unsupported, ok := errors.AsType[*json.UnsupportedValueError](err); ok && unsupported.Value.CanFloat() {
		wrong := store.Violation{Field: "payload", Rule: "finite", Message: "must hold finite numbers, and one of them is NaN or an infinity"}
		return nil, &store.ValidationError{Datatype: name, Violations: []store.Violation{wrong}}
	}
	if err != nil {
		return nil, fmt.Errorf("store: payload of %s: %w", name, err)
	}
	var wrong []store.Violation
	for _, f := range rules.Check(text) {
		wrong = append(wrong, store.Violation{Field: "payload", Rule: f.Rule, Message: f.Message})
	}
	if len(wrong) > 0 {
		return nil, &store.ValidationError{Datatype: name, Violations: wrong}
	}
	return text, nil
}

// DecodePayload reads the payload at the beginning of data into *P. A member that P does not
// know is an error, at any depth.
func DecodePayload[P any](data []byte, to *P) error {
	if err := decodeStrictly(data, to); err != nil {
		return err
	}
	open := opened(reflect.TypeFor[P]())
	if open == nil {
		return nil
	}
	return decodeStrictly(data, reflect.New(open).Interface())
}

func decodeStrictly(data []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

var openTypes sync.Map // of a struct, what opened returns

// opened returns a struct with pointers in the place of Nulls, or nil where that decodes
// as t does. A Null decodes itself, and encoding/json does not pass on to it that members
// it does not know are errors.
func opened(t reflect.Type) reflect.Type {
	if t.Kind() != reflect.Struct {
		return nil
	}
	if known, ok := openTypes.Load(t); ok {
		open, _ := known.(reflect.Type)
		return open
	}
	var fields []reflect.StructField
	differs := false
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || len(f.Index) > 1 {
			continue
		}
		if in := nullOf(f.Type); in != nil && !flat(in.Kind()) && !reflect.PointerTo(in).Implements(unmarshaler) {
			f.Type, differs = reflect.PointerTo(in), true
		}
		fields = append(fields, reflect.StructField{Name: f.Name, Type: f.Type, Tag: f.Tag})
	}
	var open reflect.Type
	if differs {
		open = reflect.StructOf(fields)
	}
	openTypes.Store(t, open)
	return open
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// nullOf returns T of a Null[T]; nil for another type.
func nullOf(t reflect.Type) reflect.Type {
	if t.Kind() != reflect.Struct || t.PkgPath() != nullPath {
		return nil
	}
	if v, ok := t.FieldByName("V"); ok {
		return v.Type
	}
	return nil
}
