package shape

import (
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
)

// part is a skeleton or an element: the clause, then the form.
func part(clause, form string) string { return clause + ": " + form }

// piece is a token as parts name it.
type piece struct {
	form  string
	table string // the table's name, of a table
	name  string // the column's name, of a column
	param int    // which parameter it is, from 1; 0 of other tokens
}

// reading takes one statement apart.
type reading struct {
	schema *Schema
	query  model.Query
	parts  []string
	unsure bool // a check failed
}

// Query returns the parts of a query, and whether they prove it.
func (s *Schema) Query(q model.Query) (parts []string, ok bool) {
	ps, ok := s.pieces(q)
	if !ok {
		return nil, false
	}
	r := &reading{schema: s, query: q}
	r.add("query", q.Command+" "+r.statement(ps, true))
	return r.parts, !r.unsure
}

func (r *reading) add(clause, form string) { r.parts = append(r.parts, part(clause, form)) }

func (r *reading) must(ok bool) {
	if !ok {
		r.unsure = true
	}
}

// clauses are the words that begin one, and how its list is separated.
var clauses = map[string]string{
	"SELECT": ",", "FROM": ",", "SET": ",", "RETURNING": ",", "ORDER": ",", "GROUP": ",", "UPDATE": ",",
	"WHERE": "AND", "INTO": "", "VALUES": "", "ON": "", "JOIN": "", "DO": "", "LIMIT": "", "FOR": "",
}

// clause is a word and what follows it.
type clause struct {
	word string
	body []piece
}

// statement returns the skeleton of a statement, or of one inside another, and adds
// the elements of its lists.
func (r *reading) statement(ps []piece, outermost bool) string {
	list := cut(ps)
	r.must(unambiguous(list))
	var b strings.Builder
	returned := -1
	for i, c := range list {
		if c.word == "RETURNING" || c.word == "SELECT" && i == 0 {
			returned = i
		}
	}
	for i, c := range list {
		b.WriteString(c.word + " ")
		switch {
		case c.word == "INTO":
			b.WriteString(r.into(c.body, list[i+1:]))
		case c.word == "VALUES":
			b.WriteString("{zipped} ") // into has read it
		case c.word == "ON" && len(c.body) > 0 && c.body[0].form == "CONFLICT":
			b.WriteString(r.conflict(c.body, target(list)))
		default:
			b.WriteString(r.list(c))
		}
	}
	if outermost {
		if returned < 0 {
			r.must(len(r.query.Columns) == 0)
		} else {
			r.returns(split(list[returned].body, ","))
		}
	}
	return strings.TrimSpace(b.String())
}

// cut splits a statement into its clauses. What stands before the first one is a
// clause without a word.
func cut(ps []piece) []clause {
	out := []clause{{}}
	depth := 0
	for i, p := range ps {
		switch p.form {
		case "(":
			depth++
		case ")":
			depth--
		}
		_, begins := clauses[p.form]
		if begins && depth == 0 && (i == 0 || !operator(ps[i-1].form)) {
			out = append(out, clause{word: p.form})
			continue
		}
		last := &out[len(out)-1]
		last.body = append(last.body, p)
	}
	if len(out[0].body) == 0 {
		out = out[1:]
	}
	return out
}

// unambiguous reports whether each column names its table where there are several.
// What is inserted into, or set, is of the table that is changed.
func unambiguous(list []clause) bool {
	tables := 0
	for _, c := range list {
		switch {
		case c.word == "FROM", c.word == "UPDATE" && len(c.body) > 0 && c.body[0].table != "":
			for _, from := range split(c.body, ",") {
				if !own(from) {
					tables++
				}
			}
		case c.word == "JOIN":
			tables++
		}
	}
	if tables < 2 {
		return true
	}
	for _, c := range list {
		if c.word == "INTO" {
			continue
		}
		for _, e := range split(c.body, ",") {
			for i, p := range e {
				set := c.word == "SET" && i == 0
				if p.name != "" && !set && (i == 0 || e[i-1].form != ".") {
					return false
				}
			}
		}
	}
	return true
}

// own reports whether what is selected from has no columns that a definition could
// name: all that it calls AS something begin with an underscore.
func own(from []piece) bool {
	if from[0].form != "(" {
		return false
	}
	for i, p := range from {
		if i > 0 && from[i-1].form == "AS" && !strings.HasPrefix(p.form, "_") {
			return false
		}
	}
	return true
}

// operator reports whether a word behind p is an operand: MySQL's VALUES(column).
func operator(form string) bool { return form == "=" || form == "+" }

// target is the table that a statement changes.
func target(list []clause) string {
	for _, c := range list {
		if c.word == "INTO" && len(c.body) > 0 {
			return c.body[0].table
		}
	}
	return ""
}

// list adds the elements of a clause and returns how many there are.
func (r *reading) list(c clause) string {
	separator := clauses[c.word]
	if separator == "" {
		if len(c.body) == 0 {
			return ""
		}
		return r.form(c.body) + " "
	}
	body := c.body
	if begins(body, "BY") {
		body = body[1:]
	}
	elements := split(body, separator)
	for _, e := range elements {
		r.bound(e)
		r.add(c.word, r.form(e))
	}
	return count(len(elements)) + " "
}

// into reads the columns of an INSERT beside its values.
func (r *reading) into(body []piece, rest []clause) string {
	columns, end := group(body, 1)
	r.must(end == len(body))
	names := split(columns, ",")
	if len(rest) == 0 || rest[0].word != "VALUES" {
		for _, n := range names {
			r.add("INTO", r.form(n))
		}
		return "T " + count(len(names)) + " "
	}
	inside, end := group(rest[0].body, 0)
	r.must(end == len(rest[0].body))
	values := split(inside, ",")
	r.must(len(values) == len(names))
	for i := range min(len(values), len(names)) {
		n, v := names[i], values[i]
		if len(v) == 1 && v[0].param > 0 {
			r.belongs(v[0].param, n[0].name)
		}
		r.add("INSERT", r.form(n)+" <- "+r.form(v))
	}
	return "T " + count(len(names)) + " "
}

// conflict reads the key of an ON CONFLICT.
func (r *reading) conflict(body []piece, table string) string {
	columns, end := group(body, 1)
	r.must(end == len(body))
	var names []string
	for _, e := range split(columns, ",") {
		r.add("CONFLICT", r.form(e))
		names = append(names, e[0].name)
	}
	r.must(r.schema.unique(table, names))
	return "CONFLICT " + count(len(names)) + " "
}

// bound checks whose parameter the last one of `column = ?` and its like is.
func (r *reading) bound(e []piece) {
	last := len(e) - 1
	if last < 0 || e[last].param == 0 {
		return
	}
	i := last - 1
	for i >= 0 && comparison[e[i].form] {
		i--
	}
	if i >= 0 && i < last-1 && e[i].name != "" {
		r.belongs(e[last].param, e[i].name)
	}
}

// comparison are the marks that comparisons are made of.
var comparison = map[string]bool{"=": true, "<": true, ">": true, "!": true}

func (r *reading) belongs(param int, column string) {
	if param > len(r.query.Params) {
		r.unsure = true
		return
	}
	f := r.query.Params[param-1]
	r.must(f == nil || f.Name == column)
}

// returns checks what a query returns.
func (r *reading) returns(elements [][]piece) {
	r.must(len(elements) == len(r.query.Columns))
	for i := range min(len(elements), len(r.query.Columns)) {
		if f := r.query.Columns[i]; f != nil {
			r.must(elements[i][len(elements[i])-1].name == f.Name)
		}
	}
}

// form returns the form of an element.
func (r *reading) form(ps []piece) string {
	return form(ps, func(inside []piece) string { return r.statement(inside, false) })
}

// form returns pieces as an element's form. The form of a statement in brackets is
// its skeleton.
func form(ps []piece, statement func([]piece) string) string {
	var out []string
	for i := 0; i < len(ps); i++ {
		if ps[i].form != "(" {
			out = append(out, ps[i].form)
			continue
		}
		inside, end := group(ps, i)
		switch {
		case begins(inside, "SELECT"):
			out = append(out, "("+statement(inside)+")")
		case i > 0 && ps[i-1].form == "IN" && literals(inside):
			out = append(out, "(literals)")
		default:
			out = append(out, "("+either(inside, statement)+")")
		}
		i = end - 1
	}
	return strings.Join(out, " ")
}

// either returns the form of what stands in brackets: alternatives that look alike
// are one.
func either(inside []piece, statement func([]piece) string) string {
	alternatives := split(inside, "OR")
	if len(alternatives) < 2 {
		return form(inside, statement)
	}
	first := form(alternatives[0], statement)
	for _, a := range alternatives[1:] {
		if form(a, statement) != first {
			return form(inside, statement)
		}
	}
	return first + " OR ..."
}

// literals reports whether a list holds nothing else.
func literals(ps []piece) bool {
	elements := split(ps, ",")
	return len(elements) > 0 && !slices.ContainsFunc(elements, func(e []piece) bool {
		return len(e) != 1 || e[0].form != text && e[0].form != number
	})
}

func count(n int) string {
	switch n {
	case 0:
		return "{none}"
	case 1:
		return "{one}"
	}
	return "{several}"
}

// group returns what stands in the brackets that open at i, and where it goes on
// behind them.
func group(ps []piece, i int) (inside []piece, end int) {
	if i >= len(ps) || ps[i].form != "(" {
		return nil, i
	}
	depth := 0
	for j := i; j < len(ps); j++ {
		switch ps[j].form {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return ps[i+1 : j], j + 1
			}
		}
	}
	return ps[i+1:], len(ps)
}

// split cuts at a separator that stands in no brackets.
func split(ps []piece, separator string) [][]piece {
	if len(ps) == 0 {
		return nil
	}
	var out [][]piece
	depth, start := 0, 0
	for i, p := range ps {
		switch p.form {
		case "(":
			depth++
		case ")":
			depth--
		case separator:
			if depth == 0 {
				out = append(out, ps[start:i])
				start = i + 1
			}
		}
	}
	return append(out, ps[start:])
}
