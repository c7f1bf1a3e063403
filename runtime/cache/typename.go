package cache

import (
	"crypto/sha256"
	"encoding"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"reflect"
	"strings"
)

const (
	labelMax  = 20 // characters of a type's own name in a format
	labelHash = 12 // hexadecimal digits of the hash behind it
)

// typeName names a type in a format: "string", "page.1f0c84b2a9d3". It is the
// type's own name, for people, and a hash of all that an encoder sees of the
// type: where it is declared, and its exported fields with their tags, at any
// depth. A value that was written as another type, or as the same type with
// other fields, does not have the same name: decoded, its missing fields would
// be zero, and pass for values.
func typeName(t reflect.Type) string {
	if t.PkgPath() == "" && t.Name() != "" {
		return t.Name() // predeclared
	}
	sum := sha256.New()
	describe(sum, t, map[reflect.Type]bool{})
	return label(t) + "." + hex.EncodeToString(sum.Sum(nil))[:labelHash]
}

// label is the readable part of a type's name: ASCII letters and digits.
func label(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[") // without type arguments
	if name == "" {
		name = t.Kind().String()
	}
	name = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, name)
	return name[:min(len(name), labelMax)]
}

// marshalers are the interfaces by which a type decides its encoded form itself.
var marshalers = []reflect.Type{
	reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler](),
	reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[gob.GobEncoder](),
}

// describe writes what an encoder sees of a type. One that contains itself is described by
// its name alone, and so is one that encodes itself, unless it is a struct: such as
// store.Null, whose type argument may have other fields. A hash returns no error.
func describe(w hash.Hash, t reflect.Type, seen map[reflect.Type]bool) {
	if t.Name() != "" {
		fmt.Fprintf(w, "%q.%q ", t.PkgPath(), t.Name())
		if seen[t] || t.Kind() != reflect.Struct && encodesItself(t) {
			return
		}
		seen[t] = true
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		fmt.Fprintf(w, "%s of ", t.Kind())
		describe(w, t.Elem(), seen)
	case reflect.Array:
		fmt.Fprintf(w, "array of %d ", t.Len())
		describe(w, t.Elem(), seen)
	case reflect.Map:
		io.WriteString(w, "map from ")
		describe(w, t.Key(), seen)
		io.WriteString(w, "to ")
		describe(w, t.Elem(), seen)
	case reflect.Struct:
		describeFields(w, t, seen)
	case reflect.Interface, reflect.Func, reflect.Chan:
		io.WriteString(w, t.String()+" ")
	default:
		io.WriteString(w, t.Kind().String()+" ")
	}
}

func describeFields(w hash.Hash, t reflect.Type, seen map[reflect.Type]bool) {
	io.WriteString(w, "struct{ ")
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() && !f.Anonymous {
			continue // no encoder sees it
		}
		fmt.Fprintf(w, "%s %t %q ", f.Name, f.Anonymous, string(f.Tag))
		describe(w, f.Type, seen)
	}
	io.WriteString(w, "} ")
}

func encodesItself(t reflect.Type) bool {
	for _, m := range marshalers {
		if t.Implements(m) || reflect.PointerTo(t).Implements(m) {
			return true
		}
	}
	return false
}
