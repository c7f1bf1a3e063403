package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// DB is an open database. Safe for concurrent use.
type DB struct {
	*shared
	backend  Backend
	conn     *Conn
	deadline time.Duration // of each statement and transaction; 0: the caller's alone
}

// shared is what a DB and its reserved views have in common.
type shared struct {
	dsn    string // a secret
	opts   store.Options
	closed atomic.Bool
	done   chan struct{} // closed with it
	ending ending        // what goes on until Close

	schema *Schema // nil where Open was given none
	fake   bool    // Options.Now was given
	once   sync.Once
	facts  *facts // of the schema's DDL; read when an error needs them

	notifier notifier
	values   sync.Map // of func() any, by the keys of Shared
	reserved reserved
}

// Conn returns the connection that runs each statement by itself.
func (db *DB) Conn() *Conn { return db.conn }

// Name says which database it is, for people: its DSN without user, password and options.
func (db *DB) Name() string { return db.backend.Name() }

// Logger returns the logger of the Options, never nil.
func (db *DB) Logger() *slog.Logger { return db.opts.Logger }

// DSN returns the text that Open was given, with the password: for programs that are started on the
// same database, such as those that back it up. It must not be printed or logged, or stand in an error or
// on a command line.
func (db *DB) DSN() string { return db.dsn }

// Now returns the moment by the database's clock; by Clock where LocalClock
// reports true.
func (db *DB) Now(ctx context.Context) (time.Time, error) { return db.conn.Now(ctx) }

const (
	closeWait = 10 * time.Second
	closeCut  = time.Second
)

// Close waits for running statements and transactions and closes the database.
// After ten seconds it cuts the connections of those that still run and returns
// an error that is ErrBusy; with notifications to other processes that are still to be sent Close
// takes 15 seconds at most, and two more where what UntilClose runs does not end. SQLite has nothing to cut: what runs on is undisturbed
// there, and the file is closed after it. A second Close does nothing.
func (db *DB) Close() error {
	if !db.ending.close() || db.closed.Swap(true) {
		return nil
	}
	close(db.done)
	db.notifier.close()
	return db.reserved.close(db.backend)
}

// WhileOpen calls fn with a context that ends with ctx or when db is closed, and returns
// its error. If db is closed before ctx ends, the error is store.ErrClosed, beside that
// of fn.
func (db *DB) WhileOpen(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-db.done:
			cancel(errClosed)
		case <-ctx.Done():
		}
	}()
	return closedCause(ctx, fn(ctx))
}

// closedCause adds to an error that the database was closed, if ctx ended with that.
func closedCause(ctx context.Context, err error) error {
	if context.Cause(ctx) != errClosed || errors.Is(err, store.ErrClosed) {
		return err
	}
	return errors.Join(errClosed, err)
}

func closeWithin(b Backend, wait time.Duration) error {
	closed := make(chan error, 1)
	go func() { closed <- b.Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(wait):
	}
	if c, ok := b.(Cutter); ok {
		c.Cut()
		select {
		case <-closed:
		case <-time.After(closeCut):
		}
	}
	return fmt.Errorf("store: %s: statements or transactions ran on for %s after Close: %w", b.Name(), wait, store.ErrBusy)
}

var errClosed = fmt.Errorf("store: the database is %w", store.ErrClosed)

// Conn runs statements on a database, or in one transaction. The Conn of a
// database is safe for concurrent use; that of a transaction runs one statement
// at a time, and none after the transaction has ended.
type Conn struct {
	db      *DB
	session Session
	dialect sqltext.Dialect
	tx      *txState // nil outside a transaction
}

// txState guards a transaction's session.
type txState struct {
	running  sync.Mutex // held while a statement runs
	readOnly bool
	until    time.Time // when its reserved time is over; zero without one
	ended    bool
	failed   error // of a statement; nothing of the transaction can stand any more
	hooks    commitHooks
}

// Dialect is the database's way of writing SQL.
func (c *Conn) Dialect() sqltext.Dialect { return c.dialect }

// DB is the database that the Conn belongs to. Inside a transaction, what is
// done through it is not part of the transaction, and fails with ErrInvalid where
// it would have to wait for it.
func (c *Conn) DB() *DB { return c.db }

// Now returns the moment by the clock that statements go by: the database's, as of
// now and not of the transaction's start, or DB.Clock where DB.LocalClock reports
// true.
func (c *Conn) Now(ctx context.Context) (now time.Time, err error) {
	if c.db.LocalClock() {
		if err := c.enter(ctx); err != nil {
			return time.Time{}, err
		}
		c.leave(nil)
		return c.db.Clock(), nil
	}
	err = c.QueryRow(ctx, c.db.backend.Clock(), nil, []any{&now})
	return now, err
}

// EndIdle has PostgreSQL undo the transaction that c is when it is sent no statement for so
// long: a process that is stopped would hold its locks until it goes on. The next statement
// fails then, and so does the transaction. Elsewhere, and outside a transaction, it does nothing.
func (c *Conn) EndIdle(ctx context.Context, after time.Duration) error {
	tx, ok := c.session.(Idler)
	if !ok {
		return nil
	}
	if err := c.enter(ctx); err != nil {
		return err
	}
	err := tx.EndIdle(ctx, after)
	c.leave(err)
	return c.db.explain(err, "")
}

// Yield gives way to writers of other processes between two transactions of a
// long piece of work: on SQLite it waits a moment, elsewhere the database is fair.
// It returns the cause when ctx has ended. In a transaction it does nothing else.
func (c *Conn) Yield(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if y, ok := c.db.backend.(Yielder); ok && c.tx == nil {
		return y.Yield(ctx)
	}
	return nil
}

// enter is called before a statement, leave after it. A statement that fails
// ends its transaction on every database, as PostgreSQL has it: MySQL would go
// on after a deadlock with half of the work undone.
func (c *Conn) enter(ctx context.Context) error {
	if ctx == nil {
		return errNoContext
	}
	if c.tx == nil {
		if c.db.closed.Load() {
			return errClosed
		}
		return nil
	}
	if !c.tx.running.TryLock() {
		return errors.New("store: this transaction is running another statement: one at a time, and none inside a row callback")
	}
	if err := c.tx.usable(); err != nil {
		c.tx.running.Unlock()
		return err
	}
	return nil
}

func (t *txState) usable() error {
	if t.ended {
		return fmt.Errorf("store: this transaction has ended: %w", store.ErrClosed)
	}
	if t.failed != nil {
		return fmt.Errorf("store: a statement of this transaction has failed before: %w", t.failed)
	}
	return nil
}

func (c *Conn) leave(err error) {
	if c.tx == nil {
		return
	}
	if err != nil && c.tx.failed == nil && !errors.Is(err, store.ErrNotFound) {
		c.tx.failed = c.db.explain(err, "") // fn may go on, and the names of fields come later otherwise
	}
	c.tx.running.Unlock()
}

// again reports whether a statement outside a transaction should be tried once
// more after err, and waits before it.
func (c *Conn) again(ctx context.Context, r *retry, err error) bool {
	return err != nil && c.tx == nil && errors.Is(err, store.ErrBusy) && r.wait(ctx, c.db)
}

// Exec runs a statement that gives no rows.
func (c *Conn) Exec(ctx context.Context, sql string, args []any) (Result, error) {
	ctx, cancel := c.within(ctx)
	defer cancel()
	var r retry
	for {
		if err := c.enter(ctx); err != nil {
			return Result{}, err
		}
		res, err := c.session.Exec(ctx, sql, args)
		c.leave(err)
		if !c.again(ctx, &r, err) {
			return res, err
		}
	}
}

// execUnlessTaken runs an insert in a transaction, which a conflict on one key
// does not end: MySQL has then undone that statement alone.
func (c *Conn) execUnlessTaken(ctx context.Context, key, sql string, args []any) (Result, error) {
	if err := c.enter(ctx); err != nil {
		return Result{}, err
	}
	res, err := c.session.Exec(ctx, sql, args)
	if conflict, ok := errors.AsType[*store.ConflictError](err); ok && conflict.Key == key {
		c.leave(nil)
	} else {
		c.leave(err)
	}
	return res, err
}

// Query fills dest with each row of the result and then calls each, which must
// not use this Conn when it is a transaction's.
func (c *Conn) Query(ctx context.Context, sql string, args, dest []any, each func() error) error {
	ctx, cancel := c.within(ctx)
	defer cancel()
	var r retry
	for {
		started, err := c.query(ctx, sql, args, dest, each)
		if started || !c.again(ctx, &r, err) {
			return err
		}
	}
}

func (c *Conn) query(ctx context.Context, sql string, args, dest []any, each func() error) (started bool, err error) {
	if err := c.enter(ctx); err != nil {
		return false, err
	}
	var own error  // of each: the statement did not fail
	defer func() { // each may panic
		if own != nil {
			c.leave(nil)
		} else {
			c.leave(err)
		}
	}()
	err = c.session.Query(ctx, sql, args, dest, func() error {
		started = true
		own = each()
		return own
	})
	return started, err
}

// QueryRow fills dest with the first row of the result; ErrNotFound without one.
func (c *Conn) QueryRow(ctx context.Context, sql string, args, dest []any) error {
	ctx, cancel := c.within(ctx)
	defer cancel()
	var r retry
	for {
		if err := c.enter(ctx); err != nil {
			return err
		}
		err := c.session.QueryRow(ctx, sql, args, dest)
		c.leave(err)
		if !c.again(ctx, &r, err) {
			return err
		}
	}
}
