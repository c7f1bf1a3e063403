package postgres

import (
	"context"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/jackc/pgx/v5"
)

// pipelined is how many statements are sent before the first answer is read.
const pipelined = 1000

// ExecEach runs a statement many times. Statements that are sent in one go are
// one transaction to the server, without a BEGIN and a COMMIT of their own.
func (b *backend) ExecEach(ctx context.Context, sql string, args func(i int) []any, touched []int64) error {
	if len(touched) <= pipelined {
		if err := b.slots.Take(ctx); err != nil {
			return err
		}
		defer b.slots.Give()
		return b.session.pipeline(ctx, sql, args, 0, touched)
	}
	t, err := b.Begin(ctx, store.TxOptions{})
	if err != nil {
		return err
	}
	defer undo(ctx, t)
	if err := t.(core.Repeater).ExecEach(ctx, sql, args, touched); err != nil {
		return err
	}
	return t.Commit(ctx)
}

// ExecEach runs a statement many times.
func (t *tx) ExecEach(ctx context.Context, sql string, args func(i int) []any, touched []int64) error {
	for at := 0; at < len(touched); at += pipelined {
		part := touched[at:min(at+pipelined, len(touched))]
		if err := t.session.pipeline(ctx, sql, args, at, part); err != nil {
			return err
		}
	}
	return nil
}

// pipeline sends statements in one go, with the arguments from number first on.
func (s session) pipeline(ctx context.Context, sql string, args func(i int) []any, first int, touched []int64) error {
	batch := &pgx.Batch{}
	for i := range touched {
		bound, err := arguments(args(first + i))
		if err != nil {
			return err
		}
		batch.Queue(sql, bound...)
	}
	before := s.abandoned.commits.Load()
	results := s.q.SendBatch(ctx, batch)
	for i := range touched {
		tag, err := results.Exec()
		if err != nil {
			results.Close()
			return s.failure(ctx, err)
		}
		touched[i] = tag.RowsAffected()
	}
	if err := results.Close(); err != nil {
		return s.failure(ctx, err)
	}
	return s.abandoned.since(ctx, before)
}
