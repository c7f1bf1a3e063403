package sqlite

import (
	"context"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// ExecEach runs a statement many times, in a transaction of its own or with
// others in one.
func (b *backend) ExecEach(ctx context.Context, sql string, args func(i int) []any, touched []int64) error {
	if isWrite(sql) {
		return b.share(&unit{ctx: ctx, sql: sql, times: args, touched: touched})
	}
	t, err := b.Begin(ctx, store.TxOptions{})
	if err != nil {
		return err
	}
	defer t.Rollback(ctx)
	if err := t.(*tx).ExecEach(ctx, sql, args, touched); err != nil {
		return err
	}
	return t.Commit(ctx)
}

// ExecEach runs a statement many times.
func (t *tx) ExecEach(ctx context.Context, sql string, args func(i int) []any, touched []int64) error {
	if err := t.allows(ctx, sql); err != nil {
		return err
	}
	return t.c.execEach(ctx, sql, args, touched)
}

// execEach prepares and watches the context once for all the times.
func (c *conn) execEach(ctx context.Context, sql string, args func(i int) []any, touched []int64) error {
	if ctx.Err() != nil {
		return core.Ended(ctx)
	}
	s, err := c.prepare(ctx, sql)
	if err != nil {
		return err
	}
	w := c.watch(ctx)
	defer w.end()
	for i := range touched {
		res, err := c.complete(ctx, s, args(i))
		if err != nil {
			return err
		}
		touched[i] = res.RowsAffected
		// An interrupt may fall between two times. After the last one all is done,
		// and may be committed.
		if i+1 < len(touched) && ctx.Err() != nil {
			return core.Ended(ctx)
		}
	}
	return nil
}
