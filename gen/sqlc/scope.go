package sqlc

import (
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
)

// scope reads a query as far as needed to tell which columns its words name:
// which tables it is about, and what it calls them. It knows no more of SQL
// than that, and says nothing where it is not sure.
type scope struct {
	code   []token // without white space and comments
	tables map[string]*model.Datatype
	outer  bool // an outer join may make any column null
}

// code returns a query's tokens without white space and comments.
func (q *written) code() []token {
	return slices.DeleteFunc(slices.Clone(q.body), func(t token) bool { return t.kind == space || t.kind == comment })
}

func newScope(q *written, datatypes map[string]*model.Datatype) scope {
	s := scope{code: q.code(), tables: map[string]*model.Datatype{}}
	for i := range s.code {
		switch s.word(i) {
		case "from":
			for i = s.table(i+1, datatypes); s.is(i, ","); i = s.table(i+1, datatypes) {
			}
		case "join", "update", "into":
			s.table(i+1, datatypes)
		case "left", "right", "full":
			s.outer = s.outer || !s.is(i+1, "(") // left() is a function
		}
	}
	return s
}

// notAlias are the words that may follow a table's name and do not rename it.
var notAlias = map[string]bool{
	"from": true, "where": true, "join": true, "on": true, "left": true, "right": true, "inner": true, "outer": true, "cross": true, "full": true,
	"natural": true, "using": true, "set": true, "group": true, "order": true, "having": true, "limit": true, "offset": true, "fetch": true,
	"values": true, "select": true, "default": true, "union": true, "except": true, "intersect": true, "window": true, "for": true, "returning": true,
}

// table notes the table that is named at i, and gives where its name ends.
func (s scope) table(i int, datatypes map[string]*model.Datatype) int {
	d := datatypes[s.word(i)]
	if d == nil {
		if s.word(i) == "" {
			return i
		}
	}
	called := s.word(i)
	i++
	if s.word(i) == "as" {
		i++
	}
	if w := s.word(i); w != "" && !notAlias[w] {
		called = w
		i++
	}
	if d != nil {
		s.tables[called] = d
	}
	return i
}

// word returns the word or quoted name at i in lower case, "" where there is none.
func (s scope) word(i int) string {
	if i < 0 || i >= len(s.code) || s.code[i].kind != word && s.code[i].kind != quoted {
		return ""
	}
	return strings.ToLower(strings.Trim(s.code[i].text, "\"`"))
}

func (s scope) is(i int, text string) bool {
	return i >= 0 && i < len(s.code) && s.code[i].text == text
}

// column is a column that a word may name.
type column struct {
	datatype *model.Datatype
	field    *model.Field
}

// columns returns the columns that the word at i may name: none where it is no
// column, several where it stands unqualified and several tables have it.
func (s scope) columns(i int) []column {
	name := s.word(i)
	if name == "" || s.is(i+1, ".") || s.is(i+1, "(") || s.word(i-1) == "as" {
		return nil
	}
	var out []column
	add := func(d *model.Datatype) {
		if f := fieldNamed(d, name); f != nil && !slices.ContainsFunc(out, func(c column) bool { return c.datatype == d }) {
			out = append(out, column{d, f})
		}
	}
	if s.is(i-1, ".") {
		if d := s.tables[s.word(i-2)]; d != nil {
			add(d)
		}
		return out
	}
	for _, d := range s.tables {
		add(d)
	}
	return out
}

// fieldNamed finds a column of a datatype, its id included.
func fieldNamed(d *model.Datatype, name string) *model.Field {
	for _, f := range d.Columns() {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// closing returns the bracket that closes the one at i, -1 where there is none.
func (s scope) closing(i int) int {
	depth := 0
	for ; i < len(s.code); i++ {
		switch s.code[i].text {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// opening returns the bracket that the one at i closes, -1 where there is none.
func (s scope) opening(i int) int {
	depth := 0
	for ; i >= 0; i-- {
		switch s.code[i].text {
		case ")":
			depth++
		case "(":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// span is a part of a query, from its first token to the one behind its last.
type span struct{ from, to int }

// split cuts a part at the commas outside of brackets.
func (s scope) split(p span) []span {
	var out []span
	depth, start := 0, p.from
	for i := p.from; i < p.to; i++ {
		switch s.code[i].text {
		case "(":
			depth++
		case ")":
			depth--
		case ",":
			if depth == 0 {
				out = append(out, span{start, i})
				start = i + 1
			}
		}
	}
	return append(out, span{start, p.to})
}

// item is an expression of the list that a query returns, and what it is called.
type item struct {
	span
	name string
	at   int // offset in the file, of the name where it has one of its own
}

// items returns the list that a query returns: of the SELECT that no bracket holds,
// or RETURNING.
func (s scope) items() []item {
	depth, p := 0, span{-1, len(s.code)}
	for i, t := range s.code {
		switch w := s.word(i); {
		case t.text == "(":
			depth++
		case t.text == ")":
			depth--
		case depth > 0:
		case p.from < 0 && (w == "select" || w == "returning"):
			p.from = i + 1
			if next := s.word(p.from); next == "distinct" || next == "all" {
				p.from++
			}
		case p.from >= 0 && i < p.to && (w == "from" || w == "union" || w == "where"):
			p.to = i
		}
	}
	if p.from < 0 {
		return nil
	}
	var out []item
	for _, e := range s.split(p) {
		if e.from < e.to {
			out = append(out, s.item(e))
		}
	}
	return out
}

func (s scope) item(e span) item {
	last := e.to - 1
	switch name := s.word(last); {
	case name != "" && s.word(last-1) == "as" && last-1 > e.from:
		return item{span{e.from, last - 1}, name, s.code[last].at}
	case name != "" && last > e.from && s.is(last-1, ")"):
		return item{span{e.from, last}, name, s.code[last].at}
	case name != "" && (last == e.from || s.is(last-1, ".")):
		return item{e, name, s.code[e.from].at}
	}
	return item{e, s.word(e.from), s.code[e.from].at} // a function's name is its column's
}

// itemNamed finds the expression that a column of the result comes from.
func (s scope) itemNamed(name string) (item, bool) {
	items := s.items()
	i := slices.IndexFunc(items, func(e item) bool { return e.name == name })
	if i < 0 {
		return item{}, false
	}
	return items[i], true
}
