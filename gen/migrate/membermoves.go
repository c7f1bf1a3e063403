package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// moveMembers has documents hold what renamed members hold under the names of now. It is one UPDATE for all of a column:
// each value is read from the document as it was, which makes swaps right. What a document holds under a name of now
// goes, as a member of that name that was dropped may have left it there.
func (p *planner) moveMembers(t *Table, c *Column) {
	var moves []move
	var what []string
	for _, m := range c.Members {
		if m.before != nil && m.before.Name != m.now.Name {
			moves = append(moves, move{m.before.Name, m.now.Name})
			what = append(what, m.before.Name+" becomes "+m.now.Name)
		}
	}
	if len(moves) == 0 {
		return
	}
	column := p.Quote(c.Now.Name)
	p.inBatches(t, p.step(script.Data, fmt.Sprintf("%s: %s in its documents", t.column(c.Now.Name), strings.Join(what, ", ")),
		fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s", p.Quote(t.Now.Name), column, p.movedMembers(column, moves), p.hasMember(column, namesOf(moves)))))
}

// namesOf lists the names that a document may not have afterwards but for moved values: those of before and of now.
func namesOf(moves []move) (out []string) {
	for _, m := range moves {
		for _, name := range []string{m.from, m.to} {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// absent is where the statement for SQLite puts members that a document does not have, to remove them again.
const absent = `'$."modulagen absent"'`

// movedMembers is the document of a column with its values moved.
func (p *planner) movedMembers(column string, moves []move) string {
	names := namesOf(moves)
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = p.memberPath(name)
	}
	var parts []string
	switch p.Dialect {
	case sqltext.Postgres:
		for _, m := range moves {
			from := p.member(column, m.from)
			parts = append(parts, fmt.Sprintf("CASE WHEN %s IS NULL THEN '{}' ELSE jsonb_build_object(%s, %s) END", from, p.QuoteText(m.to), from))
		}
		return fmt.Sprintf("%s - %s || %s", column, strings.Join(paths, " - "), strings.Join(parts, " || "))
	case sqltext.MySQL:
		for _, m := range moves {
			parts = append(parts, fmt.Sprintf("IF(%s, JSON_OBJECT(%s, %s), JSON_OBJECT())", p.hasMember(column, []string{m.from}), p.QuoteText(m.to), p.member(column, m.from)))
		}
		return fmt.Sprintf("JSON_MERGE_PRESERVE(JSON_REMOVE(%s, %s), %s)", column, strings.Join(paths, ", "), strings.Join(parts, ", "))
	}
	for _, m := range moves {
		parts = append(parts, fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END, json(%s)", p.hasMember(column, []string{m.from}), p.memberPath(m.to), absent, p.member(column, m.from)))
	}
	return fmt.Sprintf("json_remove(json_set(json_remove(%s, %s), %s), %s)", column, strings.Join(paths, ", "), strings.Join(parts, ", "), absent)
}

// memberPath is where a member stands in a document, as functions take it.
func (p *planner) memberPath(name string) string {
	if p.Dialect == sqltext.Postgres {
		return p.QuoteText(name)
	}
	return p.QuoteText("$." + name)
}

// member is a member of the documents of a column as JSON; NULL: there is none.
func (p *planner) member(column, name string) string {
	if p.Dialect == sqltext.MySQL {
		return fmt.Sprintf("JSON_EXTRACT(%s, %s)", column, p.memberPath(name))
	}
	return fmt.Sprintf("%s -> %s", column, p.memberPath(name))
}

// hasMember is true of documents with at least one of some members, be it null.
func (p *planner) hasMember(column string, names []string) string {
	paths, each := make([]string, len(names)), make([]string, len(names))
	for i, name := range names {
		paths[i] = p.memberPath(name)
		each[i] = p.member(column, name) + " IS NOT NULL"
	}
	if p.Dialect == sqltext.MySQL {
		return fmt.Sprintf("JSON_CONTAINS_PATH(%s, 'one', %s)", column, strings.Join(paths, ", "))
	}
	return strings.Join(each, " OR ")
}
