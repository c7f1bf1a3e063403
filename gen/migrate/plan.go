package migrate

import (
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Plan returns, for each target, the steps that turn the old tables into the new ones.
func Plan(name, parent string, c *Comparison, targets []model.Database) map[model.Database]*script.Script {
	out := map[model.Database]*script.Script{}
	for _, db := range targets {
		p := &planner{Writer: statement.Writer{Dialect: dialects[db]}, db: db, c: c, out: &script.Script{Name: name, Parent: parent, After: c.after(name)}}
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
		p.renameNamed()
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

// kept returns the tables that existed before.
func (p *planner) kept() []*Table {
	return slices.DeleteFunc(slices.Clone(p.c.Tables), func(t *Table) bool { return t.Before == nil })
}

// created returns the new tables.
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

// done adds the probe by which MySQL's tables show that a step's first statement has taken effect.
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
