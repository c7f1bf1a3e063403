package core

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/internal/value"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// argument brings a value that a caller compares c with to what the column
// holds. What no row can hold gives exact false and the greatest value below it
// that can be bound: a decimal between two storable ones, a time or a day
// outside the years that databases have in common, text that is no id where ids
// are. A day that the calendar lacks lies nowhere and is refused.
func (c *Column) argument(v any) (arg any, exact bool, err error) {
	switch x := v.(type) {
	case int64, bool:
		return v, true, nil
	case string:
		return c.textArgument(x)
	case time.Time:
		arg, exact = timeArgument(x)
		return arg, exact, nil
	case float64:
		return c.floatArgument(x)
	case store.Decimal:
		floor, exact := bound(x, c.Rules.Scale)
		return Number{floor, c.Rules.Scale}, exact, nil
	case store.Date:
		if store.DateOf(x.Time()) != x {
			return nil, false, invalidf("%s is compared with a date that the calendar lacks", c.Name)
		}
		arg, exact = dateArgument(x)
		return arg, exact, nil
	case Number:
		return v, true, nil
	case []byte:
		return value.NotNil(x), true, nil
	case json.RawMessage:
		return nil, false, invalidf("%s cannot be compared", c.Name)
	}
	if arg, err = Plain(v); err != nil {
		return nil, false, err
	}
	if s, ok := arg.(string); ok {
		return c.textArgument(s)
	}
	return arg, true, nil
}

// compared is argument, and refuses for a select of a datatype what is none of its
// options: no row has it, and a filter or a key that names it was mistyped.
func (c *Column) compared(datatype string, v any) (arg any, exact bool, err error) {
	arg, exact, err = c.argument(v)
	if s, ok := arg.(string); ok && err == nil && len(c.Rules.Options) > 0 && !slices.Contains(c.Rules.Options, s) {
		err = notAnOption(datatype, c.Name, s, c.Rules.Options, c.Rules.Secret)
	}
	return arg, exact, err
}

// notAnOption is the error of a value that is compared with a select and is none of
// its options.
func notAnOption(datatype, field, value string, options []string, secret bool) error {
	said := strconv.Quote(value)
	if secret {
		said = "a value"
	}
	return &store.ValidationError{Datatype: datatype, Violations: []store.Violation{{
		Field: field, Rule: "options", Message: fmt.Sprintf("is compared with %s, which is not one of %s", said, strings.Join(options, ", ")),
	}}}
}

// The years that a column holds, as package check has them; and the last moment
// before, which every database can compare with.
const firstYear, lastYear = 1000, 9999

var (
	lastDay    = store.Date{Year: lastYear, Month: time.December, Day: 31}
	dayBefore  = store.Date{Year: firstYear - 1, Month: time.December, Day: 31}
	lastMoment = time.Date(lastYear, time.December, 31, 23, 59, 59, 999_999_000, time.UTC)
	timeBefore = time.Date(firstYear-1, time.December, 31, 23, 59, 59, 999_999_000, time.UTC)
)

func timeArgument(t time.Time) (time.Time, bool) {
	switch t = Moment(t); {
	case t.Year() < firstYear:
		return timeBefore, false
	case t.Year() > lastYear:
		return lastMoment, false
	}
	return t, true
}

func dateArgument(d store.Date) (store.Date, bool) {
	switch {
	case d.Year < firstYear:
		return dayBefore, false
	case d.Year > lastYear:
		return lastDay, false
	}
	return d, true
}

// floatArgument has no infinity reach a database: below infinity lies every value that a column
// holds, and above minus infinity too.
func (c *Column) floatArgument(f float64) (arg any, exact bool, err error) {
	switch {
	case math.IsNaN(f):
		return nil, false, invalidf("%s is compared with NaN", c.Name)
	case math.IsInf(f, 1):
		return math.MaxFloat64, false, nil
	case math.IsInf(f, -1):
		return belowAll, false, nil
	}
	return f + 0, true, nil
}

// belowAll is what is less than each value of a column.
type belowAllValues struct{}

var belowAll belowAllValues

// textArgument lets what is no id pass as inexact where c holds ids: it equals
// none of them, whatever it is.
func (c *Column) textArgument(s string) (arg any, exact bool, err error) {
	if c.Types[sqltext.Postgres] == ulidType && !validULID(s) {
		return s, false, nil
	}
	return s, true, c.storableText(s)
}

// ulidType is what PostgreSQL calls a column of ULIDs, and no other column.
const ulidType = "character(26)"

// storableText refuses text that no column can hold: databases differ in what
// they do with it.
func (c *Column) storableText(s string) error {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return invalidf("%s is compared with text that is not UTF-8 or holds a NUL byte", c.Name)
	}
	return nil
}

// arrayOf makes the one argument that PostgreSQL takes for values of one type, which
// are at least one.
func arrayOf(values []any) any {
	switch values[0].(type) {
	case bool:
		return sliceOf[bool](values)
	case float64:
		return sliceOf[float64](values)
	case time.Time:
		return sliceOf[time.Time](values)
	case store.Date:
		return sliceOf[store.Date](values)
	case Number:
		return sliceOf[Number](values)
	}
	return sliceOf[[]byte](values)
}

// list makes the one argument that PostgreSQL takes for an IN.
func (c *Column) list(args []any) any {
	switch c.Rules.Kind {
	case check.Int:
		return sliceOf[int64](args)
	case check.Float:
		return sliceOf[float64](args)
	case check.Bool:
		return sliceOf[bool](args)
	case check.Time:
		return sliceOf[time.Time](args)
	case check.Date:
		return sliceOf[store.Date](args)
	case check.Decimal:
		return sliceOf[Number](args)
	case check.Bytes:
		return sliceOf[[]byte](args)
	}
	return sliceOf[string](args)
}

func sliceOf[T any](args []any) []T {
	out := make([]T, 0, len(args))
	for _, a := range args {
		if v, ok := a.(T); ok {
			out = append(out, v)
		}
	}
	return out
}

// jsonList makes the one argument that SQLite takes for an IN: an array for
// json_each, with values as SQLite keeps them.
func jsonList(args []any) (string, error) {
	out := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case bool:
			out[i] = 0
			if v {
				out[i] = 1
			}
		case time.Time:
			out[i] = FormatTime(v)
		case store.Date:
			out[i] = v.String()
		case Number:
			out[i] = v.Unscaled
		case float64:
			out[i] = sqltext.FloatParts(v)
		case []byte:
			out[i] = fmt.Sprintf("%x", v)
		default:
			out[i] = a
		}
	}
	data, err := json.Marshal(out)
	return string(data), err
}
