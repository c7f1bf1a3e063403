// Package catalogue keeps the definitions of a project as rows of its database: which
// datatypes there are, their fields and their routes. Generated code calls it when a
// database is opened.
package catalogue

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Spec is what generated code says about the three tables, of which any but Datatypes may be
// nil, and what is to be in them.
type Spec struct {
	Datatypes, Fields, Routes *Table
	Defined                   []Datatype
}

// Table reads and writes one of the tables.
type Table struct {
	All func(ctx context.Context, c *core.Conn) iter.Seq2[*Entry, error]
	Add func(ctx context.Context, c *core.Conn, list []*Entry) error // and sets their ids
	Set func(ctx context.Context, c *core.Conn, d *Entry) error      // by its id
}

// Datatype is a definition.
type Datatype struct {
	Name, Label, Description, Route string
	Fields                          []Field
}

// Field is one of its fields.
type Field struct{ Name, Label, Type, Help string }

// Entry is a row of any of the tables. Each has those of the columns that fit.
type Entry struct {
	ID       int64
	Owner    int64  // the id of the datatype
	Key      string // name or slug
	Label    string
	Type     string
	Help     string // or description
	Position int64
	Defined  bool // by the program that was started last
}

// attempts is how often Fill begins anew when another process fills the same tables.
const attempts = 5

// Fill makes the tables have what is defined. Where they have it already, it only reads. A
// row that is not defined any more stays, since others may refer to it, with Defined false.
func Fill(ctx context.Context, db *core.DB, s *Spec) error {
	for n := 1; ; n++ {
		err := fill(ctx, db, s)
		if err == nil || n == attempts || !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

func fill(ctx context.Context, db *core.DB, s *Spec) error {
	check := &filling{Spec: s}
	if err := check.run(ctx, db.Conn()); err != nil || !check.differs {
		return err
	}
	return db.Tx(ctx, func(c *core.Conn) error {
		write := &filling{Spec: s, write: true}
		return write.run(ctx, c)
	})
}

// filling compares the tables with what is defined, and writes what differs if it is to.
type filling struct {
	*Spec
	write   bool
	differs bool
}

func (f *filling) run(ctx context.Context, c *core.Conn) error {
	var datatypes []*Entry
	for _, d := range f.Defined {
		datatypes = append(datatypes, &Entry{Key: d.Name, Label: d.Label, Help: d.Description, Defined: true})
	}
	if err := f.table(ctx, c, f.Datatypes, datatypes); err != nil || f.differs && !f.write {
		return err
	}
	var fields, routes []*Entry
	for i, d := range f.Defined {
		owner := datatypes[i].ID
		for n, field := range d.Fields {
			fields = append(fields, &Entry{Owner: owner, Key: field.Name, Label: field.Label, Type: field.Type, Help: field.Help, Position: int64(n + 1), Defined: true})
		}
		if d.Route != "" {
			routes = append(routes, &Entry{Owner: owner, Key: d.Route, Defined: true})
		}
	}
	return errors.Join(f.table(ctx, c, f.Fields, fields), f.table(ctx, c, f.Routes, routes))
}

// key is what an entry is known by. A route leads to another datatype when it moves, and
// keeps its id: what refers to it means the route.
func (t *Table) key(e *Entry, s *Spec) string {
	if t == s.Fields {
		return fmt.Sprintf("%d %s", e.Owner, e.Key)
	}
	return e.Key
}

// table compares one table with the entries that it is to have, whose ids it sets.
func (f *filling) table(ctx context.Context, c *core.Conn, t *Table, want []*Entry) error {
	if t == nil {
		return nil
	}
	left := map[string]*Entry{}
	for e, err := range t.All(ctx, c) {
		if err != nil {
			return err
		}
		left[t.key(e, f.Spec)] = e
	}
	var added, changed []*Entry
	for _, e := range want {
		key := t.key(e, f.Spec)
		old := left[key]
		delete(left, key)
		if old == nil {
			added = append(added, e)
			continue
		}
		if e.ID = old.ID; *e != *old {
			changed = append(changed, e)
		}
	}
	for _, old := range left {
		if old.Defined {
			old.Defined = false
			changed = append(changed, old)
		}
	}
	f.differs = f.differs || len(added)+len(changed) > 0
	if !f.write {
		return nil
	}
	for _, e := range changed {
		if err := t.Set(ctx, c, e); err != nil {
			return err
		}
	}
	if len(added) == 0 {
		return nil
	}
	return t.Add(ctx, c, added)
}
