package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// sqlite orders the steps for SQLite, where all of them are one transaction, with foreign
// keys off. A table is made anew only for what ALTER TABLE cannot do: another type or default,
// a foreign key.
func (p *planner) sqlite() {
	p.sqliteRenames()
	for _, t := range p.kept() {
		p.sqliteDrops(t)
	}
	p.createTables()
	for _, t := range p.kept() {
		p.sqliteValues(t)
		if p.rebuilt(t) {
			p.sqliteRebuild(t)
		} else {
			p.sqliteChange(t)
		}
		p.sqliteNotNull(t)
	}
	p.dropTables()
}

func (p *planner) sqliteRenames() {
	for _, m := range p.tableMoves() {
		p.step(script.Safe, fmt.Sprintf("%s: rename the table to %s", m.from, m.to), p.alter(m.from, "RENAME TO %s", p.Quote(m.to)))
	}
	for _, t := range p.kept() {
		for _, m := range t.columnMoves() {
			p.step(script.Safe, fmt.Sprintf("%s: rename the column to %s", t.column(m.from), m.to),
				p.alter(t.Now.Name, "RENAME COLUMN %s TO %s", p.Quote(m.from), p.Quote(m.to)))
		}
	}
}

// rebuilt reports whether ALTER TABLE is not enough.
func (p *planner) rebuilt(t *Table) bool {
	old, now := p.moved[t], p.now[t]
	for _, c := range t.Columns {
		n := p.columnOf(now, c.Now.Name)
		if c.Before == nil {
			if strings.HasPrefix(n.Default, "(") || c.Now.References != nil && n.Default != "" || n.Default != "" && given(c.Now) {
				return true
			}
			continue
		}
		if o := p.columnOf(old, c.Now.Name); o.Type != n.Type || o.Default != n.Default {
			return true
		}
	}
	gone, added := p.sqliteKeys(t)
	if len(gone) > 0 {
		return true
	}
	for _, k := range added {
		if p.columnOf(old, k.Column).Name != "" {
			return true // ALTER TABLE adds one with its column alone
		}
	}
	return false
}

// sqliteKeys compares foreign keys without their names, which SQLite keeps but never returns.
func (p *planner) sqliteKeys(t *Table) (gone, added []dialect.ForeignKey) {
	return difference(p.moved[t].ForeignKeys, p.now[t].ForeignKeys, func(k dialect.ForeignKey) string {
		return k.Column + " " + k.To + " " + k.OnDelete
	})
}

// sqliteDrops drops the indexes and checks that are gone. SQLite cannot rename an index: it is
// built again.
func (p *planner) sqliteDrops(t *Table) {
	var statements []string
	gone, _, moves := p.changedIndexes(t)
	for _, x := range gone {
		statements = append(statements, "DROP INDEX "+p.Quote(x.Name))
	}
	for _, m := range moves {
		statements = append(statements, "DROP INDEX "+p.Quote(m.from))
	}
	checks, _ := p.sqliteChecks(t)
	for _, c := range checks {
		statements = append(statements, p.alter(t.Now.Name, "DROP CONSTRAINT %s", p.Quote(c.Name)))
	}
	if len(statements) > 0 {
		p.step(script.Safe, t.Now.Name+": drop checks and indexes that change", statements...)
	}
}

// sqliteChecks compares checks by their names in the database, which renaming a table or column does not change.
func (p *planner) sqliteChecks(t *Table) (gone, added []dialect.Check) {
	before := make([]dialect.Check, len(p.moved[t].Checks))
	for i, c := range p.moved[t].Checks {
		before[i] = c
		before[i].Name = p.before[t].Checks[i].Name
	}
	return difference(before, p.now[t].Checks, func(c dialect.Check) string { return c.Name + " " + c.Expr })
}

// sqliteValues changes values of columns that keep their type in the file.
func (p *planner) sqliteValues(t *Table) {
	for _, c := range t.Columns {
		if c.Before == nil {
			continue
		}
		p.moveMembers(t, c)
		old, now := p.columnOf(p.moved[t], c.Now.Name), p.columnOf(p.now[t], c.Now.Name)
		if c.converts() && old.Type == now.Type {
			if value := p.recast(c, c.Now.Name); value != p.Quote(c.Now.Name) {
				p.step(script.Data, fmt.Sprintf("%s: write the values as a %s", t.column(c.Now.Name), c.Now.Type),
					fmt.Sprintf("UPDATE %s SET %s = %s", p.Quote(t.Now.Name), p.Quote(c.Now.Name), value))
			}
		}
		p.optionValues(t, c)
		if old.Type == now.Type {
			if old.NotNull || !now.NotNull || p.existing(c.Now) != "" {
				p.fill(t, c)
			}
		}
	}
}

func (p *planner) sqliteChange(t *Table) {
	for _, c := range t.Columns {
		if c.Before == nil {
			p.sqliteAdd(t, c)
			continue
		}
		if old := p.columnOf(p.moved[t], c.Now.Name); old.NotNull && !c.Now.NotNull {
			p.step(script.Safe, t.column(c.Now.Name)+": may have no value", p.alter(t.Now.Name, "ALTER COLUMN %s DROP NOT NULL", p.Quote(c.Now.Name)))
		}
	}
	p.dropColumns(t)
	_, checks := p.sqliteChecks(t)
	for _, c := range checks {
		if p.columnOf(p.moved[t], c.Column).Name != "" {
			p.step(script.Blocks, t.column(c.Column)+": check its values", p.alter(t.Now.Name, "ADD %s", c.DDL)).Note = sqliteNote
		}
	}
	p.sqliteIndexes(t)
}

const sqliteNote = "writers wait until the migration has ended"

// sqliteIndexes builds new indexes, and those that get another name.
func (p *planner) sqliteIndexes(t *Table) {
	_, added, moves := p.changedIndexes(t)
	for _, x := range p.now[t].Indexes {
		fresh := slices.ContainsFunc(added, func(a dialect.Index) bool { return a.Name == x.Name }) ||
			slices.ContainsFunc(moves, func(m move) bool { return m.to == x.Name })
		if !fresh {
			continue
		}
		s := p.step(script.Blocks, fmt.Sprintf("%s: build the index %s", t.Now.Name, x.Name), x.DDL)
		s.Note, s.Refuse = sqliteNote, p.repeats(t, x.Name)
	}
}

func (p *planner) sqliteAdd(t *Table, c *Column) {
	now := p.columnOf(p.now[t], c.Now.Name)
	declaration := now.DDL
	if now.NotNull && now.Default == "" {
		declaration = p.Quote(now.Name) + " " + now.Type // NOT NULL when it is filled
	}
	for _, check := range p.now[t].Checks {
		if check.Column == now.Name {
			declaration += " " + check.DDL
		}
	}
	for _, k := range p.now[t].ForeignKeys {
		if k.Column == now.Name {
			declaration += fmt.Sprintf(" CONSTRAINT %s REFERENCES %s (id) ON DELETE %s", k.Name, p.Quote(k.To), k.OnDelete)
		}
	}
	p.step(script.Safe, t.column(now.Name)+": add the column", p.alter(t.Now.Name, "ADD COLUMN %s", declaration))
	if !p.filledByDefault(t, c) {
		p.fill(t, c)
	}
}

// sqliteRebuild makes the table anew beside the old one, which it then replaces.
func (p *planner) sqliteRebuild(t *Table) {
	l, fresh := p.now[t], model.ShortName("modulagen_new_"+t.Now.Name)
	loose := l
	loose.Columns = nil
	var names, values []string
	names, values = append(names, "id"), append(values, "id")
	for _, c := range l.Columns {
		if c.Name != "id" && c.NotNull && p.setLater(t, c.Name) {
			c.DDL = strings.Replace(c.DDL, " NOT NULL", "", 1)
		}
		loose.Columns = append(loose.Columns, c)
	}
	for _, c := range t.Columns {
		value := p.sqliteValue(t, c)
		if value == "" {
			continue
		}
		names, values = append(names, p.Quote(c.Now.Name)), append(values, value)
	}
	statements := []string{
		loose.Create(p.Dialect, fresh),
		fmt.Sprintf("INSERT INTO %s (%s)\nSELECT %s FROM %s", p.Quote(fresh), strings.Join(names, ", "), strings.Join(values, ", "), p.Quote(t.Now.Name)),
		"DROP TABLE " + p.Quote(t.Now.Name),
		p.alter(fresh, "RENAME TO %s", p.Quote(t.Now.Name)),
	}
	class := script.Rewrites
	if len(t.Dropped) > 0 {
		class = script.Destroys
	}
	s := p.step(class, fmt.Sprintf("%s: make the table anew (%s)", t.Now.Name, strings.Join(p.reasons(t), ", ")), append(statements, l.CreateIndexes(p.Dialect)...)...)
	s.Rebuilt, s.Note = t.Now.Name, sqliteNote
	for _, f := range t.Dropped {
		s.LeavesOut = append(s.LeavesOut, f.Name)
	}
	gone, added := p.sqliteKeys(t)
	if len(gone)+len(added) > 0 {
		for _, k := range added {
			s.Refuse = append(s.Refuse, p.dangles(t, k)...)
		}
	}
	for _, x := range l.Indexes {
		s.Refuse = append(s.Refuse, p.oldRepeats(t, x.Name)...)
	}
	for _, c := range t.Columns {
		if c.Before == nil && !p.filledByDefault(t, c) && p.initial(c) == "" {
			p.fill(t, c)
		}
	}
}

// oldRepeats looks for rows that a unique index over columns that were there would refuse.
func (p *planner) oldRepeats(t *Table, name string) []script.Refusal {
	for _, x := range t.Now.Indexes {
		if x.Name == name && t.oldIndex(x) != nil {
			return p.repeats(t, name)
		}
	}
	return nil
}

// setLater reports whether a column becomes NOT NULL after a step that fills it.
func (p *planner) setLater(t *Table, name string) bool {
	for _, c := range t.Columns {
		if c.Now.Name == name {
			old := p.columnOf(p.moved[t], name)
			return c.Now.NotNull && !old.NotNull && p.existing(c.Now) == "" && (c.Before != nil || p.columnOf(p.now[t], name).Default == "")
		}
	}
	return false
}

// sqliteValue is the expression for a column of the new table; empty where the column gets its default.
func (p *planner) sqliteValue(t *Table, c *Column) string {
	if c.Before == nil {
		if p.filledByDefault(t, c) {
			return ""
		}
		if value := p.initial(c); value != "" {
			return value
		}
		return "NULL"
	}
	name := p.Quote(c.Now.Name)
	old, now := p.columnOf(p.moved[t], c.Now.Name), p.columnOf(p.now[t], c.Now.Name)
	if old.Type == now.Type {
		return name // sqliteValues has changed it
	}
	return p.recast(c, c.Now.Name)
}

// reasons says why a table is made anew.
func (p *planner) reasons(t *Table) []string {
	var out []string
	for _, c := range t.Columns {
		old, now := p.columnOf(p.moved[t], c.Now.Name), p.columnOf(p.now[t], c.Now.Name)
		switch {
		case c.Before == nil && strings.HasPrefix(now.Default, "("):
			out = append(out, fmt.Sprintf("%s is new, with a default that is no constant", now.Name))
		case c.Before == nil:
		case old.Type != now.Type:
			out = append(out, fmt.Sprintf("%s: %s becomes %s", now.Name, old.Type, now.Type))
		case old.Default != now.Default:
			out = append(out, "the default of "+now.Name)
		}
	}
	gone, added := p.sqliteKeys(t)
	for _, k := range append(gone, added...) {
		if what := "the foreign key of " + k.Column; len(out) == 0 || out[len(out)-1] != what {
			out = append(out, what)
		}
	}
	return out
}

// sqliteNotNull sets columns NOT NULL once they are filled.
func (p *planner) sqliteNotNull(t *Table) {
	rebuilt := p.rebuilt(t)
	for _, c := range t.Columns {
		old, now := p.columnOf(p.moved[t], c.Now.Name), p.columnOf(p.now[t], c.Now.Name)
		if !now.NotNull || old.NotNull || c.Before == nil && now.Default != "" || rebuilt && !p.setLater(t, now.Name) {
			continue
		}
		if c.Before != nil && p.existing(c.Now) == "" {
			p.fill(t, c)
		}
		p.step(script.Blocks, t.column(now.Name)+": must have a value", p.alter(t.Now.Name, "ALTER COLUMN %s SET NOT NULL", p.Quote(now.Name))).Note = sqliteNote
	}
}
