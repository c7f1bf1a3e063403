package shape

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
)

// What parts call literals.
const (
	text   = "text"
	number = "number"
)

// Lex cuts SQL into tokens without space. It returns false for a text that holds
// what shapes do not know: comments, named parameters, quotes without an end.
type Lex func(sql string) ([]Token, bool)

// Token is a token of SQL.
type Token struct {
	Kind Kind
	Text string
}

// Kind is what a token is.
type Kind int

// The kinds of tokens.
const (
	Mark      Kind = iota // an operator, a bracket, a semicolon
	Word                  // a word or a number
	Quoted                // a name in quotes
	Literal               // a text in quotes
	Parameter             // ? or $1
)

// Schema is the DDL of some of our own tables.
type Schema struct {
	lex    Lex
	engine bool // its indexes are read too
	tables map[string]*table
	parts  []string
	ok     bool // all of it was understood
}

// table is a table of a schema.
type table struct {
	types  map[string]string // by column: its type, with "!" when it is NOT NULL
	unique [][]string        // the columns of each unique index that covers all rows
}

// Read reads DDL as this module writes it. What reads the schema of SQLite, its
// engine, reads indexes; sqlc reads tables alone.
func Read(db model.Database, lex Lex, ddl []string) *Schema {
	s := &Schema{lex: lex, engine: db == model.SQLite, tables: map[string]*table{}, ok: true}
	var statements [][]piece
	for _, text := range ddl {
		ps, ok := s.cut(text)
		s.ok = s.ok && ok
		statements = append(statements, split(ps, ";")...)
	}
	statements = slices.DeleteFunc(statements, func(s []piece) bool { return len(s) == 0 })
	for _, ps := range statements {
		s.declare(ps)
	}
	for _, ps := range statements {
		s.define(ps)
	}
	return s
}

// Parts returns the parts of the DDL.
func (s *Schema) Parts() []string { return s.parts }

// cut cuts a text into pieces that have no meaning yet: the name of each is the
// word, without quotes, if it could be a name.
func (s *Schema) cut(sql string) ([]piece, bool) {
	tokens, ok := s.lex(sql)
	if !ok {
		return nil, false
	}
	out := make([]piece, len(tokens))
	params := 0
	for i, t := range tokens {
		p := piece{form: t.Text}
		switch t.Kind {
		case Word:
			if t.Text[0] >= '0' && t.Text[0] <= '9' {
				p.form = number
			} else if strings.ToLower(t.Text) == t.Text {
				p.name = t.Text
			}
		case Quoted:
			p.name = t.Text[1 : len(t.Text)-1]
		case Literal:
			if plain(t.Text) {
				p.form = text
			}
		case Parameter:
			params++
			p.form, p.param = "?", params
			if n, err := strconv.Atoi(t.Text[1:]); err == nil {
				p.param = n
			}
		}
		out[i] = p
	}
	return out, true
}

// plain reports whether a literal is read alike by every grammar.
func plain(literal string) bool {
	if len(literal) < 2 || literal[0] != '\'' {
		return false
	}
	inside := strings.ReplaceAll(literal[1:len(literal)-1], "''", "")
	return !strings.ContainsFunc(inside, func(r rune) bool { return r < ' ' || r > '~' || r == '\\' || r == '\'' })
}

// pieces cuts a query into pieces, with tables and columns.
func (s *Schema) pieces(q model.Query) ([]piece, bool) {
	ps, ok := s.cut(strings.TrimSuffix(strings.TrimSpace(q.Text), ";"))
	if !ok || !s.ok {
		return nil, false
	}
	r := resolver{schema: s, ps: ps, numbers: map[string]int{}, aliases: map[string]string{}}
	for i := range ps {
		if ps[i].param > len(q.Params) {
			return nil, false
		}
		r.table(i)
	}
	for i := range ps {
		r.column(i)
	}
	return ps, true
}

// resolver makes each word of a statement a table, a column or, if it is neither,
// the word itself: a function, an alias, a type.
type resolver struct {
	schema  *Schema
	ps      []piece
	numbers map[string]int    // of the tables, in the order of their mention
	aliases map[string]string // the tables that FROM table AS alias names otherwise
}

// namesTable are the words before a table's name.
var namesTable = map[string]bool{"INTO": true, "FROM": true, "UPDATE": true, "JOIN": true}

// at returns the form of the i-th piece, and "" beyond the ends.
func (r *resolver) at(i int) string {
	if i < 0 || i >= len(r.ps) {
		return ""
	}
	return r.ps[i].form
}

func (r *resolver) table(i int) {
	p := &r.ps[i]
	if r.schema.tables[p.name] == nil || !namesTable[r.at(i-1)] && r.at(i+1) != "." {
		return
	}
	if r.numbers[p.name] == 0 {
		r.numbers[p.name] = len(r.numbers) + 1
	}
	p.form, p.table, p.name = "T"+strconv.Itoa(r.numbers[p.name]), p.name, ""
	switch {
	case r.at(i+1) == "AS":
		r.aliases[r.at(i+2)] = p.table
	case r.at(i-1) == "INTO":
		r.aliases["excluded"] = p.table
	}
}

func (r *resolver) column(i int) {
	p := &r.ps[i]
	name := p.name
	p.name = ""
	if name == "" || r.at(i+1) == "(" || r.at(i+1) == "." || r.at(i-1) == "AS" || r.at(i-1) == "::" {
		return
	}
	of := r.into(i)
	if r.at(i-1) == "." {
		of = cmp.Or(r.ps[i-2].table, r.aliases[r.at(i-2)])
	}
	if form := r.typeOf(of, name); form != "" {
		p.form, p.name = form, name
	}
}

// into returns the table of INTO table (columns), for what stands in the brackets.
func (r *resolver) into(i int) string {
	for ; i > 0 && r.at(i) != ")"; i-- {
		if r.at(i) == "(" && r.at(i-2) == "INTO" {
			return r.ps[i-1].table
		}
	}
	return ""
}

// typeOf returns the form of a column of a table, or of whichever table of the
// statement has it: its type, or several where they disagree.
func (r *resolver) typeOf(table, column string) string {
	var types []string
	for name := range r.numbers {
		if of, ok := r.schema.tables[name].types[column]; ok && (table == "" || table == name) {
			types = append(types, of)
		}
	}
	if len(types) == 0 {
		return ""
	}
	slices.Sort(types)
	return "<" + strings.Join(slices.Compact(types), "|") + ">"
}

// unique reports whether an index holds these columns unique.
func (s *Schema) unique(table string, columns []string) bool {
	t := s.tables[table]
	return t != nil && slices.ContainsFunc(t.unique, func(of []string) bool { return slices.Equal(of, columns) })
}
