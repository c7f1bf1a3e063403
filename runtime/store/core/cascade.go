package core

import (
	"context"
	"errors"
	"reflect"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Cascade is a reference of another datatype's rows to those of this one, with
// which they are deleted or changed. Generated code lists those that lead to a
// datatype with effects: the database does the work, and does not report
// afterwards which rows it was.
type Cascade struct {
	Spec    *Spec // the datatype that refers to this one
	Column  int   // its column that does
	SetNull bool  // the column becomes NULL; otherwise the row is deleted
}

// passed are the rows that one delete has reached: references may form circles,
// and lead to one row in several ways.
type passed map[passedRow]Op

type passedRow struct {
	spec *Spec
	id   any
}

// first reports whether a row is met for the first time, or is now known to be
// deleted where it was only to be changed.
func (p passed) first(s *Spec, id any, op Op) bool {
	at := passedRow{s, id}
	if was, ok := p[at]; ok && (was == op || was == Deleted) {
		return false
	}
	p[at] = op
	return true
}

// cascade runs the effects on all rows that the database deletes or changes when
// the changed rows are deleted, the farthest first. The rows are locked before
// they are read, those that are referred to before those that refer to them: no
// row can come to refer to one that goes.
func (a access) cascade(ctx context.Context, deleted []Change, seen passed) error {
	for _, ch := range deleted {
		seen.first(a.s, ch.ID, Deleted)
	}
	for _, k := range a.s.Cascades {
		in := Table{a.c, k.Spec}.access()
		if err := in.referring(ctx, k, deleted, seen); err != nil {
			return err
		}
	}
	return nil
}

// referring runs the effects on the rows that refer to deleted ones by one
// column, and on what refers to them in turn.
func (a access) referring(ctx context.Context, k Cascade, deleted []Change, seen passed) error {
	op := Deleted
	if k.SetNull {
		op = Updated
	}
	es, err := a.s.byOp[op].wanted(ctx, a.c)
	if err != nil {
		return err
	}
	return a.eachLocked(ctx, listed(k.Column, deleted), es.rows(), func(changes []Change) error {
		kept := changes[:0]
		for _, ch := range changes {
			if ch.Op = op; seen.first(a.s, ch.ID, op) {
				kept = append(kept, ch)
			}
		}
		if len(kept) == 0 {
			return nil
		}
		es.announce(a.c)
		if !k.SetNull {
			if err := a.cascade(ctx, kept, seen); err != nil {
				return err
			}
		} else if es.rows() {
			if err := a.nulled(k.Column, kept); err != nil {
				return err
			}
		}
		return es.run(ctx, a.c, kept)
	})
}

// nulled fills After: the row without its reference.
func (a access) nulled(col int, changes []Change) error {
	for i, ch := range changes {
		after := a.s.Row()
		reflect.ValueOf(after).Elem().Set(reflect.ValueOf(ch.Before).Elem())
		if err := Assign(a.s.Fields(after, nil)[col], nil); err != nil {
			return err
		}
		changes[i].After = after
	}
	return nil
}

// eachLocked calls each with the rows that a filter keeps, by id, in batches. No
// one else changes them before the transaction ends. each may delete its rows.
func (a access) eachLocked(ctx context.Context, where *filter.Node, rows bool, each func([]Change) error) error {
	kept := where
	for {
		changes, err := a.lockRows(ctx, kept, rows, EffectBatch)
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			return nil
		}
		more := len(changes) == EffectBatch
		last := changes[len(changes)-1].ID
		if err := each(changes); err != nil || !more {
			return err
		}
		kept = &filter.Node{Op: filter.And, Kids: []*filter.Node{where, {Op: filter.Gt, Col: 0, Args: []any{last}}}}
	}
}

// lockRows reads up to limit rows that a filter keeps, by id, as rows that are
// deleted, and keeps others from changing them. Without rows it reads their ids.
func (a access) lockRows(ctx context.Context, where *filter.Node, rows bool, limit int) ([]Change, error) {
	return a.selectLocked(ctx, where, rows, limit, forUpdate(a.st.dialect))
}

// lockFree is lockRows without the rows that another transaction has locked.
func (a access) lockFree(ctx context.Context, where *filter.Node, rows bool, limit int) ([]Change, error) {
	return a.selectLocked(ctx, where, rows, limit, skipLocked(a.st.dialect))
}

func (a access) selectLocked(ctx context.Context, where *filter.Node, rows bool, limit int, lock string) ([]Change, error) {
	row := a.s.Row()
	dest := a.s.Fields(row, nil)
	b := a.builder()
	if rows {
		b.write(a.st.selectAll)
	} else {
		dest = dest[:1]
		b.write("SELECT id\nFROM ", a.st.table)
	}
	b.where(where, nil)
	b.write("\nORDER BY id\nLIMIT ")
	b.bind(int64(limit))
	b.write(lock)
	if b.err != nil {
		return nil, b.err
	}
	var out []Change
	err := a.c.Query(ctx, string(b.sql), b.args, dest, func() error {
		ch := Change{Op: Deleted, ID: a.idOf(row)}
		if rows {
			before := reflect.New(reflect.TypeOf(row).Elem())
			before.Elem().Set(reflect.ValueOf(row).Elem())
			ch.Before = before.Interface()
			clearRow(row)
		}
		out = append(out, ch)
		return nil
	})
	if err != nil {
		return nil, a.fail(err)
	}
	return out, nil
}

// clearRow keeps the next row that is read from sharing memory with this one.
func clearRow(row any) { reflect.ValueOf(row).Elem().SetZero() }

// forUpdate ends a SELECT whose rows are locked. SQLite has one writer, and a
// transaction is it from its beginning.
func forUpdate(d sqltext.Dialect) string {
	if d == sqltext.SQLite {
		return ""
	}
	return "\nFOR UPDATE"
}

// skipLocked is forUpdate without the rows that another transaction has locked.
func skipLocked(d sqltext.Dialect) string {
	if d == sqltext.SQLite {
		return ""
	}
	return "\nFOR UPDATE SKIP LOCKED"
}

// getLocked reads a row, and keeps others from changing it.
func (a access) getLocked(ctx context.Context, id, row any) error {
	arg, err := a.idArg(id)
	if err != nil {
		return err
	}
	sc := a.s.take()
	defer a.s.give(sc)
	sc.args = append(sc.args, arg)
	return a.one(ctx, a.st.get+forUpdate(a.st.dialect), row, sc)
}

// idOf returns a row's id in the form that a Change has.
func (a access) idOf(row any) any {
	sc := a.s.take()
	defer a.s.give(sc)
	sc.dest = a.s.Fields(row, sc.dest[:0])
	switch id := sc.dest[0].(type) {
	case *int64:
		return *id
	case *string:
		return *id
	}
	return nil
}

// upsertSeen is an upsert that returns the row as it was before, or nil where it
// has added one. The row is looked up and locked first; one that another
// transaction adds in between makes it look again.
func (a access) upsertSeen(ctx context.Context, key int, n, row any) (before any, err error) {
	sc := a.s.take()
	defer a.s.give(sc)
	set, by, err := a.prepareUpsert(key, n, row, sc)
	if err != nil {
		return nil, err
	}
	vals := append([]any(nil), sc.vals...) // row is read into below, and shares its places with sc
	for range upsertRounds {
		old := a.s.Row()
		err := a.lockedBy(ctx, key, by, old)
		switch {
		case err == nil:
			id := a.idOf(old)
			if err := a.updateLocked(ctx, set, id, vals); err != nil {
				return nil, a.written(ctx, a.fail(err), vals, nil)
			}
			return old, a.get(ctx, id, row)
		case !errors.Is(err, store.ErrNotFound):
			return nil, err
		}
		id, added, err := a.insertUnlessThere(ctx, key, vals)
		if err != nil {
			return nil, a.written(ctx, a.fail(err), vals, nil)
		}
		if added {
			return nil, a.get(ctx, id, row)
		}
	}
	return nil, a.fail(Coded(store.ErrBusy, errors.New("another transaction adds and removes the row all the time")))
}

// lockedBy reads the row with a key and locks it.
func (a access) lockedBy(ctx context.Context, key int, by []any, row any) error {
	sc := a.s.take()
	defer a.s.give(sc)
	sc.args = append(sc.args, by...)
	return a.one(ctx, a.st.byKey[key]+forUpdate(a.st.dialect), row, sc)
}

// insertUnlessThere inserts a row unless one has the key, which another
// transaction may have added a moment ago.
func (a access) insertUnlessThere(ctx context.Context, key int, vals []any) (id any, added bool, err error) {
	k := a.s.Keys[key]
	if a.st.dialect == sqltext.MySQL {
		id, err = a.insertUnlocked(ctx, k.Name, vals)
		if conflict, ok := errors.AsType[*store.ConflictError](a.fail(err)); err != nil && ok && conflict.Key == k.Name {
			return nil, false, nil
		}
		return id, err == nil, err
	}
	text := sqltext.Insert(a.st.dialect, a.s.Name, a.st.insertSet, false) +
		"\nON CONFLICT (" + a.st.dialect.Columns(a.st.pick(k.Columns)) + ") DO NOTHING\nRETURNING id"
	row := a.s.Row()
	first := len(a.s.Columns) - len(a.st.insertAll)
	err = a.c.QueryRow(ctx, text, vals[first:], a.s.Fields(row, nil)[:1])
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	return a.idOf(row), err == nil, err
}
