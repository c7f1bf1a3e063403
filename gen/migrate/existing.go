package migrate

import (
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// spent reports an existing that was written for an earlier migration, where other rows may not fit now: what
// was left in the definition must not change rows that no one thought of when it was written.
func (t *Table) spent(before *Snapshot, targets []model.Database) (found mistake.List) {
	for _, c := range t.Columns {
		said := existingText(c.Now.Existing)
		if c.Before == nil || said == "" || before.existing(t.Before.Name, c.Before.Name) != said || !c.narrows(targets) {
			continue
		}
		found = append(found, at(c.Now.Existing.Pos,
			fmt.Sprintf("existing of %s was written for an earlier migration, and other rows may not fit now", t.column(c.Now.Name)),
			"remove it, and such rows are refused; where these too are to get a value, give them another one, name another data step, or write an UPDATE into the SQL of the migration"))
	}
	return found
}

// existing is what the definition said of a column when the snapshot was taken.
func (s *Snapshot) existing(table, column string) string {
	for _, d := range s.Datatypes {
		for _, f := range d.Fields {
			if d.Name == table && f.Name == column {
				return f.Existing
			}
		}
	}
	return ""
}

// narrows reports whether rows that are there may not fit a column, on any of some databases.
func (c *Column) narrows(targets []model.Database) bool {
	return slices.ContainsFunc(targets, func(db model.Database) bool {
		p := &planner{Writer: statement.Writer{Dialect: dialects[db]}, db: db}
		return len(p.misfits(c, early, c.Before.Name)) > 0
	})
}

// Unrecorded lists the fields with an existing that the last migration has not recorded: it was added after that
// migration was written, and is not in its SQL.
func (c *Chain) Unrecorded(p *model.Project) (fields []string) {
	last := c.Snapshot()
	for _, d := range p.Datatypes {
		for _, f := range d.Fields {
			if said := existingText(f.Existing); said != "" && last.existing(d.Name, f.Name) != said {
				fields = append(fields, d.Name+"."+f.Name)
			}
		}
	}
	return fields
}
