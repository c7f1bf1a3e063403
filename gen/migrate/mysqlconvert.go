package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// mysqlConvert converts the values of columns to another type. The old columns are put aside under another name, and
// go when the new ones have been filled: MODIFY would cast each value in its own way, and has no place for what
// existing says. A program of before that writes meanwhile writes into the new column, or fails; nothing that it
// wrote is lost.
func (p *planner) mysqlConvert(t *Table) {
	var aside, what []string
	var done []script.Probe
	var converted []*Column
	for _, c := range t.Columns {
		if !c.converts() {
			continue
		}
		converted = append(converted, c)
		now := p.columnOf(p.now[t], c.Now.Name)
		aside = append(aside, fmt.Sprintf("RENAME COLUMN %s TO %s", p.Quote(now.Name), p.Quote(asideName(c))), fmt.Sprintf("ADD COLUMN %s %s NULL", p.Quote(now.Name), now.Type))
		what = append(what, fmt.Sprintf("%s becomes %s", now.Name, now.Type))
		done = append(done, there("column", t.Now.Name, asideName(c)))
	}
	if len(converted) == 0 {
		return
	}
	p.ddl(script.Safe, t.Now.Name+": add columns for converted values", p.alter(t.Now.Name, "%s", strings.Join(aside, ", ")), []string{instant, inPlace, copying}, done...)
	for _, c := range converted {
		p.step(script.Data, fmt.Sprintf("%s: write the values as a %s", t.column(c.Now.Name), c.Now.Type), fmt.Sprintf("UPDATE %s SET %s = %s WHERE %[2]s IS NULL",
			p.Quote(t.Now.Name), p.Quote(c.Now.Name), p.recast(c, asideName(c)))).Refuse = p.misfitRefusals(t, c, atCast, asideName(c))
		if c.Now.Existing != nil && c.Now.Existing.Step != "" {
			p.fill(t, c)
		}
	}
	p.mysqlTakePlace(t, converted, strings.Join(what, ", "))
}

// mysqlTakePlace removes the old columns, and adds to the new ones what else they are and the indexes over
// them, in one copy of the table.
func (p *planner) mysqlTakePlace(t *Table, converted []*Column, what string) {
	drops, adds, repeated := p.convertedIndexes(t)
	var done []script.Probe
	for _, c := range converted {
		drops = append(drops, "DROP COLUMN "+p.Quote(asideName(c)), "MODIFY COLUMN "+p.columnOf(p.now[t], c.Now.Name).DDL)
		done = append(done, gone("column", t.Now.Name, asideName(c)))
	}
	p.ddl(script.Rewrites, t.Now.Name+": "+what, p.alter(t.Now.Name, "%s", strings.Join(append(drops, adds...), ", ")), []string{copying}, done...).Refuse = repeated
}

// asideName is the name of a column whose values are converted, until they are.
func asideName(c *Column) string { return model.ShortName("modulagen_was_" + c.Now.Name) }

// convertedIndexes are the clauses that drop and build the indexes over converted columns, and what
// looks for rows that they would refuse.
func (p *planner) convertedIndexes(t *Table) (drops, adds []string, refuse []script.Refusal) {
	there, added, _ := p.changedIndexes(t)
	for _, x := range p.now[t].Indexes {
		if !t.overConverted(x) {
			continue
		}
		adds = append(adds, "ADD "+x.DDL)
		refuse = append(refuse, p.repeats(t, x.Name)...)
		if !slices.ContainsFunc(added, func(a dialect.Index) bool { return a.Name == x.Name }) {
			there = append(there, x)
		}
	}
	for _, x := range there {
		if t.overConverted(x) {
			drops = append(drops, "DROP INDEX "+p.Quote(x.Name))
		}
	}
	return drops, adds, refuse
}

// overConverted reports whether an index covers a column of which the values are converted, and no
// column of a condition, which is added later.
func (t *Table) overConverted(x dialect.Index) bool {
	for _, f := range slices.Concat(t.Before.Indexes, t.Now.Indexes) {
		if f.Name == x.Name && f.Unique && len(f.Where) > 0 {
			return false
		}
	}
	return slices.ContainsFunc(x.Fields, func(name string) bool {
		return slices.ContainsFunc(t.Columns, func(c *Column) bool { return c.Now.Name == name && c.converts() })
	})
}
