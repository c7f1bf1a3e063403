package dialect

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// conditions writes an index's `where`.
func (l *lowering) conditions(where []model.Condition) string {
	parts := make([]string, len(where))
	for i, c := range where {
		parts[i] = l.condition(c)
	}
	return strings.Join(parts, " AND ")
}

func (l *lowering) condition(c model.Condition) string {
	if len(c.Any) > 0 {
		parts := make([]string, len(c.Any))
		for i, part := range c.Any {
			parts[i] = l.condition(part)
		}
		return "(" + strings.Join(parts, " OR ") + ")"
	}
	name := l.q(c.Field.Name)
	switch c.Op {
	case "null":
		return name + " IS NULL"
	case "not_null":
		return name + " IS NOT NULL"
	case "in":
		values := make([]string, len(c.Values))
		for i, v := range c.Values {
			values[i] = l.literal(c.Field, v)
		}
		return fmt.Sprintf("%s IN (%s)", name, strings.Join(values, ", "))
	}
	return fmt.Sprintf("%s %s %s", name, c.Op, l.literal(c.Field, c.Values[0]))
}

// literal writes a value in its canonical text as this database's SQL.
func (l *lowering) literal(f *model.Field, text string) string {
	switch f.Storage().Kind {
	case check.Int:
		return text
	case check.Decimal:
		if l.d == sqltext.SQLite {
			return scaled(text, f.Scale)
		}
		return text
	case check.Bool:
		if l.d == sqltext.SQLite {
			return map[string]string{"true": "1", "false": "0"}[text]
		}
		return strings.ToUpper(text)
	case check.Time:
		if l.d == sqltext.MySQL {
			text = strings.TrimSuffix(strings.Replace(text, "T", " ", 1), "Z")
		}
	}
	return l.quoteText(text)
}

// quoteText writes a string. Only MySQL reads backslashes in one.
func (l *lowering) quoteText(s string) string {
	if l.d == sqltext.MySQL {
		s = strings.ReplaceAll(s, `\`, `\\`)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// scaled moves the point of a decimal behind its last digit: "19.9" with two
// digits is 1990.
func scaled(text string, scale int) string {
	whole, frac, _ := strings.Cut(text, ".")
	frac += strings.Repeat("0", max(0, scale-len(frac)))
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	digits := strings.TrimLeft(whole+frac[:scale], "0")
	if digits == "" {
		return "0"
	}
	return sign + digits
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func allASCII(options []model.Option) bool {
	for _, o := range options {
		if !ascii(o.Value) {
			return false
		}
	}
	return true
}
