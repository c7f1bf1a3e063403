// Package retain deletes rows that are older than they are kept, for the methods Cleanup and
// CleanupOlder of datatypes that have
//
//	retain: {field: created_at, for: 30d}
//
// Generated code calls it. Rows go as with Delete: with the effects of that, and what refers to
// them by on_delete. A row that others refer to with on_delete restrict stays until they are gone,
// and keeps no other one from being deleted.
package retain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Spec says which rows of a datatype are kept. Generated code has one for each datatype with the
// section.
type Spec struct {
	Rows  *core.Spec
	Field int  // the column that rows age by; one without a value is kept for ever
	Date  bool // it is a date, which has ended when its day has, in UTC
	For   time.Duration
	// Restrict are the columns that refer to the rows with on_delete restrict.
	Restrict []core.Referrer
}

// Batch is how many rows are deleted in one transaction, core.EffectBatch at most.
const Batch = 500

// Cleanup deletes the rows that are older than olderThan, which 0 leaves to the definition. It
// does so in transactions of at most Batch rows, or in the transaction that c is of, and returns
// how many it has deleted, also with an error.
func (s *Spec) Cleanup(ctx context.Context, c *core.Conn, olderThan time.Duration) (int64, error) {
	if olderThan == 0 {
		olderThan = s.For
	}
	return s.Older(ctx, c, olderThan)
}

// Older is Cleanup with an age, which has to be positive.
func (s *Spec) Older(ctx context.Context, c *core.Conn, age time.Duration) (total int64, err error) {
	if age <= 0 {
		return 0, fmt.Errorf("store: %s: %w: rows are deleted by an age that is positive, not %v", s.Rows.Name, store.ErrInvalid, age)
	}
	now, err := c.Now(ctx)
	if err != nil {
		return 0, err
	}
	d := deletion{s, core.Bind(c, s.Rows), s.old(now.Add(-age))}
	return d.all(ctx)
}

// cond is a condition on the rows of any datatype.
type cond = store.Cond[int64]

func anyOf(c cond) core.AnyCond { return core.AnyCond{Filter: c.Filter} }

// old keeps the rows that are older than a moment and that nothing refers to.
func (s *Spec) old(than time.Time) cond {
	var older cond
	if s.Date {
		older = core.FieldOf[int64, store.Date](s.Field).Lt(store.DateOf(than.UTC()))
	} else {
		older = core.FieldOf[int64, time.Time](s.Field).Lt(than)
	}
	if len(s.Restrict) == 0 {
		return older
	}
	return store.And(older, cond{Filter: core.Unreferenced(s.Restrict...).Filter})
}

// deletion is one run of Cleanup.
type deletion struct {
	*Spec
	rows core.Table
	old  cond
}

// all deletes the rows in batches. Where the database lets a batch not go, its rows are deleted
// one by one.
func (d *deletion) all(ctx context.Context) (total int64, err error) {
	rest := d.old
	for {
		n, err := d.rows.DeleteSome(ctx, anyOf(rest), Batch)
		more := n > 0
		if errors.Is(err, store.ErrReference) && !d.rows.Conn().InTransaction() {
			n, rest, more, err = d.apart(ctx, rest)
		}
		total += n
		if err != nil || !more {
			return total, err
		}
		if err := d.rows.Conn().Yield(ctx); err != nil {
			return total, err
		}
	}
}

// apart deletes the rows of one batch, each in a transaction of its own, and leaves those that
// the database refuses to delete: a row that goes with them is referred to, or one came to refer to
// them meanwhile. It returns the condition of the rows beyond them.
func (d *deletion) apart(ctx context.Context, rest cond) (deleted int64, beyond cond, more bool, err error) {
	for range Batch {
		row := d.Rows.Row()
		err := d.rows.First(ctx, core.QueryOf(store.Query[int64]{Where: rest}), row)
		if errors.Is(err, store.ErrNotFound) {
			return deleted, rest, false, nil
		}
		if err != nil {
			return deleted, rest, false, err
		}
		is, after, err := d.place(row)
		if err != nil {
			return deleted, rest, false, err
		}
		n, err := d.rows.DeleteSome(ctx, anyOf(store.And(d.old, is)), 1)
		if err != nil && !errors.Is(err, store.ErrReference) {
			return deleted, rest, false, err
		}
		deleted, rest = deleted+n, store.And(d.old, after)
	}
	return deleted, rest, true, nil
}

// place returns conditions for a row, and for those with a greater id.
func (s *Spec) place(row any) (is, beyond cond, err error) {
	id, err := core.Plain(s.Rows.Fields(row, nil)[0])
	switch id := id.(type) {
	case int64:
		at := core.FieldOf[int64, int64](0)
		return at.Eq(id), at.Gt(id), err
	case string:
		at := core.FieldOf[int64, string](0)
		return at.Eq(id), at.Gt(id), err
	}
	return is, beyond, errors.Join(err, fmt.Errorf("store: %s: an id of type %T", s.Rows.Name, id))
}
