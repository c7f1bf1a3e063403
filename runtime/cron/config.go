package cron

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/internal/near"
	"github.com/hegner123/modulagen/runtime/store"
)

// actionKey names a predefined action in its configuration, and is not part of it.
const actionKey = "action"

// maxConfig is how many bytes a configuration may have.
const maxConfig = 64 << 10

// Decode returns the configuration of an action as a C, which is a struct. It refuses keys that C
// has no field for, values of another type, and what the method Validate() error of C or *C
// returns an error for, if there is one. Errors are *ConfigErrors, joined. A field without
// omitempty or omitzero in its tag is required. An empty configuration is {}.
func Decode[C any](config store.JSON) (C, error) {
	var c C
	if len(config) > maxConfig {
		return c, &ConfigError{Problem: fmt.Sprintf("has %d bytes, and %d are permitted", len(config), maxConfig)}
	}
	object, err := object(config)
	if err != nil {
		return c, err
	}
	delete(object, actionKey)
	if err := shaped(reflect.TypeFor[C](), object, ""); err != nil {
		return c, err
	}
	data, err := json.Marshal(object)
	if err == nil {
		in := json.NewDecoder(bytes.NewReader(data))
		in.DisallowUnknownFields() // in lists and maps: shaped has seen the others
		err = in.Decode(&c)
	}
	if err != nil {
		return c, decoding(err)
	}
	return c, validate(&c)
}

// object parses a configuration.
func object(config store.JSON) (map[string]json.RawMessage, error) {
	config = bytes.TrimSpace(config)
	if len(config) == 0 || bytes.Equal(config, []byte("null")) {
		return map[string]json.RawMessage{}, nil
	}
	var out map[string]json.RawMessage
	if err := json.Unmarshal(config, &out); err != nil || out == nil {
		if err != nil && !json.Valid(config) {
			return nil, &ConfigError{Problem: "is not valid JSON: " + err.Error()}
		}
		return nil, &ConfigError{Problem: "is not an object"}
	}
	return out, nil
}

// shaped compares the keys of an object with the fields of a struct, and those of objects within.
func shaped(t reflect.Type, object map[string]json.RawMessage, path string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil // of a map any keys are
	}
	fields := fieldsOf(t)
	var known []string
	var wrong []error
	for _, f := range fields {
		known = append(known, f.name)
		value, given := object[f.name]
		switch {
		case !given && f.required:
			wrong = append(wrong, &ConfigError{Path: path + f.name, Problem: "is missing"})
		case given:
			wrong = append(wrong, within(f.of, value, path+f.name))
		}
	}
	for _, key := range sortedKeys(object) {
		if !hasName(fields, key) {
			wrong = append(wrong, &ConfigError{Path: path + key, Problem: "is not known" + meant(key, known)})
		}
	}
	return errors.Join(wrong...)
}

// within compares the objects within a value with their types.
func within(t reflect.Type, value json.RawMessage, path string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return nil
	}
	var inner map[string]json.RawMessage
	if json.Unmarshal(value, &inner) != nil {
		return nil // decoding says so
	}
	return shaped(t, inner, path+".")
}

type configField struct {
	name     string
	of       reflect.Type
	required bool
}

func fieldsOf(t reflect.Type) []configField {
	var out []configField
	for _, f := range reflect.VisibleFields(t) {
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		out = append(out, configField{name, f.Type, !strings.Contains(rest, "omit")})
	}
	return out
}

func sortedKeys(object map[string]json.RawMessage) []string {
	return slices.Sorted(maps.Keys(object))
}

func hasName(fields []configField, name string) bool {
	for _, f := range fields {
		if f.name == name {
			return true
		}
	}
	return false
}

// meant is what a key probably was to be, and otherwise all that there are.
func meant(key string, known []string) string {
	if name := near.Name(key, known); name != "" {
		return "; is " + name + " meant?"
	}
	if len(known) == 0 {
		return ": the action has no configuration"
	}
	return ": the keys are " + strings.Join(known, ", ")
}

// decoding is an error of encoding/json in the words of this package.
func decoding(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &ConfigError{Path: t.Field, Problem: fmt.Sprintf("is a %s, and must be %s", t.Value, kindOf(t.Type))}
	}
	return &ConfigError{Problem: "cannot be used: " + err.Error()}
}

// kindOf is a type as a person who writes JSON calls it.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	return "an object"
}

func validate(c any) error {
	v, ok := c.(interface{ Validate() error })
	if !ok {
		return nil
	}
	err := v.Validate()
	if err == nil || errors.Is(err, ErrConfig) {
		return err
	}
	return &ConfigError{Problem: "cannot be used: " + err.Error()}
}
