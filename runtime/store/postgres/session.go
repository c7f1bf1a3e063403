package postgres

import (
	"context"
	"errors"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// querier is what a pool and a transaction have in common.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

type session struct {
	q         querier
	abandoned *abandoned
	readOnly  bool // a transaction that refuses writes
	only      bool // no other connection can take its place, as it holds a lock
}

// failure marks an error with the store's sentinels.
func (s session) failure(ctx context.Context, err error) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok || pg.Code != readOnly:
		return failure(ctx, err)
	case s.readOnly:
		return core.ErrWriteRefused
	case s.only:
		return &Error{Code: pg.Code, Message: pg.Message + ": the server is a standby, or default_transaction_read_only is on; name one that takes writes in the DSN"}
	}
	return failure(ctx, err)
}

// Exec runs a statement that gives no rows.
func (s session) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	bound, err := arguments(args)
	if err != nil {
		return core.Result{}, err
	}
	before := s.abandoned.commits.Load()
	tag, err := s.q.Exec(ctx, sql, bound...)
	if err != nil {
		return core.Result{}, s.failure(ctx, err)
	}
	if err := s.abandoned.since(ctx, before); err != nil {
		return core.Result{}, err
	}
	return core.Result{RowsAffected: tag.RowsAffected()}, nil
}

// Query fills dest with each row and then calls each.
func (s session) Query(ctx context.Context, sql string, args, dest []any, each func() error) error {
	return s.rows(ctx, sql, args, dest, func() (bool, error) { return true, each() })
}

// QueryRow fills dest with the first row.
func (s session) QueryRow(ctx context.Context, sql string, args, dest []any) error {
	found := false
	err := s.rows(ctx, sql, args, dest, func() (bool, error) {
		found = true
		return false, nil
	})
	if err == nil && !found {
		return store.ErrNotFound
	}
	return err
}

// rows goes through a result until each says that it has enough.
func (s session) rows(ctx context.Context, sql string, args, dest []any, each func() (more bool, err error)) error {
	bound, err := arguments(args)
	if err != nil {
		return err
	}
	before := s.abandoned.commits.Load()
	rows, err := s.q.Query(ctx, sql, bound...)
	if err != nil {
		return s.failure(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scanAll(rows, dest); err != nil {
			return err
		}
		more, err := each()
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	rows.Close() // what goes wrong after the last row shows now
	if err := rows.Err(); err != nil {
		return s.failure(ctx, err)
	}
	return s.abandoned.since(ctx, before)
}
