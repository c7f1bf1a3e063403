package migrate

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// renameNamed writes the new names of datatypes into the columns that name them, such as the topics of events and
// of subscriptions: under the old ones no program would read what waits there, nor write what is waited for.
func (p *planner) renameNamed() {
	var renamed []move
	for _, t := range p.kept() {
		if t.Now.AddedFor == "" {
			renamed = append(renamed, move{t.Before.Name, t.Now.Name})
		}
	}
	moves := inOrder(renamed)
	if len(moves) == 0 {
		return
	}
	for _, t := range p.kept() {
		for _, c := range t.Columns {
			if c.Now.Naming != "" && c.Before != nil {
				p.renameIn(t, c, moves)
			}
		}
	}
}

// renameIn is renameNamed for one column. Names are found between commas, which are put around them for that.
func (p *planner) renameIn(t *Table, c *Column, moves []move) {
	name := p.Quote(c.Now.Name)
	framed, ends := p.joined("','", name, "','"), []string{",", "."} // alone; one of its events
	if c.Now.Naming == model.NamesDatatypes {
		framed, ends = p.joined("','", name), append(ends, ":") // with a place
	}
	value := framed
	var what, where []string
	for _, m := range moves {
		what = append(what, m.from+" becomes "+m.to)
		for _, end := range ends {
			from := p.QuoteText("," + m.from + end)
			where = append(where, p.holds(framed, from))
			value = fmt.Sprintf("replace(%s, %s, %s)", value, from, p.QuoteText(","+m.to+end))
		}
	}
	set := fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s", p.Quote(t.Now.Name), name, p.unframed(value, c.Now.Naming), strings.Join(where, " OR "))
	p.inBatches(t, p.step(script.Data, fmt.Sprintf("%s: %s", t.column(c.Now.Name), strings.Join(what, ", ")), set))
}

// joined is several texts as one.
func (p *planner) joined(texts ...string) string {
	if p.Dialect == sqltext.MySQL {
		return "concat(" + strings.Join(texts, ", ") + ")"
	}
	return "(" + strings.Join(texts, " || ") + ")"
}

// holds is whether a text has another one in it.
func (p *planner) holds(text, part string) string {
	return fmt.Sprintf([...]string{sqltext.SQLite: "instr(%s, %s) > 0", sqltext.Postgres: "strpos(%s, %s) > 0", sqltext.MySQL: "instr(%s, %s) > 0"}[p.Dialect], text, part)
}

// unframed is names without the commas that were put around them. A list keeps the one that ends it.
func (p *planner) unframed(value string, n model.Naming) string {
	if n == model.NamesDatatypes {
		return fmt.Sprintf("substr(%s, 2)", value)
	}
	if p.isSQLite() {
		return fmt.Sprintf("trim(%s, ',')", value)
	}
	return fmt.Sprintf("trim(BOTH ',' FROM %s)", value)
}
