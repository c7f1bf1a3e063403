package core

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// reserved holds the connections of reserved views, apart from the pool.
type reserved struct {
	open func(ctx context.Context, conns int) (Backend, error) // nil: the database has no connections to run out of

	mu        sync.Mutex
	byPurpose map[string]Backend
	closed    bool
}

// Reserved returns a view of db for work that must go on whatever else the
// program does: heartbeats, while handlers hold every connection of the pool.
// Listeners, shared values, options and clock are those of db.
//
// On PostgreSQL and MySQL the view has connections of its own, at most conns of
// them, which all views for one purpose share; the first call opens one, for
// which it waits ten seconds at most. On
// SQLite, where processes and goroutines share one writer, it has db's.
//
// Each statement outside a transaction, and each transaction as a whole with its
// retries, ends with context.DeadlineExceeded when it takes longer than deadline,
// which must be positive. A connection that had not answered by then is thrown
// away.
//
// A view ends with db and is not closed by itself.
func (db *DB) Reserved(ctx context.Context, purpose string, conns int, deadline time.Duration) (*DB, error) {
	if deadline <= 0 || conns <= 0 {
		return nil, invalidf("a reserved view needs a connection and a deadline")
	}
	if db.closed.Load() {
		return nil, errClosed
	}
	backend := db.backend
	if db.reserved.open != nil {
		ctx, cancel := context.WithTimeoutCause(ctx, reserveTime, errDeadline)
		defer cancel()
		var err error
		if backend, err = db.reserved.of(ctx, purpose, conns); err != nil {
			return nil, fmt.Errorf("store: reserved connections: %w", err)
		}
	}
	return newDB(db.shared, backend, deadline), nil
}

const (
	changesConns    = 2
	changesDeadline = 10 * time.Second
)

// Changes returns the reserved view through which processes notify each other of what
// has changed: announcements are sent through it, and followers read through it,
// also while the program holds every connection of the pool. Where its connections
// cannot be opened, because the server takes no more, it is db itself.
func (db *DB) Changes(ctx context.Context) *DB {
	view, err := db.Reserved(ctx, "changes", changesConns, changesDeadline)
	if err != nil {
		return db
	}
	return view
}

// Committed returns what reads rows as they are committed by now. For a transaction that
// is a connection of its own, see Changes: on MySQL a transaction reads what was committed
// when it began. SQLite has one writer, and nothing is committed beside it: there a
// transaction reads by itself, and sees also what it has written.
func (c *Conn) Committed(ctx context.Context) *Conn {
	if c.tx == nil || c.dialect == sqltext.SQLite {
		return c
	}
	return c.db.Changes(ctx).conn
}

// InTransaction reports whether c is a transaction.
func (c *Conn) InTransaction() bool { return c.tx != nil }

// OneWriter reports whether a transaction is the only one that writes, from its beginning to its end: so it is
// on SQLite. Elsewhere others read, write and commit meanwhile.
func (c *Conn) OneWriter() bool { return c.dialect == sqltext.SQLite }

// reserveTime is how long the first connection for a purpose may take to open.
const reserveTime = 10 * time.Second

// errDeadline is why a statement of a reserved view ended.
var errDeadline = errors.New("store: the database did not answer within the time reserved for it")

func newDB(s *shared, backend Backend, deadline time.Duration) *DB {
	db := &DB{shared: s, backend: backend, deadline: deadline}
	db.conn = &Conn{db: db, session: backend, dialect: backend.Dialect()}
	return db
}

// of returns the connections for a purpose. The lock is not held while the first
// of them opens: a database that does not answer must not keep Close waiting.
func (r *reserved) of(ctx context.Context, purpose string, conns int) (Backend, error) {
	if b := r.find(purpose); b != nil {
		return b, nil
	}
	b, err := r.open(ctx, conns)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	other, closed := r.byPurpose[purpose], r.closed
	if other == nil && !closed {
		if r.byPurpose == nil {
			r.byPurpose = map[string]Backend{}
		}
		r.byPurpose[purpose] = b
	}
	r.mu.Unlock()
	switch {
	case closed:
		return nil, errors.Join(errClosed, closeWithin(b, closeWait))
	case other != nil: // another call was first
		return other, closeWithin(b, closeWait)
	}
	return b, nil
}

func (r *reserved) find(purpose string) Backend {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byPurpose[purpose]
}

// close closes all of them together with the pool, at the same time.
func (r *reserved) close(pool Backend) error {
	r.mu.Lock()
	all := append(slices.Collect(maps.Values(r.byPurpose)), pool)
	r.byPurpose, r.closed = nil, true
	r.mu.Unlock()
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, b := range all {
		wg.Go(func() { errs[i] = closeWithin(b, closeWait) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// within bounds ctx by what a view reserves for a statement or transaction.
func (db *DB) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx == nil || db.deadline == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, db.deadline, errDeadline)
}

// until is when a transaction has to have ended; ctx comes from within.
func (db *DB) until(ctx context.Context) (end time.Time) {
	if ctx != nil && db.deadline > 0 {
		end, _ = ctx.Deadline()
	}
	return end
}

// within bounds ctx by what a view reserves for a statement, or by what is left
// of it for the transaction that c is.
func (c *Conn) within(ctx context.Context) (context.Context, context.CancelFunc) {
	switch {
	case c.tx == nil:
		return c.db.within(ctx)
	case ctx == nil || c.tx.until.IsZero():
		return ctx, func() {}
	}
	return context.WithDeadlineCause(ctx, c.tx.until, errDeadline)
}
