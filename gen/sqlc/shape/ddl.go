package shape

import (
	"slices"
	"strings"
)

// declare reads the columns and unique indexes of a statement.
func (s *Schema) declare(ps []piece) {
	switch {
	case begins(ps, "CREATE", "TABLE"):
		t := &table{types: map[string]string{}}
		s.tables[ps[2].name] = t
		inside, _ := group(ps, 3)
		for _, line := range split(inside, ",") {
			t.declare(line)
		}
	case begins(ps, "CREATE", "UNIQUE", "INDEX"):
		if t := s.tables[ps[5].name]; t != nil {
			if inside, end := group(ps, 6); end == len(ps) { // else it is partial
				t.unique = append(t.unique, columnNames(inside))
			}
		}
	}
}

// declare reads a line of CREATE TABLE.
func (t *table) declare(line []piece) {
	switch line[0].form {
	case "UNIQUE": // MySQL's UNIQUE KEY name (columns)
		inside, _ := group(line, 3)
		t.unique = append(t.unique, columnNames(inside))
		return
	case "CONSTRAINT", "KEY":
		return
	}
	name, rest := line[0].name, line[1:]
	end := slices.IndexFunc(rest, func(p piece) bool { return endsType[p.form] })
	if end < 0 {
		end = len(rest)
	}
	of := form(rest[:end], joined)
	primary := contains(rest, "PRIMARY", "KEY")
	if primary || contains(rest, "NOT", "NULL") {
		of += "!"
	}
	t.types[name] = of
	if primary {
		t.unique = append(t.unique, []string{name})
	}
}

// endsType are the words that stand behind a column's type.
var endsType = map[string]bool{"NOT": true, "NULL": true, "DEFAULT": true, "PRIMARY": true, "GENERATED": true}

func begins(ps []piece, forms ...string) bool {
	for i, form := range forms {
		if i >= len(ps) || ps[i].form != form {
			return false
		}
	}
	return true
}

func contains(ps []piece, forms ...string) bool {
	for i := range ps {
		if begins(ps[i:], forms...) {
			return true
		}
	}
	return false
}

func columnNames(list []piece) []string {
	var out []string
	for _, e := range split(list, ",") {
		out = append(out, e[0].name)
	}
	return out
}

// joined returns the forms with spaces between.
func joined(ps []piece) string {
	forms := make([]string, len(ps))
	for i, p := range ps {
		forms[i] = p.form
	}
	return strings.Join(forms, " ")
}

// define adds the parts of a statement that sqlc or the engine reads.
func (s *Schema) define(ps []piece) {
	switch {
	case begins(ps, "CREATE", "TABLE"):
		s.defineTable(ps)
	case !s.engine:
	case begins(ps, "CREATE", "INDEX"):
		s.defineIndex(ps, 2)
	case begins(ps, "CREATE", "UNIQUE", "INDEX"):
		s.defineIndex(ps, 3)
	default:
		s.ok = false
	}
}

func (s *Schema) add(clause string, ps []piece) {
	s.parts = append(s.parts, part(clause, form(ps, joined)))
}

// defineTable takes CREATE TABLE name (lines) options apart.
func (s *Schema) defineTable(ps []piece) {
	t := s.tables[ps[2].name]
	inside, end := group(ps, 3)
	s.add("table", ps[end:])
	for _, line := range split(inside, ",") {
		switch line[0].form {
		case "CONSTRAINT", "UNIQUE", "KEY":
			s.defineConstraint(t, line)
		default:
			if !contains(line, "GENERATED", "ALWAYS") { // MySQL's, which neither reads
				s.add("column", t.typed(line[1:]))
			}
		}
	}
}

// defineConstraint takes a line of CREATE TABLE apart that is no column: words
// with its name, a list, and what follows.
func (s *Schema) defineConstraint(t *table, line []piece) {
	open := slices.IndexFunc(line, func(p piece) bool { return p.form == "(" })
	inside, end := group(line, open)
	head, tail := slices.Clone(line[:open]), slices.Clone(line[end:])
	separator, clause := ",", "key"
	switch {
	case line[0].form != "CONSTRAINT": // [UNIQUE] KEY name
		head[open-1].form = "name"
	case line[2].form == "CHECK":
		head[1].form, separator, clause = "name", "AND", "check"
	default:
		head[1].form = "name"
	}
	for i := range tail {
		if i > 0 && tail[i-1].form == "REFERENCES" {
			tail[i].form = "table"
		}
	}
	elements := split(inside, separator)
	s.add("constraint", slices.Concat(head, []piece{{form: count(len(elements))}}, tail))
	for _, e := range elements {
		s.add(clause, t.typed(e))
	}
}

// defineIndex takes CREATE INDEX name ON table (columns) WHERE conditions apart,
// whose name stands at i.
func (s *Schema) defineIndex(ps []piece, i int) {
	t := s.tables[ps[i+2].name]
	if t == nil {
		s.ok = false
		return
	}
	inside, end := group(ps, i+3)
	elements := split(inside, ",")
	head := append(slices.Clone(ps[:i]), piece{form: count(len(elements))})
	if end < len(ps) {
		conditions := split(ps[end+1:], "AND")
		head = append(head, ps[end], piece{form: count(len(conditions))})
		for _, c := range conditions {
			s.add("index WHERE", t.typed(c))
		}
	}
	s.add("index", head)
	for _, e := range elements {
		s.add("key", t.typed(e))
	}
}

// typed returns pieces with the types of columns in their names' place.
func (t *table) typed(ps []piece) []piece {
	out := slices.Clone(ps)
	for i := range out {
		call := i+1 < len(ps) && ps[i+1].form == "("
		if of, ok := t.types[ps[i].name]; ok && !call {
			out[i].form = "<" + of + ">"
		}
	}
	return out
}
