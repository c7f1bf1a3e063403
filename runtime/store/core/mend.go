package core

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// mender knows from a schema's DDL how each part of its tables is made, and writes the statements
// that make what a database lacks. None of them touches an existing value: a statement adds, or
// allows more, or fails.
type mender struct {
	d      sqltext.Dialect
	tables map[string]*makings
}

// makings are the parts of one table.
type makings struct {
	statements []string               // that create it, with its indexes and references
	columns    map[string]declaration // by name
	checks     map[string][]constraint
	references map[string]constraint // by column
	indexes    map[string]string     // statements, by name in lower case
}

// declaration is a column in CREATE TABLE.
type declaration struct {
	text   string
	tokens []token // with places in sql
	sql    string
}

// constraint is a constraint with a name in CREATE TABLE.
type constraint struct {
	name, text string
	references string // of a foreign key, what follows its column
}

// lazyMender reads the DDL when the first statement is wanted: most databases that are opened lack nothing.
func lazyMender(d sqltext.Dialect, schema *Schema) func() *mender {
	return sync.OnceValue(func() *mender { return menderOf(d, Statements(schema.DDL[d])) })
}

func menderOf(d sqltext.Dialect, statements []string) *mender {
	m := &mender{d: d, tables: map[string]*makings{}}
	for _, text := range statements {
		all := tokens(d, text)
		if found := creation.FindStringSubmatch(text); found != nil {
			m.created(found[1], text, all)
		} else if found := altering.FindStringSubmatch(text); found != nil {
			t := m.table(found[1])
			t.statements = append(t.statements, text)
			if add := slices.IndexFunc(all, func(t token) bool { return t.is("ADD") }); add >= 0 {
				m.element(found[1], text, all[add+1:])
			}
		}
	}
	return m
}

func (m *mender) table(name string) *makings {
	t := m.tables[name]
	if t == nil {
		t = &makings{columns: map[string]declaration{}, checks: map[string][]constraint{}, references: map[string]constraint{}, indexes: map[string]string{}}
		m.tables[name] = t
	}
	return t
}

// created reads a CREATE TABLE or a CREATE INDEX.
func (m *mender) created(table, text string, all []token) {
	t := m.table(table)
	t.statements = append(t.statements, text)
	if at := slices.IndexFunc(all, func(t token) bool { return t.is("INDEX") }); at >= 0 && at <= 2 {
		t.indexes[strings.ToLower(all[at+1].text)] = text
		return
	}
	for _, e := range elements(all) {
		m.element(table, text, e)
	}
}

// element reads a part of a CREATE TABLE, or what an ALTER TABLE adds.
func (m *mender) element(table, sql string, e []token) {
	if len(e) == 0 || e[0].is("PRIMARY") {
		return
	}
	t, text := m.table(table), sql[e[0].from:e[len(e)-1].to]
	switch {
	case e[0].is("UNIQUE") || e[0].is("KEY") || e[0].is("INDEX"): // MySQL's
		named := slices.IndexFunc(e, func(t token) bool { return t.kind == nameToken && !slices.ContainsFunc(tableWords, t.is) })
		if named >= 0 {
			t.indexes[strings.ToLower(e[named].text)] = m.alter(table, "ADD "+text)
		}
	case slices.ContainsFunc(tableWords, e[0].is):
		m.constraint(table, sql, text, e)
	default:
		t.columns[e[0].text] = declaration{text, e, sql}
	}
}

func (m *mender) constraint(table, sql, text string, e []token) {
	if !e[0].is("CONSTRAINT") || len(e) < 2 {
		return // one without a name, which each database names in its own way
	}
	t, c := m.table(table), constraint{name: e[1].text, text: text}
	f := &facts{tables: map[string]map[string]limits{}, checks: map[string]checked{}}
	f.element(table, e)
	if len(f.references) > 0 {
		at := slices.IndexFunc(e, func(t token) bool { return t.is("REFERENCES") })
		c.references = sql[e[at].from:e[len(e)-1].to]
		t.references[f.references[0].column] = c
		return
	}
	for _, on := range f.checks {
		t.checks[on.column] = append(t.checks[on.column], c)
	}
}

func (m *mender) alter(table, what string) string {
	return "ALTER TABLE " + m.d.Quote(table) + " " + what
}

// all returns the statements that create a missing table. On MySQL it gets the collation of the other tables,
// which need not be the one in the DDL.
func (m *mender) all(table string, found []TableDef) []string {
	t := m.tables[table]
	if t == nil {
		return nil
	}
	statements := slices.Clone(t.statements)
	if m.d != sqltext.MySQL {
		return statements
	}
	collation := collationOf(found)
	if collation == "" {
		return nil
	}
	for i, text := range statements {
		statements[i] = collated.ReplaceAllString(text, "COLLATE="+collation)
	}
	return statements
}

var collated = regexp.MustCompile(`COLLATE=(\w+)$`)

// collationOf returns the collation of the first table that says its own.
func collationOf(found []TableDef) string {
	for _, t := range found {
		for _, text := range t.Checks {
			if m := collated.FindStringSubmatch(text); m != nil {
				return m[1]
			}
		}
	}
	return ""
}

// column adds a missing column, with its checks and its reference. It is empty unless existing rows can get a
// value: null, or a default that the database can write.
func (m *mender) column(table string, c Column) string {
	t := m.tables[table]
	if t == nil {
		return ""
	}
	decl, ok := t.columns[c.Name]
	constant, defaults := decl.hasDefault()
	if !ok || decl.has("PRIMARY") || !c.Null && !defaults || m.d == sqltext.SQLite && defaults && !constant {
		return ""
	}
	text := m.alter(table, "ADD COLUMN "+decl.text)
	key, refers := t.references[c.Name]
	if m.d == sqltext.SQLite {
		for _, k := range t.checks[c.Name] {
			text += " " + k.text
		}
		if refers {
			text += " CONSTRAINT " + m.d.Quote(key.name) + " " + key.references
		}
		return text
	}
	for _, k := range t.checks[c.Name] {
		text += ", ADD " + k.text
	}
	if refers {
		text += ", ADD " + key.text
	}
	return text
}

func (d declaration) has(word string) bool {
	return slices.ContainsFunc(d.tokens, func(t token) bool { return t.is(word) })
}

// hasDefault reports whether a column has a default, and whether that is a constant.
func (d declaration) hasDefault() (constant, ok bool) {
	at := slices.IndexFunc(d.tokens, func(t token) bool { return t.is("DEFAULT") && t.kind == nameToken })
	if at < 0 || at+1 >= len(d.tokens) {
		return false, false
	}
	return !d.tokens[at+1].is("("), true
}

// kind is the type of the column, as its declaration says it.
func (d declaration) kind() string {
	end := slices.IndexFunc(d.tokens[1:], func(t token) bool { return slices.ContainsFunc(afterType, t.is) }) + 1
	if end <= 0 {
		end = len(d.tokens)
	}
	if end < 2 {
		return ""
	}
	return d.sql[d.tokens[1].from:d.tokens[end-1].to]
}

var afterType = []string{"NOT", "NULL", "DEFAULT", "GENERATED", "PRIMARY", "CONSTRAINT", "CHECK", "REFERENCES", "UNIQUE"}

// retype makes room for longer texts.
func (m *mender) retype(table string, wanted, found Column) string {
	if !grows(found.Types[m.d], wanted.Types[m.d]) {
		return ""
	}
	if m.d == sqltext.MySQL && wanted.Null != found.Null {
		return "" // both at once would make an empty text of nulls on a server that is not strict
	}
	return m.modify(table, wanted, func(d declaration) string { return "TYPE " + d.kind() })
}

// modify changes a column: on MySQL to its whole declaration, on PostgreSQL by what postgres returns.
func (m *mender) modify(table string, c Column, postgres func(declaration) string) string {
	t := m.tables[table]
	if t == nil {
		return ""
	}
	decl, ok := t.columns[c.Name]
	switch {
	case !ok || decl.has("PRIMARY"):
	case m.d == sqltext.Postgres:
		return m.alter(table, "ALTER COLUMN "+m.d.Quote(c.Name)+" "+postgres(decl))
	case m.d == sqltext.MySQL:
		return m.alter(table, "MODIFY COLUMN "+decl.text)
	}
	return ""
}

// allowNull has a column accept nulls.
func (m *mender) allowNull(table string, wanted, found Column) string {
	if !sameType(m.d, wanted.Types[m.d], found.Types[m.d]) {
		return ""
	}
	return m.modify(table, wanted, func(declaration) string { return "DROP NOT NULL" })
}

// refuseNull has a column refuse nulls. MySQL is left out: it makes an empty text or 0 of them where its mode is not strict.
func (m *mender) refuseNull(table string, c Column) string {
	if m.d != sqltext.Postgres {
		return ""
	}
	return m.modify(table, c, func(declaration) string { return "SET NOT NULL" })
}

// check replaces the check of a column by one that allows more. held are the names of the checks that it has.
func (m *mender) check(table, column string, held []string) string {
	t := m.tables[table]
	if t == nil || m.d == sqltext.SQLite || len(t.checks[column]) != 1 {
		return ""
	}
	wanted := t.checks[column][0]
	switch {
	case len(held) == 0:
		return m.alter(table, "ADD "+wanted.text)
	case len(held) == 1 && strings.EqualFold(held[0], wanted.name):
		return m.alter(table, "DROP CONSTRAINT "+m.d.Quote(wanted.name)+", ADD "+wanted.text)
	}
	return ""
}

// reference adds a foreign key that is missing.
func (m *mender) reference(table, column string) string {
	t := m.tables[table]
	if t == nil || m.d == sqltext.SQLite || t.references[column].text == "" {
		return ""
	}
	return m.alter(table, "ADD "+t.references[column].text)
}

// index makes an index.
func (m *mender) index(table, name string) string {
	if t := m.tables[table]; t != nil {
		return t.indexes[strings.ToLower(name)]
	}
	return ""
}

// grows reports whether every text of one type fits into another, which is longer.
func grows(from, to string) bool {
	if wider(from, to) {
		return true
	}
	rank := func(kind string) int {
		if sized.MatchString(kind) {
			return 1
		}
		return slices.Index(texts, strings.ToLower(kind)) + 1
	}
	return rank(from) > 0 && rank(from) < rank(to)
}

// texts are the text types from the shortest to the longest; the first stands for those with a length.
var texts = []string{"varchar", "text", "mediumtext", "longtext"}
