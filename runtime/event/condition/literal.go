package condition

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/internal/near"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// typeName names the type of a column as definitions do.
func typeName(c *core.Column) string {
	switch c.Rules.Kind {
	case check.Int:
		return "a number"
	case check.Decimal:
		return "a decimal"
	case check.Float:
		return "a float"
	case check.Bool:
		return "a boolean"
	case check.Time:
		return "a datetime"
	case check.Date:
		return "a date"
	case check.JSON:
		return "json"
	case check.Bytes:
		return "bytes"
	}
	if len(c.Rules.Options) > 0 {
		return "a select"
	}
	return "a text"
}

// value reads a value of a column; false when it is not one, which is reported.
func (p *parser) value(c *core.Column, e *element) (v value, ok bool) {
	if e.token == nil {
		p.fail(e, "null is compared only by eq and ne; write {\"field\": "+strconv.Quote(c.Name)+", \"exists\": false}")
		return v, false
	}
	var remedy string
	switch c.Rules.Kind {
	case check.Int:
		v.n, remedy = readInt(e)
	case check.Decimal:
		v.n, remedy = readDecimal(e, c.Rules.Scale)
	case check.Float:
		v.n, remedy = readFloat(e)
	case check.Bool:
		v.n, remedy = readBool(e)
	case check.Time:
		v.n, remedy = readTime(e)
	case check.Date:
		v.n, remedy = readDate(e)
	default:
		v.s, remedy = readText(e, c.Rules.Options)
	}
	if remedy != "" {
		p.fail(e, c.Name+" is "+typeName(c)+", not "+describe(e)+"; "+remedy)
	}
	return v, remedy == ""
}

func readInt(e *element) (n int64, remedy string) {
	number, ok := e.token.(json.Number)
	if !ok {
		return 0, "write a whole number without quotes, such as 5"
	}
	n, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil {
		return 0, "write a whole number of 64 bits, in digits alone"
	}
	return n, ""
}

// readDecimal returns the number without its point.
func readDecimal(e *element, scale int) (n int64, remedy string) {
	remedy = "write a number such as 19.99, with at most " + strconv.Itoa(scale) + " digits behind the point and " +
		strconv.Itoa(check.MaxDigits) + " in all"
	var text string
	switch t := e.token.(type) {
	case json.Number:
		text = t.String()
	case string:
		text = t
	}
	const longest = 64
	if text == "" || len(text) > longest {
		return 0, remedy
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return 0, remedy
	}
	number, err := core.NumberOf(d, scale)
	if err != nil {
		return 0, remedy
	}
	return number.Unscaled, ""
}

// readFloat returns the number's place among all floats.
func readFloat(e *element) (n int64, remedy string) {
	number, ok := e.token.(json.Number)
	if !ok {
		return 0, "write a number without quotes, such as 0.5"
	}
	f, err := number.Float64()
	if err != nil {
		return 0, "write a number within the range of a 64-bit float"
	}
	return core.FloatPlace(f), ""
}

func readBool(e *element) (n int64, remedy string) {
	b, ok := e.token.(bool)
	if !ok {
		return 0, "write true or false, without quotes"
	}
	return truth(b), ""
}

func readTime(e *element) (n int64, remedy string) {
	remedy = `write RFC 3339 with a zone, such as "2026-01-02T15:04:05Z"`
	s, ok := e.token.(string)
	if !ok {
		return 0, remedy
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, remedy
	}
	return t.UnixMicro(), ""
}

func readDate(e *element) (n int64, remedy string) {
	remedy = `write a day such as "2026-01-02"`
	s, ok := e.token.(string)
	if !ok {
		return 0, remedy
	}
	d, err := store.ParseDate(s)
	if err != nil {
		return 0, remedy
	}
	return dayNumber(d), ""
}

func readText(e *element, options []string) (s, remedy string) {
	s, ok := e.token.(string)
	switch {
	case !ok:
		return "", "write it in quotes"
	case strings.IndexByte(s, 0) >= 0:
		return "", "leave out the NUL character, which no row holds"
	case len(options) > 0 && !slices.Contains(options, s):
		remedy = "its options are " + strings.Join(near.Sort(s, options), ", ")
	}
	return s, remedy
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// dayNumber is a date as a number that sorts as dates do.
func dayNumber(d store.Date) int64 {
	return int64(d.Year)*10000 + int64(d.Month)*100 + int64(d.Day)
}
