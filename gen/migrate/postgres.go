package migrate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// postgres orders the steps for PostgreSQL. Each is a transaction of its own that holds its lock only for a
// moment: what has to read every row does so without a lock, by validating constraints that were added
// NOT VALID, and indexes are built concurrently.
func (p *planner) postgres() {
	p.postgresRenames()
	for _, t := range p.kept() {
		p.postgresDrops(t)
	}
	p.createTables()
	for _, t := range p.kept() {
		for _, c := range t.Columns {
			if c.Before == nil {
				p.postgresAdd(t, c)
			} else {
				p.postgresChange(t, c)
			}
		}
	}
	for _, t := range p.kept() {
		p.dropColumns(t)
	}
	for _, t := range p.kept() {
		p.postgresConstraints(t)
	}
	p.dropTables()
}

// postgresRenames is one step: no one sees half of a swap.
func (p *planner) postgresRenames() {
	var statements, what []string
	add := func(format string, args ...any) { statements = append(statements, fmt.Sprintf(format, args...)) }
	for _, m := range p.tableMoves() {
		add("ALTER TABLE %s RENAME TO %s", p.Quote(m.from), p.Quote(m.to))
		add("ALTER INDEX IF EXISTS %s RENAME TO %s", p.Quote(m.from+"_pkey"), p.Quote(m.to+"_pkey"))
		add("ALTER SEQUENCE IF EXISTS %s RENAME TO %s", p.Quote(m.from+"_id_seq"), p.Quote(m.to+"_id_seq"))
		what = append(what, m.from+" becomes "+m.to)
	}
	for _, t := range p.kept() {
		table := p.Quote(t.Now.Name)
		for _, m := range t.columnMoves() {
			add("ALTER TABLE %s RENAME COLUMN %s TO %s", table, p.Quote(m.from), p.Quote(m.to))
			what = append(what, t.column(m.from)+" becomes "+m.to)
		}
		constraints := slices.Concat(
			pairs(p.before[t].Checks, p.moved[t].Checks, func(c dialect.Check) string { return c.Name }),
			pairs(p.before[t].ForeignKeys, p.moved[t].ForeignKeys, func(k dialect.ForeignKey) string { return k.Name }))
		for _, m := range constraints {
			add("ALTER TABLE %s RENAME CONSTRAINT %s TO %s", table, p.Quote(m.from), p.Quote(m.to))
		}
		_, _, indexes := p.changedIndexes(t)
		for _, m := range inOrder(indexes) {
			add("ALTER INDEX %s RENAME TO %s", p.Quote(m.from), p.Quote(m.to))
		}
	}
	if len(statements) == 0 {
		return
	}
	if len(what) == 0 {
		what = []string{"indexes"}
	}
	p.step(script.Safe, "rename: "+strings.Join(what, ", "), statements...)
}

// postgresDrops drops the constraints and indexes that are gone.
func (p *planner) postgresDrops(t *Table) {
	var statements []string
	checks, _ := p.changedChecks(t)
	for _, c := range checks {
		statements = append(statements, p.alter(t.Now.Name, "DROP CONSTRAINT %s", p.Quote(c.Name)))
	}
	keys, _ := p.changedKeys(t)
	for _, k := range keys {
		statements = append(statements, p.alter(t.Now.Name, "DROP CONSTRAINT %s", p.Quote(k.Name)))
	}
	indexes, _, _ := p.changedIndexes(t)
	for _, x := range indexes {
		if !p.replaced(t, x) {
			statements = append(statements, "DROP INDEX "+p.Quote(x.Name))
		}
	}
	if len(statements) > 0 {
		p.step(script.Safe, t.Now.Name+": drop constraints and indexes that change", statements...)
	}
}

func (p *planner) postgresAdd(t *Table, c *Column) {
	now := p.columnOf(p.now[t], c.Now.Name)
	declaration := p.Quote(now.Name) + " " + now.Type
	filled := p.filledByDefault(t, c)
	if filled {
		declaration = now.DDL
	}
	p.step(script.Safe, t.column(c.Now.Name)+": add the column", p.alter(t.Now.Name, "ADD COLUMN %s", declaration))
	if filled {
		return
	}
	p.fill(t, c)
	if now.Default != "" {
		p.step(script.Safe, t.column(c.Now.Name)+": set the default", p.alter(t.Now.Name, "ALTER COLUMN %s SET DEFAULT %s", p.Quote(now.Name), now.Default))
	}
}

func (p *planner) postgresChange(t *Table, c *Column) {
	p.moveMembers(t, c)
	old, now := p.columnOf(p.moved[t], c.Now.Name), p.columnOf(p.now[t], c.Now.Name)
	name := p.Quote(now.Name)
	retype := old.Type != now.Type
	var first []string
	if old.Default != "" && (old.Default != now.Default || retype) {
		first = append(first, p.alter(t.Now.Name, "ALTER COLUMN %s DROP DEFAULT", name))
	}
	if old.NotNull && !now.NotNull {
		first = append(first, p.alter(t.Now.Name, "ALTER COLUMN %s DROP NOT NULL", name))
	}
	if len(first) > 0 {
		p.step(script.Safe, t.column(now.Name)+": drop what changes", first...)
	}
	narrows := retype && !c.converts()
	if narrows { // what does not fit is changed before the type is
		p.optionValues(t, c)
		p.fill(t, c)
	}
	if retype {
		p.postgresRetype(t, c, old, now)
	}
	if !narrows {
		p.optionValues(t, c)
		p.fill(t, c)
	}
	if now.Default != "" && (old.Default != now.Default || retype) {
		p.step(script.Safe, t.column(now.Name)+": set the default", p.alter(t.Now.Name, "ALTER COLUMN %s SET DEFAULT %s", name, now.Default))
	}
}

func (p *planner) postgresRetype(t *Table, c *Column, old, now dialect.Column) {
	using, class, note := "", script.Rewrites, "others wait while the table is written again"
	if c.converts() {
		using = " USING " + p.recast(c, c.Now.Name)
	} else if widens(old, now) {
		class, note = script.Safe, ""
	}
	var first []string
	if again := p.again(t, now.Name); len(again) > 0 && class == script.Rewrites {
		first = append([]string{fmt.Sprintf("LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", p.Quote(t.Now.Name))}, again...)
	}
	s := p.step(class, fmt.Sprintf("%s: %s becomes %s", t.column(now.Name), plainType(old.Type), plainType(now.Type)),
		append(first, p.alter(t.Now.Name, "ALTER COLUMN %s TYPE %s%s", p.Quote(now.Name), now.Type, using))...)
	s.Note = note
	if c.converts() {
		s.Refuse = p.misfitRefusals(t, c, atCast, c.Now.Name)
	}
}

func plainType(t string) string { return strings.TrimSuffix(t, ` COLLATE "C"`) }

// widens reports whether PostgreSQL changes the type without reading the rows.
func widens(old, now dialect.Column) bool {
	if old.Field.Storage().Kind != check.Text || now.Field.Storage().Kind != check.Text {
		return false
	}
	before, limited := varchar(old.Type)
	after, stays := varchar(now.Type)
	return limited && (!stays || after >= before) || !limited && !stays
}

// varchar returns the length of a limited text type.
func varchar(t string) (int, bool) {
	digits, ok := strings.CutPrefix(plainType(t), "varchar(")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSuffix(digits, ")"))
	return n, err == nil
}

// dropColumns drops columns, whose constraints and indexes have been dropped before.
func (p *planner) dropColumns(t *Table) {
	for _, f := range t.Dropped {
		p.step(script.Destroys, fmt.Sprintf("%s: drop the column, with its values", t.column(f.Name)),
			append(p.triggersOf(t, f), p.alter(t.Now.Name, "DROP COLUMN %s", p.Quote(f.Name)))...)
	}
}

func (p *planner) postgresConstraints(t *Table) {
	_, checks := p.changedChecks(t)
	for _, c := range checks {
		p.validated(t, c.Column, "check its values", c.Name, c.DDL, nil)
	}
	for _, c := range t.Columns {
		old, now := p.columnOf(p.moved[t], c.Now.Name), p.columnOf(p.now[t], c.Now.Name)
		if now.NotNull && !old.NotNull && (c.Before != nil || !p.filledByDefault(t, c)) {
			p.postgresNotNull(t, now.Name)
		}
	}
	_, keys := p.changedKeys(t)
	for _, k := range keys {
		p.validated(t, k.Column, "refer to "+k.To, k.Name, k.DDL, p.dangles(t, k))
	}
	_, indexes, _ := p.changedIndexes(t)
	for _, x := range indexes {
		if old := p.replaces(t, x); old != "" {
			p.postgresReplace(t, old, x)
			continue
		}
		p.concurrently(t, x.Name, x.DDL).Refuse = p.repeats(t, x.Name)
	}
}

func (p *planner) concurrently(t *Table, name, ddl string) *script.Step {
	s := p.step(script.Safe, fmt.Sprintf("%s: build the index %s", t.Now.Name, name), strings.Replace(ddl, "INDEX ", "INDEX CONCURRENTLY ", 1))
	s.Alone = true
	s.Statements[0].Done = []script.Probe{{Kind: "index", Table: t.Now.Name, Name: name}}
	return s
}

// postgresReplace builds an index beside the one of the same columns, and takes its place: at no time could
// rows be written that both refuse, and at no time are queries without it.
func (p *planner) postgresReplace(t *Table, old string, x dialect.Index) {
	fresh := model.ShortName("modulagen_new_" + x.Name)
	p.concurrently(t, fresh, strings.Replace(x.DDL, p.Quote(x.Name), p.Quote(fresh), 1))
	p.step(script.Safe, fmt.Sprintf("%s: the index %s takes the place of the one that is there", t.Now.Name, x.Name),
		"DROP INDEX "+p.Quote(old), fmt.Sprintf("ALTER INDEX %s RENAME TO %s", p.Quote(fresh), p.Quote(x.Name)))
}

// replaces names the index of before that has the columns and rows of a new one, which differs in where
// empty values stand; empty: there is none.
func (p *planner) replaces(t *Table, x dialect.Index) string {
	gone, _, _ := p.changedIndexes(t)
	at := slices.IndexFunc(t.Now.Indexes, func(n *model.Index) bool { return n.Name == x.Name })
	if at < 0 {
		return ""
	}
	key := p.indexKey(t.Now, t.Now.Indexes[at])
	for _, old := range t.Moved.Indexes {
		if p.indexKey(t.Moved, old) == key && slices.ContainsFunc(gone, func(g dialect.Index) bool { return g.Name == old.Name }) {
			return old.Name
		}
	}
	return ""
}

// replaced reports whether a new index takes the place of an old one.
func (p *planner) replaced(t *Table, old dialect.Index) bool {
	_, added, _ := p.changedIndexes(t)
	return slices.ContainsFunc(added, func(x dialect.Index) bool { return p.replaces(t, x) == old.Name })
}

// validated adds a constraint for new rows, and then checks existing ones, which blocks no one.
func (p *planner) validated(t *Table, column, what, name, ddl string, refuse []script.Refusal) {
	p.step(script.Safe, fmt.Sprintf("%s: %s, of new rows", t.column(column), what), p.alter(t.Now.Name, "ADD %s NOT VALID", ddl)).Refuse = refuse
	if again := p.again(t, column); len(again) > 0 {
		p.step(script.Data, t.column(column)+": change the rows that were written meanwhile", again...)
	}
	p.step(script.Safe, fmt.Sprintf("%s: %s, of the rows that are there", t.column(column), what), p.alter(t.Now.Name, "VALIDATE CONSTRAINT %s", p.Quote(name)))
}

func (p *planner) postgresNotNull(t *Table, column string) {
	name := "modulagen_not_null"
	p.validated(t, column, "hold a value", name, fmt.Sprintf("CONSTRAINT %s CHECK (%s IS NOT NULL)", name, p.Quote(column)), nil)
	p.step(script.Safe, t.column(column)+": NOT NULL, which needs no further look at the rows",
		p.alter(t.Now.Name, "ALTER COLUMN %s SET NOT NULL", p.Quote(column)), p.alter(t.Now.Name, "DROP CONSTRAINT %s", name))
}
