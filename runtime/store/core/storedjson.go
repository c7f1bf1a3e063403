package core

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// MaskJSON returns v as JSON, with "***" for the members named in secrets that
// are there. Generated code calls it from MarshalJSON, with a v whose type does
// not have that method:
//
//	func (r Settings) MarshalJSON() ([]byte, error) {
//		type plain Settings
//		return store.MaskJSON(plain(r), "token")
//	}
func MaskJSON(v any, secrets ...string) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, fmt.Errorf("store: %T is no JSON object: %w", v, err)
	}
	for _, name := range secrets {
		if _, ok := members[name]; ok {
			members[name] = json.RawMessage(`"` + redacted + `"`)
		}
	}
	return json.Marshal(members)
}

// StoredMarshaler is a type whose MarshalJSON masks secrets. Generated types
// implement it. MarshalStored returns the JSON that is stored, with the secrets.
type StoredMarshaler interface {
	MarshalStored() ([]byte, error)
}

// StoredJSON returns v as JSON that is to be stored, not shown: as json.Marshal
// does, except that secrets of generated types anywhere in v are not masked. A
// type that has a MarshalJSON of its own is asked as it is.
func StoredJSON(v any) ([]byte, error) {
	x := reflect.ValueOf(v)
	if !secretive(x, 0) {
		return json.Marshal(v)
	}
	open, err := unmasked(x, 0)
	if err != nil {
		return nil, err
	}
	return json.Marshal(open.Interface())
}

// maxJSONDepth bounds the walk through a value; encoding/json refuses circles.
const maxJSONDepth = 1000

// holder is a Null or an Opt.
type holder interface{ Any() (any, bool) }

// held returns what a Null or an Opt holds, if v is one. A type of a program's own
// may have a method Any, too.
func held(v reflect.Value) (in reflect.Value, some, ok bool) {
	h, ok := v.Interface().(holder)
	if !ok || v.Type().PkgPath() != nullPath {
		return in, false, false
	}
	x, some := h.Any()
	return reflect.ValueOf(x), some, true
}

var nullPath = reflect.TypeFor[store.Null[int64]]().PkgPath()

// secretive reports whether a value holds a StoredMarshaler that MarshalJSON would
// mask.
func secretive(v reflect.Value, depth int) bool {
	if !v.IsValid() || depth > maxJSONDepth || isNil(v) {
		return false
	}
	if !v.CanInterface() { // an embedded struct that is not exported has fields that are
		return v.Kind() == reflect.Struct && anyField(v, depth)
	}
	if _, ok := v.Interface().(StoredMarshaler); ok {
		return true
	}
	if in, some, ok := held(v); ok {
		return some && secretive(in, depth+1)
	}
	switch v.Interface().(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return false
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return secretive(v.Elem(), depth+1)
	case reflect.Struct:
		return anyField(v, depth)
	case reflect.Slice, reflect.Array:
		if flat(v.Type().Elem().Kind()) {
			return false
		}
		for i := range v.Len() {
			if secretive(v.Index(i), depth+1) {
				return true
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if secretive(it.Value(), depth+1) {
				return true
			}
		}
	}
	return false
}

func anyField(v reflect.Value, depth int) bool {
	for i := range v.NumField() {
		if secretive(v.Field(i), depth+1) {
			return true
		}
	}
	return false
}

// flat reports whether values of a kind hold no others.
func flat(k reflect.Kind) bool { return k <= reflect.Complex128 || k == reflect.String }

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		return v.IsNil()
	}
	return false
}

// unmasked returns a value that encoding/json writes as it would v, without the
// masks.
func unmasked(v reflect.Value, depth int) (reflect.Value, error) {
	if !secretive(v, depth) {
		return v, nil
	}
	if x, ok := v.Interface().(StoredMarshaler); ok {
		data, err := x.MarshalStored()
		return reflect.ValueOf(json.RawMessage(data)), err
	}
	if in, _, ok := held(v); ok {
		return unmasked(in, depth+1)
	}
	switch v.Kind() {
	case reflect.Struct:
		return unmaskedStruct(v, depth)
	case reflect.Slice, reflect.Array:
		out := make([]any, v.Len())
		for i := range out {
			e, err := unmasked(v.Index(i), depth+1)
			if err != nil {
				return v, err
			}
			out[i] = e.Interface()
		}
		return reflect.ValueOf(out), nil
	case reflect.Map:
		out := reflect.MakeMap(reflect.MapOf(v.Type().Key(), reflect.TypeFor[any]()))
		for it := v.MapRange(); it.Next(); {
			e, err := unmasked(it.Value(), depth+1)
			if err != nil {
				return v, err
			}
			out.SetMapIndex(it.Key(), e)
		}
		return out, nil
	}
	return unmasked(v.Elem(), depth+1) // a pointer or an interface
}

// unmaskedStruct makes a struct with the same names and tags, whose fields hold
// what is not masked. Fields of embedded structs become its own, as they are in
// JSON.
func unmaskedStruct(v reflect.Value, depth int) (reflect.Value, error) {
	var fields []reflect.StructField
	var values []reflect.Value
	taken := map[string]bool{}
	var collect func(v reflect.Value) error
	collect = func(v reflect.Value) error {
		var embedded []reflect.Value
		for i := range v.NumField() {
			f, x := v.Type().Field(i), v.Field(i)
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous && tag == "" {
				if x = reflect.Indirect(x); x.Kind() == reflect.Struct {
					embedded = append(embedded, x)
					continue
				}
			}
			if !f.IsExported() || taken[f.Name] {
				continue
			}
			taken[f.Name] = true
			open, err := unmasked(x, depth+1)
			if err != nil {
				return err
			}
			fields = append(fields, reflect.StructField{Name: f.Name, Type: open.Type(), Tag: f.Tag})
			values = append(values, open)
		}
		for _, x := range embedded { // what is nearer hides what is further down
			if err := collect(x); err != nil {
				return err
			}
		}
		return nil
	}
	if err := collect(v); err != nil {
		return v, err
	}
	out := reflect.New(reflect.StructOf(fields)).Elem()
	for i, x := range values {
		out.Field(i).Set(x)
	}
	return out, nil
}

// JSONFault says why JSON could not be decoded, without what the JSON holds:
// errors of encoding/json, and of types that decode themselves, repeat it.
func JSONFault(err error) error {
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		kind, _, _ := strings.Cut(wrong.Value, " ") // "number 4111" is a value
		if wrong.Field == "" {
			return fmt.Errorf("it holds a %s, not a %s", kind, wrong.Type)
		}
		return fmt.Errorf("%s holds a %s, not a %s", wrong.Field, kind, wrong.Type)
	}
	if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("it is no JSON from byte %d on", wrong.Offset)
	}
	if _, ok := errors.AsType[*time.ParseError](err); ok {
		return errors.New("it holds a text that is no time")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return errors.New("unknown field " + name)
	}
	return fmt.Errorf("a member cannot be decoded (%T)", err)
}
