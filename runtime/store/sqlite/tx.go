package sqlite

import (
	"context"
	"fmt"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Begin takes the writer and starts a transaction that may write from the
// start: one that begins by reading could not be sure to be allowed to later.
// One that is ReadOnly takes a reader. Either sees one state of the database.
func (b *backend) Begin(ctx context.Context, opts store.TxOptions) (core.Transaction, error) {
	if opts.ReadOnly {
		return b.begin(ctx, "BEGIN", &tx{readOnly: true, give: b.giveReader}, b.takeReader)
	}
	return b.begin(ctx, "BEGIN IMMEDIATE", &tx{give: b.giveWriter}, b.takeWriter)
}

func (b *backend) begin(ctx context.Context, begin string, t *tx, take func(context.Context) (*conn, error)) (core.Transaction, error) {
	c, err := take(ctx)
	if err != nil {
		return nil, err
	}
	begun := false
	defer func() { // also on a panic: without the writer nothing goes on
		if !begun {
			c.leaveTransaction()
			t.give(c)
		}
	}()
	if _, err := c.exec(ctx, begin, nil); err != nil {
		return nil, err
	}
	begun = true
	t.c = c
	return t, nil
}

// tx is a transaction on a connection, as a rule the writer, which it holds until it ends.
type tx struct {
	c        *conn // nil when the transaction has ended
	give     func(*conn)
	readOnly bool
}

func (t *tx) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	if err := t.allows(ctx, sql); err != nil {
		return core.Result{}, err
	}
	return t.c.exec(ctx, sql, args)
}

func (t *tx) Query(ctx context.Context, sql string, args, dest []any, each func() error) error {
	s, err := t.prepare(ctx, sql)
	if err != nil {
		return err
	}
	return t.c.query(ctx, s, args, dest, each)
}

func (t *tx) QueryRow(ctx context.Context, sql string, args, dest []any) error {
	s, err := t.prepare(ctx, sql)
	if err != nil {
		return err
	}
	return t.c.queryRow(ctx, s, args, dest)
}

func (t *tx) prepare(ctx context.Context, sql string) (*stmt, error) {
	if err := t.open(); err != nil {
		return nil, err
	}
	s, err := t.c.prepare(ctx, sql)
	if err == nil && t.readOnly && !s.readonly {
		return nil, core.ErrWriteRefused
	}
	return s, err
}

// allows reports why a statement cannot be executed; what it prepares is kept.
func (t *tx) allows(ctx context.Context, sql string) error {
	if !t.readOnly {
		return t.open()
	}
	_, err := t.prepare(ctx, sql)
	return err
}

// open notices a transaction that the engine has rolled back by itself, after a
// full disk or an interrupted write: what followed would commit by itself.
func (t *tx) open() error {
	if t.c == nil {
		return fmt.Errorf("sqlite: the transaction has ended: %w", store.ErrClosed)
	}
	if !t.c.inTransaction() {
		return fmt.Errorf("sqlite: the transaction was rolled back after an error: %w", store.ErrClosed)
	}
	return nil
}

// Commit ends the transaction; after an error nothing of it stands.
func (t *tx) Commit(ctx context.Context) error {
	err := t.open()
	if err == nil {
		_, err = t.c.exec(ctx, "COMMIT", nil)
	}
	t.release()
	return err
}

// Rollback ends the transaction and undoes it, whatever became of the context.
func (t *tx) Rollback(context.Context) error {
	if t.c == nil {
		return nil
	}
	return t.release()
}

func (t *tx) release() error {
	if t.c == nil {
		return nil
	}
	err := t.c.leaveTransaction()
	t.give(t.c)
	t.c = nil
	return err
}

// leaveTransaction rolls back what is open, whatever became of the caller's
// context.
func (c *conn) leaveTransaction() error {
	if !c.inTransaction() {
		return nil
	}
	_, err := c.exec(context.Background(), "ROLLBACK", nil)
	return err
}

// Exclusive runs fn in a transaction: SQLite creates tables in one, and has one
// writer among all processes.
func (b *backend) Exclusive(ctx context.Context, fn func(core.Session) error) error {
	t, err := b.Begin(ctx, store.TxOptions{})
	if err != nil {
		return err
	}
	defer t.Rollback(ctx)
	if err := fn(t); err != nil {
		return err
	}
	return t.Commit(ctx)
}
