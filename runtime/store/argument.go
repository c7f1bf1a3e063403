package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/store/check"
)

// argument brings a value that a caller compares c with to what the column
// holds. A decimal that lies between two storable ones gives the lower one and
// exact false; everything else is exact.
func (c *Column) argument(v any) (arg any, exact bool, err error) {
	switch x := v.(type) {
	case int64, bool:
		return v, true, nil
	case string:
		return x, true, c.storableText(x)
	case time.Time:
		return Moment(x), true, nil
	case Decimal:
		floor, exact := bound(x, c.Rules.Scale)
		return Number{floor, c.Rules.Scale}, exact, nil
	case Date, Number:
		return v, true, nil
	case []byte:
		return notNil(x), true, nil
	case json.RawMessage:
		return nil, false, invalidf("%s cannot be compared", c.Name)
	}
	if arg, err = Plain(v); err != nil {
		return nil, false, err
	}
	if s, ok := arg.(string); ok {
		return arg, true, c.storableText(s)
	}
	return arg, true, nil
}

// storableText refuses text that no column can hold: databases differ in what
// they do with it.
func (c *Column) storableText(s string) error {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return invalidf("%s is compared with text that is not UTF-8 or holds a NUL byte", c.Name)
	}
	return nil
}

// list makes the one argument that PostgreSQL takes for an IN.
func (c *Column) list(args []any) any {
	switch c.Rules.Kind {
	case check.Int:
		return sliceOf[int64](args)
	case check.Bool:
		return sliceOf[bool](args)
	case check.Time:
		return sliceOf[time.Time](args)
	case check.Date:
		return sliceOf[Date](args)
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
		case Date:
			out[i] = v.String()
		case Number:
			out[i] = v.Unscaled
		case []byte:
			out[i] = fmt.Sprintf("%x", v)
		default:
			out[i] = a
		}
	}
	data, err := json.Marshal(out)
	return string(data), err
}
