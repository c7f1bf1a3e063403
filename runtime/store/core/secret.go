package core

import (
	"reflect"
	"strings"
)

// SecretIn finds the first secret of a generated type that values of t may hold, at any
// depth: Account.Password, or "" where there is none. bare says that encoding/json leaves
// it out or masks it also where the value is to be stored, as it does in rows; in JSON
// with declared fields and in payloads StoredJSON keeps it.
func SecretIn(t reflect.Type) (name string, bare bool) {
	s := secretSearch{seen: map[reflect.Type]bool{}}
	s.look(t)
	return s.name, s.bare
}

// secretSearch stops at the first secret that JSON loses, and remembers another one.
type secretSearch struct {
	seen map[reflect.Type]bool
	name string
	bare bool
}

func (s *secretSearch) look(t reflect.Type) {
	if s.bare || s.seen[t] {
		return
	}
	s.seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		s.look(t.Elem())
	case reflect.Map:
		s.look(t.Key())
		s.look(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Tag.Get("store") == "secret" {
				s.found(t, f)
			}
			s.look(f.Type)
		}
	}
}

func (s *secretSearch) found(t reflect.Type, f reflect.StructField) {
	bare := !t.Implements(reflect.TypeFor[StoredMarshaler]())
	if s.name == "" || bare && !s.bare {
		name, _, _ := strings.Cut(t.Name(), "[")
		s.name, s.bare = name+"."+f.Name, bare
	}
}
