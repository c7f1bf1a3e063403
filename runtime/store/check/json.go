package check

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// brokenJSON returns why one of the databases would refuse a document, "" when
// none would: PostgreSQL keeps no NUL and no lone surrogate, MariaDB no deep
// document, MySQL no number beyond a double.
func brokenJSON(b []byte) string {
	if len(b) == 0 {
		return "must not be empty: null, {} and [] are JSON"
	}
	if !utf8.Valid(b) {
		return "must be valid UTF-8"
	}
	if !json.Valid(b) {
		return "must be valid JSON"
	}
	depth := 0
	for i := 0; i < len(b); {
		switch ch := b[i]; {
		case ch == '"':
			end, message := scanString(b, i+1)
			if message != "" {
				return message
			}
			i = end
			continue
		case ch == '{' || ch == '[':
			if depth++; depth > MaxJSON {
				return "must not nest more than " + strconv.Itoa(MaxJSON) + " levels deep"
			}
		case ch == '}' || ch == ']':
			depth--
		case ch == '-' || ch >= '0' && ch <= '9':
			end := scanNumber(b, i)
			if _, err := strconv.ParseFloat(string(b[i:end]), 64); errors.Is(err, strconv.ErrRange) {
				return "must not hold a number beyond the range of a 64-bit float"
			}
			i = end
			continue
		}
		i++
	}
	return ""
}

// scanString returns the place behind a string of a valid document that starts
// at i, behind its quote.
func scanString(b []byte, i int) (end int, message string) {
	for b[i] != '"' {
		if b[i] != '\\' {
			i++
			continue
		}
		if b[i+1] != 'u' {
			i += 2
			continue
		}
		r := hex4(b[i+2:])
		i += 6
		switch {
		case r == 0:
			return i, `must not hold a NUL character (\u0000)`
		case utf16.IsSurrogate(r):
			if b[i] != '\\' || b[i+1] != 'u' || utf16.DecodeRune(r, hex4(b[i+2:])) == utf8.RuneError {
				return i, "must not hold half of a surrogate pair"
			}
			i += 6
		}
	}
	return i + 1, ""
}

func hex4(b []byte) rune {
	n, err := strconv.ParseUint(string(b[:4]), 16, 32)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

func scanNumber(b []byte, i int) int {
	for i < len(b) && (b[i] >= '0' && b[i] <= '9' || b[i] == '-' || b[i] == '+' || b[i] == '.' || b[i] == 'e' || b[i] == 'E') {
		i++
	}
	return i
}

// members holds a document to the fields that were declared for it. Fields
// that were not declared are left alone: a document may come from a program
// that knows more of them.
func (c *checker) members(b []byte) {
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(b, &doc); err != nil {
		c.fail("json", "must be a JSON object")
		return
	}
	for i := range c.r.Fields {
		m := &c.r.Fields[i]
		rules := m.Rules
		rules.Secret = rules.Secret || c.r.Secret
		v, ok := member(rules.Kind, doc[m.Name])
		if !ok {
			c.fail("type", m.Name+": must be "+jsonTypes[rules.Kind])
			continue
		}
		for _, f := range rules.Check(v) {
			c.fail(f.Rule, m.Name+": "+f.Message)
		}
	}
}

var jsonTypes = map[Kind]string{
	Text: "a string", Int: "a whole number", Decimal: "a decimal number or a string of one", Bool: "true or false",
	Float: "a number within the range of a 64-bit float",
	Time:  "an RFC 3339 time, such as \"2026-01-02T15:04:05Z\"", Date: "a day, such as \"2026-01-02\"",
	JSON: "JSON", Bytes: "base64 text",
}

type day string

func (d day) String() string { return string(d) }

// member reads a part of a document as the value that Check takes.
func member(kind Kind, raw json.RawMessage) (v any, ok bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, true
	}
	switch kind {
	case JSON:
		return raw, true
	case Int:
		n, err := strconv.ParseInt(string(raw), 10, 64)
		return n, err == nil
	case Float:
		f, err := strconv.ParseFloat(string(raw), 64)
		return f, err == nil && raw[0] != '"'
	case Bool:
		return string(raw) == "true", string(raw) == "true" || string(raw) == "false"
	}
	s := string(raw)
	if raw[0] == '"' {
		if json.Unmarshal(raw, &s) != nil {
			return nil, false
		}
	} else if kind != Decimal {
		return nil, false
	}
	switch kind {
	case Text:
		return s, true
	case Decimal:
		if len(s) > 64 {
			return nil, false
		}
		d, err := decimal.NewFromString(s)
		return d, err == nil
	case Time:
		t, err := time.Parse(time.RFC3339, s)
		return t, err == nil
	case Date:
		return day(s), true
	case Bytes:
		b, err := base64.StdEncoding.DecodeString(s)
		return b, err == nil
	}
	return nil, false
}
