package lua

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	vm "github.com/yuin/gopher-lua"

	"github.com/hegner123/modulagen/internal/near"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// How a column's values are values of Lua: docs/plugins.md has the table.

// columnOf finds the column with a name.
func columnOf(s *core.Spec, name string) (int, error) {
	for i, c := range s.Columns {
		if c.Name != name {
			continue
		}
		if c.Rules.Secret {
			return 0, fmt.Errorf("%s.%s is secret, and not for plugins", s.Name, name)
		}
		return i, nil
	}
	return 0, fmt.Errorf("%s has no field %q%s", s.Name, printable(name), meant(name, visible(s)))
}

// visible are the names of the columns that plugins may know.
func visible(s *core.Spec) []string {
	var out []string
	for _, c := range s.Columns {
		if !c.Rules.Secret {
			out = append(out, c.Name)
		}
	}
	return out
}

// meant is what a name probably was to be, and otherwise all that there are.
func meant(name string, known []string) string {
	if n := near.Name(name, known); n != "" {
		return "; is " + n + " meant?"
	}
	if len(known) == 0 {
		return "; there are none"
	}
	known = slices.Sorted(slices.Values(known))
	return "; there are " + cut(strings.Join(known, ", "), 400)
}

// wrongType is a value that a column cannot hold.
func wrongType(c *core.Column, v vm.LValue, want string) error {
	return fmt.Errorf("%s is %s, and must be %s", c.Name, described(v), want)
}

// described is a value in messages.
func described(v vm.LValue) string {
	switch v := v.(type) {
	case *vm.LUserData:
		return "json.null"
	case vm.LNumber:
		return numberText(v)
	case vm.LString:
		return strconv.Quote(cut(printable(string(v)), 60))
	}
	return "a " + v.Type().String()
}

// raw returns a value as the JSON of a new row or a patch.
func (m *machine) raw(c *core.Column, v vm.LValue) (json.RawMessage, error) {
	if v == vm.LValue(m.null) {
		return json.RawMessage("null"), nil
	}
	if c.Rules.Kind == check.JSON {
		text, err := m.encode(v)
		return text, at(c, err)
	}
	value, err := m.value(c, v)
	if err != nil {
		return nil, err
	}
	m.charge(256)
	text, err := json.Marshal(value)
	m.charge(len(text))
	return text, at(c, err)
}

func at(c *core.Column, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", c.Name, err)
}

// value returns a value as the Go type that a column of its kind has.
func (m *machine) value(c *core.Column, v vm.LValue) (any, error) {
	text, isText := v.(vm.LString)
	number, isNumber := v.(vm.LNumber)
	switch c.Rules.Kind {
	case check.Text:
		if !isText {
			return nil, wrongType(c, v, "a string")
		}
		if !utf8.ValidString(string(text)) {
			return nil, fmt.Errorf("%s is not UTF-8", c.Name)
		}
		return string(text), nil
	case check.Bytes:
		if !isText {
			return nil, wrongType(c, v, "a string")
		}
		m.charge(len(text))
		return []byte(text), nil
	case check.Bool:
		b, ok := v.(vm.LBool)
		if !ok {
			return nil, wrongType(c, v, "true or false")
		}
		return bool(b), nil
	case check.Int:
		return integer(c, v)
	case check.Decimal:
		if isNumber {
			text = vm.LString(strconv.FormatFloat(float64(number), 'f', -1, 64))
		}
		d, err := store.ParseDecimal(string(text))
		if err != nil || !isText && !isNumber {
			return nil, wrongType(c, v, "a decimal, best as a string such as \"12.50\"")
		}
		return d, nil
	case check.Float:
		if !isNumber || math.IsNaN(float64(number)) || math.IsInf(float64(number), 0) {
			return nil, wrongType(c, v, "a finite number")
		}
		return float64(number), nil
	case check.Date:
		d, err := store.ParseDate(string(text))
		if err != nil || !isText {
			return nil, wrongType(c, v, "a date such as \"2026-01-31\"")
		}
		return d, nil
	case check.Time:
		return moment(c, v)
	}
	return nil, fmt.Errorf("%s cannot be compared; only null can be asked for", c.Name)
}

// integer takes whole numbers, and beyond 2^53, which a number of Lua does not hold, a string.
func integer(c *core.Column, v vm.LValue) (int64, error) {
	switch v := v.(type) {
	case vm.LNumber:
		if f := float64(v); f == math.Trunc(f) && math.Abs(f) <= exact {
			return int64(f), nil
		}
	case vm.LString:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, wrongType(c, v, "a whole number; beyond 2^53, a string of digits")
}

// moment takes what RFC 3339 has, and what os.time returns.
func moment(c *core.Column, v vm.LValue) (time.Time, error) {
	switch v := v.(type) {
	case vm.LNumber:
		if f := float64(v); math.Abs(f) < 1e12 {
			whole, part := math.Modf(f)
			return time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
		}
	case vm.LString:
		if t, err := time.Parse(time.RFC3339Nano, string(v)); err == nil {
			return t, nil
		}
	}
	return time.Time{}, wrongType(c, v, "a time such as \"2026-01-31T12:00:00Z\", or seconds since 1970 as os.time returns them")
}

// rowTable makes a table of a row, from its JSON, without its secrets. What is NULL is nil.
func (m *machine) rowTable(s *core.Spec, text string) (*vm.LTable, error) {
	m.text(len(text))
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		return nil, err
	}
	t := m.table(0, len(s.Columns))
	for i := range s.Columns {
		c := &s.Columns[i]
		raw, ok := fields[c.Name]
		if !ok || c.Rules.Secret || string(raw) == "null" {
			continue
		}
		v, err := m.columnValue(c, raw)
		if err != nil {
			return nil, at(c, err)
		}
		t.RawSetString(c.Name, v)
	}
	return t, nil
}

func (m *machine) columnValue(c *core.Column, raw json.RawMessage) (vm.LValue, error) {
	switch c.Rules.Kind {
	case check.Decimal:
		return vm.LString(strings.Trim(string(raw), `"`)), nil
	case check.Float:
		f, err := strconv.ParseFloat(string(raw), 64)
		return vm.LNumber(f), err
	case check.Bytes:
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, err
		}
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, errors.New("its bytes cannot be read")
		}
		m.text(len(data))
		return vm.LString(data), nil
	}
	return m.decode(string(raw))
}

// printable is text that others wrote, for messages.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return '?'
		}
		return r
	}, cut(s, 200))
}

// cut shortens a text to n bytes, at a rune.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}
