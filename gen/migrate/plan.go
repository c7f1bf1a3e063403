package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Plan returns the steps that make the tables of before those of now, on each of some databases.
func Plan(name, parent string, c *Comparison, targets []model.Database) map[model.Database]*script.Script {
	out := map[model.Database]*script.Script{}
	for _, db := range targets {
		p := &planner{Writer: statement.Writer{Dialect: dialects[db]}, db: db, c: c, out: &script.Script{Name: name, Parent: parent, After: c.After}}
		p.layouts()
		p.out.Refused = p.refused()
		p.refuseEarly()
		p.keepNoLonger()
		switch db {
		case model.SQLite:
			p.sqlite()
		case model.Postgres:
			p.postgres()
		case model.MySQL:
			p.mysql()
		}
		p.keepSame()
		out[db] = p.out
	}
	return out
}

var dialects = map[model.Database]sqltext.Dialect{
	model.SQLite: sqltext.SQLite, model.Postgres: sqltext.Postgres, model.MySQL: sqltext.MySQL,
}

// planner writes the steps for one database.
type planner struct {
	statement.Writer
	db  model.Database
	c   *Comparison
	out *script.Script

	before, moved, now map[*Table]dialect.Layout
}

func (p *planner) layouts() {
	p.before, p.moved, p.now = map[*Table]dialect.Layout{}, map[*Table]dialect.Layout{}, map[*Table]dialect.Layout{}
	for _, t := range p.c.Tables {
		p.now[t] = dialect.Describe(t.Now, p.db)
		if t.Before != nil {
			p.before[t], p.moved[t] = dialect.Describe(t.Before, p.db), dialect.Describe(t.Moved, p.db)
		}
	}
}

// kept are the tables that were there before.
func (p *planner) kept() []*Table {
	return slices.DeleteFunc(slices.Clone(p.c.Tables), func(t *Table) bool { return t.Before == nil })
}

// created are the tables that are new.
func (p *planner) created() []*Table {
	return slices.DeleteFunc(slices.Clone(p.c.Tables), func(t *Table) bool { return t.Before != nil })
}

// step adds a step of plain statements.
func (p *planner) step(class script.Class, what string, statements ...string) *script.Step {
	s := script.Step{Class: class, What: what}
	for _, text := range statements {
		s.Statements = append(s.Statements, script.Statement{SQL: text})
	}
	p.out.Steps = append(p.out.Steps, s)
	return &p.out.Steps[len(p.out.Steps)-1]
}

// done says how one sees that a step's first statement has taken effect, where it is no
// transaction.
func (p *planner) done(s *script.Step, probe script.Probe) {
	if p.db == model.MySQL {
		s.Statements[0].Done = []script.Probe{probe}
	}
}

// alter is the start of a statement that changes a table.
func (p *planner) alter(table, format string, args ...any) string {
	return "ALTER TABLE " + p.Quote(table) + " " + fmt.Sprintf(format, args...)
}

// column names a column for people.
func (t *Table) column(name string) string { return t.Now.Name + "." + name }

// refuseEarly looks for rows that do not fit before anything is changed.
func (p *planner) refuseEarly() {
	var all []script.Refusal
	for _, t := range p.kept() {
		for _, c := range t.Columns {
			all = append(all, p.refusalsEarly(t, c)...)
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

// misfitRefusals looks for rows that do not fit and of which the definition does not say what they become. A
// data step cannot have a value converted that has no counterpart.
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

// wasUnique reports whether rows were held to the same before, under whatever name.
func (p *planner) wasUnique(t *Table, x *model.Index) bool {
	if t.Before == nil {
		return true
	}
	now := p.indexKey(t.Now, x)
	return slices.ContainsFunc(t.Moved.Indexes, func(old *model.Index) bool { return p.indexKey(t.Moved, old) == now })
}

// indexKey is what an index does, without its name.
func (p *planner) indexKey(d *model.Datatype, x *model.Index) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v", x.Unique)
	for _, c := range x.Columns {
		fmt.Fprintf(&b, " %s %v", c.Field.Name, c.Desc)
	}
	if len(x.Where) > 0 {
		b.WriteString(" " + p.Conditions(x.Where))
	}
	return b.String()
}

// refused says why a program of the version before cannot work on the result; empty: it can.
func (p *planner) refused() string {
	for _, d := range p.c.Dropped {
		return fmt.Sprintf("the table %s is gone", d.Name)
	}
	for _, t := range p.kept() {
		if why := p.tableRefused(t); why != "" {
			return why
		}
	}
	return ""
}

func (p *planner) tableRefused(t *Table) string {
	if t.Before.Name != t.Now.Name {
		return fmt.Sprintf("the table %s is %s now", t.Before.Name, t.Now.Name)
	}
	for _, f := range t.Dropped {
		return fmt.Sprintf("the column %s.%s is gone", t.Now.Name, f.Name)
	}
	for _, c := range t.Columns {
		if why := p.columnRefused(t, c); why != "" {
			return why
		}
	}
	for _, x := range t.Now.Indexes {
		if x.Unique && !p.wasUnique(t, x) {
			return fmt.Sprintf("the index %s of %s refuses rows that were possible", x.Name, t.Now.Name)
		}
	}
	return ""
}

func (p *planner) columnRefused(t *Table, c *Column) string {
	name, now := t.column(c.Now.Name), p.columnOf(p.now[t], c.Now.Name)
	if c.Before == nil {
		if now.NotNull && now.Default == "" {
			return fmt.Sprintf("the new column %s has no default in the database, so that rows cannot be added without it", name)
		}
		return ""
	}
	switch {
	case c.Before.Name != c.Now.Name:
		return fmt.Sprintf("the column %s.%s is %s now", t.Before.Name, c.Before.Name, c.Now.Name)
	case c.converts():
		return fmt.Sprintf("the column %s is a %s now", name, c.Now.Type)
	case c.Before.NotNull != c.Now.NotNull && c.Now.NotNull:
		return fmt.Sprintf("the column %s must have a value now", name)
	case c.Before.NotNull != c.Now.NotNull && !t.beside(c.Now.Name):
		return fmt.Sprintf("the column %s may have no value now", name)
	case len(c.Values) > 0:
		return fmt.Sprintf("options of %s have other names now", name)
	case len(p.misfits(c, late, c.Now.Name)) > 0:
		return fmt.Sprintf("the column %s holds less than before", name)
	case c.Now.Reference != nil && (c.Before.Reference == nil || c.Before.Reference.To != c.Now.Reference.To):
		return fmt.Sprintf("the column %s refers to %s now", name, c.Now.Reference.To)
	}
	return ""
}

func (p *planner) columnOf(l dialect.Layout, name string) dialect.Column {
	if i := slices.IndexFunc(l.Columns, func(c dialect.Column) bool { return c.Name == name }); i >= 0 {
		return l.Columns[i]
	}
	return dialect.Column{}
}

// createTables makes the tables that are new, with the references that they wait for.
func (p *planner) createTables() {
	there := map[string]bool{}
	for _, t := range p.kept() {
		there[t.Now.Name] = true
	}
	var waiting []*Table
	for _, t := range p.created() {
		there[t.Now.Name] = true
		l := p.now[t]
		create := l.CreateWith(p.Dialect, l.Table, func(k dialect.ForeignKey) bool { return p.isSQLite() || there[k.To] })
		s := p.step(script.Safe, fmt.Sprintf("%s: create the table", l.Table), append([]string{create}, l.CreateIndexes(p.Dialect)...)...)
		p.done(s, script.Probe{Kind: "table", Table: l.Table})
		for _, earlier := range waiting {
			p.lateForeignKeys(earlier, l.Table)
		}
		waiting = append(waiting, t)
	}
}

// lateForeignKeys adds references of a new table to one that was made after it.
func (p *planner) lateForeignKeys(t *Table, to string) {
	if p.isSQLite() {
		return
	}
	for _, k := range p.now[t].ForeignKeys {
		if k.To == to {
			s := p.step(script.Safe, fmt.Sprintf("%s.%s: refer to %s", t.Now.Name, k.Column, to), p.alter(t.Now.Name, "ADD %s", k.DDL))
			p.done(s, script.Probe{Kind: "constraint", Table: t.Now.Name, Name: k.Name})
		}
	}
}

// dropTables removes the tables that go: those that refer to others first, and what has them refer
// to each other before. What else depends on them, such as a view that a person made, refuses that.
func (p *planner) dropTables() {
	for _, d := range p.c.Dropped {
		for _, k := range dialect.Describe(d, p.db).ForeignKeys {
			if slices.ContainsFunc(p.c.Dropped, func(o *model.Datatype) bool { return o.Name == k.To }) {
				p.dropKey(d, k)
			}
		}
	}
	gone := dialect.InOrder(p.c.Dropped)
	gone = slices.DeleteFunc(gone, func(d *model.Datatype) bool { return !slices.Contains(p.c.Dropped, d) })
	slices.Reverse(gone)
	for _, d := range gone {
		s := p.step(script.Destroys, fmt.Sprintf("%s: drop the table, with its rows", d.Name), p.dropTable(d))
		s.Statements[0].Repeatable = p.db == model.MySQL
	}
}

// dropKey drops a foreign key. SQLite, which does not enforce them meanwhile, needs not.
func (p *planner) dropKey(d *model.Datatype, k dialect.ForeignKey) {
	what := fmt.Sprintf("%s.%s: drop the foreign key", d.Name, k.Column)
	switch p.db {
	case model.Postgres:
		p.step(script.Safe, what, p.alter(d.Name, "DROP CONSTRAINT %s", p.Quote(k.Name)))
	case model.MySQL:
		p.ddl(script.Safe, what, p.alter(d.Name, "DROP FOREIGN KEY %s", p.Quote(k.Name)), []string{instant, inPlace, copying}, gone("constraint", d.Name, k.Name))
	}
}

func (p *planner) dropTable(d *model.Datatype) string {
	if p.db == model.MySQL {
		return "DROP TABLE IF EXISTS " + p.Quote(d.Name)
	}
	return "DROP TABLE " + p.Quote(d.Name)
}

// changedChecks are the checks of before that are not those of now, and the other way round.
func (p *planner) changedChecks(t *Table) (gone, added []dialect.Check) {
	return difference(p.moved[t].Checks, p.now[t].Checks, func(c dialect.Check) string { return c.DDL })
}

func (p *planner) changedKeys(t *Table) (gone, added []dialect.ForeignKey) {
	return difference(p.moved[t].ForeignKeys, p.now[t].ForeignKeys, func(k dialect.ForeignKey) string { return k.DDL })
}

// changedIndexes are the indexes of before that are not those of now, and the other way
// round, after those that only get another name.
func (p *planner) changedIndexes(t *Table) (gone, added []dialect.Index, moves []move) {
	gone, added = difference(p.moved[t].Indexes, p.now[t].Indexes, func(x dialect.Index) string { return x.DDL })
	for i := 0; i < len(gone); i++ {
		for j, a := range added {
			if p.sameBut(t, gone[i], a) {
				moves = append(moves, move{gone[i].Name, a.Name})
				gone, added = slices.Delete(gone, i, i+1), slices.Delete(added, j, j+1)
				i--
				break
			}
		}
	}
	return gone, added, moves
}

// sameBut reports whether two indexes differ in their names alone.
func (p *planner) sameBut(t *Table, old, now dialect.Index) bool {
	if slices.ContainsFunc(old.Fields, func(f string) bool { return p.retyped(t, f) }) {
		return false
	}
	without := func(x dialect.Index) string { return strings.Replace(x.DDL, p.Quote(x.Name), "", 1) }
	if p.db == model.MySQL && strings.Contains(old.DDL, model.ShortName(old.Name+"_when")) {
		return false // its generated column has another name
	}
	return without(old) == without(now)
}

// retyped reports whether a column that was there has another type in the database.
func (p *planner) retyped(t *Table, name string) bool {
	old, now := p.columnOf(p.moved[t], name), p.columnOf(p.now[t], name)
	return old.Name != "" && now.Name != "" && old.Type != now.Type
}

// difference compares two lists by a key: what only the first has, what only the second has.
func difference[T any](before, now []T, key func(T) string) (gone, added []T) {
	in := func(list []T, k string) bool {
		return slices.ContainsFunc(list, func(x T) bool { return key(x) == k })
	}
	for _, x := range before {
		if !in(now, key(x)) {
			gone = append(gone, x)
		}
	}
	for _, x := range now {
		if !in(before, key(x)) {
			added = append(added, x)
		}
	}
	return gone, added
}

// tableMoves and columnMoves are the renames, in an order in which they can be made.
func (p *planner) tableMoves() []move {
	var moves []move
	for _, t := range p.kept() {
		moves = append(moves, move{t.Before.Name, t.Now.Name})
	}
	return inOrder(moves)
}

func (t *Table) columnMoves() []move {
	var moves []move
	for i, f := range t.Before.Fields {
		moves = append(moves, move{f.Name, t.Moved.Fields[i].Name})
	}
	return inOrder(moves)
}

// pairs are the renames of the parts of a table of which the name is made from others.
func pairs[T any](before, moved []T, name func(T) string) []move {
	var moves []move
	for i := range before {
		moves = append(moves, move{name(before[i]), name(moved[i])})
	}
	return inOrder(moves)
}

// dangles looks for rows that a foreign key on a column that was there would refuse.
func (p *planner) dangles(t *Table, k dialect.ForeignKey) []script.Refusal {
	for _, c := range t.Columns {
		if c.Now.Name == k.Column && c.pointsElsewhere() {
			return []script.Refusal{{Query: p.dangling(t.Now.Name, k.Column, k.To), Because: danglingReason(t, c)}}
		}
	}
	return nil
}

// danglesEarly is dangles under the names of before.
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

// pointsElsewhere reports whether a column that was there refers to a table that it did not refer to.
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
