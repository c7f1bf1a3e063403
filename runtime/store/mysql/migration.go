package mysql

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// sessionLimits bounds, in seconds, how long a statement waits for a table that others use: those that come after
// it wait behind it for as long, so that it fails and is tried again. The session itself may be idle for as long as
// a data step in Go takes, which uses other connections: the server would release the lock with it.
const sessionLimits = "SET SESSION lock_wait_timeout = 2, SESSION wait_timeout = 2147483"

// unsupported are the server's errors about an ALGORITHM or a LOCK that a change does not have, or
// that the server does not know; 4092 is INSTANT too often on one table.
var unsupported = []int{1800, 1801, 1845, 1846, 4092}

// Migration opens a connection beside the pool, which holds the lock.
func (b *backend) Migration(ctx context.Context) (core.Migration, error) {
	// Nothing is prepared on it: tables change.
	own := sql.OpenDB(&connector{Connector: b.connector.Connector, conns: 1})
	own.SetMaxOpenConns(1)
	m := &migration{db: own}
	err := m.open(ctx)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

type migration struct {
	creator
	db   *sql.DB
	conn *sql.Conn
}

func (m *migration) open(ctx context.Context) (err error) {
	if m.conn, err = m.db.Conn(ctx); err != nil {
		return failure(ctx, err)
	}
	if m.creator, err = creating(ctx, session{q: m.conn}); err != nil {
		return err
	}
	_, err = m.Exec(ctx, sessionLimits, nil)
	return err
}

// Begin starts a transaction.
func (m *migration) Begin(ctx context.Context) (core.Transaction, error) {
	if _, err := m.conn.ExecContext(ctx, begin); err != nil {
		return nil, failure(ctx, err)
	}
	return &migrationTx{session: m.session, conn: m.conn}, nil
}

// migrating is the purpose of the lock of a process that migrates.
const migrating = "migration"

// Lock takes the named lock, which the server releases with the connection.
func (m *migration) Lock(ctx context.Context) (bool, error) {
	name, err := lockName(ctx, m.session, migrating)
	if err != nil {
		return false, err
	}
	var got store.Null[int64]
	err = m.QueryRow(ctx, "SELECT GET_LOCK(?, 0)", []any{name}, []any{&got})
	return got.V == 1, err
}

// Migrating reports whether a session holds the named lock.
func (b *backend) Migrating(ctx context.Context) (busy bool, err error) {
	name, err := lockName(ctx, b.pool, migrating)
	if err != nil {
		return false, err
	}
	var holder store.Null[int64]
	err = b.QueryRow(ctx, "SELECT IS_USED_LOCK(?)", []any{name}, []any{&holder})
	return holder.Valid, err
}

// Refuses reports whether the server does not change a table in the way that a statement requires.
func (m *migration) Refuses(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && slices.Contains(unsupported, e.Code)
}

// Close closes the connection.
func (m *migration) Close() error {
	if m.conn != nil {
		m.conn.Close() // the pool is closed next, and closes it
	}
	return m.db.Close()
}

// migrationTx is a transaction on the connection, which goes on after it.
type migrationTx struct {
	session
	conn  *sql.Conn
	ended bool
}

// Commit ends the transaction. Whether it stands after an error, the ledger shows.
func (t *migrationTx) Commit(ctx context.Context) error { return t.end(ctx, commit) }

// Rollback ends the transaction and undoes it; after Commit it does nothing.
func (t *migrationTx) Rollback(ctx context.Context) error { return t.end(ctx, rollback) }

func (t *migrationTx) end(ctx context.Context, text string) error {
	if t.ended {
		return nil
	}
	t.ended = true
	if _, err := t.conn.ExecContext(ctx, text); err != nil {
		return failure(ctx, err)
	}
	return nil
}
