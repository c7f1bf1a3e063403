// Package value moves values between Go and databases.
package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Field is a column's place in a row: it is scanned into and bound from. Plain
// pointers (*int64 *float64 *string *bool *time.Time *[]byte *json.RawMessage *Date) do
// the same without this interface.
type Field interface {
	// Scan sets the place from what a database gave: nil, int64, float64, bool,
	// string, []byte (valid only during the call) or time.Time.
	Scan(src any) error
	// Bind returns what to write: nil, int64, float64, string, bool, time.Time, []byte,
	// json.RawMessage, Date or Number; or an error, which the write then returns.
	Bind() any
}

func CannotAssign(dest, src any) error {
	return fmt.Errorf("store: the database gave %T where %T is wanted", src, dest)
}

// Assign sets the place dest, a pointer or a Field, from what a database gave.
// A []byte is copied.
func Assign(dest, src any) error {
	switch d := dest.(type) {
	case *int64:
		return assignInt(d, src)
	case *string:
		return assignString(d, src)
	case *bool:
		return assignBool(d, src)
	case *time.Time:
		return assignTime(d, src)
	case *[]byte:
		return assignBytes(d, src)
	case *json.RawMessage:
		return assignBytes((*[]byte)(d), src)
	case Field:
		return d.Scan(src)
	case *float64:
		return assignFloat(d, src)
	case *decimal.Decimal:
		return assignDecimal(d, src)
	case *any:
		if b, ok := src.([]byte); ok {
			src = bytes.Clone(b)
		}
		*d = src
		return nil
	}
	return assignNamed(dest, src)
}

func assignInt(d *int64, src any) (err error) {
	switch s := src.(type) {
	case int64:
		*d = s
	case []byte:
		*d, err = parseInt(string(s))
	case string:
		*d, err = parseInt(s)
	case float64:
		if s != math.Trunc(s) || s < -1<<63 || s >= 1<<63 {
			return errNotWhole
		}
		*d = int64(s)
	default:
		return CannotAssign(d, src)
	}
	return err
}

// Malformed says what a text of the database is not. It leaves the text out, which
// may be a secret.
func Malformed(what string) error {
	return fmt.Errorf("store: the database gave a text that is no %s", what)
}

// errNotWhole leaves out what the database gave, which may be a secret.
var errNotWhole = errors.New("store: the database gave something else than a whole number of 64 bits")

// parseInt reads a whole number: PostgreSQL's sum of bigint is a numeric, and so
// is MySQL's, where it may end in ".0000".
func parseInt(s string) (int64, error) {
	if whole, zeros, ok := strings.Cut(s, "."); ok && strings.Trim(zeros, "0") == "" {
		s = whole
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, errNotWhole
	}
	return n, nil
}

func assignString(d *string, src any) error {
	switch s := src.(type) {
	case string:
		*d = s
	case []byte:
		*d = string(s)
	default:
		return CannotAssign(d, src)
	}
	return nil
}

func assignBool(d *bool, src any) error {
	switch s := src.(type) {
	case bool:
		*d = s
	case int64:
		*d = s != 0
	default:
		return CannotAssign(d, src)
	}
	return nil
}

func assignTime(d *time.Time, src any) (err error) {
	switch s := src.(type) {
	case time.Time:
		*d = s.UTC()
	case string:
		*d, err = ParseTime(s)
	case []byte:
		*d, err = ParseTime(string(s))
	default:
		return CannotAssign(d, src)
	}
	if err != nil {
		return Malformed("time")
	}
	return nil
}

func assignBytes(d *[]byte, src any) error {
	switch s := src.(type) {
	case []byte:
		*d = append(make([]byte, 0, len(s)), s...)
	case string:
		*d = []byte(s)
	default:
		return CannotAssign(d, src)
	}
	return nil
}

// errNotFinite leaves out which of NaN and the infinities it was.
var errNotFinite = errors.New("store: the database gave a number that is not finite")

// Finite reports whether f is neither NaN nor an infinity.
func Finite(f float64) bool { return f-f == 0 }

func assignFloat(d *float64, src any) (err error) {
	switch s := src.(type) {
	case float64:
		if !Finite(s) {
			return errNotFinite
		}
		*d = s
	case int64:
		*d = float64(s)
	case []byte:
		*d, err = strconv.ParseFloat(string(s), 64)
	case string:
		*d, err = strconv.ParseFloat(s, 64)
	default:
		return CannotAssign(d, src)
	}
	switch {
	case err != nil:
		return Malformed("number")
	case !Finite(*d):
		return errNotFinite
	}
	return nil
}

func assignDecimal(d *decimal.Decimal, src any) (err error) {
	switch s := src.(type) {
	case string:
		*d, err = decimal.NewFromString(s)
	case []byte:
		*d, err = decimal.NewFromString(string(s))
	case int64:
		*d = decimal.NewFromInt(s)
	case float64:
		*d = decimal.NewFromFloat(s)
	default:
		return CannotAssign(d, src)
	}
	if err != nil {
		return Malformed("decimal")
	}
	return nil
}

// assignNamed serves types of one's own over int64 or string, such as ids and
// enums inside a Null.
func assignNamed(dest, src any) error {
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return CannotAssign(dest, src)
	}
	switch v = v.Elem(); v.Kind() {
	case reflect.Int64:
		var n int64
		if err := assignInt(&n, src); err != nil {
			return err
		}
		v.SetInt(n)
	case reflect.String:
		var s string
		if err := assignString(&s, src); err != nil {
			return err
		}
		v.SetString(s)
	default:
		return CannotAssign(dest, src)
	}
	return nil
}

// Plain returns the value that a driver binds for v: a plain value, a pointer to
// one, or a Field. The result is nil, int64, float64, string, bool, time.Time,
// []byte, json.RawMessage, Date, Number, or a slice of one of them, which only
// PostgreSQL takes.
func Plain(v any) (any, error) {
	switch x := v.(type) {
	case nil, int64, string, bool, time.Time, []byte, json.RawMessage:
		return v, nil
	case []int64, []string, []bool, []time.Time, [][]byte:
		return v, nil
	case float64:
		return plainFloat(x)
	case *float64:
		return plainFloat(*x)
	case []float64:
		return plainFloats(x)
	case *int64:
		return *x, nil
	case *string:
		return *x, nil
	case *bool:
		return *x, nil
	case *time.Time:
		return *x, nil
	case *[]byte:
		return NotNil(*x), nil
	case *json.RawMessage:
		return *x, nil
	case Field:
		v = x.Bind()
		if err, ok := v.(error); ok {
			return nil, err
		}
		return v, nil
	case int:
		return int64(x), nil
	case decimal.Decimal, *decimal.Decimal:
		return nil, fmt.Errorf("store: a decimal argument needs its scale: use DecimalField")
	}
	return plainNamed(v)
}

// plainFloat refuses what SQLite would store as NULL, MySQL refuses and no JSON has. The
// zero with a sign, which not every database keeps, becomes the one without.
func plainFloat(f float64) (any, error) {
	if !Finite(f) {
		return nil, fmt.Errorf("store: the number is not finite")
	}
	return f + 0, nil
}

func plainFloats(list []float64) (any, error) {
	out := make([]float64, len(list))
	for i, f := range list {
		if !Finite(f) {
			return nil, fmt.Errorf("store: the number is not finite")
		}
		out[i] = f + 0
	}
	return out, nil
}

// NotNil keeps empty bytes apart from NULL.
func NotNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func plainNamed(v any) (any, error) {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return nil, nil
		}
		r = r.Elem()
	}
	switch r.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int(), nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return int64(r.Uint()), nil
	case reflect.String:
		return r.String(), nil
	case reflect.Bool:
		return r.Bool(), nil
	case reflect.Float32, reflect.Float64:
		return plainFloat(r.Float())
	}
	return nil, fmt.Errorf("store: a %T cannot be bound", v)
}
