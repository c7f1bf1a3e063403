package migrate

import (
	"fmt"
	"math"
	"strings"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// conversion is how values of one type become those of another. %[1]s is the column.
type conversion struct {
	value [3]string // the new value; empty: the column's own, as the database casts it
	// misfit is true of rows whose value has no counterpart; empty: every one has.
	misfit  [3]string
	because string
}

// converts reports whether the values of a column that was there have to be converted.
func (c *Column) converts() bool {
	return c.Before != nil && (c.Before.Storage().Kind != c.Now.Storage().Kind || c.Before.Scale != c.Now.Scale)
}

// all is the same text for each database.
func all(text string) [3]string { return [3]string{text, text, text} }

// convert returns how values of a column become those of its new type, and whether they can. They cannot become
// options or ids of rows: whether a converted value would be one is not known before it is converted.
func convert(before, now *model.Field) (conversion, bool) {
	from, to := before.Storage().Kind, now.Storage().Kind
	if from == to {
		if from == check.Decimal && before.Scale != now.Scale {
			return rescale(before.Scale, now.Scale), true
		}
		return conversion{}, before.Storage().Name == "ulid" == (now.Storage().Name == "ulid")
	}
	conversionOf, ok := conversions[[2]check.Kind{from, to}]
	if !ok || now.Reference != nil || len(now.Options) > 0 || before.Storage().Name == "ulid" || now.Storage().Name == "ulid" {
		return conversion{}, false
	}
	return conversionOf(before, now), true
}

// inconvertible reports a change of type that no statement can make.
func inconvertible(t *Table, c *Column) mistake.List {
	if _, ok := convert(c.Before, c.Now); ok {
		return nil
	}
	return mistake.List{at(c.Now.Pos, fmt.Sprintf("%s.%s was a %s, whose values cannot become a %s by themselves", t.Now.Name, c.Now.Name, c.Before.Type, c.Now.Type),
		fmt.Sprintf("give the new field another name, fill it by a data step in Go, and drop %s in a later migration", c.Before.Name))}
}

var conversions = map[[2]check.Kind]func(before, now *model.Field) conversion{
	{check.Int, check.Text}:     plainText("%[1]s::text"),
	{check.Decimal, check.Text}: decimalText,
	{check.Bool, check.Text}: func(_, _ *model.Field) conversion {
		const spelt = "CASE %[1]s WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
		return conversion{value: [3]string{spelt, "%[1]s::text", spelt}}
	},
	{check.Date, check.Text}: plainText("to_char(%[1]s, 'YYYY-MM-DD')"),
	{check.Time, check.Text}: func(_, _ *model.Field) conversion {
		return conversion{value: [3]string{"", `to_char(%[1]s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`, "DATE_FORMAT(%[1]s, '%%Y-%%m-%%dT%%H:%%i:%%s.%%fZ')"}}
	},
	{check.JSON, check.Text}: plainText("%[1]s::text"),
	{check.Text, check.Int}: func(_, _ *model.Field) conversion {
		const whole = "(0|-?[1-9][0-9]{0,17})"
		return conversion{
			value:   [3]string{"CAST(%[1]s AS INTEGER)", "%[1]s::bigint", "CAST(%[1]s AS SIGNED)"},
			misfit:  [3]string{"(CAST(CAST(%[1]s AS INTEGER) AS TEXT) <> %[1]s OR length(ltrim(%[1]s, '-')) > 18)", "%[1]s !~ " + wholePostgres(whole), "%[1]s NOT REGEXP " + wholeMySQL(whole)},
			because: "is not a whole number of at most 18 digits",
		}
	},
	{check.Text, check.Bool}: func(_, _ *model.Field) conversion {
		const spelt = "CASE %[1]s WHEN 'true' THEN 1 WHEN 'false' THEN 0 END"
		return conversion{
			value:   [3]string{spelt, "%[1]s = 'true'", spelt},
			misfit:  all("%[1]s NOT IN ('true', 'false')"),
			because: "is neither true nor false",
		}
	},
	{check.Int, check.Decimal}: func(_, now *model.Field) conversion {
		most := power(check.MaxDigits - now.Scale)
		return conversion{
			value:   [3]string{fmt.Sprintf("%%[1]s * %d", power(now.Scale)), "", ""},
			misfit:  all(tooLarge(most)),
			because: fmt.Sprintf("has more digits than a decimal with %d behind the point", now.Scale),
		}
	},
	{check.Decimal, check.Int}: func(before, _ *model.Field) conversion {
		c := rescale(before.Scale, 0)
		c.because = "has digits behind the point, which would be lost"
		return c
	},
	{check.Int, check.Float}:     intFloat,
	{check.Decimal, check.Float}: decimalFloat,
	{check.Text, check.Float}:    textFloat,
	{check.Float, check.Text}:    floatText,
	{check.Float, check.Int}:     floatInt,
	{check.Float, check.Decimal}: floatDecimal,
	{check.Int, check.Bool}: func(_, _ *model.Field) conversion {
		return conversion{value: [3]string{"", "%[1]s <> 0", ""}, misfit: all("%[1]s NOT IN (0, 1)"), because: "is neither 0 nor 1"}
	},
	{check.Bool, check.Int}: func(_, _ *model.Field) conversion {
		return conversion{value: [3]string{"", "%[1]s::int::bigint", ""}}
	},
	{check.Date, check.Time}: func(_, _ *model.Field) conversion {
		return conversion{value: [3]string{"%[1]s || 'T00:00:00.000000Z'", "%[1]s::timestamp AT TIME ZONE 'UTC'", ""}}
	},
	{check.Time, check.Date}: func(_, _ *model.Field) conversion {
		return conversion{
			value:   [3]string{"substr(%[1]s, 1, 10)", "(%[1]s AT TIME ZONE 'UTC')::date", "DATE(%[1]s)"},
			misfit:  [3]string{"substr(%[1]s, 11) <> 'T00:00:00.000000Z'", "(%[1]s AT TIME ZONE 'UTC')::time <> '00:00'", "TIME(%[1]s) <> '00:00:00'"},
			because: "has a time of day that is not midnight in UTC, and would be lost",
		}
	},
}

// wholePostgres quotes a regular expression that matches a text as a whole.
func wholePostgres(pattern string) string { return "'^" + pattern + "$'" }

// wholeMySQL quotes a regular expression that matches a text as a whole. $ is also in front of a newline
// at the end there, so that a text with one would become a value, and lose it.
func wholeMySQL(pattern string) string { return "'(?s)^" + pattern + "(?!.)'" }

// plainText is a conversion to the text that the databases' own casts write.
func plainText(postgres string) func(before, now *model.Field) conversion {
	return func(_, _ *model.Field) conversion {
		return conversion{value: [3]string{"CAST(%[1]s AS TEXT)", postgres, "CAST(%[1]s AS CHAR)"}}
	}
}

// decimalText spells out the scaled number that SQLite keeps.
func decimalText(before, now *model.Field) conversion {
	c := plainText("%[1]s::text")(before, now)
	if s := before.Scale; s > 0 {
		c.value[sqltext.SQLite] = fmt.Sprintf("CASE WHEN %%[1]s < 0 THEN '-' ELSE '' END || (abs(%%[1]s) / %d) || '.' || substr('%s' || (abs(%%[1]s) %%%% %d), -%d)",
			power(s), strings.Repeat("0", s), power(s), s)
	}
	return c
}

// rescale moves the point of decimals. SQLite keeps them as whole numbers.
func rescale(before, now int) conversion {
	if now > before {
		factor, most := power(now-before), tooLarge(power(check.MaxDigits-now))
		return conversion{
			value:   [3]string{fmt.Sprintf("%%[1]s * %d", factor), "", ""},
			misfit:  [3]string{tooLarge(power(check.MaxDigits) / factor), most, most},
			because: fmt.Sprintf("has more digits than a decimal with %d behind the point", now),
		}
	}
	factor := power(before - now)
	return conversion{
		value:   [3]string{fmt.Sprintf("%%[1]s / %d", factor), "", ""},
		misfit:  [3]string{fmt.Sprintf("%%[1]s %%%% %d <> 0", factor), fmt.Sprintf("%%[1]s <> round(%%[1]s, %d)", now), fmt.Sprintf("%%[1]s <> ROUND(%%[1]s, %d)", now)},
		because: fmt.Sprintf("has more than %d digits behind the point, which would be lost", now),
	}
}

// tooLarge is true of numbers with more digits than there is room for.
func tooLarge(most int64) string {
	return fmt.Sprintf("(%%[1]s >= %d OR %%[1]s <= -%d)", most, most)
}

func power(n int) int64 { return int64(math.Pow10(n)) }

// on writes an expression, such as a quoted column, into the text for one database; empty where there
// is none.
func on(text [3]string, d sqltext.Dialect, expression string) string {
	if text[d] == "" {
		return ""
	}
	return fmt.Sprintf(text[d], expression)
}

// converted is the new value of an expression of the old type.
func (how conversion) converted(d sqltext.Dialect, expression string) string {
	if value := on(how.value, d, expression); value != "" {
		return value
	}
	return expression
}

// guarded is the converted value of a column, and NULL where that has no counterpart.
func (how conversion) guarded(d sqltext.Dialect, column string) string {
	value, bad := how.converted(d, d.Quote(column)), on(how.misfit, d, d.Quote(column))
	if bad == "" {
		return "(" + value + ")"
	}
	return fmt.Sprintf("(CASE WHEN %s THEN NULL ELSE %s END)", bad, value)
}
