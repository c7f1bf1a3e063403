package migrate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// A field with `keep: true` gets its new name in two migrations, so that programs of both
// versions work meanwhile. The first adds the new column beside the old one, and triggers that
// write each of them to the other; the second, which waits until no program of before runs,
// removes the triggers and the old column.

// kept is a column and the one of its old name, which triggers keep the same.
type kept struct{ now, old string }

// kept returns the columns of a table that triggers keep the same.
func (s *Snapshot) kept(table string) []kept {
	var out []kept
	for _, d := range s.Datatypes {
		for _, f := range d.Fields {
			if d.Name == table && f.Kept != "" {
				out = append(out, kept{f.Name, f.Kept})
			}
		}
	}
	return out
}

// keeps reports whether a column of before was kept beside another one.
func (t *Table) keeps(name string) bool {
	return slices.ContainsFunc(t.Kept, func(k kept) bool { return k.old == name })
}

// expanded returns the project as it is between the two migrations: with the columns of the
// old names beside those of the new ones. It is nil where no field has keep. Its error is a
// mistake.List.
func expanded(before *Snapshot, p *model.Project) (*Snapshot, error) {
	s := Take(p)
	wanted := false
	var found mistake.List
	for i, d := range p.Datatypes {
		j := slices.IndexFunc(before.Datatypes, func(b Datatype) bool { return b.Name == d.Name })
		for _, f := range d.Fields {
			if !f.Keep {
				continue
			}
			if j < 0 {
				found = append(found, keptOfRenamed(before, d, f)...)
				continue
			}
			asked, wrong := s.Datatypes[i].expand(before.Datatypes[j], f)
			wanted = wanted || asked
			found = append(found, wrong...)
		}
	}
	if !wanted || len(found) > 0 {
		return nil, found.Err()
	}
	return s, nil
}

// keptOfRenamed refuses to keep a column of a table that is renamed: programs of before would not find the table.
func keptOfRenamed(before *Snapshot, d *model.Datatype, f *model.Field) mistake.List {
	has := func(b Datatype) bool {
		return b.Name == d.Was && slices.ContainsFunc(b.Fields, func(old Field) bool { return old.Name == f.Was })
	}
	if d.Was == "" || !slices.ContainsFunc(before.Datatypes, has) {
		return nil
	}
	return mistake.List{at(f.WasPos, fmt.Sprintf("keep: the datatype %s is renamed too, so that programs of before find no table %s to write the column %s of", d.Name, d.Was, f.Was),
		"leave keep out, or rename the datatype in a migration before or after this one")}
}

// expand puts the column of before beside the field's. asked is false where that was done by
// an earlier migration.
func (d *Datatype) expand(before Datatype, f *model.Field) (asked bool, found mistake.List) {
	old := slices.IndexFunc(before.Fields, func(b Field) bool { return b.Name == f.Was })
	now := slices.IndexFunc(d.Fields, func(n Field) bool { return n.Name == f.Name })
	done := slices.ContainsFunc(before.Fields, func(b Field) bool { return b.Name == f.Name && b.Was == f.Was })
	if old < 0 || done {
		return false, nil
	}
	column := before.Fields[old]
	if !bothWays(column.restore(), f) {
		return true, mistake.List{at(f.WasPos, fmt.Sprintf("keep: values of the %s %s and of the %s %s cannot be written to one another", column.Type, column.Name, f.Type, f.Name),
			"leave keep out, or add the new field, fill it by a data step, and drop the old one later")}
	}
	if !sameLimits(column.restore(), f) {
		return true, mistake.List{at(f.WasPos, fmt.Sprintf("keep: %s and %s do not have the same limits or options, so that programs of one version would write what the column of the other refuses", column.Name, f.Name),
			"rename it with the limits and options that it has, and change them in a migration after that")}
	}
	if wrong := keptMembers(column, f); len(wrong) > 0 {
		return true, wrong
	}
	if now := before.namesIn(d); !slices.Equal(before.uniques(column.Name, now), d.uniques(f.Name, nil)) {
		return true, mistake.List{at(f.WasPos, fmt.Sprintf("keep: %s and %s are not unique in the same indexes, so that programs of one version would write what the column of the other refuses", column.Name, f.Name),
			"rename it with the unique indexes that it has, and change them in a migration after that")}
	}
	column.Filled = filled(column, d.Fields[now])
	// A default would count as a value that was written, before the one of the other column.
	column.NotNull, column.Required, column.Default, column.Was = false, false, nil, ""
	d.Fields[now].NotNull, d.Fields[now].Required, d.Fields[now].Default, d.Fields[now].Kept = false, false, nil, column.Name
	d.Fields[now].Existing = "" // the second migration does it
	d.Fields = append(d.Fields, column)
	for _, x := range before.Indexes {
		if x.names(column.Name) && !slices.ContainsFunc(d.Indexes, func(o Index) bool { return o.Name == x.Name }) && d.hasAll(x) {
			d.Indexes = append(d.Indexes, x)
		}
	}
	return true, nil
}

// filled reports how the column of the old name can stay NOT NULL: both columns must have a value, and a row that
// is inserted without either gets the same default in both. Making it nullable would rewrite the whole table on MySQL.
func filled(old, now Field) *Filled {
	same := old.Default == nil && now.Default == nil ||
		old.Default != nil && now.Default != nil && *old.Default == *now.Default && old.Type == now.Type && old.Scale == now.Scale
	if !old.NotNull || !now.NotNull || !same {
		return nil
	}
	return &Filled{Default: old.Default}
}

// namesIn returns the names that the fields of before have now, by their own where they have others.
func (d Datatype) namesIn(now *Datatype) map[string]string {
	list := func(fields []Field) (out []named) {
		for _, f := range fields {
			out = append(out, named{name: f.Name, was: f.Was})
		}
		return out
	}
	old, _ := renamed(list(now.Fields), list(d.Fields)) // Compare reports what is wrong with them
	return flipped(old)
}

// uniques describes the unique indexes that name a column, in order, without their names. now are the names
// to describe columns by; those without one have their own.
func (d Datatype) uniques(column string, now map[string]string) []string {
	name := func(s string) string { return cmp.Or(now[s], s) }
	var conditions func(all []Condition) string
	conditions = func(all []Condition) (out string) {
		for _, c := range all {
			out += fmt.Sprintf("(%s %s %q %s)", name(c.Field), c.Op, c.Values, conditions(c.Any))
		}
		return out
	}
	var out []string
	for _, x := range d.Indexes {
		where := conditions(x.Where)
		if !x.Unique || !x.names(column) && !conditionsName(x.Where, column) {
			continue
		}
		var columns []string
		for _, c := range x.Columns {
			own, _ := cutDescending(c)
			columns = append(columns, name(own))
		}
		slices.Sort(columns)
		out = append(out, strings.Join(columns, " ")+" "+where)
	}
	slices.Sort(out)
	return out
}

func conditionsName(all []Condition, column string) bool {
	return slices.ContainsFunc(all, func(c Condition) bool { return c.Field == column || conditionsName(c.Any, column) })
}

func (x Index) names(column string) bool {
	return slices.ContainsFunc(x.Columns, func(c string) bool { name, _ := cutDescending(c); return name == column })
}

func (d *Datatype) hasAll(x Index) bool {
	has := func(name string) bool {
		return slices.ContainsFunc(d.Fields, func(f Field) bool { return f.Name == name })
	}
	for _, c := range x.Columns {
		if name, _ := cutDescending(c); !has(name) {
			return false
		}
	}
	var all func(list []Condition) bool
	all = func(list []Condition) bool {
		for _, c := range list {
			if c.Field != "" && !has(c.Field) || !all(c.Any) {
				return false
			}
		}
		return true
	}
	return all(x.Where)
}

// bothWays reports whether every value of each column has a counterpart in the other.
func bothWays(old, now *model.Field) bool {
	there, ok := convert(old, now)
	back, okBack := convert(now, old)
	return ok && okBack && there.misfit == [3]string{} && back.misfit == [3]string{}
}

// sameLimits reports whether both columns take the same values.
func sameLimits(old, now *model.Field) bool {
	renamed := slices.ContainsFunc(now.Options, func(o model.Option) bool {
		return o.Was != "" && slices.ContainsFunc(old.Options, func(before model.Option) bool { return before.Value == o.Was })
	})
	same := func(a, b check.Bound) bool { return a.IsSet() == b.IsSet() && (!a.IsSet() || a.Compare(b) == 0) }
	options := func(f *model.Field) []string { return slices.Sorted(slices.Values(f.Rules.Options)) }
	return !renamed && same(old.Rules.Min, now.Rules.Min) && same(old.Rules.Max, now.Rules.Max) && slices.Equal(options(old), options(now))
}

// between is the project between the two migrations, with what a person said about the rest.
func between(s *Snapshot, p *model.Project) *model.Project {
	out := &model.Project{Config: p.Config, Datatypes: s.Project()}
	for i, d := range out.Datatypes {
		from := p.Datatypes[i]
		d.Pos, d.Was, d.WasPos, d.Drop = from.Pos, from.Was, from.WasPos, from.Drop
		for j, f := range from.Fields {
			to := d.Fields[j]
			to.Pos, to.Was, to.WasPos, to.Existing, to.Drop = f.Pos, f.Was, f.WasPos, f.Existing, f.Drop
			if s.Datatypes[i].Fields[j].Kept != "" {
				to.Was, to.Existing = "", nil // it is a new column here
			}
			for k, o := range f.Options {
				to.Options[k].Was, to.Options[k].WasPos = o.Was, o.WasPos
			}
			for k, m := range f.JSONFields {
				to.JSONFields[k].Pos, to.JSONFields[k].WasPos = m.Pos, m.WasPos
			}
		}
	}
	return out
}

// keepBeside marks the columns that are kept the same from here on, until they are as in p.
func (c *Comparison) keepBeside(s *Snapshot, p *model.Project) {
	for _, t := range c.Tables {
		for _, k := range s.kept(t.Now.Name) {
			for _, column := range t.Columns {
				if column.Now.Name == k.now {
					column.Keeps, column.Becomes = k.old, fieldOf(byName(p.Datatypes, t.Now.Name), k.now)
				}
			}
		}
	}
}

// beside reports whether a column of before stays as the old name of another one.
func (t *Table) beside(name string) bool {
	return slices.ContainsFunc(t.Columns, func(c *Column) bool { return c.Keeps == name })
}

// keepSame makes the triggers, and then fills the new column of the rows that are there.
func (p *planner) keepSame() {
	for _, t := range p.c.Tables {
		for _, c := range t.Columns {
			if c.Keeps == "" {
				continue
			}
			what := fmt.Sprintf("%s: keep it the same as %s", t.column(c.Now.Name), c.Keeps)
			s := p.step(script.Safe, what, p.triggers(t, c)...)
			p.triggersDone(s, t, kept{c.Now.Name, c.Keeps})
			old := fieldOf(t.Before, c.Keeps)
			there, _ := convert(old, c.Now)
			value := there.converted(p.Dialect, p.Quote(c.Keeps))
			fill := p.step(script.Data, fmt.Sprintf("%s: fill it from %s", t.column(c.Now.Name), c.Keeps),
				fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s IS NULL AND %s IS NOT NULL", p.Quote(t.Now.Name), p.Quote(c.Now.Name), value, p.Quote(c.Now.Name), p.Quote(c.Keeps)))
			fill.Batches = t.Now.Name
		}
	}
}

// keepNoLonger removes the triggers that are not removed with the column of the old name.
func (p *planner) keepNoLonger() {
	for _, t := range p.kept() {
		for _, k := range t.Kept {
			if p.keptToTheEnd(t, k) {
				continue
			}
			s := p.step(script.Safe, fmt.Sprintf("%s: keep it the same as %s no longer", t.column(k.now), k.old), p.dropTriggers(t, k)...)
			for i := range s.Statements {
				s.Statements[i].Repeatable = p.Dialect == sqltext.MySQL
			}
		}
	}
}

// keptToTheEnd reports whether the triggers stay until the column of the old name goes. A program of before that
// was suspended, and goes on meanwhile, writes into that column alone. They name tables and columns as those
// were, and on SQLite all is one transaction.
func (p *planner) keptToTheEnd(t *Table, k kept) bool {
	drops := slices.ContainsFunc(t.Dropped, func(f *model.Field) bool { return f.Name == k.old })
	stays := slices.ContainsFunc(t.Columns, func(c *Column) bool {
		return c.Before != nil && c.Before.Name == k.now && c.Now.Name == k.now && !c.converts()
	})
	return !p.isSQLite() && t.Before.Name == t.Now.Name && drops && stays
}

// triggersOf are the statements that remove the triggers of a column that goes.
func (p *planner) triggersOf(t *Table, f *model.Field) (out []string) {
	for _, k := range t.Kept {
		if k.old == f.Name && p.keptToTheEnd(t, k) {
			out = append(out, p.dropTriggers(t, k)...)
		}
	}
	return out
}

func triggerName(table string, k kept, event string) string {
	return model.ShortName("modulagen_keep_" + table + "_" + k.now + event)
}

// triggers are what writes each of two columns to the other. Where a write sets both, the new
// one counts.
func (p *planner) triggers(t *Table, c *Column) []string {
	k := kept{c.Now.Name, c.Keeps}
	table, now, old := p.Quote(t.Now.Name), p.Quote(k.now), p.Quote(k.old)
	before := fieldOf(t.Before, k.old)
	there, _ := convert(before, c.Now)
	back, _ := convert(c.Now, before)
	toNow, toOld := there.converted(p.Dialect, "NEW."+old), back.converted(p.Dialect, "NEW."+now)
	first := fmt.Sprintf("COALESCE(NEW.%s, %s)", now, toNow)
	if f := c.Becomes; f.NotNull && f.Default != nil { // neither column has one meanwhile
		first = fmt.Sprintf("COALESCE(NEW.%s, %s, %s)", now, toNow, p.defaultValue(f))
	}
	insert, update := p.Quote(triggerName(t.Now.Name, k, "_insert")), p.Quote(triggerName(t.Now.Name, k, "_update"))
	switch p.Dialect {
	case sqltext.Postgres:
		name := p.Quote(triggerName(t.Now.Name, k, ""))
		return []string{
			fmt.Sprintf("CREATE FUNCTION %[1]s() RETURNS trigger LANGUAGE plpgsql AS %[7]s BEGIN "+
				"IF TG_OP = 'INSERT' THEN NEW.%[2]s := %[6]s; NEW.%[3]s := %[5]s; "+
				"ELSIF %[8]s IS DISTINCT FROM %[9]s THEN NEW.%[3]s := %[5]s; "+
				"ELSIF %[10]s IS DISTINCT FROM %[11]s THEN NEW.%[2]s := %[4]s; END IF; RETURN NEW; END %[7]s", name, now, old, toNow, toOld, first, dollars(toNow+toOld+first),
				p.exactly(c.Now, "NEW."+now), p.exactly(c.Now, "OLD."+now), p.exactly(before, "NEW."+old), p.exactly(before, "OLD."+old)),
			fmt.Sprintf("CREATE TRIGGER %s BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s()", name, table, name),
		}
	case sqltext.MySQL:
		changed := fmt.Sprintf("NOT (%s <=> %s)", p.exactly(c.Now, "NEW."+now), p.exactly(c.Now, "OLD."+now))
		unchanged := fmt.Sprintf("%s <=> %s", p.exactly(before, "NEW."+old), p.exactly(before, "OLD."+old))
		return []string{
			"DROP TRIGGER IF EXISTS " + insert,
			fmt.Sprintf("CREATE TRIGGER %s BEFORE INSERT ON %s FOR EACH ROW SET NEW.%s = %s, NEW.%s = %s", insert, table, now, first, old, toOld),
			"DROP TRIGGER IF EXISTS " + update,
			fmt.Sprintf("CREATE TRIGGER %s BEFORE UPDATE ON %s FOR EACH ROW SET NEW.%s = CASE WHEN %s THEN %s ELSE NEW.%s END, NEW.%s = CASE WHEN %s OR %s THEN NEW.%s ELSE %s END",
				update, table, old, changed, toOld, old, now, changed, unchanged, now, toNow),
		}
	}
	return []string{
		fmt.Sprintf("CREATE TRIGGER %s AFTER INSERT ON %s BEGIN\n  UPDATE %s SET %s = %s, %s = %s WHERE id = NEW.id;\nEND",
			insert, table, table, now, first, old, back.converted(p.Dialect, first)),
		fmt.Sprintf("CREATE TRIGGER %s AFTER UPDATE OF %s, %s ON %s WHEN NEW.%s IS NOT OLD.%s OR NEW.%s IS NOT OLD.%s BEGIN\n  UPDATE %s SET %s = CASE WHEN NEW.%s IS NOT OLD.%s THEN %s ELSE NEW.%s END, "+
			"%s = CASE WHEN NEW.%s IS NOT OLD.%s THEN NEW.%s ELSE %s END WHERE id = NEW.id;\nEND",
			update, now, old, table, now, now, old, old, table, old, now, now, toOld, old, now, now, now, now, toNow),
	}
}

// keyUnder is the indexKey of an index on columns of old names, with the new ones; empty: it has none of them.
func (p *planner) keyUnder(t *Table, x *model.Index, all []kept) string {
	renamed, found := &model.Index{Unique: x.Unique, Where: x.Where}, false
	for _, c := range x.Columns {
		if i := slices.IndexFunc(all, func(k kept) bool { return k.old == c.Field.Name }); i >= 0 {
			c.Field, found = fieldOf(t.Now, all[i].now), true
		}
		renamed.Columns = append(renamed.Columns, c)
	}
	if !found {
		return ""
	}
	return p.indexKey(t.Now, renamed)
}

// keeping are the columns that are kept under their old names from here on.
func (t *Table) keeping() (all []kept) {
	for _, c := range t.Columns {
		if c.Keeps != "" {
			all = append(all, kept{c.Now.Name, c.Keeps})
		}
	}
	return all
}

// exactly is what tells two values of a column apart where the database takes some of them for equal: 1 and 1.0 in JSON.
func (p *planner) exactly(f *model.Field, value string) string {
	if f.Storage().Kind != check.JSON {
		return value
	}
	return fmt.Sprintf([...]string{sqltext.SQLite: "%s", sqltext.Postgres: "%s::text", sqltext.MySQL: "CAST(%s AS CHAR)"}[p.Dialect], value)
}

// dollars is a quote of PostgreSQL that a text does not hold.
func dollars(text string) string {
	quote := "$$"
	for n := 1; strings.Contains(text, quote); n++ {
		quote = fmt.Sprintf("$q%d$", n)
	}
	return quote
}

func (p *planner) dropTriggers(t *Table, k kept) []string {
	if p.Dialect == sqltext.Postgres {
		name := p.Quote(triggerName(t.Before.Name, k, ""))
		return []string{fmt.Sprintf("DROP TRIGGER %s ON %s", name, p.Quote(t.Before.Name)), fmt.Sprintf("DROP FUNCTION %s()", name)}
	}
	drop := "DROP TRIGGER "
	if p.Dialect == sqltext.MySQL {
		drop += "IF EXISTS "
	}
	var out []string
	for _, event := range keepEvents {
		out = append(out, drop+p.Quote(triggerName(t.Before.Name, k, event)))
	}
	return out
}

// triggersDone says how one sees that MySQL has made each trigger: it does not make one again that
// is there, and the statement that drops it first is another one.
func (p *planner) triggersDone(s *script.Step, t *Table, k kept) {
	if p.Dialect != sqltext.MySQL {
		return
	}
	for i, event := range keepEvents {
		drop, create := &s.Statements[2*i], &s.Statements[2*i+1]
		drop.Repeatable = true
		create.Done = []script.Probe{there("trigger", t.Now.Name, triggerName(t.Now.Name, k, event))}
	}
}

// keepEvents are what the triggers of MySQL and SQLite are named by, in the order in which they are made.
var keepEvents = []string{"_insert", "_update"}
