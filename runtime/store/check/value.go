package check

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// checker collects the failures of one value.
type checker struct {
	r        *Rules
	failures []Failure
}

func (c *checker) fail(rule, message string) {
	c.failures = append(c.failures, Failure{Rule: rule, Message: message})
}

// failNot adds what the value is instead, unless it is a secret.
func (c *checker) failNot(rule, message, is string) {
	if !c.r.Secret {
		message += ", not " + is
	}
	c.fail(rule, message)
}

func (c *checker) null() {
	if c.required() {
		c.fail("required", "is required")
	}
}

// required is asked for by the field's own key or by a rule of its validation.
func (c *checker) required() bool {
	return c.r.Required || slices.ContainsFunc(c.r.Rules, func(r Rule) bool { return r.Op == OpRequired })
}

func (c *checker) wrongType(v any) {
	c.fail("type", fmt.Sprintf("must be given as %s, not as %T", goTypes[c.r.Kind], v))
}

var goTypes = map[Kind]string{
	Text: "string", Int: "int64", Decimal: "decimal.Decimal", Float: "float64", Bool: "bool", Time: "time.Time",
	Date: "a date", JSON: "[]byte or json.RawMessage", Bytes: "[]byte",
}

func (c *checker) text(v any) {
	s, ok := v.(string)
	if !ok {
		c.wrongType(v)
		return
	}
	if !c.storable(s) {
		return
	}
	if s == "" && c.required() {
		c.fail("required", "is required")
		return
	}
	c.length(s)
	if len(c.r.Options) > 0 && !slices.Contains(c.r.Options, s) {
		c.fail("options", "must be one of "+list(c.r.Options))
	}
	if m := c.r.Format.broken(s); m != "" {
		c.fail(string(c.r.Format), m)
	}
	c.pattern(s)
	c.rules(s)
}

// storable holds for every text: PostgreSQL keeps neither NUL nor bytes that
// are no UTF-8, and the other databases keep them in ways that differ.
func (c *checker) storable(s string) bool {
	switch {
	case !utf8.ValidString(s):
		c.fail("text", "must be valid UTF-8")
	case strings.IndexByte(s, 0) >= 0:
		c.fail("text", "must not hold a NUL character")
	default:
		return true
	}
	return false
}

// length counts characters only where bytes do not already decide.
func (c *checker) length(s string) {
	minimum, maximum := c.r.Min, c.r.Max
	if minimum.set && minimum.n > 0 {
		if n := int64(utf8.RuneCountInString(s)); n < minimum.n {
			c.failNot("min", fmt.Sprintf("must be at least %s", count(minimum.n, "character")), strconv.FormatInt(n, 10))
		}
	}
	if maximum.set && int64(len(s)) > maximum.n {
		if n := int64(utf8.RuneCountInString(s)); n > maximum.n {
			c.failNot("max", fmt.Sprintf("must be at most %s", count(maximum.n, "character")), strconv.FormatInt(n, 10))
		}
	}
}

func (c *checker) size(n int64) {
	if c.r.Min.set && n < c.r.Min.n {
		c.failNot("min", fmt.Sprintf("must be at least %s long", count(c.r.Min.n, "byte")), strconv.FormatInt(n, 10))
	}
	if c.r.Max.set && n > c.r.Max.n {
		c.failNot("max", fmt.Sprintf("must be at most %s long", count(c.r.Max.n, "byte")), strconv.FormatInt(n, 10))
	}
}

func (c *checker) pattern(s string) {
	if c.r.Pattern == "" {
		return
	}
	re, err := compile(c.r.Pattern)
	if err != nil {
		c.fail("pattern", "has a pattern that cannot be read: "+err.Error())
		return
	}
	if !re.MatchString(s) {
		c.fail("pattern", "must match "+c.r.Pattern)
	}
}

func (c *checker) int(v any) {
	n, ok := v.(int64)
	if !ok {
		c.wrongType(v)
		return
	}
	switch {
	case c.r.Reference && n == 0 && c.required():
		c.fail("required", "is required")
		return
	case c.r.Reference && n < 1:
		c.failNot("min", "must be at least 1", strconv.FormatInt(n, 10))
		return
	case c.r.Min.set && c.r.Min.compareInt(n) < 0:
		c.failNot("min", "must be at least "+c.r.Min.String(), strconv.FormatInt(n, 10))
	}
	if c.r.Max.set && c.r.Max.compareInt(n) > 0 {
		c.failNot("max", "must be at most "+c.r.Max.String(), strconv.FormatInt(n, 10))
	}
	if len(c.r.Rules) > 0 {
		c.rules(strconv.FormatInt(n, 10))
	}
}

func (c *checker) decimal(v any) {
	d, ok := v.(decimal.Decimal)
	if !ok {
		c.wrongType(v)
		return
	}
	if e := d.Exponent(); e < -1000 || e > 1000 { // before anything that is slow on a huge number
		c.fail("digits", fmt.Sprintf("must have at most %d digits", MaxDigits))
		return
	}
	scale := int32(c.r.Scale)
	if d.Exponent() < -scale && !d.Equal(d.Truncate(scale)) {
		c.failNot("scale", "must have at most "+count(int64(scale), "digit")+" behind the point", d.String())
	}
	if limit := decimal.New(1, MaxDigits-scale); d.Abs().GreaterThanOrEqual(limit) {
		c.fail("digits", fmt.Sprintf("must have at most %s before the point", count(int64(MaxDigits-scale), "digit")))
	}
	if c.r.Min.set && d.LessThan(c.r.Min.d) {
		c.failNot("min", "must be at least "+c.r.Min.String(), d.String())
	}
	if c.r.Max.set && d.GreaterThan(c.r.Max.d) {
		c.failNot("max", "must be at most "+c.r.Max.String(), d.String())
	}
	c.rules(d.String())
}

func (c *checker) float(v any) {
	f, ok := v.(float64)
	if !ok {
		c.wrongType(v)
		return
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		c.failNot("finite", "must be a finite number", FloatText(f))
		return
	}
	if c.r.Min.set && f < c.r.Min.f {
		c.failNot("min", "must be at least "+FloatText(c.r.Min.f), FloatText(f))
	}
	if c.r.Max.set && f > c.r.Max.f {
		c.failNot("max", "must be at most "+FloatText(c.r.Max.f), FloatText(f))
	}
	if len(c.r.Rules) > 0 {
		c.rules(FloatText(f))
	}
}

// FloatText returns the shortest text that is read as f again, such as "0.1" or "1e+21".
func FloatText(f float64) string {
	switch size := math.Abs(f); {
	case size == 0:
		return "0" // and not -0, which no column holds
	case size < 1e-6, size >= 1e21:
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func (c *checker) bool(v any) {
	b, ok := v.(bool)
	if !ok {
		c.wrongType(v)
		return
	}
	c.rules(strconv.FormatBool(b))
}

// The years that every database keeps: MySQL's first is 1000, and four digits
// keep the text form of SQLite in order.
const firstYear, lastYear = 1000, 9999

func (c *checker) time(v any) {
	t, ok := v.(time.Time)
	if !ok {
		c.wrongType(v)
		return
	}
	if t.IsZero() && c.required() {
		c.fail("required", "is required")
		return
	}
	t = t.UTC()
	if t.Year() < firstYear || t.Year() > lastYear {
		c.fail("range", fmt.Sprintf("must lie within the years %d to %d", firstYear, lastYear))
		return
	}
	if len(c.r.Rules) > 0 {
		c.rules(t.Format(time.RFC3339Nano))
	}
}

func (c *checker) date(v any) {
	d, ok := v.(fmt.Stringer)
	if !ok {
		c.wrongType(v)
		return
	}
	s := d.String()
	if c.required() && (s == "" || s == "0000-00-00" || s == "0001-01-01") {
		c.fail("required", "is required")
		return
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		c.fail("date", "must be a day of the calendar")
		return
	}
	if t.Year() < firstYear {
		c.fail("range", fmt.Sprintf("must lie within the years %d to %d", firstYear, lastYear))
		return
	}
	c.rules(s)
}

func (c *checker) bytes(v any) {
	b, ok := v.([]byte)
	if !ok {
		c.wrongType(v)
		return
	}
	if len(b) == 0 && c.required() {
		c.fail("required", "is required")
		return
	}
	c.size(int64(len(b)))
}

func (c *checker) json(v any) {
	var b []byte
	switch v := v.(type) {
	case []byte:
		b = v
	case json.RawMessage:
		b = v
	default:
		c.wrongType(v)
		return
	}
	if c.required() && (len(b) == 0 || isNull(b)) {
		c.fail("required", "is required")
		return
	}
	c.size(int64(len(b)))
	if m := brokenJSON(b); m != "" {
		c.fail("json", m)
		return
	}
	if len(c.r.Fields) > 0 {
		c.members(b)
	}
	if len(c.r.Rules) > 0 {
		c.rules(string(b))
	}
}

func isNull(b []byte) bool { return strings.TrimSpace(string(b[:min(len(b), 64)])) == "null" }

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatInt(n, 10) + " " + noun + "s"
}

func list(options []string) string {
	const most = 12
	if len(options) > most {
		return strings.Join(options[:most], ", ") + fmt.Sprintf(" or %d others", len(options)-most)
	}
	return strings.Join(options, ", ")
}
