package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/jackc/pgx/v5"
)

var errSilent = errors.New("the server does not answer")

// Begin starts a transaction. It does not wait for long where ctx has no end: a
// server that answers begins at once.
func (b *backend) Begin(ctx context.Context, opts store.TxOptions) (core.Transaction, error) {
	if err := b.slots.Take(ctx); err != nil {
		return nil, err
	}
	soon, cancel := context.WithTimeoutCause(ctx, 6*answerWait, errSilent)
	defer cancel()
	t, err := b.pool.BeginTx(soon, options(opts))
	if err != nil {
		b.slots.Give()
		return nil, failure(soon, err)
	}
	if opts.ReadOnly {
		t.Conn().PgConn().CustomData()[beganReadOnly] = true
	}
	return &tx{session: session{q: t, abandoned: &b.abandoned, readOnly: opts.ReadOnly}, tx: t, release: b.slots.Give}, nil
}

func options(opts store.TxOptions) pgx.TxOptions {
	own := pgx.TxOptions{IsoLevel: pgx.ReadCommitted}
	switch opts.Isolation {
	case store.RepeatableRead:
		own.IsoLevel = pgx.RepeatableRead
	case store.Serializable:
		own.IsoLevel = pgx.Serializable
	}
	if opts.ReadOnly {
		own.AccessMode = pgx.ReadOnly
	}
	return own
}

type tx struct {
	session
	tx      pgx.Tx
	release func() // nil when the transaction has ended
}

func (t *tx) end() {
	if t.release != nil {
		t.release()
		t.release = nil
	}
}

// leaveReadOnly comes before what gives the connection back to the pool.
func (t *tx) leaveReadOnly() {
	if t.readOnly && t.release != nil {
		delete(t.tx.Conn().PgConn().CustomData(), beganReadOnly)
	}
}

// EndIdle implements core.Idler.
func (t *tx) EndIdle(ctx context.Context, after time.Duration) error {
	_, err := t.Exec(ctx, fmt.Sprintf("SET LOCAL idle_in_transaction_session_timeout = %d", max(after.Milliseconds(), 1)), nil)
	return err
}

// Commit ends the transaction; after an error nothing of it stands, unless the
// connection broke, or ctx ended, while the server was committing.
func (t *tx) Commit(ctx context.Context) error {
	t.leaveReadOnly()
	defer t.end()
	before := t.abandoned.commits.Load()
	if err := t.tx.Commit(ctx); err != nil {
		return failure(ctx, err)
	}
	return t.abandoned.since(ctx, before)
}

// Rollback ends the transaction and undoes it.
func (t *tx) Rollback(ctx context.Context) error {
	t.leaveReadOnly()
	defer t.end()
	if err := t.tx.Rollback(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
		return failure(ctx, err)
	}
	return nil
}

// undo rolls back, after a commit in vain.
func undo(ctx context.Context, t core.Transaction) {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWait)
	defer cancel()
	_ = t.Rollback(late) // the connection is closed then, and the server undoes it
}

// Copy adds rows with COPY.
func (t *tx) Copy(ctx context.Context, table string, columns []string, n int, row func(i int) ([]any, error)) error {
	values := make([]any, len(columns))
	source := pgx.CopyFromSlice(n, func(i int) ([]any, error) {
		fields, err := row(i)
		if err != nil {
			return nil, err
		}
		for j, f := range fields {
			if values[j], err = argument(f); err != nil {
				return nil, err
			}
		}
		return values, nil
	})
	copied, err := t.tx.CopyFrom(ctx, pgx.Identifier{table}, columns, source)
	if err != nil {
		return t.failure(ctx, err)
	}
	if copied != int64(n) {
		return fmt.Errorf("postgres: %d of %d rows were copied", copied, n)
	}
	return nil
}
