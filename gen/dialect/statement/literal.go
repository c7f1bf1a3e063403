package statement

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Conditions writes an index's `where`.
func (w Writer) Conditions(where []model.Condition) string {
	parts := make([]string, len(where))
	for i, c := range where {
		parts[i] = w.condition(c)
	}
	return strings.Join(parts, " AND ")
}

func (w Writer) condition(c model.Condition) string {
	if len(c.Any) > 0 {
		parts := make([]string, len(c.Any))
		for i, part := range c.Any {
			parts[i] = w.condition(part)
		}
		return "(" + strings.Join(parts, " OR ") + ")"
	}
	name := w.Quote(c.Field.Name)
	switch c.Op {
	case "null":
		return name + " IS NULL"
	case "not_null":
		return name + " IS NOT NULL"
	case "in":
		values := make([]string, len(c.Values))
		for i, v := range c.Values {
			values[i] = w.Literal(c.Field, v)
		}
		return fmt.Sprintf("%s IN (%s)", name, strings.Join(values, ", "))
	}
	return fmt.Sprintf("%s %s %s", name, c.Op, w.Literal(c.Field, c.Values[0]))
}

// Literal writes a value in its canonical text as this database's SQL.
func (w Writer) Literal(f *model.Field, text string) string {
	switch f.Storage().Kind {
	case check.Int:
		return text
	case check.Float:
		return w.float(text)
	case check.Decimal:
		if w.Dialect == sqltext.SQLite {
			return scaled(text, f.Scale)
		}
		return text
	case check.Bool:
		if w.Dialect == sqltext.SQLite {
			return map[string]string{"true": "1", "false": "0"}[text]
		}
		return strings.ToUpper(text)
	case check.Time:
		if w.Dialect == sqltext.MySQL {
			text = strings.TrimSuffix(strings.Replace(text, "T", " ", 1), "Z")
		}
	}
	return w.QuoteText(text)
}

// float writes a float. On MySQL a number without an exponent is a decimal, which an expression
// would go on computing with.
func (w Writer) float(text string) string {
	if w.Dialect == sqltext.MySQL && !strings.Contains(text, "e") {
		return text + "e0"
	}
	return text
}

// QuoteText writes a string. Only MySQL reads backslashes in one.
func (w Writer) QuoteText(s string) string {
	if w.Dialect == sqltext.MySQL {
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

// OneOf says that a column holds one of the values. SQLite fills a temporary
// index for every statement that meets an IN of more than two constants, which
// made adding many rows a fifth slower; it compares the same constants joined
// by OR in place.
func (w Writer) OneOf(name string, values []string) string {
	if w.Dialect != sqltext.SQLite || len(values) <= 2 {
		return fmt.Sprintf("%s IN (%s)", name, strings.Join(values, ", "))
	}
	return fmt.Sprintf("(%s = %s)", name, strings.Join(values, " OR "+name+" = "))
}
