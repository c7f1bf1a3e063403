package core

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

const (
	defaultAttempts = 10
	retryBase       = time.Millisecond
	retryMax        = 200 * time.Millisecond
	retryFor        = 15 * time.Second // no new attempt later than this
)

// retry counts the attempts of one statement or transaction.
type retry struct {
	attempt int
	since   time.Time
}

// wait sleeps before the next attempt, a little longer each time and never in
// step with others. It is false when there should be none.
func (r *retry) wait(ctx context.Context, db *DB) bool {
	if r.attempt == 0 {
		r.since = time.Now()
	}
	r.attempt++
	if r.attempt >= db.opts.Attempts || time.Since(r.since) > retryFor || ctx.Err() != nil {
		return false
	}
	pause := min(retryBase<<min(r.attempt, 20), retryMax)
	timer := time.NewTimer(pause/2 + rand.N(pause))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Tx runs fn in a transaction: what it does through the Conn takes effect
// together when fn returns nil, and not at all when it returns an error or
// panics; a panic goes on to the caller. A statement that fails, but for
// ErrNotFound and values that are refused before they are sent, fails the whole
// transaction: fn should return its error. After a deadlock, a lock that was not
// had in time or a serialization failure, fn runs again, up to Options.Attempts
// times in all: it must not have effects of its own. The Conn ends with fn.
// A transaction cannot hold another one, and what fn does through db in place of
// the Conn fails with ErrInvalid where it would wait for the transaction itself.
//
// Tx returns within two seconds of ctx's end. Where that comes while the server
// is committing, the commit may stand.
func (db *DB) Tx(ctx context.Context, fn func(*Conn) error) error {
	return db.TxWith(ctx, store.TxOptions{}, fn)
}

// TxWith is Tx with options.
func (db *DB) TxWith(ctx context.Context, opts store.TxOptions, fn func(*Conn) error) error {
	if opts.Isolation < store.ReadCommitted || opts.Isolation > store.Serializable {
		return invalidf("%s has no isolation level %d: see store.ReadCommitted, RepeatableRead and Serializable", titled(opts), opts.Isolation)
	}
	ctx, cancel := db.within(ctx)
	defer cancel()
	var r retry
	for {
		err := db.try(ctx, opts, fn)
		if err == nil || !errors.Is(err, store.ErrBusy) {
			return err
		}
		db.opts.Logger.DebugContext(ctx, "store: transaction is tried again", "name", opts.Name, "attempt", r.attempt+1, "error", err)
		if !r.wait(ctx, db) {
			if ended := Ended(ctx); ended != nil {
				return ended
			}
			return fmt.Errorf("store: %s given up after %d attempts: %w", titled(opts), r.attempt, err)
		}
	}
}

// titled names a transaction for people.
func titled(opts store.TxOptions) string {
	if opts.Name == "" {
		return "transaction"
	}
	return fmt.Sprintf("transaction %q", opts.Name)
}

func (db *DB) try(ctx context.Context, opts store.TxOptions, fn func(*Conn) error) (err error) {
	if ctx == nil {
		return errNoContext
	}
	if db.closed.Load() {
		return errClosed
	}
	session, err := db.backend.Begin(ctx, opts)
	if err != nil {
		return err
	}
	state := &txState{until: db.until(ctx), readOnly: opts.ReadOnly}
	c := &Conn{db: db, session: session, dialect: db.conn.dialect, tx: state}
	ended := false
	defer func() { // also on a panic, which goes on by itself
		if !ended {
			state.end()
			state.hooks.decide(undone)
			if rerr := rollback(ctx, session); rerr != nil && err != nil {
				db.opts.Logger.WarnContext(ctx, "store: rollback failed", "name", opts.Name, "error", rerr)
			}
		}
	}()
	if err := db.inside(fn, c); err != nil {
		return err
	}
	if err := state.before(ctx); err != nil {
		return err
	}
	if failed := state.end(); failed != nil {
		return failed // fn went on after it
	}
	ended = true
	if err := session.Commit(ctx); err != nil {
		state.hooks.decide(undone)
		return err
	}
	topics, fns := state.hooks.decide(committed)
	for _, t := range topics {
		db.notifier.announce(t)
	}
	for _, fn := range fns {
		fn()
	}
	return nil
}

const (
	rollbackWait  = 5 * time.Second
	rollbackAfter = time.Second // after the context's end
)

// rollback undoes a transaction although its context may have ended, but does
// not wait for long then: the server undoes what a lost connection had begun.
func rollback(ctx context.Context, session Transaction) error {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackWait)
	defer cancel()
	ended := context.AfterFunc(ctx, func() { time.AfterFunc(rollbackAfter, cancel) })
	defer ended()
	return session.Rollback(late)
}

// before calls what is to run before the commit, unless a statement has failed
// and fn went on after it: end tells.
func (t *txState) before(ctx context.Context) error {
	t.running.Lock()
	failed := t.failed
	t.running.Unlock()
	if failed != nil {
		return nil
	}
	return t.hooks.runBefore(ctx)
}

// end makes the Conn unusable, waiting for a statement that another goroutine
// still runs on it.
func (t *txState) end() error {
	t.running.Lock()
	defer t.running.Unlock()
	t.ended = true
	return t.failed
}

// InTx runs fn in the transaction that c is, or in one of its own.
func (c *Conn) InTx(ctx context.Context, fn func(*Conn) error) error {
	if c.tx != nil {
		return fn(c)
	}
	return c.db.Tx(ctx, fn)
}
