package rowtemplate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Row says which fields the rows of a datatype have. It is made once for each
// datatype.
type Row struct {
	typ    reflect.Type // the struct
	fields []field
	byName map[string]*field
}

// field is one column of a row.
type field struct {
	name   string // of the Go struct's field
	index  int
	typ    typ
	secret bool
	scale  int // of a decimal
	option string
}

// RowOf describes the rows of a datatype by one of them, a *R of generated code, and
// their columns: those of its core.Spec, whose Row returns such a row. The exported
// fields of the struct are the columns, in order. An error is a mistake in the program.
func RowOf(row any, columns []core.Column) (*Row, error) {
	t := reflect.TypeOf(row)
	if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("rowtemplate: %T is not a pointer to a row", row)
	}
	r := &Row{typ: t.Elem(), byName: map[string]*field{}}
	for i := range r.typ.NumField() {
		f := r.typ.Field(i)
		if !f.IsExported() {
			continue
		}
		if len(r.fields) == len(columns) {
			return nil, fmt.Errorf("rowtemplate: %s has more fields than columns", r.typ)
		}
		c := &columns[len(r.fields)]
		r.fields = append(r.fields, field{
			name: f.Name, index: i, typ: typeOf[c.Rules.Kind], secret: c.Rules.Secret, scale: c.Rules.Scale,
		})
		if len(c.Rules.Options) > 0 {
			r.fields[len(r.fields)-1].option = c.Rules.Options[0]
		}
	}
	if len(r.fields) != len(columns) {
		return nil, fmt.Errorf("rowtemplate: %s has %d fields and %d columns", r.typ, len(r.fields), len(columns))
	}
	for i := range r.fields {
		f := &r.fields[i]
		r.byName[f.name] = f
		if f.typ == typeNone {
			return nil, fmt.Errorf("rowtemplate: the column %s has no kind", columns[i].Name)
		}
		if _, err := f.read(reflect.New(r.typ).Elem()); err != nil {
			return nil, err
		}
	}
	return r, nil
}

var typeOf = map[check.Kind]typ{
	check.Text: typeText, check.Int: typeInt, check.Decimal: typeDecimal, check.Float: typeFloat, check.Bool: typeBool,
	check.Time: typeTime, check.Date: typeDate, check.JSON: typeJSON, check.Bytes: typeBytes,
}

// names are the fields that a template may name.
func (r *Row) names() []string {
	var names []string
	for _, f := range r.fields {
		if !f.secret {
			names = append(names, f.name)
		}
	}
	return names
}

// value returns the struct of a row, given as a *R or an R.
func (r *Row) value(row any) (reflect.Value, error) {
	v := reflect.ValueOf(row)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return v, fmt.Errorf("rowtemplate: the row is nil")
		}
		v = v.Elem()
	}
	if !v.IsValid() || v.Type() != r.typ {
		return v, fmt.Errorf("rowtemplate: the template is for a %s, not for a %T", r.typ, row)
	}
	return v, nil
}

var nullPath = reflect.TypeFor[store.Null[int64]]().PkgPath()

// held takes a value out of its store.Null or store.Opt; false when it has none.
func held(v reflect.Value) (reflect.Value, bool) {
	if v.Type().PkgPath() != nullPath {
		return v, true
	}
	h, ok := v.Interface().(interface{ Any() (any, bool) })
	if !ok {
		return v, true
	}
	x, some := h.Any()
	return reflect.ValueOf(x), some
}

// read returns the value of the field in a row.
func (f *field) read(row reflect.Value) (v value, err error) {
	v = value{t: f.typ, null: true, scale: f.scale}
	x, some := held(row.Field(f.index))
	if !some {
		return v, nil
	}
	v.null = false
	ok := true
	switch f.typ {
	case typeText:
		if ok = x.Kind() == reflect.String; ok {
			v.s = x.String()
		}
	case typeInt:
		if ok = x.CanInt(); ok {
			v.n = x.Int()
		}
	case typeBool:
		if ok = x.Kind() == reflect.Bool; ok {
			v.b = x.Bool()
		}
	case typeDecimal:
		const most = 1000
		v.d, ok = x.Interface().(store.Decimal)
		if exp := v.d.Exponent(); exp > most || exp < -most {
			return v, errors.New("the decimal has too many digits")
		}
	case typeFloat:
		if ok = x.CanFloat(); ok {
			v.f = x.Float()
			if math.IsNaN(v.f) || math.IsInf(v.f, 0) {
				return v, errors.New("the float is not finite")
			}
		}
	case typeTime:
		v.at, ok = x.Interface().(time.Time)
	case typeDate:
		v.day, ok = x.Interface().(store.Date)
	case typeBytes:
		if ok = x.Kind() == reflect.Slice && x.Type().Elem().Kind() == reflect.Uint8; ok {
			v.s = string(x.Bytes())
		}
	case typeJSON:
		v.s, err = document(x.Interface())
	}
	if !ok {
		return v, fmt.Errorf("rowtemplate: the field %s is a %s, which is not its column's kind", f.name, x.Type())
	}
	return v, err
}

// maxDepth bounds the nesting of a JSON value, of a template's JSON and XML, and of
// its branches and parentheses.
const maxDepth = 100

// document returns a JSON column's value as compact JSON. Generated types mask their
// secrets in it.
func document(x any) (doc string, err error) {
	defer func() {
		if recover() != nil { // a MarshalJSON of the user's own
			err = errors.New("the value does not become JSON: its type panics")
		}
	}()
	data, err := json.Marshal(x)
	if err != nil {
		return "", errors.New("the value is not JSON")
	}
	if depthOf(data) > maxDepth {
		return "", fmt.Errorf("the JSON is nested more than %d deep", maxDepth)
	}
	return validUTF8(string(data)), nil
}

// depthOf returns how deep valid JSON is nested.
func depthOf(doc []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// sample returns a row in which every field that can has a value.
func (r *Row) sample() reflect.Value {
	row := reflect.New(r.typ).Elem()
	for i := range r.fields {
		f := &r.fields[i]
		x := row.Field(f.index)
		if x.Type().PkgPath() == nullPath && x.Kind() == reflect.Struct && x.NumField() == 2 && x.Field(1).Kind() == reflect.Bool {
			x.Field(1).SetBool(true)
			x = x.Field(0)
		}
		f.fill(x)
	}
	return row
}

func (f *field) fill(x reflect.Value) {
	switch f.typ {
	case typeText:
		x.SetString(f.option)
		if f.option == "" {
			x.SetString("text")
		}
	case typeInt:
		x.SetInt(1)
	case typeBool:
		x.SetBool(true)
	case typeDecimal:
		x.Set(reflect.ValueOf(core.Number{Unscaled: 1, Scale: f.scale}.Decimal()))
	case typeFloat:
		x.SetFloat(0.5)
	case typeTime:
		x.Set(reflect.ValueOf(time.Date(2006, 1, 2, 15, 4, 5, 0, time.UTC)))
	case typeDate:
		x.Set(reflect.ValueOf(store.Date{Year: 2006, Month: 1, Day: 2}))
	case typeBytes:
		x.SetBytes([]byte("bytes"))
	case typeJSON:
		if x.Type() == reflect.TypeFor[json.RawMessage]() {
			x.SetBytes([]byte(`{"key":["value"]}`))
		}
	}
}
