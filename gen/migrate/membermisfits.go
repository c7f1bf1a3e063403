package migrate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// refusalsMembers looks for rows whose documents programs of now could not read, or would read as something else,
// or could not write again. It does so under the names of before.
func (p *planner) refusalsMembers(t *Table, c *Column) (out []script.Refusal) {
	for _, m := range c.Members {
		all := p.memberMisfits(c, m)
		if len(all) == 0 {
			continue
		}
		why := make([]string, len(all))
		for i, misfit := range all {
			why[i] = misfit.because
		}
		out = append(out, script.Refusal{
			Query:   fmt.Sprintf("SELECT id FROM %s WHERE %s", p.Quote(t.Before.Name), either(all)),
			Because: fmt.Sprintf("the member %s of %s %s in documents of these rows: change them first", m.now.Name, t.column(c.Now.Name), strings.Join(why, ", or ")),
		})
	}
	return out
}

// memberMisfits returns what documents may hold of a member, or lack, that does not fit the one of now.
func (p *planner) memberMisfits(c *Column, m member) (out []misfit) {
	column := p.Quote(c.Before.Name)
	if m.before == nil {
		if m.now.Required {
			out = append(out, misfit{p.lacks(column, m.now.Name), missing})
		}
		if left := p.leftover(column, m.now); left.condition != "" && p.c != nil && p.c.Left[m.now.Name] {
			out = append(out, left)
		}
		return out
	}
	if !m.typed() || !m.readable() {
		return nil
	}
	if m.now.Required && !m.before.Required {
		out = append(out, misfit{p.lacks(column, m.before.Name), missing})
		if m.now.Storage().Kind == check.Text {
			out = append(out, misfit{p.memberValue(check.Text, column, m.before.Name) + " = ''", "is empty"})
		}
	}
	for _, f := range []func(column string, m member) misfit{p.memberForm, p.memberBounds, p.memberOptions} {
		if found := f(column, m); found.condition != "" {
			out = append(out, found)
		}
	}
	return out
}

// missing says why a document that lacks a required member is refused: programs would read 0, false or an empty text in its
// place, which no one wrote.
const missing = "is required and has no value"

// lacks is true of documents that do not have a member, or have it as null.
func (p *planner) lacks(column, name string) string {
	return fmt.Sprintf("%s IS NOT NULL AND COALESCE(%s, 'none') IN ('none', 'null', 'NULL')", column, p.memberType(column, name))
}

// leftover finds what documents hold under the name of a new member, of one that was dropped, and that a program of now
// could not read. Of strings, it takes each for a date where the member is one.
func (p *planner) leftover(column string, now *model.Field) misfit {
	readable := ""
	switch now.Storage().Kind {
	case check.JSON:
		return misfit{}
	case check.Int:
		readable = p.whole(column, now.Name)
	case check.Float:
		readable = p.isNumber(column, now.Name)
	case check.Decimal:
		readable = p.isNumber(column, now.Name) + " OR " + p.isString(column, now.Name)
	case check.Bool:
		readable = p.memberType(column, now.Name) + [...]string{" IN ('true', 'false')", " = 'boolean'", " = 'BOOLEAN'"}[p.Dialect]
	default:
		readable = p.isString(column, now.Name)
	}
	return misfit{
		fmt.Sprintf("%s NOT IN ('null', 'NULL') AND NOT (%s)", p.memberType(column, now.Name), readable),
		fmt.Sprintf("holds what a member of that name held before it was dropped, which cannot be read as a %s,", now.Type),
	}
}

// memberType is what a database calls the type of a member in JSON; NULL: there is none.
func (p *planner) memberType(column, name string) string {
	return [...]string{
		fmt.Sprintf("json_type(%s, %s)", column, p.memberPath(name)),
		fmt.Sprintf("jsonb_typeof(%s)", p.member(column, name)),
		fmt.Sprintf("JSON_TYPE(%s)", p.member(column, name)),
	}[p.Dialect]
}

// isNumber is true of members that are numbers in JSON.
func (p *planner) isNumber(column, name string) string {
	return p.memberType(column, name) + [...]string{" IN ('integer', 'real')", " = 'number'", " IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')"}[p.Dialect]
}

// isString is true of members that are strings in JSON.
func (p *planner) isString(column, name string) string {
	return p.memberType(column, name) + [...]string{" = 'text'", " = 'string'", " = 'STRING'"}[p.Dialect]
}

// plainDecimal matches what a decimal is written as.
const plainDecimal = "'^-?[0-9]+([.][0-9]+)?$'"

// memberValue is a member as a value of the database; NULL: there is none, or it is of another type in JSON.
// A decimal is a string there, or a number.
func (p *planner) memberValue(kind check.Kind, column, name string) string {
	plain := [...]string{
		fmt.Sprintf("%s ->> %s", column, p.memberPath(name)),
		fmt.Sprintf("%s ->> %s", column, p.memberPath(name)),
		fmt.Sprintf("JSON_UNQUOTE(%s)", p.member(column, name)),
	}[p.Dialect]
	when := func(condition, format string) string {
		return fmt.Sprintf("(CASE WHEN %s THEN %s END)", condition, fmt.Sprintf(format, plain))
	}
	number, text := p.isNumber(column, name), p.isString(column, name)
	switch kind {
	case check.Int:
		return when(number, [...]string{"%s", "(%s)::numeric", "CAST(%s AS DECIMAL(65, 0))"}[p.Dialect])
	case check.Float:
		return when(number, [...]string{"%s", "(%s)::numeric", "%s + 0e0"}[p.Dialect])
	case check.Decimal:
		return when([...]string{text + " OR " + number, fmt.Sprintf("(%s) ~ %s", plain, plainDecimal), text + " OR " + number}[p.Dialect],
			[...]string{"CAST(%s AS REAL)", "(%s)::numeric", "CAST(%s AS DECIMAL(65, 30))"}[p.Dialect])
	}
	return when(text, "%s")
}

// memberForm finds values that are not what a member of another type, or of another scale, reads and writes.
func (p *planner) memberForm(column string, m member) misfit {
	from, to, name := m.before.Storage().Kind, m.now.Storage().Kind, m.before.Name
	switch {
	case from == check.Decimal && to == check.Text: // a number becomes a string when it is written
		return misfit{p.isNumber(column, name), "is a number, and not the text of one"}
	case from == check.Int && to == check.Float:
		const exact = 1 << 53
		return misfit{fmt.Sprintf("%s NOT BETWEEN -%d AND %[2]d", p.memberValue(check.Int, column, name), exact), "is beyond 2^53, where a float does not keep every whole number"}
	case from == check.Float && to == check.Int:
		return misfit{fmt.Sprintf("%s AND NOT (%s)", p.isNumber(column, name), p.whole(column, name)), "is not written as a whole number of 64 bits"}
	case to == check.Decimal && (from == check.Int || m.before.Scale != m.now.Scale):
		return p.memberDigits(from, column, m)
	}
	return misfit{}
}

// whole is true of numbers that encoding/json reads as an int64, unlike 1.0 and 1e3.
func (p *planner) whole(column, name string) string {
	const whole, lowest, highest = "'^-?[0-9]+$'", "-9223372036854775808", "9223372036854775807"
	value := p.memberValue(check.Int, column, name)
	return [...]string{
		fmt.Sprintf("typeof(%s) = 'integer' AND %s = 'integer'", value, p.memberType(column, name)),
		fmt.Sprintf("(%s)::text ~ %s AND %s BETWEEN %s AND %s", p.member(column, name), whole, value, lowest, highest),
		fmt.Sprintf("CAST(%s AS CHAR) REGEXP %s AND %s BETWEEN %s AND %s", p.member(column, name), whole, value, lowest, highest),
	}[p.Dialect]
}

// memberDigits finds numbers with more digits than a decimal of the scale of now is written with.
func (p *planner) memberDigits(from check.Kind, column string, m member) misfit {
	before, now, name := m.before.Scale, m.now.Scale, m.before.Name
	if now < before {
		text := fmt.Sprintf("(%s ->> %s)", column, p.memberPath(name))
		value := p.memberValue(check.Decimal, column, name)
		return misfit{
			[...]string{
				fmt.Sprintf("instr(%s, '.') > 0 AND length(rtrim(substr(%[1]s, instr(%[1]s, '.') + 1), '0')) > %d", text, now),
				fmt.Sprintf("%s <> round(%[1]s, %d)", value, now),
				fmt.Sprintf("%s <> ROUND(%[1]s, %d)", value, now),
			}[p.Dialect],
			fmt.Sprintf("has more than %d digits behind the point", now),
		}
	}
	whole := check.MaxDigits - now // digits before the point, which floating point would not count exactly
	value, most := p.memberValue(from, column, name), power(whole)
	text := fmt.Sprintf("(%s ->> %s)", column, p.memberPath(name))
	return misfit{
		[...]string{
			fmt.Sprintf("length(ltrim(substr(%s, 1, instr(%[1]s || '.', '.') - 1), '-')) > %d", text, whole),
			fmt.Sprintf("abs(%s) >= %d", value, most),
			fmt.Sprintf("ABS(%s) >= %d", value, most),
		}[p.Dialect],
		fmt.Sprintf("has more digits than a decimal with %d behind the point", now),
	}
}

// memberBounds compares limits, but not those of documents and bytes, which are the program's alone.
func (p *planner) memberBounds(column string, m member) misfit {
	from, to := m.before.Storage().Kind, m.now.Storage().Kind
	now, before, kind := m.now.Rules, m.before.Rules, from
	if from != to {
		if to == check.Text && now.Max.Int() >= shortText {
			return misfit{}
		}
		before = check.Rules{}
	}
	switch to {
	case check.Text:
		kind = check.Text
	case check.Int, check.Decimal, check.Float:
	default:
		return misfit{}
	}
	value, more, less := p.memberValue(kind, column, m.before.Name), "is more than", "is less than"
	if to == check.Text {
		value = fmt.Sprintf("%s(%s)", [...]string{"length", "char_length", "CHAR_LENGTH"}[p.Dialect], value)
		more, less = "has more characters than", "has fewer characters than"
	}
	var conditions, why []string
	if now.Max.IsSet() && len(m.now.Rules.Options) == 0 && (!before.Max.IsSet() || now.Max.Compare(before.Max) < 0) {
		conditions, why = append(conditions, value+" > "+memberLimit(m.now, now.Max)), append(why, fmt.Sprintf("%s max %s", more, memberLimit(m.now, now.Max)))
	}
	if now.Min.IsSet() && (!before.Min.IsSet() || now.Min.Compare(before.Min) > 0) {
		conditions, why = append(conditions, value+" < "+memberLimit(m.now, now.Min)), append(why, fmt.Sprintf("%s min %s", less, memberLimit(m.now, now.Min)))
	}
	return misfit{strings.Join(conditions, " OR "), strings.Join(why, ", or ")}
}

// memberLimit is a limit as a number in SQL.
func memberLimit(f *model.Field, b check.Bound) string {
	if f.Storage().Kind == check.Text {
		return strconv.FormatInt(b.Int(), 10)
	}
	return limitText(f, b)
}

// memberOptions finds texts that are none of the options of now.
func (p *planner) memberOptions(column string, m member) misfit {
	options, before := m.now.Rules.Options, m.before.Rules.Options
	if len(options) == 0 || len(before) > 0 && !slices.ContainsFunc(before, func(o string) bool { return !slices.Contains(options, o) }) {
		return misfit{}
	}
	values := make([]string, len(options))
	for i, o := range options {
		values[i] = p.QuoteText(o)
	}
	value := p.memberValue(check.Text, column, m.before.Name)
	if p.Dialect == sqltext.MySQL { // byte by byte
		value = fmt.Sprintf("CAST(%s AS BINARY)", value)
	}
	return misfit{fmt.Sprintf("%s NOT IN (%s)", value, strings.Join(values, ", ")), "holds a value that is none of the options"}
}
