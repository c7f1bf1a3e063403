package core

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"slices"
)

// redacted stands where a secret would.
const redacted = "***"

// FormatRow prints a row, a new row or a patch as fmt does, with "***" for the
// fields named in secrets, so that %v, %+v, %#v and %s of one show no secret.
// What a NULL holds is <nil>, and %+v leaves out what a new row or a patch does
// not set. Generated code calls it where a datatype has secrets:
//
//	func (r User) Format(f fmt.State, verb rune) { store.FormatRow(f, verb, r, "Token") }
func FormatRow(f fmt.State, verb rune, row any, secrets ...string) {
	v := reflect.Indirect(reflect.ValueOf(row))
	if v.Kind() != reflect.Struct {
		io.WriteString(f, redacted)
		return
	}
	names := verb == 'v' && (f.Flag('+') || f.Flag('#'))
	if verb == 'v' && f.Flag('#') {
		io.WriteString(f, v.Type().String())
	}
	io.WriteString(f, "{")
	first := true
	for name, value := range shown(v, secrets) {
		if _, unset := value.(unsetField); unset && names {
			continue
		}
		if !first {
			io.WriteString(f, " ")
		}
		first = false
		if names {
			io.WriteString(f, name+":")
		}
		fmt.Fprintf(f, "%+v", value)
	}
	io.WriteString(f, "}")
}

// LogRow returns a row, a new row or a patch as a group of log/slog, with "***"
// for the fields named in secrets; what a new row or a patch does not set is
// left out. Generated code calls it where a datatype has secrets:
//
//	func (r User) LogValue() slog.Value { return store.LogRow(r, "Token") }
func LogRow(row any, secrets ...string) slog.Value {
	v := reflect.Indirect(reflect.ValueOf(row))
	if v.Kind() != reflect.Struct {
		return slog.StringValue(redacted)
	}
	var attrs []slog.Attr
	for name, value := range shown(v, secrets) {
		if _, unset := value.(unsetField); !unset {
			attrs = append(attrs, slog.Any(name, value))
		}
	}
	return slog.GroupValue(attrs...)
}

// unsetField is an Opt that was not given.
type unsetField struct{}

// String implements fmt.Stringer.
func (unsetField) String() string { return "<unset>" }

// shown goes through the exported fields of a row in order.
func shown(v reflect.Value, secrets []string) func(yield func(string, any) bool) {
	return func(yield func(string, any) bool) {
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() {
				continue
			}
			var value any = redacted
			if !slices.Contains(secrets, field.Name) {
				value = plainly(v.Field(i))
			} else if isUnset(v.Field(i)) {
				value = unsetField{}
			}
			if !yield(field.Name, value) {
				return
			}
		}
	}
}

func isUnset(v reflect.Value) bool {
	o, ok := v.Interface().(interface{ IsSet() bool })
	return ok && !o.IsSet()
}

// plainly takes a value out of its Null or Opt, for people.
func plainly(v reflect.Value) any {
	x := v.Interface()
	switch o := x.(type) {
	case json.RawMessage:
		return string(o)
	case interface {
		IsSet() bool
		json.Marshaler
	}:
		if !o.IsSet() {
			return unsetField{}
		}
		data, err := o.MarshalJSON()
		if err != nil { // a change of the value that is there
			return fmt.Sprint(x)
		}
		return string(data)
	}
	if v.Kind() == reflect.Struct && v.NumField() == 2 && v.Type().Field(0).Name == "V" && v.Type().Field(1).Name == "Valid" {
		if !v.Field(1).Bool() {
			return nil
		}
		return plainly(v.Field(0))
	}
	return x
}
