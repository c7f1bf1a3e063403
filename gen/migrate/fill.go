package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// fill sets the values of existing rows where they need others: in a new column that must have a
// value, and in one whose rules became narrower.
func (p *planner) fill(t *Table, c *Column) {
	if c.converts() && p.existing(c.Now) != "" {
		return // see recast
	}
	table := p.Quote(t.Now.Name)
	all := p.lateMisfits(c)
	where := either(all)
	if where == "" && (c.Before != nil || !given(c.Now)) {
		return
	}
	if value := p.initial(c); value != "" {
		what := "give the rows that are there a value"
		if c.Before != nil {
			what = "change the values that do not fit"
		}
		if where == "" {
			where = p.Quote(c.Now.Name) + " IS NULL" // what a program of now has written stays
		}
		p.inBatches(t, p.step(script.Data, fmt.Sprintf("%s: %s", t.column(c.Now.Name), what), p.setMisfits(t, c, value, where)))
		return
	}
	if e := c.Now.Existing; e != nil && e.Step != "" {
		p.step(script.Data, fmt.Sprintf("%s: fill the rows that are there", t.column(c.Now.Name))).Run = e.Step
	}
	if where != "" {
		s := p.step(script.Safe, fmt.Sprintf("%s: look for rows that do not fit", t.column(c.Now.Name)))
		s.Refuse = []script.Refusal{{Query: fmt.Sprintf("SELECT id FROM %s WHERE %s", table, where), Because: misfitReason(t, c, all)}}
	}
}

// lateMisfits are those of a column that was there, or the empty ones of a new one.
func (p *planner) lateMisfits(c *Column) []misfit {
	switch {
	case c.Before != nil:
		return p.misfits(c, late, c.Now.Name)
	case c.Now.NotNull:
		return []misfit{{p.Quote(c.Now.Name) + " IS NULL", "has no value"}}
	}
	return nil
}

func (p *planner) setMisfits(t *Table, c *Column, value, where string) string {
	return fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s", p.Quote(t.Now.Name), p.Quote(c.Now.Name), value, where)
}

// inBatches has the one UPDATE of a step run on some rows at a time, so that no one waits long for rows of a large
// table. On SQLite a migration is one transaction, and there is one writer.
func (p *planner) inBatches(t *Table, s *script.Step) {
	if !p.isSQLite() {
		s.Batches = t.Now.Name
	}
}

// again returns the statements that change rows which older programs have written since optionValues and fill, and
// which do not fit: they run right before a constraint refuses such rows, or while it refuses new ones. Swapped options
// are left out, because a row does not show whether it has been changed.
func (p *planner) again(t *Table, column string) (out []string) {
	for _, c := range t.Columns {
		if c.Now.Name != column || c.converts() {
			continue
		}
		if len(c.Values) > 0 && !c.reuses() {
			out = append(out, p.setOptions(t, c))
		}
		if value, where := p.initial(c), either(p.lateMisfits(c)); value != "" && where != "" {
			out = append(out, p.setMisfits(t, c, value, where))
		}
	}
	return out
}

// reuses reports whether an option has the value that another one had, so that rows do not show
// whether they have been changed.
func (c *Column) reuses() bool {
	return slices.ContainsFunc(c.Now.Rules.Options, func(o string) bool { _, renamed := c.Values[o]; return renamed })
}

// existing is the value that rows without one, or with one that does not fit, get; empty where the definition has none.
func (p *planner) existing(f *model.Field) string {
	e := f.Existing
	switch {
	case e != nil && e.Set:
		return p.Literal(f, e.Text)
	case e != nil && e.Default, e == nil && f.Default != nil && !f.Default.Now && f.Added:
		return p.defaultValue(f)
	case f.Added && f.NotNull:
		return p.zero(f)
	}
	return ""
}

// constant is what existing says of a new column that must have a value, where a declaration can have
// that as its default on MySQL; empty: it cannot, or nothing is said.
func (p *planner) constant(c *Column) string {
	f, value := c.Now, p.existing(c.Now)
	plain := slices.Contains([]check.Kind{check.Int, check.Decimal, check.Float, check.Bool}, f.Storage().Kind) ||
		f.Storage().Kind == check.Text && strings.HasPrefix(f.ColumnTypes()[p.Dialect].DDL, "varchar")
	if !f.NotNull || !plain || strings.ContainsFunc(value, func(r rune) bool { return r > unicode.MaxASCII }) {
		return ""
	}
	return value
}

// initial is existing, or the default of a new column that must have a value, where the database cannot
// keep that default.
func (p *planner) initial(c *Column) string {
	if c.Before == nil && c.Now.NotNull && c.Now.Default != nil && !given(c.Now) {
		return p.defaultValue(c.Now)
	}
	return p.existing(c.Now)
}

// defaultValue is the field's default as an expression, also where the database can keep none.
func (p *planner) defaultValue(f *model.Field) string {
	if f.Default == nil {
		return "NULL"
	}
	if !f.Default.Now {
		return p.Literal(f, f.Default.Text)
	}
	return p.moment(f.Storage().Kind)
}

// moment is the time of the statement, as a column stores it.
func (p *planner) moment(kind check.Kind) string {
	if kind == check.Date {
		return [...]string{"date('now')", "(now() AT TIME ZONE 'UTC')::date", "UTC_DATE()"}[p.Dialect]
	}
	return [...]string{"(strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')", "now()", "UTC_TIMESTAMP(6)"}[p.Dialect]
}

// zero is the value of a behavior's column in rows that are older than it.
func (p *planner) zero(f *model.Field) string {
	switch f.Storage().Kind {
	case check.Int, check.Decimal, check.Float:
		return "0"
	case check.Bool:
		return p.Literal(f, "false")
	case check.Time, check.Date:
		return p.moment(f.Storage().Kind)
	case check.JSON:
		return p.QuoteText("null")
	case check.Bytes:
		return [...]string{"x''", "''::bytea", "''"}[p.Dialect]
	}
	return p.QuoteText("")
}

// filledByDefault reports whether the statement that adds a column fills it: with the
// default that the database keeps.
func (p *planner) filledByDefault(t *Table, c *Column) bool {
	return p.columnOf(p.now[t], c.Now.Name).Default != "" && !given(c.Now)
}

// recast is the expression of a column's values in its new type. Values that do not fit become what
// existing says.
func (p *planner) recast(c *Column, column string) string {
	how, _ := convert(c.Before, c.Now)
	value := how.converted(p.Dialect, p.Quote(column))
	all := p.misfits(c, atCast, column)
	if instead := p.existing(c.Now); instead != "" && len(all) > 0 {
		return fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", either(all), instead, value)
	}
	return value
}

// optionValues writes renamed options in place of the old ones.
func (p *planner) optionValues(t *Table, c *Column) {
	if len(c.Values) == 0 {
		return
	}
	var what []string
	for _, old := range slices.Sorted(maps.Keys(c.Values)) {
		what = append(what, shown(old)+" becomes "+shown(c.Values[old]))
	}
	s := p.step(script.Data, fmt.Sprintf("%s: %s", t.column(c.Now.Name), strings.Join(what, ", ")), p.setOptions(t, c))
	if !c.reuses() {
		p.inBatches(t, s)
	} else if !p.isSQLite() {
		s.Note = "one statement, as an option has the value that another one had: writers of these rows wait until it ends"
	}
}

// shown is a value within a line for people, in quotes where it would be misread without.
func shown(value string) string {
	if quoted := strconv.Quote(value); quoted != `"`+value+`"` || strings.ContainsAny(value, " ,:;") {
		return quoted
	}
	return value
}

func (p *planner) setOptions(t *Table, c *Column) string {
	name := p.Quote(c.Now.Name)
	var whens, olds []string
	for _, old := range slices.Sorted(maps.Keys(c.Values)) {
		whens = append(whens, fmt.Sprintf("WHEN %s THEN %s", p.QuoteText(old), p.QuoteText(c.Values[old])))
		olds = append(olds, p.QuoteText(old))
	}
	return fmt.Sprintf("UPDATE %s SET %s = CASE %s %s END WHERE %s IN (%s)", p.Quote(t.Now.Name), name, name, strings.Join(whens, " "), name, strings.Join(olds, ", "))
}
