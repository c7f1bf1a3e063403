package migrate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// misfit is a condition that is true of rows which the new definition refuses and the old one
// did not, and why.
type misfit struct{ condition, because string }

// when is the state of a column's values at the time of a check.
type when int

const (
	early  when = iota // before the migration
	atCast             // right before they get the new type
	late               // once they are of the new type, with options renamed
)

// misfits returns those of an existing column. column is its name at that time.
func (p *planner) misfits(c *Column, at when, column string) []misfit {
	var out []misfit
	name := p.Quote(column)
	if c.Now.NotNull && !c.Before.NotNull {
		out = append(out, misfit{name + " IS NULL", "has no value"})
	}
	if at != late && c.converts() {
		how, _ := convert(c.Before, c.Now)
		if bad := on(how.misfit, p.Dialect, name); bad != "" {
			out = append(out, misfit{bad, how.because})
		}
		name = how.guarded(p.Dialect, column)
	}
	if m := p.bounds(c, name); m.condition != "" {
		out = append(out, m)
	}
	if m := p.options(c, name, at == early); m.condition != "" {
		out = append(out, m)
	}
	if c.Now.Required && !c.Before.Required && c.Now.Storage().Kind == check.Text {
		out = append(out, misfit{name + " = ''", "is empty"})
	}
	return out
}

// shortText is more than the text of any number, date or datetime has.
const shortText = 40

// bounds compares limits. Those of documents and bytes are the program's alone.
func (p *planner) bounds(c *Column, name string) misfit {
	kind, value := c.Now.Storage().Kind, name
	now, before := c.Now.Rules, c.Before.Rules
	switch kind {
	case check.Text:
		value = fmt.Sprintf("%s(%s)", [...]string{"length", "char_length", "CHAR_LENGTH"}[p.Dialect], name)
	case check.Int, check.Decimal, check.Float:
	default:
		return misfit{}
	}
	if from := c.Before.Storage().Kind; from != kind {
		if kind == check.Text && from != check.JSON && now.Max.Int() >= shortText {
			return misfit{}
		}
		before = check.Rules{}
	}
	var conditions, why []string
	if now.Max.IsSet() && len(c.Now.Options) == 0 && (!before.Max.IsSet() || now.Max.Compare(before.Max) < 0) {
		conditions, why = append(conditions, value+" > "+p.limit(c.Now, now.Max)), append(why, "is more than max "+limitText(c.Now, now.Max))
	}
	if now.Min.IsSet() && (!before.Min.IsSet() || now.Min.Compare(before.Min) > 0) {
		conditions, why = append(conditions, value+" < "+p.limit(c.Now, now.Min)), append(why, "is less than min "+limitText(c.Now, now.Min))
	}
	because := strings.Join(why, ", or ")
	if kind == check.Text {
		because = strings.NewReplacer("is more than", "has more characters than", "is less than", "has fewer characters than").Replace(because)
	}
	return misfit{strings.Join(conditions, " OR "), because}
}

// limitText is a limit as its field's values are written.
func limitText(f *model.Field, b check.Bound) string {
	if f.Storage().Kind == check.Float {
		return check.FloatText(b.Float())
	}
	return b.String()
}

func (p *planner) limit(f *model.Field, b check.Bound) string {
	switch f.Storage().Kind {
	case check.Decimal, check.Float:
		return p.Literal(f, limitText(f, b))
	case check.Text:
		return strconv.FormatInt(b.Int(), 10)
	}
	return b.String()
}

// options finds values that are no longer options of a select, or of text that becomes a select.
func (p *planner) options(c *Column, name string, early bool) misfit {
	if len(c.Now.Options) == 0 {
		return misfit{}
	}
	allowed := slices.Clone(c.Now.Rules.Options)
	gone := len(c.Before.Options) == 0
	for _, o := range c.Before.Options {
		if now, renamed := c.Values[o.Value]; renamed {
			if early {
				allowed = append(allowed, o.Value)
			}
			gone = gone || !slices.Contains(c.Now.Rules.Options, now)
		} else if !slices.Contains(c.Now.Rules.Options, o.Value) {
			gone = true
		}
	}
	if !gone {
		return misfit{}
	}
	values := make([]string, len(allowed))
	for i, o := range allowed {
		values[i] = p.QuoteText(o)
	}
	return misfit{fmt.Sprintf("%s NOT IN (%s)", name, strings.Join(values, ", ")), "holds a value that is none of the options"}
}

// either joins the conditions of misfits.
func either(all []misfit) string {
	parts := make([]string, len(all))
	for i, m := range all {
		parts[i] = m.condition
		if len(all) > 1 && strings.Contains(m.condition, " OR ") {
			parts[i] = "(" + m.condition + ")"
		}
	}
	return strings.Join(parts, " OR ")
}

// duplicates selects rows that a unique index refuses.
func (p *planner) duplicates(table string, x *model.Index) string {
	var columns []string
	for _, c := range x.Columns {
		columns = append(columns, p.Quote(c.Field.Name))
	}
	list, where := strings.Join(columns, ", "), ""
	if len(x.Where) > 0 {
		where = "(" + p.Conditions(x.Where) + ")"
	}
	q, t := list, p.Quote(table)
	if len(columns) > 1 {
		q = "(" + list + ")"
	}
	inner, outer := "", ""
	if where != "" {
		inner, outer = " WHERE "+where, " AND "+where
	}
	return fmt.Sprintf("SELECT id FROM %s WHERE %s IN (SELECT %s FROM %s%s GROUP BY %s HAVING count(*) > 1)%s", t, q, list, t, inner, list, outer)
}

// dangling selects rows that a foreign key refuses.
func (p *planner) dangling(table, column, to string) string {
	t, c := p.Quote(table), p.Quote(column)
	return fmt.Sprintf("SELECT id FROM %s WHERE %s IS NOT NULL AND NOT EXISTS (SELECT 1 FROM %s AS pointed WHERE pointed.id = %s.%s)", t, c, p.Quote(to), t, c)
}

// oldIndex returns an index of now over the columns of before, or nil where it covers a
// column that is new or has other values.
func (t *Table) oldIndex(x *model.Index) *model.Index {
	out := &model.Index{Name: x.Name, Unique: x.Unique}
	for _, c := range x.Columns {
		f := t.oldField(c.Field)
		if f == nil {
			return nil
		}
		out.Columns = append(out.Columns, model.IndexColumn{Field: f, Desc: c.Desc})
	}
	var ok bool
	out.Where, ok = t.oldConditions(x.Where)
	if !ok {
		return nil
	}
	return out
}

func (t *Table) oldConditions(all []model.Condition) (out []model.Condition, ok bool) {
	for _, c := range all {
		old := model.Condition{Op: c.Op, Values: c.Values}
		if c.Field != nil {
			if old.Field = t.oldField(c.Field); old.Field == nil {
				return nil, false
			}
		}
		if old.Any, ok = t.oldConditions(c.Any); !ok {
			return nil, false
		}
		out = append(out, old)
	}
	return out, true
}

// oldField is the column that a field of now was, if its values are the same.
func (t *Table) oldField(f *model.Field) *model.Field {
	if f.Name == "id" {
		return f
	}
	for _, c := range t.Columns {
		if c.Now == f && c.Before != nil && len(c.Values) == 0 && sameValues(c) {
			return c.Before
		}
	}
	return nil
}

func sameValues(c *Column) bool {
	_, ok := convert(c.Before, c.Now)
	return ok && !c.converts()
}

// isSQLite reports whether the planner writes for SQLite.
func (p *planner) isSQLite() bool { return p.Dialect == sqltext.SQLite }
