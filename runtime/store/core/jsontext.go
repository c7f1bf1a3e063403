package core

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/store"
)

// textFault is a text of a Go value that has no place in JSON.
type textFault struct{ path string } // such as "title", "tags[2]" or ""; never the text

func (e *textFault) Error() string { return "store: " + e.message() }

func (e *textFault) message() string {
	const must = "must be valid UTF-8"
	if e.path == "" {
		return must
	}
	return e.path + ": " + must
}

// replacement is what encoding/json writes for bytes that are no UTF-8. For a
// U+FFFD that stands in a text it writes the character itself.
var replacement = []byte(`\ufffd`)

// exactJSON is StoredJSON, except that a text that is no UTF-8 is a *textFault:
// encoding/json would change it.
func exactJSON(v any) ([]byte, error) {
	data, err := StoredJSON(v)
	if err != nil {
		return nil, err
	}
	// A MarshalJSON of the program's own may write the escape, too.
	if bytes.Contains(data, replacement) {
		if path, found := invalidText(reflect.ValueOf(v), "", 0); found {
			return nil, &textFault{path}
		}
	}
	return data, nil
}

// invalidText finds the first text in what encoding/json writes of v that is no
// UTF-8, and returns its path. What a MarshalJSON writes is its own affair.
func invalidText(v reflect.Value, path string, depth int) (at string, found bool) {
	if !v.IsValid() || depth > maxJSONDepth || isNil(v) {
		return "", false
	}
	if v.CanInterface() {
		if in, some, ok := held(v); ok {
			if !some {
				return "", false
			}
			return invalidText(in, path, depth+1)
		}
		switch x := v.Interface().(type) {
		case StoredMarshaler:
		case json.Marshaler:
			return "", false
		case encoding.TextMarshaler:
			text, err := x.MarshalText()
			return path, err == nil && !utf8.Valid(text)
		}
	}
	switch v.Kind() {
	case reflect.String:
		return path, !utf8.ValidString(v.String())
	case reflect.Pointer, reflect.Interface:
		return invalidText(v.Elem(), path, depth+1)
	case reflect.Struct:
		return invalidField(v, path, depth)
	case reflect.Slice, reflect.Array:
		if k := v.Type().Elem().Kind(); flat(k) && k != reflect.String {
			return "", false
		}
		for i := range v.Len() {
			if at, found := invalidText(v.Index(i), fmt.Sprintf("%s[%d]", path, i), depth+1); found {
				return at, true
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if _, found := invalidText(it.Key(), path, depth+1); found {
				return path, true
			}
			if _, found := invalidText(it.Value(), path, depth+1); found {
				return path, true // keys are values, which errors do not hold
			}
		}
	}
	return "", false
}

func invalidField(v reflect.Value, path string, depth int) (at string, found bool) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Tag.Get("json") == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		within := path
		if !f.Anonymous || name != "" {
			if name == "" {
				name = f.Name
			}
			within = memberPath(path, name)
		}
		if at, found := invalidText(v.Field(i), within, depth+1); found {
			return at, true
		}
	}
	return "", false
}

func memberPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// normalizeMembers brings the times of a struct that was generated for declared
// members to what columns keep.
func normalizeMembers(v reflect.Value) {
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		switch p := v.Field(i).Addr().Interface().(type) {
		case *time.Time:
			*p = Moment(*p)
		case *store.Null[time.Time]:
			if p.Valid {
				p.V = Moment(p.V)
			}
		}
	}
}

// Normalized returns a copy of a payload whose times are what columns keep: UTC, in
// microseconds.
func Normalized(payload any) any {
	v := reflect.ValueOf(payload)
	if v.Kind() != reflect.Struct {
		return payload
	}
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	normalizeMembers(out)
	return out.Interface()
}

// violation says in one that a text is no UTF-8.
func (e *textFault) violation(field string) store.Violation {
	return store.Violation{Field: field, Rule: "text", Message: e.message()}
}
