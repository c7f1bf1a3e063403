package core

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// facts are what DDL says beyond columns and indexes.
type facts struct {
	tables     map[string]map[string]limits // by table and column; a table without checks has an empty map
	checks     map[string]checked           // by the constraint's name in lower case
	references []reference
}

// limits are what a check holds a column to, as far as Open compares it. Other
// checks, those that someone added by hand among them, are left alone.
type limits struct {
	options []string // the only values allowed; nil: any
	length  string   // characters at most, in digits; empty: any number
}

type checked struct{ table, column string }

// reference is a foreign key of one column.
type reference struct {
	name, table, column, to string
	follows                 bool   // the row goes, or lets go, with the one that it points to
	onDelete                string // "RESTRICT", "CASCADE", "SET NULL"; empty: NO ACTION
}

// read gathers the facts of DDL statements.
func read(d sqltext.Dialect, statements []string) *facts {
	f := &facts{tables: map[string]map[string]limits{}, checks: map[string]checked{}}
	for _, text := range statements {
		if m := creation.FindStringSubmatch(text); m != nil && strings.EqualFold(firstWord(text[len("CREATE"):]), "TABLE") {
			f.tables[m[1]] = map[string]limits{}
			f.table(m[1], tokens(d, text))
		} else if m := altering.FindStringSubmatch(text); m != nil {
			f.table(m[1], tokens(d, text))
		}
	}
	return f
}

// factsOf gathers the facts of a table that was found.
func factsOf(d sqltext.Dialect, t TableDef) *facts {
	f := &facts{tables: map[string]map[string]limits{}, checks: map[string]checked{}}
	for _, text := range t.Checks {
		f.table(t.Name, tokens(d, text))
	}
	return f
}

func firstWord(s string) string {
	if words := strings.Fields(s); len(words) > 0 {
		return words[0]
	}
	return ""
}

// table reads a CREATE TABLE element by element, or an ALTER TABLE as one.
func (f *facts) table(table string, all []token) {
	for _, e := range elements(all) {
		f.element(table, e)
	}
}

// elements are the columns and constraints of a CREATE TABLE. An ALTER TABLE is one element.
func elements(all []token) (out [][]token) {
	start := slices.IndexFunc(all, func(t token) bool { return t.is("(") })
	if all[0].is("ALTER") || start < 0 {
		return [][]token{all}
	}
	depth, from := 0, start+1
	for i := start; i < len(all); i++ {
		switch {
		case all[i].is("("):
			depth++
		case all[i].is(")"):
			depth--
		}
		if depth == 0 || depth == 1 && all[i].is(",") {
			out = append(out, all[from:i])
			from = i + 1
		}
		if depth == 0 {
			break
		}
	}
	return out
}

// element reads a column with what stands behind it, or a constraint.
func (f *facts) element(table string, all []token) {
	var column, name string
	if len(all) > 0 && !slices.ContainsFunc(tableWords, all[0].is) {
		column = all[0].text
	}
	for i, t := range all {
		switch {
		case t.is("CONSTRAINT") && i+1 < len(all):
			name = all[i+1].text
		case t.is("CHECK") && i+1 < len(all) && all[i+1].is("("):
			f.check(table, column, name, group(all[i+1:]))
			name = ""
		case t.is("FOREIGN") && i+3 < len(all):
			column = all[i+3].text
		case t.is("REFERENCES") && i+1 < len(all) && column != "":
			f.references = append(f.references, reference{
				name: cmp.Or(name, table+"_"+column+"_fkey"), table: table, column: column, to: all[i+1].text,
				follows: follows(all[i+1:]), onDelete: onDelete(all[i+1:]),
			})
			name = ""
		}
	}
}

var tableWords = []string{"CONSTRAINT", "CHECK", "FOREIGN", "PRIMARY", "UNIQUE", "KEY", "INDEX", "ALTER"}

// follows reads ON DELETE CASCADE and ON DELETE SET NULL.
func follows(all []token) bool {
	for i := 0; i+2 < len(all); i++ {
		if all[i].is("ON") && all[i+1].is("DELETE") {
			return all[i+2].is("CASCADE") || all[i+2].is("SET")
		}
	}
	return false
}

// onDelete returns what stands behind ON DELETE.
func onDelete(all []token) string {
	for i := 0; i+2 < len(all); i++ {
		if !all[i].is("ON") || !all[i+1].is("DELETE") {
			continue
		}
		action := strings.ToUpper(all[i+2].text)
		if action == "SET" && i+3 < len(all) {
			action += " " + strings.ToUpper(all[i+3].text)
		}
		if action == "NO" {
			return ""
		}
		return action
	}
	return ""
}

// group returns what stands inside the parenthesis that all starts with.
func group(all []token) []token {
	depth := 0
	for i, t := range all {
		switch {
		case t.is("("):
			depth++
		case t.is(")"):
			if depth--; depth == 0 {
				return all[1:i]
			}
		}
	}
	return all[1:]
}

// check takes a check that allows some values, or a length; others it leaves out.
func (f *facts) check(table, column, name string, expr []token) {
	expr = bare(expr)
	for _, t := range expr {
		if column == "" && t.kind == nameToken && !slices.ContainsFunc(checkWords, t.is) {
			column = t.text
		}
	}
	if column == "" {
		return
	}
	f.checks[strings.ToLower(cmp.Or(name, table+"_"+column+"_check"))] = checked{table, column}
	l := f.tables[table][column]
	if options := options(expr, column); options != nil {
		if l.options != nil { // both checks hold
			options = slices.DeleteFunc(options, func(o string) bool { return !slices.Contains(l.options, o) })
		}
		l.options = options
	} else if n := length(expr, column); n != "" {
		l.length = n
	}
	if f.tables[table] == nil {
		f.tables[table] = map[string]limits{}
	}
	f.tables[table][column] = l
}

var checkWords = []string{"IN", "ANY", "ARRAY", "OR", "AND", "NOT", "IS", "NULL", "LENGTH", "CHAR_LENGTH", "JSON_VALID"}

// bare drops parentheses, casts and the names of character sets, which each
// database adds in its own way.
func bare(expr []token) []token {
	var out []token
	for i := 0; i < len(expr); i++ {
		t := expr[i]
		switch {
		case t.is("("), t.is(")"), t.is("["), t.is("]"):
		case t.is("::"):
			for i+1 < len(expr) && slices.ContainsFunc(castWords, expr[i+1].is) {
				i++
			}
		case t.kind == nameToken && strings.HasPrefix(t.text, "_") && i+1 < len(expr) && expr[i+1].kind == textToken:
		default:
			out = append(out, t)
		}
	}
	return out
}

var castWords = []string{"character", "varying", "varchar", "text", "bpchar", "char", "["}

// options reads "c IN ('a', 'b')", "c = 'a' OR c = 'b'" and "c = ANY (ARRAY['a', 'b'])".
func options(expr []token, column string) []string {
	var out []string
	for _, t := range expr {
		switch {
		case t.kind == textToken:
			out = append(out, t.text)
		case t.kind == nameToken && t.text == column, t.is("="), t.is(","), t.is("IN"), t.is("OR"), t.is("ANY"), t.is("ARRAY"):
		default:
			return nil
		}
	}
	return out
}

// length reads "length(c) <= 100".
func length(expr []token, column string) string {
	if len(expr) == 5 && (expr[0].is("length") || expr[0].is("char_length")) && expr[1].text == column &&
		expr[2].is("<") && expr[3].is("=") && expr[4].kind == numberToken {
		return expr[4].text
	}
	return ""
}
