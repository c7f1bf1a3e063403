package migrate

import (
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// createTables creates the new tables. A reference to one that is created later is added after that.
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

// dropTables drops tables: first the foreign keys between them, then those that refer to others. What else
// depends on them, such as a view that a person made, has the database refuse that.
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

// dropKey drops a foreign key. On SQLite that is not needed: foreign keys are off meanwhile.
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
