package migrate

import (
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// How a statement may change a table on MySQL, from what no one notices to what holds
// writers up. A statement names the first that may do, and those to try after it: what would
// hold writers up longer than the plan says fails.
const (
	instant = "ALGORITHM=INSTANT"
	inPlace = "ALGORITHM=INPLACE, LOCK=NONE"
	copying = "ALGORITHM=COPY, LOCK=SHARED"
)

// What steps note. Servers can do less than others in place: a step that one of them copies the
// table for is no less safe on the rest.
const (
	copyNote    = "writers wait while the table is copied"
	inPlaceNote = "the table is written again in place, while others go on; where the server can only copy it, writers wait"
	perhapsNote = "where the server cannot do this in place it copies the table, and writers wait"
	// lockedNote is of triggers that go together with a column.
	lockedNote = "readers and writers wait; where the server cannot drop the column at once, for as long as it writes the table again"
	// onlineNote is of columns that are added to a table with an index over a generated column.
	onlineNote = "MariaDB makes writers wait while the table is copied, because of the index with a condition"
)

// mysql orders the steps for MySQL, where every statement takes effect at once. Constraints,
// generated columns and their indexes go before a column that they name is changed.
func (p *planner) mysql() {
	for _, t := range p.kept() {
		p.mysqlDrops(t)
	}
	p.mysqlRenames()
	p.createTables()
	for _, t := range p.kept() {
		for _, c := range t.Columns {
			if c.Before == nil {
				p.mysqlAdd(t, c)
			} else {
				p.mysqlChange(t, c)
			}
		}
	}
	for _, t := range p.kept() {
		p.mysqlConvert(t)
		p.mysqlWhenColumns(t)
		p.mysqlIndexes(t)
	}
	for _, t := range p.kept() {
		p.mysqlDropColumns(t)
		p.mysqlConstraints(t)
	}
	p.dropTables()
}

// ddl adds a step of one statement, which done shows to have taken effect; without it, it may
// run again.
func (p *planner) ddl(class script.Class, what, sql string, how []string, done ...script.Probe) *script.Step {
	s := p.step(class, what, sql)
	st := &s.Statements[0]
	if len(how) > 0 {
		st.SQL, st.Or = sql+", "+how[0], how[1:]
	}
	st.Done, st.Repeatable = done, len(done) == 0
	s.Note = noteOf(class, how)
	return s
}

// noteOf says who waits: of a step that copies the table, and of one that copies it where the
// server has nothing better.
func noteOf(class script.Class, how []string) string {
	switch {
	case !slices.Contains(how, copying):
		return ""
	case how[0] == copying:
		return copyNote
	case class == script.Rewrites:
		return inPlaceNote
	}
	return perhapsNote
}

func there(kind, table, name string) script.Probe {
	return script.Probe{Kind: kind, Table: table, Name: name}
}

func gone(kind, table, name string) script.Probe {
	return script.Probe{Missing: true, Kind: kind, Table: table, Name: name}
}

// mysqlChecks returns the checks that the database has and that go, and those to add. One whose name or columns
// are renamed is both: MySQL renames no constraint.
func (p *planner) mysqlChecks(t *Table) (dropped, added []dialect.Check) {
	for i, old := range p.before[t].Checks {
		if !slices.ContainsFunc(p.now[t].Checks, func(c dialect.Check) bool { return c.DDL == old.DDL }) || p.before[t].Checks[i].DDL != p.moved[t].Checks[i].DDL {
			dropped = append(dropped, old)
		}
	}
	for _, c := range p.now[t].Checks {
		if !slices.ContainsFunc(p.before[t].Checks, func(old dialect.Check) bool { return old.DDL == c.DDL && !slices.Contains(dropped, old) }) {
			added = append(added, c)
		}
	}
	return dropped, added
}

// mysqlKeys does so for foreign keys, in which MySQL renames columns and tables by itself: one whose own name stays
// is kept.
func (p *planner) mysqlKeys(t *Table) (dropped, added []dialect.ForeignKey) {
	kept := func(old dialect.ForeignKey, moved dialect.ForeignKey) bool {
		return old.Name == moved.Name && slices.ContainsFunc(p.now[t].ForeignKeys, func(k dialect.ForeignKey) bool { return k.DDL == moved.DDL })
	}
	stay := map[string]bool{}
	for i, old := range p.before[t].ForeignKeys {
		if moved := p.moved[t].ForeignKeys[i]; kept(old, moved) {
			stay[moved.DDL] = true
		} else {
			dropped = append(dropped, old)
		}
	}
	for _, k := range p.now[t].ForeignKeys {
		if !stay[k.DDL] {
			added = append(added, k)
		}
	}
	return dropped, added
}

// mysqlDrops removes what stands in the way of changes, under the names of before.
func (p *planner) mysqlDrops(t *Table) {
	table := t.Before.Name
	keys, _ := p.mysqlKeys(t)
	for _, k := range keys {
		p.ddl(script.Safe, fmt.Sprintf("%s.%s: drop the foreign key", table, k.Column), p.alter(table, "DROP FOREIGN KEY %s", p.Quote(k.Name)),
			[]string{instant, inPlace, copying}, gone("constraint", table, k.Name))
	}
	checks, _ := p.mysqlChecks(t)
	for _, c := range checks {
		p.ddl(script.Safe, fmt.Sprintf("%s.%s: drop the check of its values", table, c.Column), p.alter(table, "DROP CONSTRAINT %s", p.Quote(c.Name)),
			[]string{instant, inPlace, copying}, gone("constraint", table, c.Name))
	}
	for _, x := range p.conditional(t) { // a virtual column goes at once only by itself
		p.ddl(script.Safe, fmt.Sprintf("%s: drop the index %s", table, x.Name), p.alter(table, "DROP INDEX %s", p.Quote(x.Name)), []string{inPlace, copying}, gone("index", table, x.Name))
		p.ddl(script.Safe, fmt.Sprintf("%s: drop the column of its condition", table), p.alter(table, "DROP COLUMN %s", p.Quote(x.WhenColumn())),
			[]string{instant, inPlace, copying}, gone("column", table, x.WhenColumn()))
	}
}

// conditional are the unique indexes with a condition, over a generated column, that are not
// the same now.
func (p *planner) conditional(t *Table) []*model.Index {
	var out []*model.Index
	for i, x := range t.Before.Indexes {
		if x.Unique && len(x.Where) > 0 && !p.sameConditional(t, x, t.Moved.Indexes[i]) {
			out = append(out, x)
		}
	}
	return out
}

// hasConditional reports whether a table has an index over a generated column while its columns change.
// MariaDB can neither add a column to such a table at once nor rebuild it while others write.
func (p *planner) hasConditional(t *Table) bool {
	dropped := p.conditional(t)
	return slices.ContainsFunc(t.Before.Indexes, func(x *model.Index) bool {
		return x.Unique && len(x.Where) > 0 && !slices.Contains(dropped, x)
	})
}

func (p *planner) sameConditional(t *Table, before, moved *model.Index) bool {
	for i, c := range before.Columns {
		if c.Field.Name != moved.Columns[i].Field.Name || p.retyped(t, moved.Columns[i].Field.Name) {
			return false
		}
	}
	if p.Conditions(before.Where) != p.Conditions(moved.Where) {
		return false
	}
	for _, c := range moved.Where {
		if c.Field != nil && p.retyped(t, c.Field.Name) {
			return false
		}
	}
	return slices.ContainsFunc(t.Now.Indexes, func(x *model.Index) bool {
		return x.Name == before.Name && p.indexKey(t.Now, x) == p.indexKey(t.Moved, moved)
	})
}

func (p *planner) mysqlRenames() {
	for _, m := range p.tableMoves() {
		p.ddl(script.Safe, fmt.Sprintf("%s: rename the table to %s", m.from, m.to), fmt.Sprintf("RENAME TABLE %s TO %s", p.Quote(m.from), p.Quote(m.to)),
			nil, gone("table", m.from, ""), there("table", m.to, ""))
	}
	for _, t := range p.kept() {
		for _, m := range t.columnMoves() {
			p.ddl(script.Safe, fmt.Sprintf("%s: rename the column to %s", t.column(m.from), m.to), p.alter(t.Now.Name, "RENAME COLUMN %s TO %s", p.Quote(m.from), p.Quote(m.to)),
				[]string{instant, inPlace}, gone("column", t.Now.Name, m.from), there("column", t.Now.Name, m.to))
		}
		_, _, indexes := p.changedIndexes(t)
		for _, m := range inOrder(indexes) {
			p.ddl(script.Safe, fmt.Sprintf("%s: rename the index %s to %s", t.Now.Name, m.from, m.to), p.alter(t.Now.Name, "RENAME INDEX %s TO %s", p.Quote(m.from), p.Quote(m.to)),
				[]string{instant, inPlace}, gone("index", t.Now.Name, m.from), there("index", t.Now.Name, m.to))
		}
	}
}

func (p *planner) mysqlAdd(t *Table, c *Column) {
	now := p.columnOf(p.now[t], c.Now.Name)
	if value := p.constant(c); value != "" {
		p.mysqlAddWith(t, now, value)
		return
	}
	declaration := now.DDL
	filled := p.filledByDefault(t, c) || !now.NotNull && c.Now.Default == nil && !given(c.Now)
	if !filled {
		declaration = p.Quote(now.Name) + " " + now.Type + " NULL"
	}
	p.mysqlAddColumn(t, now.Name, "add the column", declaration)
	if filled {
		return
	}
	if c.Now.Default != nil && !given(c.Now) { // one that MySQL does not keep
		p.inBatches(t, p.step(script.Data, t.column(now.Name)+": give the rows that are there the default",
			fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s IS NULL", p.Quote(t.Now.Name), p.Quote(now.Name), p.defaultValue(c.Now), p.Quote(now.Name))))
	} else {
		p.fill(t, c)
	}
	p.modify(t, now, "as the definition has it", script.Rewrites, []string{instant, inPlace, copying})
}

func (p *planner) mysqlAddColumn(t *Table, name, what, declaration string) {
	class, how, note := script.Safe, []string{instant, inPlace}, ""
	if p.hasConditional(t) {
		class, how, note = script.Rewrites, append(how, copying), onlineNote
	}
	s := p.ddl(class, t.column(name)+": "+what, p.alter(t.Now.Name, "ADD COLUMN %s", declaration), how, there("column", t.Now.Name, name))
	if note != "" {
		s.Note = note
	}
}

// mysqlAddWith adds a column that must have a value with that of the rows that are there as its default, for as
// long as they need it: servers then write no row.
func (p *planner) mysqlAddWith(t *Table, now dialect.Column, value string) {
	name, what := p.Quote(now.Name), "no default, which was that of the rows that are there"
	p.mysqlAddColumn(t, now.Name, "add the column, with the value of the rows that are there", fmt.Sprintf("%s %s NOT NULL DEFAULT %s", name, now.Type, value))
	then := "DROP DEFAULT"
	if now.Default != "" {
		then, what = "SET DEFAULT "+now.Default, "the default of new rows"
	}
	p.ddl(script.Safe, t.column(now.Name)+": "+what, p.alter(t.Now.Name, "ALTER COLUMN %s %s", name, then), []string{instant, inPlace})
}

// modify writes the whole declaration of a column again.
func (p *planner) modify(t *Table, now dialect.Column, what string, class script.Class, how []string) {
	s := p.ddl(class, fmt.Sprintf("%s: %s", t.column(now.Name), what), p.alter(t.Now.Name, "MODIFY COLUMN %s", now.DDL), how)
	p.first(s, p.again(t, now.Name))
}

// first puts statements before the one of a step, each time that it is tried.
func (p *planner) first(s *script.Step, again []string) {
	var all []script.Statement
	for _, sql := range again {
		all = append(all, script.Statement{SQL: sql, Repeatable: true})
	}
	s.Statements = append(all, s.Statements...)
}

func (p *planner) mysqlChange(t *Table, c *Column) {
	if c.converts() {
		return // see mysqlConvert
	}
	p.moveMembers(t, c)
	p.optionValues(t, c)
	p.fill(t, c)
	if _, _, ok := p.takenOver(t, func(k kept) bool { return k.now == c.Now.Name }); ok {
		return // see mysqlTakeOver
	}
	if old, now := p.columnOf(p.moved[t], c.Now.Name), p.columnOf(p.now[t], c.Now.Name); old.DDL != now.DDL {
		p.mysqlModify(t, old, now)
	}
}

func (p *planner) mysqlModify(t *Table, old, now dialect.Column) {
	switch {
	case old.Type != now.Type && !mysqlWidens(old, now):
		p.modify(t, now, fmt.Sprintf("%s becomes %s", old.Type, now.Type), script.Rewrites, []string{copying})
	case old.Type != now.Type && old.NotNull == now.NotNull:
		p.modify(t, now, fmt.Sprintf("%s becomes %s", old.Type, now.Type), script.Safe, []string{instant, inPlace, copying})
	case old.NotNull != now.NotNull:
		what := "may have no value"
		if now.NotNull {
			what = "must have a value"
		}
		if old.Type != now.Type {
			what = fmt.Sprintf("%s becomes %s, and %s", old.Type, now.Type, what)
		}
		p.modify(t, now, what, script.Rewrites, []string{instant, inPlace, copying})
	default:
		what := "set the default"
		if now.Default == "" {
			what = "drop the default"
		}
		p.modify(t, now, what, script.Safe, []string{instant, inPlace, copying})
	}
}

// mysqlWidens reports whether a varchar becomes longer and its length stays in as many bytes.
func mysqlWidens(old, now dialect.Column) bool {
	const oneByte = 63 // characters of four bytes
	before, ok := varchar(old.Type)
	after, still := varchar(now.Type)
	return ok && still && after >= before && (after <= oneByte || before > oneByte)
}

// mysqlWhenColumns adds the generated columns of unique indexes with a condition.
func (p *planner) mysqlWhenColumns(t *Table) {
	dropped := p.conditional(t)
	for _, c := range p.now[t].Columns {
		if c.Generated == "" {
			continue
		}
		old := p.columnOf(p.before[t], c.Name)
		if old.Name == "" || slices.ContainsFunc(dropped, func(x *model.Index) bool { return x.WhenColumn() == c.Name }) {
			p.ddl(script.Safe, fmt.Sprintf("%s: add the column of a condition", t.Now.Name), p.alter(t.Now.Name, "ADD COLUMN %s", c.DDL),
				[]string{instant, inPlace, copying}, there("column", t.Now.Name, c.Name))
		}
	}
}

// mysqlIndexes builds and drops indexes, new ones first: a foreign key needs one at all times.
func (p *planner) mysqlIndexes(t *Table) {
	old, added, _ := p.changedIndexes(t)
	old, added = slices.DeleteFunc(old, t.overConverted), slices.DeleteFunc(added, t.overConverted)
	for _, k := range t.Kept {
		indexes, _ := p.takesOver(t, k)
		old = slices.DeleteFunc(old, func(x dialect.Index) bool {
			return slices.ContainsFunc(indexes, func(m move) bool { return m.from == x.Name })
		})
	}
	for _, x := range p.conditional(t) { // dropped before, though it may have the same name and columns
		old = slices.DeleteFunc(old, func(o dialect.Index) bool { return o.Name == x.Name })
		for _, n := range p.now[t].Indexes {
			if n.Name == x.Name && !slices.ContainsFunc(added, func(a dialect.Index) bool { return a.Name == n.Name }) {
				added = append(added, n)
			}
		}
	}
	for _, x := range added {
		what := fmt.Sprintf("%s: build the index %s", t.Now.Name, x.Name)
		if slices.ContainsFunc(old, func(o dialect.Index) bool { return o.Name == x.Name }) {
			p.ddl(script.Safe, what+" anew", p.alter(t.Now.Name, "DROP INDEX %s, ADD %s", p.Quote(x.Name), x.DDL), []string{inPlace}).Refuse = p.mysqlRepeats(t, x.Name)
			old = slices.DeleteFunc(old, func(o dialect.Index) bool { return o.Name == x.Name })
			continue
		}
		p.ddl(script.Safe, what, p.alter(t.Now.Name, "ADD %s", x.DDL), []string{inPlace}, there("index", t.Now.Name, x.Name)).Refuse = p.mysqlRepeats(t, x.Name)
	}
	for _, x := range old {
		p.ddl(script.Safe, fmt.Sprintf("%s: drop the index %s", t.Now.Name, x.Name), p.alter(t.Now.Name, "DROP INDEX %s", p.Quote(x.Name)), []string{inPlace}, gone("index", t.Now.Name, x.Name))
	}
}

// mysqlRepeats is repeats, and looks for rows also where they were held to the same before: an index with a condition
// that is not the same now is not there from its step in mysqlDrops on.
func (p *planner) mysqlRepeats(t *Table, name string) []script.Refusal {
	for _, x := range t.Now.Indexes {
		gone := slices.ContainsFunc(p.conditional(t), func(old *model.Index) bool { return old.Name == name })
		if x.Name == name && x.Unique && gone {
			return []script.Refusal{{Query: p.duplicates(t.Now.Name, x), Because: p.duplicateReason(t, x)}}
		}
	}
	return p.repeats(t, name)
}

func (p *planner) mysqlDropColumns(t *Table) {
	for _, f := range t.Dropped {
		if k, indexes, ok := p.takenOver(t, func(k kept) bool { return k.old == f.Name }); ok {
			p.mysqlTakeOver(t, k, indexes)
			continue
		}
		s := p.ddl(script.Destroys, fmt.Sprintf("%s: drop the column, with its values", t.column(f.Name)), p.alter(t.Now.Name, "DROP COLUMN %s", p.Quote(f.Name)),
			[]string{instant, inPlace, copying}, gone("column", t.Now.Name, f.Name))
		if triggers := p.triggersOf(t, f); len(triggers) > 0 {
			s.Locked, s.Note = t.Now.Name, lockedNote
			p.first(s, triggers)
		}
	}
}

// mysqlConstraints adds checks and foreign keys, which MySQL compares with every row of a copy.
func (p *planner) mysqlConstraints(t *Table) {
	_, checks := p.mysqlChecks(t)
	for _, c := range checks {
		s := p.ddl(script.Rewrites, t.column(c.Column)+": check its values", p.alter(t.Now.Name, "ADD %s", c.DDL), []string{copying}, there("constraint", t.Now.Name, c.Name))
		p.first(s, p.again(t, c.Column))
	}
	_, keys := p.mysqlKeys(t)
	for _, k := range keys {
		p.ddl(script.Rewrites, fmt.Sprintf("%s: refer to %s", t.column(k.Column), k.To), p.alter(t.Now.Name, "ADD %s", k.DDL), []string{copying}, there("constraint", t.Now.Name, k.Name)).
			Refuse = p.dangles(t, k)
	}
}
