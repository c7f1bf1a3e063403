package core

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// explain completes an error of the database with what the schema knows of the
// names in it. datatype is the one whose rows were written; empty for a statement of
// the user's own.
func (db *DB) explain(err error, datatype string) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*store.ConflictError](err); ok {
		return db.explainConflict(e, datatype)
	}
	if e, ok := errors.AsType[*store.ValidationError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*store.ReferenceError](err); ok {
		return db.explainReference(e, datatype)
	}
	if e, ok := errors.AsType[*RefusedError](err); ok {
		return db.explainRefusal(e, datatype)
	}
	return err
}

func (db *DB) tables() []TableDef {
	if db.schema == nil {
		return nil
	}
	return db.schema.Tables
}

func (db *DB) known() *facts {
	db.once.Do(func() {
		d := db.conn.dialect
		if db.facts = read(d, nil); db.schema != nil {
			db.facts = read(d, Statements(db.schema.DDL[d]))
		}
	})
	return db.facts
}

// explainConflict finds the unique index by its name, or by its columns where the
// database reports those.
func (db *DB) explainConflict(e *store.ConflictError, datatype string) error {
	c := &store.ConflictError{Datatype: cmp.Or(datatype, e.Datatype), Key: e.Key, Fields: e.Fields}
	for _, t := range db.tables() {
		if c.Datatype != "" && t.Name != c.Datatype {
			continue
		}
		for _, x := range t.Indexes {
			fields := x.fields(t)
			if x.Unique && (strings.EqualFold(x.Name, e.Key) || e.Key == "" && slices.Equal(fields, e.Fields)) {
				c.Datatype, c.Key, c.Fields = t.Name, x.Name, fields
				return c
			}
		}
	}
	if len(c.Fields) == 0 && (c.Key == "PRIMARY" || c.Datatype != "" && c.Key == c.Datatype+"_pkey") {
		c.Fields = []string{"id"}
	}
	return c
}

// fields names an index's columns, without those that only the database has.
func (x Index) fields(t TableDef) []string {
	var out []string
	for _, c := range x.Columns {
		if c >= 0 && c < len(t.Columns) {
			out = append(out, t.Columns[c].Name)
		}
	}
	return out
}

func (db *DB) explainReference(e *store.ReferenceError, datatype string) error {
	r := *e
	if e.Key != "" {
		for _, k := range db.known().references {
			if strings.EqualFold(k.name, e.Key) && (e.From == "" || k.table == e.From) {
				r.From, r.Field, r.To = k.table, k.column, k.to
			}
		}
	}
	switch {
	case datatype != "":
		r.Datatype = datatype
	case r.Missing:
		r.Datatype = r.From
	case r.Pointed:
		r.Datatype = r.To
	}
	return &r
}

func (db *DB) explainRefusal(e *RefusedError, datatype string) error {
	r := *e
	r.Datatype = cmp.Or(datatype, e.Datatype)
	if r.Column == "" {
		r.Datatype, r.Column = db.checkedColumn(r.Datatype, r.Check)
	}
	if r.Column == "" {
		return &r
	}
	v := store.Violation{Field: r.Column, Rule: "check", Message: "has a value that the database's check refuses"}
	if r.Null {
		v.Rule, v.Message = "null", "cannot be null"
	}
	return &store.ValidationError{Datatype: r.Datatype, Violations: []store.Violation{v}, Cause: e}
}

// checkedColumn finds a check by its name, or else the first column that its
// name or text mentions: one without a name is recognized by its text on SQLite and
// as "table.column" on MariaDB.
func (db *DB) checkedColumn(table, check string) (string, string) {
	if c, ok := db.known().checks[strings.ToLower(check)]; ok && (table == "" || table == c.table) {
		return c.table, c.column
	}
	for _, t := range db.tables() {
		if t.Name != table {
			continue
		}
		for _, word := range tokens(sqltext.SQLite, check) {
			if slices.ContainsFunc(t.Columns, func(c Column) bool { return word.kind == nameToken && c.Name == word.text }) {
				return table, word.text
			}
		}
	}
	return table, ""
}
