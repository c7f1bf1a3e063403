package sqlc

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
)

// report sorts problems into mistakes of the user and defects of our own.
func report(problems []problem, datatypes map[string]*model.Datatype) error {
	said := map[*written]map[model.Database]problem{}
	var order []*written
	for _, p := range problems {
		r := p.unit.user
		if r == nil {
			return defect(p)
		}
		if r.query.unhad {
			continue // which says what the database does not
		}
		if said[r.query] == nil {
			said[r.query] = map[model.Database]problem{}
			order = append(order, r.query)
		}
		said[r.query][p.unit.database] = p
	}
	for _, w := range order {
		userMistake(w, said[w], datatypes)
	}
	return nil
}

// advice is what sqlc says of its own settings, which no one can reach.
var advice = regexp.MustCompile(`: if you want to skip this validation.*$`)

// unparsed is how the parser of SQLite at sqlc lists its grammar.
var unparsed = regexp.MustCompile(`^(?:extraneous|mismatched) input .* expecting \{`)

// userMistake reports what is wrong in one query once, in the words of the
// database that says it best: PostgreSQL, then MySQL, then SQLite.
func userMistake(w *written, said map[model.Database]problem, datatypes map[string]*model.Datatype) {
	for _, db := range []model.Database{model.Postgres, model.MySQL, model.SQLite} {
		p, ok := said[db]
		if !ok {
			continue
		}
		where := ""
		if len(said) < len(w.file.Databases) {
			where = string(db) + ": "
		}
		message := advice.ReplaceAllString(strings.TrimSuffix(p.message, "."), "")
		at, hint := p.unit.user.origin(p.line, p.column), ""
		if unparsed.MatchString(message) {
			message, hint = "it cannot be parsed here", "a name in it may be a word of its grammar: choose another one, or quote it"
			where = string(db) + ": "
		}
		if strings.Contains(message, "ambiguous") {
			hint = "write the table before it, as in a.slug"
		}
		name := unknownName.FindStringSubmatch(message)
		if s := newScope(w, datatypes); name != nil && s.madeOfParameter(name[3]) {
			e, _ := s.itemNamed(strings.ToLower(name[3]))
			w.file.mistake(s.code[e.from].at, "CAST it, as in CAST(@name AS varchar(100)), in a file for each database where their types differ",
				"%sa parameter cannot stand in the column %s: its type is not known there", where, name[3])
			return
		}
		if name != nil {
			at, hint = w.unknown(at, name[1]+name[2], name[3], datatypes)
		}
		w.file.mistake(at, hint, "%s%s", where, message)
		return
	}
}

// unknownName recognises what sqlc and SQLite say of a name that they do not
// know: whether it is a table's or a column's, and the name.
var unknownName = regexp.MustCompile(`^(?:(?:(column|relation|table)(?: reference)?|no such (column|table):) )"?([^\s"]+?)"?(?: does not exist| not found|$)`)

// unknown finds where an unknown name stands, and what was likely meant.
func (q *written) unknown(at int, what, name string, datatypes map[string]*model.Datatype) (int, string) {
	s := newScope(q, datatypes)
	table, word, qualified := strings.Cut(strings.ToLower(name), ".")
	if !qualified {
		table, word = "", table
	}
	if place := s.place(at, table, word); place >= 0 {
		at = s.code[place].at
		if s.is(place-1, ".") && table == "" {
			table = s.word(place - 2)
		}
	}
	if what != "column" {
		known := slices.Sorted(maps.Keys(datatypes))
		for _, now := range known {
			if datatypes[now].Was == word {
				return at, model.RenameHint(word, now)
			}
		}
		if meant := near.Word(word, known); meant != "" {
			return at, fmt.Sprintf("write %q", meant)
		}
		if len(known) <= 20 {
			return at, "the datatypes are " + strings.Join(known, ", ")
		}
		return at, ""
	}
	if now := s.renamed(table, word); now != "" {
		return at, model.RenameHint(word, now)
	}
	known := s.columnNames(table)
	if meant := near.Word(word, known); meant != "" {
		return at, fmt.Sprintf("write %q", meant)
	}
	if len(known) > 0 && len(known) <= 20 {
		return at, "its columns are " + strings.Join(known, ", ")
	}
	return at, ""
}

// madeOfParameter reports whether a name that sqlc does not know is one that the
// query gives to an expression with a parameter, which sqlc takes for a column
// that the parameter is written to.
func (s scope) madeOfParameter(name string) bool {
	e, ok := s.itemNamed(strings.ToLower(name))
	return ok && s.word(e.to) == "as" && slices.ContainsFunc(s.code[e.from:e.to], func(t token) bool {
		return t.kind == named || t.text == "sqlc"
	})
}

// place returns the token that is a name: the first at or behind an offset of the
// file, else the first of all; -1 where there is none.
func (s scope) place(at int, table, name string) int {
	first := -1
	for i := range s.code {
		if s.word(i) != name || table != "" && (!s.is(i-1, ".") || s.word(i-2) != table) {
			continue
		}
		if s.code[i].at >= at {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}

// renamed returns the column that had a name before, of a table or of all tables of the query.
func (s scope) renamed(table, was string) string {
	for _, d := range s.datatypes(table) {
		if f := d.Renamed(was); f != nil {
			return f.Name
		}
	}
	return ""
}

// datatypes returns the one that a query calls table, or all of the query.
func (s scope) datatypes(table string) []*model.Datatype {
	var out []*model.Datatype
	for _, called := range slices.Sorted(maps.Keys(s.tables)) {
		if table == "" || called == table {
			out = append(out, s.tables[called])
		}
	}
	return out
}

// columnNames returns the columns of a table, or of all tables of the query.
func (s scope) columnNames(table string) []string {
	var out []string
	for _, d := range s.datatypes(table) {
		for _, f := range d.Columns() {
			if !slices.Contains(out, f.Name) {
				out = append(out, f.Name)
			}
		}
	}
	return out
}

// defect is a generated query that an engine refuses.
func defect(p problem) error {
	u := p.unit
	q := u.queries[p.query]
	return fmt.Errorf("gen/sqlc: internal error: %s refuses the query %s that %s:%d leads to: %s\n%s",
		u.database, q.Name, q.Pos.File, q.Pos.Line, p.message, q.Text)
}
