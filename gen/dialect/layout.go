package dialect

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Layout is a datatype's table on one database, part by part: what CREATE TABLE is
// written from, and what two versions of a definition are compared by.
type Layout struct {
	Table       string
	Columns     []Column // the id first, generated ones last
	Checks      []Check
	ForeignKeys []ForeignKey
	Indexes     []Index
}

// Column is one column.
type Column struct {
	Name    string
	Type    string // as CREATE TABLE says it; of the id, all that stands behind the name
	NotNull bool
	Default string // an expression; empty: none
	// Generated is the expression of a column that no one writes; empty: an ordinary one.
	Generated string
	Field     *model.Field // nil: a generated one
	DDL       string       // the whole declaration
}

// Check is a constraint on the values of one column.
type Check struct {
	Name, Column string
	Expr         string
	DDL          string
}

// ForeignKey is a constraint that one column refers to the id of a table.
type ForeignKey struct {
	Name, Column, To string
	OnDelete         string // "RESTRICT", "CASCADE", "SET NULL"
	DDL              string
}

// Index is an index that is not the primary key.
type Index struct {
	Name   string
	Unique bool
	Fields []string // its columns
	DDL    string   // the statement that creates it, without the semicolon; on MySQL, the clause of CREATE TABLE
}

// Describe returns the layout of a datatype whose behaviors have been applied.
func Describe(d *model.Datatype, db model.Database) Layout {
	l := newLowering(db)
	return l.layout(d)
}

func (l *lowering) layout(d *model.Datatype) Layout {
	out := Layout{Table: d.Name, Columns: []Column{l.idLayout(d)}}
	for _, f := range d.Fields {
		out.Columns = append(out.Columns, l.column(f))
	}
	out.Columns = append(out.Columns, l.whenColumns(d)...)
	for _, f := range d.Fields {
		if c := l.checks(f); c != "" {
			name := model.ShortName(d.Name + "_" + f.Name + "_check")
			out.Checks = append(out.Checks, Check{Name: name, Column: f.Name, Expr: c, DDL: fmt.Sprintf("CONSTRAINT %s CHECK (%s)", name, c)})
		}
	}
	for _, f := range d.Fields {
		if f.References != nil {
			out.ForeignKeys = append(out.ForeignKeys, l.foreignKey(d, f))
		}
	}
	for _, x := range d.Indexes {
		out.Indexes = append(out.Indexes, l.index(d, x))
	}
	return out
}

func (l *lowering) idLayout(d *model.Datatype) Column {
	kind := l.idColumn(d)
	return Column{Name: "id", Type: kind, NotNull: true, Field: d.IDField(), DDL: "id " + kind}
}

func (l *lowering) column(f *model.Field) Column {
	c := Column{Name: f.Name, Type: f.ColumnTypes()[l.Dialect].DDL, NotNull: f.NotNull, Default: l.defaultOf(f, f.Default), Field: f}
	if f.Filled != nil {
		c.NotNull, c.Default = l.filled(f)
	}
	c.DDL = l.Quote(f.Name) + " " + c.Type
	if c.NotNull {
		c.DDL += " NOT NULL"
	} else if l.Dialect == sqltext.MySQL {
		c.DDL += " NULL"
	}
	if c.Default != "" {
		c.DDL += " DEFAULT " + c.Default
	}
	return c
}

// filled says whether a column that triggers write is NOT NULL all the same, and with which default, which those
// leave to it that write the other column. MySQL demands a value or a default of some statements before it runs triggers.
func (l *lowering) filled(f *model.Field) (notNull bool, byDefault string) {
	if l.Dialect != sqltext.MySQL {
		return false, ""
	}
	if own := f.Filled.Default; own != nil {
		byDefault = l.defaultOf(f, own)
		return byDefault != "", byDefault
	}
	if outOfRow(f) { // such a column has no default but an expression
		return true, "(" + blanks[f.Storage().Kind] + ")"
	}
	return true, blanks[f.Storage().Kind]
}

// blanks are values of MySQL's columns that mean nothing.
var blanks = map[check.Kind]string{
	check.Text: "''", check.Int: "0", check.Decimal: "0", check.Bool: "FALSE", check.Time: "'1970-01-01 00:00:00'", check.Date: "'1970-01-01'",
	check.JSON: "'null'", check.Bytes: "''", check.Float: "0",
}

// whenColumns are the columns that stand for the conditions of unique indexes on MySQL.
func (l *lowering) whenColumns(d *model.Datatype) []Column {
	if l.Dialect != sqltext.MySQL {
		return nil
	}
	var out []Column
	for _, x := range d.Indexes {
		if x.Unique && len(x.Where) > 0 {
			c := Column{Name: x.WhenColumn(), Type: "tinyint(1)", Generated: fmt.Sprintf("CASE WHEN %s THEN 1 END", l.Conditions(x.Where))}
			c.DDL = fmt.Sprintf("%s %s GENERATED ALWAYS AS (%s) VIRTUAL", l.Quote(c.Name), c.Type, c.Generated)
			out = append(out, c)
		}
	}
	return out
}

func (l *lowering) foreignKey(d *model.Datatype, f *model.Field) ForeignKey {
	k := ForeignKey{
		Name: model.ShortName(d.Name + "_" + f.Name + "_fkey"), Column: f.Name, To: f.References.Name,
		OnDelete: strings.ToUpper(strings.ReplaceAll(f.Reference.OnDelete, "_", " ")),
	}
	k.DDL = fmt.Sprintf("CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (id) ON DELETE %s", k.Name, l.Quote(k.Column), l.Quote(k.To), k.OnDelete)
	return k
}

func (l *lowering) index(d *model.Datatype, x *model.Index) Index {
	out := Index{Name: x.Name, Unique: x.Unique}
	for _, c := range x.Columns {
		out.Fields = append(out.Fields, c.Field.Name)
	}
	if l.Dialect == sqltext.MySQL {
		out.DDL = l.inlineIndex(x)
	} else {
		out.DDL = l.createIndex(d, x)
	}
	return out
}

// Create returns the statement that creates the table under a name, with all its foreign
// keys, without the semicolon.
func (t Layout) Create(d sqltext.Dialect, name string) string {
	return t.CreateWith(d, name, func(ForeignKey) bool { return true })
}

// CreateWith is Create with those foreign keys alone that holds accepts.
func (t Layout) CreateWith(d sqltext.Dialect, name string, holds func(ForeignKey) bool) string {
	var lines []string
	for _, c := range t.Columns {
		lines = append(lines, c.DDL)
	}
	for _, c := range t.Checks {
		lines = append(lines, c.DDL)
	}
	for _, k := range t.ForeignKeys {
		if holds(k) {
			lines = append(lines, k.DDL)
		}
	}
	if d == sqltext.MySQL {
		for _, x := range t.Indexes {
			lines = append(lines, x.DDL)
		}
	}
	return fmt.Sprintf("CREATE TABLE %s (\n  %s\n)%s", d.Quote(name), strings.Join(lines, ",\n  "), tableOptions[d])
}

// CreateIndexes returns the statements that create the table's indexes after it, none on
// MySQL, where CREATE TABLE does.
func (t Layout) CreateIndexes(d sqltext.Dialect) []string {
	if d == sqltext.MySQL {
		return nil
	}
	out := make([]string, len(t.Indexes))
	for i, x := range t.Indexes {
		out[i] = x.DDL
	}
	return out
}
