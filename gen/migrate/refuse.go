package migrate

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// refuseEarly looks for rows that do not fit before anything is changed.
func (p *planner) refuseEarly() {
	var all []script.Refusal
	for _, t := range p.kept() {
		for _, c := range t.Columns {
			all = append(all, p.refusalsEarly(t, c)...)
			all = append(all, p.refusalsMembers(t, c)...)
			all = append(all, p.danglesEarly(t, c)...)
		}
		all = append(all, p.refusalsHeld(t)...)
		all = append(all, p.refusalsUnclaimed(t)...)
		for _, x := range t.Now.Indexes {
			if old := t.oldIndex(x); x.Unique && old != nil && !p.wasUnique(t, x) {
				all = append(all, script.Refusal{Query: p.duplicates(t.Before.Name, old), Because: p.duplicateReason(t, x)})
			}
		}
	}
	if len(all) > 0 {
		p.step(script.Safe, "look for rows that the new definitions refuse", nil...).Refuse = all
	}
}

func (p *planner) refusalsEarly(t *Table, c *Column) []script.Refusal {
	if c.Before == nil {
		if c.Now.NotNull && c.Now.Default == nil && !c.Now.Added && !given(c.Now) {
			return []script.Refusal{{Query: "SELECT id FROM " + p.Quote(t.Before.Name), Because: fmt.Sprintf(
				"%s is new and required, and these rows have no value for it: give the field a default, or say with existing: what they hold", t.column(c.Now.Name))}}
		}
		return nil
	}
	return p.misfitRefusals(t, c, early, c.Before.Name)
}

// misfitRefusals looks for rows that do not fit, where no existing says what becomes of them. A data step does not
// count where types change: it runs after the conversion, for which such a value has no counterpart.
func (p *planner) misfitRefusals(t *Table, c *Column, at when, column string) []script.Refusal {
	table := t.Now.Name
	if at == early {
		table = t.Before.Name
	}
	all := p.misfits(c, at, column)
	switch {
	case p.existing(c.Now) != "":
		return nil
	case given(c.Now) && !c.converts():
		return nil
	case len(all) == 0:
		return nil
	}
	return []script.Refusal{{Query: fmt.Sprintf("SELECT id FROM %s WHERE %s", p.Quote(table), either(all)), Because: misfitReason(t, c, all)}}
}

// given reports whether the definition says what becomes of rows that do not fit.
func given(f *model.Field) bool {
	return f.Existing != nil && (f.Existing.Default || f.Existing.Set || f.Existing.Step != "")
}

func misfitReason(t *Table, c *Column, all []misfit) string {
	why := make([]string, len(all))
	for i, m := range all {
		why[i] = m.because
	}
	return fmt.Sprintf("%s %s in these rows: change them, or say with existing: what becomes of them", t.column(c.Now.Name), strings.Join(why, ", or "))
}

func (p *planner) duplicateReason(t *Table, x *model.Index) string {
	var columns []string
	for _, c := range x.Columns {
		columns = append(columns, c.Field.Name)
	}
	return fmt.Sprintf("several rows of %s have the same %s, which is to be unique: change all but one of them", t.Now.Name, strings.Join(columns, ", "))
}

// dangles looks for rows that a foreign key on an existing column would refuse.
func (p *planner) dangles(t *Table, k dialect.ForeignKey) []script.Refusal {
	for _, c := range t.Columns {
		if c.Now.Name == k.Column && c.pointsElsewhere() {
			return []script.Refusal{{Query: p.dangling(t.Now.Name, k.Column, k.To), Because: danglingReason(t, c)}}
		}
	}
	return nil
}

// danglesEarly is dangles under the old names.
func (p *planner) danglesEarly(t *Table, c *Column) []script.Refusal {
	if !c.pointsElsewhere() {
		return nil
	}
	query := fmt.Sprintf("SELECT id FROM %s WHERE %s IS NOT NULL", p.Quote(t.Before.Name), p.Quote(c.Before.Name))
	for _, to := range p.kept() {
		if to.Now == c.Now.References {
			query = p.dangling(t.Before.Name, c.Before.Name, to.Before.Name)
		}
	}
	return []script.Refusal{{Query: query, Because: danglingReason(t, c)}}
}

// pointsElsewhere reports whether an existing column refers to another table than before.
func (c *Column) pointsElsewhere() bool {
	return c.Before != nil && c.Now.References != nil && (c.Moved.References == nil || c.Moved.References.Name != c.Now.References.Name)
}

func danglingReason(t *Table, c *Column) string {
	return fmt.Sprintf("%s points to rows of %s that do not exist: change it in these rows first", t.column(c.Now.Name), c.Now.References.Name)
}

// repeats looks for rows that a unique index would refuse.
func (p *planner) repeats(t *Table, name string) []script.Refusal {
	for _, x := range t.Now.Indexes {
		if x.Name == name && x.Unique && !p.wasUnique(t, x) {
			return []script.Refusal{{Query: p.duplicates(t.Now.Name, x), Because: p.duplicateReason(t, x)}}
		}
	}
	return nil
}
