package core

import (
	"context"
	"errors"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// SQLite says that a reference does not hold, and nothing more: which one it is
// has to be looked up afterwards. What the others could not say is left open.

// pointing completes the error of a write whose row points to nothing. vals are
// by column; only holds those that were written, or is nil for all.
func (a access) pointing(ctx context.Context, err error, vals []any, only *columnSet) error {
	e, ok := errors.AsType[*store.ReferenceError](err)
	if !ok || e.Missing || e.Pointed {
		return err
	}
	e.Missing = true
	if a.st.dialect != sqltext.SQLite {
		return err
	}
	for _, k := range a.c.db.known().references {
		col := a.column(k.column)
		if k.table != a.s.Name || col < 0 || vals[col] == nil || only != nil && !only.has(col) {
			continue
		}
		if there, known := a.c.any(ctx, k.to, "id", vals[col]); known && !there {
			e.From, e.Field, e.To = k.table, k.column, k.to
			return err
		}
	}
	return err
}

// pointed completes the error of a delete. id is nil where many rows were to go.
func (a access) pointed(ctx context.Context, err error, id any) error {
	e, ok := errors.AsType[*store.ReferenceError](err)
	if !ok || e.Missing || e.Pointed {
		return err
	}
	e.Pointed = true
	if a.st.dialect != sqltext.SQLite || id == nil {
		return err
	}
	for _, k := range a.c.db.known().references {
		if k.to != a.s.Name || k.follows {
			continue
		}
		if there, _ := a.c.any(ctx, k.table, k.column, id); there {
			e.From, e.Field, e.To = k.table, k.column, k.to
			return err
		}
	}
	return err
}

func (a access) column(name string) int {
	for i, c := range a.s.Columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

// any reports whether a table has a row with a value in a column. It runs beside
// the rules of Conn: a transaction whose statement has just failed takes no
// other, but SQLite itself would.
func (c *Conn) any(ctx context.Context, table, column string, value any) (there, known bool) {
	if c.tx != nil {
		if !c.tx.running.TryLock() {
			return false, false
		}
		defer c.tx.running.Unlock()
	}
	var one int64
	text := "SELECT 1 FROM " + c.dialect.Quote(table) + " WHERE " + c.dialect.Quote(column) + " = ? LIMIT 1"
	err := c.session.QueryRow(ctx, text, []any{value}, []any{&one})
	return err == nil, err == nil || errors.Is(err, store.ErrNotFound)
}
