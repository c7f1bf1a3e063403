package templatecheck

import (
	"fmt"
	"reflect"

	"github.com/hegner123/modulagen/internal/near"
)

// field returns the type of a field, of a method's result or of a map's element; nil where that
// is known only when a template is executed.
func field(typ reflect.Type, name string) (reflect.Type, string) {
	if typ == nil || typ.Kind() == reflect.Interface {
		return nil, ""
	}
	base := typ
	if base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	for _, t := range []reflect.Type{typ, reflect.PointerTo(base)} {
		if m, ok := t.MethodByName(name); ok && m.Type.NumOut() > 0 {
			return m.Type.Out(0), ""
		}
	}
	switch base.Kind() {
	case reflect.Interface:
		return nil, ""
	case reflect.Map:
		if base.Key().Kind() == reflect.String {
			return base.Elem(), ""
		}
	case reflect.Struct:
		if f, ok := base.FieldByName(name); ok && f.IsExported() {
			return f.Type, ""
		}
	}
	if base == none {
		return nil, fmt.Sprintf("there is no data with a field %s; pass it, as in {{template \"x\" .}}", name)
	}
	problem := fmt.Sprintf("%v has no field or method %s", base, name)
	if like := near.Name(name, names(base)); like != "" {
		problem += fmt.Sprintf("; did you mean %s?", like)
	}
	return nil, problem
}

// names returns what a template can name of a type.
func names(base reflect.Type) []string {
	var list []string
	if base.Kind() == reflect.Struct {
		for _, f := range reflect.VisibleFields(base) {
			if f.IsExported() {
				list = append(list, f.Name)
			}
		}
	}
	for m := range reflect.PointerTo(base).NumMethod() {
		list = append(list, reflect.PointerTo(base).Method(m).Name)
	}
	return list
}

var integer = reflect.TypeFor[int]()

// elements returns the types of keys and values of what is ranged over.
func elements(typ reflect.Type) (key, value reflect.Type, ok bool) {
	for typ != nil && typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ == nil {
		return nil, nil, true
	}
	switch typ.Kind() {
	case reflect.Interface:
		return nil, nil, true
	case reflect.Slice, reflect.Array:
		return integer, typ.Elem(), true
	case reflect.Chan:
		return integer, typ.Elem(), true
	case reflect.Map:
		return typ.Key(), typ.Elem(), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return typ, typ, true
	case reflect.Func:
		return iterated(typ)
	}
	return nil, nil, false
}

// iterated returns what an iterator yields.
func iterated(typ reflect.Type) (key, value reflect.Type, ok bool) {
	switch {
	case typ.CanSeq2():
		return typ.In(0).In(0), typ.In(0).In(1), true
	case typ.CanSeq():
		return nil, typ.In(0).In(0), true
	}
	return nil, nil, false
}
