package condition

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// read returns the value at a place, as values of a condition are kept; false when it
// is null, or not of the column's kind.
func read(place any, kind check.Kind) (v value, ok bool) {
	switch p := place.(type) {
	case *string:
		if p != nil {
			return value{s: *p}, kind == check.Text
		}
	case *store.Null[string]:
		if p != nil {
			return value{s: p.V}, p.Valid && kind == check.Text
		}
	case *int64:
		if p != nil {
			return value{n: *p}, kind == check.Int
		}
	case *store.Null[int64]:
		if p != nil {
			return value{n: p.V}, p.Valid && kind == check.Int
		}
	case *float64:
		if p != nil {
			return value{n: core.FloatPlace(*p)}, kind == check.Float
		}
	case *store.Null[float64]:
		if p != nil {
			return value{n: core.FloatPlace(p.V)}, p.Valid && kind == check.Float
		}
	case *bool:
		if p != nil {
			return value{n: truth(*p)}, kind == check.Bool
		}
	case *store.Null[bool]:
		if p != nil {
			return value{n: truth(p.V)}, p.Valid && kind == check.Bool
		}
	case *time.Time:
		if p != nil {
			return value{n: p.UnixMicro()}, kind == check.Time
		}
	case *store.Null[time.Time]:
		if p != nil {
			return value{n: p.V.UnixMicro()}, p.Valid && kind == check.Time
		}
	case *store.Date:
		if p != nil {
			return value{n: dayNumber(*p)}, kind == check.Date
		}
	case *store.Null[store.Date]:
		if p != nil {
			return value{n: dayNumber(p.V)}, p.Valid && kind == check.Date
		}
	default:
		return readOther(place, kind)
	}
	return v, false
}

// readOther reads what has a type of the user's own, a nullable select or reference,
// and decimals.
func readOther(place any, kind check.Kind) (v value, ok bool) {
	if held, valid, ok := null(place); ok {
		switch {
		case !valid:
			return v, false
		case kind == check.Text && held.Kind() == reflect.String:
			return value{s: held.String()}, true
		case kind == check.Int && held.CanInt():
			return value{n: held.Int()}, true
		}
		return v, false
	}
	if kind != check.Decimal {
		return v, false
	}
	number, ok := bound(place).(core.Number)
	return value{n: number.Unscaled}, ok
}

// null returns what a place that points to a Null of any type holds. Unlike Null.Any,
// it does not allocate.
func null(place any) (held reflect.Value, valid, ok bool) {
	v := reflect.ValueOf(place)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return held, false, false
	}
	if _, ok := place.(interface{ Any() (any, bool) }); !ok {
		return held, false, false
	}
	v = v.Elem()
	if v.Kind() != reflect.Struct || v.NumField() != 2 || v.Field(1).Kind() != reflect.Bool {
		return held, false, false
	}
	return v.Field(0), v.Field(1).Bool(), true
}

// bound is what a place would write to a database; nil where it is nothing.
func bound(place any) any {
	f, ok := place.(core.Field)
	if !ok || isNil(place) {
		return nil
	}
	switch v := f.Bind().(type) {
	case error:
		return nil
	default:
		return v
	}
}

func isNil(place any) bool {
	v := reflect.ValueOf(place)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// exists reports whether there is a value at a place.
func exists(place any) bool {
	switch p := place.(type) {
	case nil:
		return false
	case *int64, *float64, *string, *bool, *time.Time, *store.Date, *[]byte, *json.RawMessage:
		return !isNil(place)
	case *store.Null[string]:
		return p != nil && p.Valid
	case *store.Null[int64]:
		return p != nil && p.Valid
	case *store.Null[float64]:
		return p != nil && p.Valid
	case *store.Null[bool]:
		return p != nil && p.Valid
	case *store.Null[time.Time]:
		return p != nil && p.Valid
	}
	if _, valid, ok := null(place); ok {
		return valid
	}
	return bound(place) != nil
}

// content returns the bytes of a place of kind bytes or json.
func content(place any) []byte {
	switch p := place.(type) {
	case *[]byte:
		return *p
	case *json.RawMessage:
		return *p
	case *store.Null[[]byte]:
		return p.V
	case *store.Null[json.RawMessage]:
		return p.V
	}
	switch b := bound(place).(type) {
	case []byte:
		return b
	case json.RawMessage:
		return b
	}
	return nil
}
