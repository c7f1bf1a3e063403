package engine

import (
	"context"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// Changes by the queue's own statements have the effects of any other write: a cache
// that depends on the queue drops a job that has ended. Changes that only the queue
// itself reads, such as a row's hold, have no effects.

// changing runs change, which returns the ids of the rows that it changed, and then
// the effects on these rows, in one transaction. rows is nil if there are no effects.
func changing(ctx context.Context, c *core.Conn, rows *core.Spec, change func(c *core.Conn) (ids []any, err error)) error {
	if rows == nil {
		_, err := change(c)
		return err
	}
	return c.InTx(ctx, func(c *core.Conn) error {
		ids, err := change(c)
		if err != nil || len(ids) == 0 {
			return err
		}
		return core.Bind(c, rows).Changed(ctx, core.Updated, ids)
	})
}

func (t *table) changing(ctx context.Context, c *core.Conn, change func(c *core.Conn) (ids []any, err error)) error {
	return changing(ctx, c, t.shape.rows, change)
}

// changingOne is like changing for a statement that changes at most one row. It
// returns how many it changed.
func changingOne[R any](ctx context.Context, c *core.Conn, spec *Spec[R], st *core.Statement, id any, args []any) (n int64, err error) {
	err = changing(ctx, c, spec.Rows, func(c *core.Conn) ([]any, error) {
		if n, err = core.Exec(ctx, c, st, args); n == 0 {
			return nil, err
		}
		return []any{id}, err
	})
	return n, err
}

// idsOf returns the ids of those claims that were changed.
func idsOf(claims []*claim, changed []bool) []any {
	var ids []any
	for i, c := range claims {
		if changed[i] {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
