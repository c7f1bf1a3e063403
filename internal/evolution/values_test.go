package evolution_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// value is what a column holds, as text that is the same on every database: a decimal with all
// the digits of its scale, an instant in UTC with microseconds, bytes in hexadecimal digits. nil is NULL.
type value *string

func some(text string) value { return &text }

func show(v value) string {
	if v == nil {
		return "NULL"
	}
	if len(*v) > 80 {
		return fmt.Sprintf("%.60q... (%d bytes)", *v, len(*v))
	}
	return fmt.Sprintf("%q", *v)
}

func same(a, b value) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// candidates are values that a field may hold, extremes first.
func candidates(f *model.Field) []value {
	var out []value
	add := func(texts ...string) {
		for _, s := range texts {
			if fits(f, s) {
				out = append(out, some(s))
			}
		}
	}
	switch kind := f.Storage().Kind; {
	case f.Reference != nil || f.Storage().Name == "ulid":
		return nil // see rows
	case len(f.Options) > 0:
		add(f.Rules.Options...)
	case kind == check.Text:
		add(formats[f.Rules.Format]...)
		add(longest(f), "true", "12", "-7", "", "-1.5", "2e-7", "1e100", "1.", "-0", " 1", "h\u00e9llo \u65e5\u672c \U0001F600", `it's "q" \b % _`, "ab", "0", "false", "12\n", "1.5\n", "true ", "true\n")
	case kind == check.Int:
		add(fmt.Sprint(math.MaxInt64), fmt.Sprint(math.MinInt64), "0", "1", "-42", "1234567")
		add(f.Rules.Max.String(), f.Rules.Min.String())
	case kind == check.Decimal:
		nines := strings.Repeat("9", check.MaxDigits)
		for _, digits := range []string{nines, "-" + nines, "0", "1", "-250", "199", "7" + strings.Repeat("0", f.Scale)} {
			add(pointed(digits, f.Scale))
		}
	case kind == check.Float:
		for _, x := range []float64{
			math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0, 0.1, -2.5, 7, 1e21, 1<<53 + 2, 1.0 / 3, 1<<63 - 1024, 1 << 63, -1 << 63,
			123456.789, 1.005, 99999999999999.9, 1234567890123456.8,
		} {
			add(check.FloatText(x))
		}
		for _, b := range []check.Bound{f.Rules.Max, f.Rules.Min} {
			if b.IsSet() {
				add(check.FloatText(b.Float()))
			}
		}
	case kind == check.Bool:
		add("true", "false")
	case kind == check.Date:
		add("9999-12-31", "1000-01-01", "1970-01-01", "2024-02-29")
	case kind == check.Time:
		add("9999-12-31T23:59:59.999999Z", "1000-01-01T00:00:00.000000Z", "2024-02-29T12:34:56.789012Z", "1970-01-01T00:00:00.000000Z")
	case kind == check.JSON:
		add(`{"a":[1,2,"h\u00e9 \ud83d\ude00"],"b":null,"c":{"d":"it's \\ \"q\""}}`, `[]`, `"text"`, `7`, `null`)
		for i, v := range out {
			out[i] = some(compact(*v))
		}
	case kind == check.Bytes:
		add("", "00ff5c27", strings.Repeat("a5", 300))
	}
	return out
}

var formats = map[check.Format][]string{
	check.Email: {"a@example.com", "somebody+tag@mail.example.org"},
	check.URL:   {"https://example.com/?q=1&r=%20", "http://localhost/"},
	check.Slug:  {"a-b-1", "x"},
}

// longest is text of as many characters as the field takes, up to a bound, of up to four bytes each.
func longest(f *model.Field) string {
	const chars = "\U0001F600\u00e9x'"
	n := int(min(f.Rules.Max.Int(), 70_000))
	return string([]rune(strings.Repeat(chars, n/4+1))[:n])
}

// pointed puts the point into digits.
func pointed(digits string, scale int) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	if scale == 0 {
		return sign + digits
	}
	digits = strings.Repeat("0", max(0, scale+1-len(digits))) + digits
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

func unpointed(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	digits := strings.TrimLeft(strings.ReplaceAll(text, ".", ""), "0")
	if digits == "" {
		return "0"
	}
	return sign + digits
}

// compact writes a JSON document in one way; what is none it leaves alone.
func compact(text string) string {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return text
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return text
	}
	return strings.TrimSpace(b.String())
}

// literal writes a value as SQL.
func literal(d sqltext.Dialect, f *model.Field, v value) string {
	if v == nil {
		return "NULL"
	}
	if f.Storage().Kind == check.Bytes {
		return [...]string{"x'" + *v + "'", "decode('" + *v + "', 'hex')", "x'" + *v + "'"}[d]
	}
	return statement.Writer{Dialect: d}.Literal(f, *v)
}

func asText(d sqltext.Dialect, expr string) string {
	return [...]string{"CAST(" + expr + " AS TEXT)", "(" + expr + ")::text", "CAST(" + expr + " AS CHAR)"}[d]
}

// reading is an expression that is NULL, or the value as text behind an "=".
func reading(d sqltext.Dialect, f *model.Field) string {
	name := d.Quote(f.Name)
	expr := asText(d, name)
	switch f.Storage().Kind {
	case check.Text:
		expr = [...]string{name, name + "::text", name}[d]
	case check.Float: // not as a text on PostgreSQL: a connection has kept that statement, and its plan has another collation
		expr = [...]string{"printf('%!.17g', " + name + ")", asText(d, name), "CAST(" + name + " AS CHAR)"}[d]
	case check.Time:
		expr = [...]string{name, "to_char(" + name + " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')", "DATE_FORMAT(" + name + ", '%Y-%m-%dT%H:%i:%s.%fZ')"}[d]
	case check.Bytes:
		expr = [...]string{"lower(hex(" + name + "))", "encode(" + name + ", 'hex')", "LOWER(HEX(" + name + "))"}[d]
	}
	behind := "'=' || " + expr
	if d == sqltext.MySQL {
		behind = "CONCAT('=', " + expr + ")"
	}
	return "CASE WHEN " + name + " IS NULL THEN 'NULL' ELSE " + behind + " END"
}

// readBack makes a value of what reading gave.
func readBack(d sqltext.Dialect, f *model.Field, text string) value {
	if text == "NULL" {
		return nil
	}
	text = text[1:]
	switch f.Storage().Kind {
	case check.Decimal:
		if d == sqltext.SQLite {
			text = pointed(text, f.Scale)
		}
	case check.Float:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Signbit(f) && f == 0 {
			panic(fmt.Sprintf("a float is read as %s", text))
		}
		text = check.FloatText(f)
	case check.Bool:
		text = map[string]string{"0": "false", "1": "true", "false": "false", "true": "true"}[text]
	case check.JSON:
		text = compact(text)
	}
	return some(text)
}

// canonical is a text of a definition as a value.
func canonical(f *model.Field, text string) value {
	switch f.Storage().Kind {
	case check.Decimal:
		whole, frac, _ := strings.Cut(text, ".")
		text = pointed(whole+frac+strings.Repeat("0", f.Scale-len(frac)), f.Scale)
	case check.JSON:
		text = compact(text)
	case check.Time:
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			text = at.UTC().Format("2006-01-02T15:04:05.000000Z")
		}
	}
	return some(text)
}

// fits reports whether a field takes a text, as far as databases hold it to that.
func fits(f *model.Field, text string) bool {
	r := f.Rules
	switch f.Storage().Kind {
	case check.Text:
		n := int64(len([]rune(text)))
		if len(f.Options) > 0 {
			return contains(r.Options, text)
		}
		return (!r.Max.IsSet() || n <= r.Max.Int()) && (!r.Min.IsSet() || n >= r.Min.Int()) && (!f.Required || text != "")
	case check.Int:
		n, err := strconv.ParseInt(text, 10, 64)
		return err == nil && within(r, check.AtInt(n))
	case check.Decimal:
		b, err := check.ParseBound(text)
		return err == nil && len(strings.TrimLeft(unpointed(text), "-")) <= check.MaxDigits && within(r, b)
	case check.Float:
		x, err := strconv.ParseFloat(text, 64)
		return err == nil && (!r.Max.IsSet() || x <= r.Max.Float()) && (!r.Min.IsSet() || x >= r.Min.Float())
	case check.Bytes:
		_, err := hex.DecodeString(text)
		return err == nil
	}
	return true
}

func within(r check.Rules, b check.Bound) bool {
	return (!r.Max.IsSet() || b.Compare(r.Max) <= 0) && (!r.Min.IsSet() || b.Compare(r.Min) >= 0)
}

func contains(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}
