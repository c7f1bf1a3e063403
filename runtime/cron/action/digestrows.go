package action

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Bounds of what a digest holds of rows.
const (
	maxDigestText  = 10_000  // bytes of one value
	maxDigestBytes = 8 << 20 // of all
)

// digestType describes what templates see of the rows of a datatype: a struct with the fields of the generated row
// that are not secret, without bytes, and with plain Go types. A decimal, a date and JSON are texts; a number, a float,
// a boolean or a datetime that may be null is a pointer.
type digestType struct {
	spec   *core.Spec
	typ    reflect.Type
	fields []digestField
}

type digestField struct {
	column int // of the datatype
	index  int // of the struct of generated code
	name   string
	json   bool
}

func digestTypeOf(spec *core.Spec) (*digestType, error) {
	row := reflect.TypeOf(spec.Row()).Elem()
	d := &digestType{spec: spec}
	var fields []reflect.StructField
	column := 0
	for i := range row.NumField() {
		f := row.Field(i)
		if !f.IsExported() {
			continue
		}
		if column >= len(spec.Columns) {
			return nil, fmt.Errorf("cron: %s has more fields than columns", row)
		}
		c := &spec.Columns[column]
		if typ := plainType(spec, column); typ != nil && !c.Rules.Secret {
			fields = append(fields, reflect.StructField{Name: f.Name, Type: typ})
			d.fields = append(d.fields, digestField{column, i, c.Name, c.Rules.Kind == check.JSON})
		}
		column++
	}
	if column != len(spec.Columns) {
		return nil, fmt.Errorf("cron: %s has %d fields and %d columns", row, column, len(spec.Columns))
	}
	d.typ = reflect.StructOf(fields)
	return d, nil
}

// plainType is the type that templates see of a column; nil: none.
func plainType(spec *core.Spec, column int) reflect.Type {
	if column == 0 {
		if spec.ID == core.IDULID {
			return reflect.TypeFor[string]()
		}
		return reflect.TypeFor[int64]()
	}
	c := &spec.Columns[column]
	var typ reflect.Type
	switch c.Rules.Kind {
	case check.Int:
		typ = reflect.TypeFor[int64]()
	case check.Float:
		typ = reflect.TypeFor[float64]()
	case check.Bool:
		typ = reflect.TypeFor[bool]()
	case check.Time:
		typ = reflect.TypeFor[time.Time]()
	case check.Bytes:
		return nil
	default:
		return reflect.TypeFor[string]()
	}
	if c.Null {
		return reflect.PointerTo(typ)
	}
	return typ
}

// digestRowList is a slice of rows as templates see them.
type digestRowList struct {
	reflect.Value
	cut bool // rows were left out, because of their size
}

// Len is 0 of the zero list.
func (l digestRowList) Len() int {
	if !l.IsValid() {
		return 0
	}
	return l.Value.Len()
}

// read reads the rows of a query, up to a number of bytes.
func (d *digestType) read(ctx context.Context, t core.Table, q core.AnyQuery) (digestRowList, error) {
	list := digestRowList{Value: reflect.MakeSlice(reflect.SliceOf(d.typ), 0, 16)}
	size := 0
	var failed error
	t.All(ctx, q, func(row any, err error) bool {
		var one reflect.Value
		var n int
		if failed = err; failed == nil {
			one, n, failed = d.plain(row)
		}
		if failed != nil {
			return false
		}
		if size += n; size > maxDigestBytes {
			list.cut = true
			return false
		}
		list.Value = reflect.Append(list.Value, one)
		return true
	})
	return list, failed
}

// plain makes what templates see of a row, and returns how many bytes of text it has.
func (d *digestType) plain(row any) (reflect.Value, int, error) {
	out := reflect.New(d.typ).Elem()
	size := 0
	places := d.spec.Fields(row, nil)
	for i, f := range d.fields {
		value, err := d.value(row, places, f)
		if err != nil {
			return out, 0, fmt.Errorf("cron: %s.%s: %w", d.spec.Name, f.name, err)
		}
		if value == nil {
			continue
		}
		if text, ok := value.(string); ok {
			value = printable(text, maxDigestText)
			size += len(value.(string))
		}
		v, to := reflect.ValueOf(value), out.Field(i)
		if to.Kind() == reflect.Pointer {
			to.Set(reflect.New(v.Type()))
			to = to.Elem()
		}
		to.Set(v)
	}
	return out, size, nil
}

// value is nil for null. JSON is as it is shown, with secrets within it masked.
func (d *digestType) value(row any, places []any, f digestField) (any, error) {
	plain, err := core.Plain(places[f.column])
	if err != nil || plain == nil {
		return nil, err
	}
	if f.json {
		text, err := json.Marshal(reflect.ValueOf(row).Elem().Field(f.index).Interface())
		return string(text), err
	}
	switch v := plain.(type) {
	case core.Number:
		return v.String(), nil
	case store.Date:
		return v.String(), nil
	case time.Time:
		return v.UTC(), nil
	}
	return plain, nil
}
