// Package fieldtype is the table of field types: one row each, with all that a
// type means to the stages of the generator. A new field type is a new row.
//
// It imports nothing of the generator, so that every stage may read it.
package fieldtype

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/check"
)

// Column is a type as one database declares and reports it.
type Column struct {
	DDL      string // as CREATE TABLE says it
	Reported string // as the database's catalog says it
}

// Columns is a type in SQLite, PostgreSQL and MySQL, in this order.
type Columns [3]Column

// Reported returns the three reported names, in order.
func (c Columns) Reported() [3]string {
	return [3]string{c[0].Reported, c[1].Reported, c[2].Reported}
}

// Size is what of a field decides its column's type.
type Size struct {
	Max   int64 // characters, bytes; 0 when the type has no length
	Scale int   // decimal: digits behind the point
	Wide  bool  // text that may leave the row on MySQL, whose rows hold 65,535 bytes
}

// Type is one row of the table.
type Type struct {
	Name   string
	Help   string // one line, for the schema and for messages
	Kind   check.Kind
	Format check.Format
	Go     string // its Go type: a builtin, or a qualified one as listed in Imports
	Text   bool   // filters may look inside: prefix, contains
	Opaque bool   // no equality or order: filters know only null
	Max    int64  // default limit: characters, bytes; 0: none

	columns func(Size) Columns
}

// Columns returns the column types of a field of this type.
func (t Type) Columns(s Size) Columns { return t.columns(s) }

// VarcharMax is the longest text, in characters, that is kept in a varchar
// column and may be indexed: an entry of PostgreSQL's indexes holds 2,704 bytes
// and one of MySQL's 3,072, and a character takes up to four.
const VarcharMax = 672

// types is the table. ID and ulid are the two kinds of row id: a reference has
// the type of the id that it points to, and no person writes them as a type.
var types = []Type{
	{Name: "text", Help: "a line of text", Kind: check.Text, Go: "string", Text: true, Max: 255, columns: text},
	{Name: "textarea", Help: "several lines of plain text", Kind: check.Text, Go: "string", Text: true, Max: 65_535, columns: text},
	{Name: "richtext", Help: "text with markup, such as HTML", Kind: check.Text, Go: "string", Text: true, Max: 1_000_000, columns: text},
	{Name: "number", Help: "a whole number of 64 bits", Kind: check.Int, Go: "int64", columns: same("INTEGER", "bigint", "bigint")},
	{Name: "decimal", Help: "an exact decimal number of up to 18 digits", Kind: check.Decimal, Go: "store.Decimal", columns: decimal},
	{Name: "float", Help: "a number of 64 bits in floating point, such as an average", Kind: check.Float, Go: "float64", columns: float},
	{Name: "boolean", Help: "true or false", Kind: check.Bool, Go: "bool", columns: same("INTEGER", "boolean", "tinyint(1)")},
	{Name: "date", Help: "a day, without a time or a zone", Kind: check.Date, Go: "store.Date", columns: same("TEXT", "date", "date")},
	{Name: "datetime", Help: "an instant, to the microsecond", Kind: check.Time, Go: "time.Time", columns: datetime},
	{Name: "json", Help: "a JSON document: any, of a Go type, or of declared fields", Kind: check.JSON, Go: "store.JSON", Opaque: true, Max: 1 << 20, columns: same("TEXT", "jsonb", "json")},
	{Name: "select", Help: "one of the declared options", Kind: check.Text, Go: "string", Text: true, Max: 64, columns: text},
	{Name: "email", Help: "an email address", Kind: check.Text, Format: check.Email, Go: "string", Text: true, Max: 254, columns: text},
	{Name: "url", Help: "an absolute http or https address", Kind: check.Text, Format: check.URL, Go: "string", Text: true, Max: 2048, columns: text},
	{Name: "slug", Help: "lower-case letters, digits and hyphens", Kind: check.Text, Format: check.Slug, Go: "string", Text: true, Max: 200, columns: text},
	{Name: "bytes", Help: "raw bytes", Kind: check.Bytes, Go: "[]byte", Max: 16 << 20, columns: same("BLOB", "bytea", "longblob")},
	{Name: "reference", Help: "the id of a row of another datatype", Kind: check.Int, Go: "int64", columns: same("INTEGER", "bigint", "bigint")},
	{Name: "id", Kind: check.Int, Go: "int64", columns: same("INTEGER", "bigint", "bigint")},
	{Name: "ulid", Kind: check.Text, Go: "string", Text: true, Max: 26, columns: ulid},
}

var byName = func() map[string]Type {
	m := make(map[string]Type, len(types))
	for _, t := range types {
		m[t.Name] = t
	}
	return m
}()

// Lookup finds a type by the name that definitions use.
func Lookup(name string) (Type, bool) {
	t, ok := byName[name]
	return t, ok
}

// MustLookup finds a type that a stage knows to exist; an unknown one is a bug
// of the generator and panics.
func MustLookup(name string) Type {
	t, ok := byName[name]
	if !ok {
		panic(fmt.Sprintf("fieldtype: unknown type %q", name))
	}
	return t
}

// Writable lists the types that a definition may name, in the table's order.
func Writable() []Type {
	var out []Type
	for _, t := range types {
		if t.Help != "" {
			out = append(out, t)
		}
	}
	return out
}

// same is a type whose declared and reported names are alike and never vary.
func same(sqlite, postgres, mysql string) func(Size) Columns {
	c := Columns{{sqlite, sqlite}, {postgres, postgres}, {mysql, mysql}}
	return func(Size) Columns { return c }
}

// text is compared byte by byte on every database, so that order and equality
// do not depend on where a program runs.
func text(s Size) Columns {
	if s.Max <= VarcharMax && !s.Wide {
		n := fmt.Sprintf("(%d)", s.Max)
		return Columns{
			{"TEXT", "TEXT"},
			{`varchar` + n + ` COLLATE "C"`, "character varying" + n},
			{"varchar" + n, "varchar" + n},
		}
	}
	mysql := "longtext"
	switch bytes := s.Max * 4; {
	case bytes < 1<<16:
		mysql = "text"
	case bytes < 1<<24:
		mysql = "mediumtext"
	}
	return Columns{{"TEXT", "TEXT"}, {`text COLLATE "C"`, "text"}, {mysql, mysql}}
}

// decimal is a scaled whole number on SQLite, which has no exact decimals:
// 19.99 with two digits is kept as 1999, so that it sorts, compares and sums
// exactly.
func decimal(s Size) Columns {
	n := fmt.Sprintf("(18,%d)", s.Scale)
	return Columns{{"INTEGER", "INTEGER"}, {"numeric" + n, "numeric" + n}, {"decimal" + n, "decimal" + n}}
}

func float(Size) Columns {
	return Columns{{"REAL", "REAL"}, {"double precision", "double precision"}, {"double", "double"}}
}

func datetime(Size) Columns {
	return Columns{{"TEXT", "TEXT"}, {"timestamptz", "timestamp with time zone"}, {"datetime(6)", "datetime(6)"}}
}

func ulid(Size) Columns {
	return Columns{{"TEXT", "TEXT"}, {`char(26) COLLATE "C"`, "character(26)"}, {"char(26)", "char(26)"}}
}

// OfColumn guesses the field type from what an analyser calls a column's type,
// for results that come from no column of ours. It gives "" for a type that it
// does not know.
func OfColumn(reported string) string {
	name := strings.ToLower(strings.TrimPrefix(reported, "pg_catalog."))
	if i := strings.IndexByte(name, '('); i > 0 {
		name = name[:i]
	}
	switch name {
	case "int", "integer", "int2", "int4", "int8", "bigint", "smallint", "serial", "bigserial", "mediumint":
		return "number"
	case "text", "varchar", "character varying", "char", "bpchar", "mediumtext", "longtext", "tinytext":
		return "textarea"
	case "bool", "boolean", "tinyint":
		return "boolean"
	case "numeric", "decimal":
		return "decimal"
	case "float8", "double precision", "double", "real", "float", "float4":
		return "float"
	case "timestamptz", "timestamp", "datetime", "timestamp with time zone":
		return "datetime"
	case "date":
		return "date"
	case "json", "jsonb":
		return "json"
	case "bytea", "blob", "longblob", "mediumblob":
		return "bytes"
	}
	return ""
}
