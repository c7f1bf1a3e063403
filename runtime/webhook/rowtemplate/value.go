package rowtemplate

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/store"
)

// typ is the type of an expression.
type typ uint8

const (
	typeNone typ = iota
	typeText
	typeInt
	typeDecimal
	typeFloat
	typeBool
	typeTime
	typeDate
	typeJSON
	typeBytes
	typeMixed // known only when executed
)

// String names the type as definitions do.
func (t typ) String() string {
	return [...]string{"nothing", "a text", "a number", "a decimal", "a float", "a boolean", "a datetime", "a date", "json", "bytes", "of several types"}[t]
}

// family is what of a type can be compared with what; ordered says whether with lt.
func (t typ) family() (family typ, ordered bool) {
	switch t {
	case typeInt, typeDecimal, typeFloat:
		return typeDecimal, true
	case typeText, typeTime, typeDate:
		return t, true
	case typeBool:
		return t, false
	}
	return typeNone, false
}

// value is a value of an expression. A null one has a type too.
type value struct {
	t     typ
	null  bool
	s     string // of text, json and bytes
	n     int64
	d     store.Decimal
	f     float64
	scale int
	b     bool
	at    time.Time
	day   store.Date
}

// size is about how many bytes the value has.
func (v *value) size() int { return 16 + len(v.s) }

// text is the value as text stands in a template's output; "" for null.
func (v *value) text() string {
	if v.null {
		return ""
	}
	switch v.t {
	case typeInt:
		return strconv.FormatInt(v.n, 10)
	case typeDecimal:
		return decimalText(v.d, v.scale)
	case typeFloat:
		return floatText(v.f)
	case typeBool:
		return strconv.FormatBool(v.b)
	case typeTime:
		return v.at.UTC().Format(time.RFC3339Nano)
	case typeDate:
		return v.day.String()
	case typeBytes:
		return base64.StdEncoding.EncodeToString([]byte(v.s))
	}
	return v.s
}

// decimalText has as many digits behind the point as the column, and all that the
// value has.
func decimalText(d store.Decimal, scale int) string {
	if int(d.Exponent()) < -scale {
		return d.String()
	}
	return d.StringFixed(int32(scale))
}

// floatText is a float as encoding/json writes it, which is the shortest text that is read as
// the same float.
func floatText(f float64) string {
	data, err := json.Marshal(f + 0)
	if err != nil { // NaN or an infinity, which no row that was read or written holds
		return "null"
	}
	return string(data)
}

// json is the value as a JSON document.
func (v *value) json() string {
	switch {
	case v.null:
		return "null"
	case v.t == typeInt, v.t == typeDecimal, v.t == typeFloat, v.t == typeBool, v.t == typeJSON:
		return v.text()
	}
	return jsonText(v.text())
}

// jsonText quotes a text as JSON. It escapes what HTML and JavaScript would take for
// something else, as encoding/json does, and replaces what is no UTF-8 by U+FFFD.
func jsonText(s string) string {
	data, err := json.Marshal(s)
	if err != nil { // a string always becomes JSON
		return `""`
	}
	return string(data)
}

func validUTF8(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// truth is what {{if}} decides by: null, false, 0, no text, and JSON that is one of
// these or has no member.
func (v *value) truth() bool {
	if v.null {
		return false
	}
	switch v.t {
	case typeInt:
		return v.n != 0
	case typeDecimal:
		return !v.d.IsZero()
	case typeFloat:
		return v.f != 0
	case typeBool:
		return v.b
	case typeTime:
		return !v.at.IsZero()
	case typeDate:
		return v.day != store.Date{}
	case typeJSON:
		switch v.s {
		case "null", "false", "0", `""`, "[]", "{}":
			return false
		}
		return true
	}
	return v.s != ""
}

// equal compares values of one family. Null equals null alone.
func (v *value) equal(w *value) bool {
	if v.null || w.null {
		return v.null == w.null
	}
	return v.compare(w) == 0
}

// compare compares values of one family, neither of which is null.
func (v *value) compare(w *value) int {
	switch v.t {
	case typeInt, typeDecimal, typeFloat:
		switch {
		case v.t == typeInt && w.t == typeInt:
			return cmp.Compare(v.n, w.n)
		case v.t == typeFloat && w.t == typeFloat:
			return cmp.Compare(v.f, w.f)
		}
		return v.decimal().Cmp(w.decimal())
	case typeBool:
		switch {
		case v.b == w.b:
			return 0
		case w.b:
			return -1
		}
		return 1
	case typeTime:
		return v.at.Compare(w.at)
	case typeDate:
		return v.day.Compare(w.day)
	}
	return cmp.Compare(v.s, w.s)
}

// decimal is a number as a decimal. A float is the shortest one that is read as it, so that a
// float of 0.1 equals 0.1.
func (v *value) decimal() store.Decimal {
	switch v.t {
	case typeInt:
		return decimal.NewFromInt(v.n)
	case typeFloat:
		return decimal.NewFromFloat(v.f)
	}
	return v.d
}

// length counts the characters of a text, the bytes of bytes, the items or members of
// JSON. It is null for other JSON.
func (v *value) length() value {
	n := value{t: typeInt, null: v.null}
	switch {
	case v.null:
	case v.t == typeText:
		n.n = int64(len([]rune(v.s)))
	case v.t == typeBytes:
		n.n = int64(len(v.s))
	case strings.HasPrefix(v.s, "["):
		var items []json.RawMessage
		n.null = json.Unmarshal([]byte(v.s), &items) != nil
		n.n = int64(len(items))
	case strings.HasPrefix(v.s, "{"):
		var members map[string]json.RawMessage
		n.null = json.Unmarshal([]byte(v.s), &members) != nil
		n.n = int64(len(members))
	default:
		n.null = true
	}
	return n
}
