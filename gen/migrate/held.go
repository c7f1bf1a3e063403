package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// heldBy is the name of the field that holds now what a field of before held: that of the column beside it, where it is kept.
func (t *Table) heldBy(before model.Held) string {
	i := slices.IndexFunc(t.Before.Fields, func(f *model.Field) bool { return f == before.Field })
	name := t.Moved.Fields[i].Name
	for _, k := range t.keeping() {
		if k.old == name {
			return k.now
		}
	}
	return name
}

// lost returns the values that rows wait for and that programs of now do not know.
func (t *Table) lost(before model.Held) []string {
	name := t.heldBy(before)
	var out []string
	for _, v := range before.Values {
		known := slices.ContainsFunc(t.Now.Held, func(h model.Held) bool { return h.Field.Name == name && slices.Contains(h.Values, v) })
		if !known {
			out = append(out, v)
		}
	}
	return out
}

// refusalsHeld looks for rows that wait for what is gone, such as jobs of a removed kind.
func (p *planner) refusalsHeld(t *Table) []script.Refusal {
	var out []script.Refusal
	for _, h := range t.Before.Held {
		lost := t.lost(h)
		if len(lost) == 0 {
			continue
		}
		values := make([]string, len(lost))
		for i, v := range lost {
			values[i] = p.QuoteText(v)
		}
		q := fmt.Sprintf("SELECT id FROM %s WHERE %s IN (%s)", p.Quote(t.Before.Name), p.Quote(h.Field.Name), strings.Join(values, ", "))
		if len(h.While) > 0 {
			q += " AND " + p.Conditions(h.While)
		}
		out = append(out, script.Refusal{Query: q, Because: fmt.Sprintf("these rows of %s have a %s that no program knows any more (%s): let them end, or cancel them, first",
			t.Before.Name, h.What, strings.Join(lost, ", "))})
	}
	return append(out, p.refusalsForms(t)...)
}

// refusalsUnclaimed looks for rows that a new section would take for its own. There are none where the column that
// tells them is new, or gets other values.
func (p *planner) refusalsUnclaimed(t *Table) []script.Refusal {
	var out []script.Refusal
	for _, u := range t.Now.Unclaimed {
		isNew := slices.ContainsFunc(t.Columns, func(c *Column) bool { return c.Now == u.With && c.Before == nil })
		rows, ok := t.oldConditions(u.Rows)
		if !isNew || !ok {
			continue
		}
		out = append(out, script.Refusal{
			Query:   fmt.Sprintf("SELECT id FROM %s WHERE %s", p.Quote(t.Before.Name), p.Conditions(rows)),
			Because: t.Now.Name + "." + u.Because,
		})
	}
	return out
}
