package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// mysqlConvert converts the values of columns to another type. The old columns get another name, and are dropped
// once the new ones are filled: MODIFY would cast each value in its own way, and has no place for what existing
// says. An older program that writes meanwhile writes into the new column, or fails; nothing that it wrote is lost.
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
		s := p.step(script.Data, fmt.Sprintf("%s: write the values as a %s", t.column(c.Now.Name), c.Now.Type), fmt.Sprintf("UPDATE %s SET %s = %s WHERE %[2]s IS NULL",
			p.Quote(t.Now.Name), p.Quote(c.Now.Name), p.recast(c, asideName(c))))
		s.Refuse = p.misfitRefusals(t, c, atCast, asideName(c))
		p.inBatches(t, s)
		if c.Now.Existing != nil && c.Now.Existing.Step != "" {
			p.fill(t, c)
		}
	}
	p.mysqlTakePlace(t, converted, strings.Join(what, ", "))
}

// mysqlTakePlace drops the old columns, and adds NOT NULL, defaults and indexes to the new ones. Where there are
// only indexes, they are built first: servers drop a column instantly if the statement does nothing else.
// Otherwise all of it is one statement, which writes the table again once.
func (p *planner) mysqlTakePlace(t *Table, converted []*Column, what string) {
	var changes []string
	var done []script.Probe
	drops, adds, indexed := p.convertedIndexes(t)
	class := script.Safe
	for _, c := range converted {
		now := p.columnOf(p.now[t], c.Now.Name)
		changes = append(changes, "DROP COLUMN "+p.Quote(asideName(c)))
		if now.NotNull || now.Default != "" {
			class = script.Rewrites
			changes = append(changes, "MODIFY COLUMN "+now.DDL)
		}
		done = append(done, gone("column", t.Now.Name, asideName(c)))
	}
	if class == script.Safe && len(drops)+len(adds) > 0 {
		p.ddl(script.Safe, t.Now.Name+": build the indexes over converted values", p.alter(t.Now.Name, "%s", strings.Join(append(drops, adds...), ", ")),
			[]string{inPlace, copying}, indexed.done...).Refuse = indexed.refuse
		drops, adds, indexed = nil, nil, indexes{}
	}
	changes = slices.Concat(drops, changes, adds)
	p.ddl(class, t.Now.Name+": "+what, p.alter(t.Now.Name, "%s", strings.Join(changes, ", ")), []string{instant, inPlace, copying}, done...).Refuse = indexed.refuse
}

// asideName is the name of a column whose values are converted, until they are.
func asideName(c *Column) string { return model.ShortName("modulagen_was_" + c.Now.Name) }

// indexes has the probes for indexes that are dropped and built, and the queries for rows that they would refuse.
type indexes struct {
	done   []script.Probe
	refuse []script.Refusal
}

// convertedIndexes returns the clauses that drop and build the indexes over converted columns. An index that is built
// again under the same name has no probe: where there are no others, the statement may run twice.
func (p *planner) convertedIndexes(t *Table) (drops, adds []string, all indexes) {
	old, added, _ := p.changedIndexes(t)
	named := func(list []dialect.Index, name string) bool {
		return slices.ContainsFunc(list, func(x dialect.Index) bool { return x.Name == name })
	}
	for _, x := range p.now[t].Indexes {
		if !t.overConverted(x) {
			continue
		}
		adds = append(adds, "ADD "+x.DDL)
		all.refuse = append(all.refuse, p.repeats(t, x.Name)...)
		if !named(added, x.Name) {
			old = append(old, x)
		} else if !named(old, x.Name) {
			all.done = append(all.done, there("index", t.Now.Name, x.Name))
		}
	}
	for _, x := range old {
		if t.overConverted(x) {
			drops = append(drops, "DROP INDEX "+p.Quote(x.Name))
			if !named(p.now[t].Indexes, x.Name) {
				all.done = append(all.done, gone("index", t.Now.Name, x.Name))
			}
		}
	}
	return drops, adds, all
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
