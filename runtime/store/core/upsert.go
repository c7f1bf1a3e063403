package core

import (
	"context"
	"errors"

	"github.com/hegner123/modulagen/runtime/store"
)

// MySQL has no upsert by one key: ON DUPLICATE KEY UPDATE changes the first row
// that collides on any. There, the row with the key is looked up and locked; one
// that is there is updated by its id, and where there is none a row is inserted.
// Both then fail, as they should, where another key collides. An insert that
// meets the key after all, because another transaction added it in between, has
// waited for that one's end: the row is looked up again.
//
// What others do at the same time is either before all of it or after it, with
// the locks of "read committed": several that wait for one new key may meet in a
// deadlock, which InnoDB ends at once; the transactions are tried again and find
// the row.

// upsertRounds is how often a row may be there for an insert and gone for the
// look before it. Someone who adds and removes the same key all the time is
// waited for as for a lock.
const upsertRounds = 4

func (a access) upsertLocked(ctx context.Context, shape upsertShape, by []any, row any, vals []any) error {
	key := a.s.Keys[shape.key]
	return a.c.InTx(ctx, func(c *Conn) error {
		in := a.on(c)
		for range upsertRounds {
			id, err := in.locked(ctx, shape.key, by)
			switch {
			case err == nil:
				err = in.updateLocked(ctx, shape.set, id, vals)
			case errors.Is(err, store.ErrNotFound):
				id, err = in.insertUnlocked(ctx, key.Name, vals)
			}
			if err == nil {
				return in.get(ctx, id, row)
			}
			err = in.written(ctx, in.fail(err), vals, nil)
			if conflict, ok := errors.AsType[*store.ConflictError](err); !ok || conflict.Key != key.Name {
				return err
			}
		}
		return in.fail(Coded(store.ErrBusy, errors.New("the row comes and goes")))
	})
}

// locked returns the id of the row with the key, which no one else then changes
// before the transaction ends; ErrNotFound without one.
func (a access) locked(ctx context.Context, key int, by []any) (id any, err error) {
	if a.s.ID == IDULID {
		var s string
		err = a.c.QueryRow(ctx, a.st.lock[key], by, []any{&s})
		return s, err
	}
	var n int64
	err = a.c.QueryRow(ctx, a.st.lock[key], by, []any{&n})
	return n, err
}

func (a access) updateLocked(ctx context.Context, set columnSet, id any, vals []any) error {
	if set.empty() {
		return nil
	}
	var args []any
	for i, v := range vals {
		if set.has(i) {
			args = append(args, v)
		}
	}
	_, err := a.c.Exec(ctx, a.updateText(set), append(args, id))
	return err
}

func (a access) insertUnlocked(ctx context.Context, key string, vals []any) (id any, err error) {
	first := len(a.s.Columns) - len(a.st.insertAll)
	res, err := a.c.execUnlessTaken(ctx, key, a.st.insert, vals[first:])
	if first == 0 {
		return vals[0], err
	}
	return res.LastID, err
}
