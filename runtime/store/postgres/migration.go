package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/jackc/pgx/v5"
)

const (
	// migrationKey is the advisory lock of those that migrate: "modulage" in ASCII, and one more.
	migrationKey = lockKey + 1
	// lockTimeout is how long a step waits for a table: statements that come after it wait behind it
	// for as long, so that it fails and is tried again.
	lockTimeout = "SET LOCAL lock_timeout = '2s'"
	// unlimited lifts the limits on how long a statement runs, and on how long the session, and the lock with
	// it, stays idle while a data step in Go uses other connections. Before version 14 there is no such limit
	// of sessions. Both are set on the open connection: PgBouncer refuses them among the startup parameters.
	unlimited = "SELECT count(set_config(name, '0', false)) FROM pg_settings WHERE name IN ('idle_session_timeout', 'statement_timeout')"
)

// Migration opens a connection beside the pool, whose session holds the lock. Behind a pooler
// sessions change hands.
func (b *backend) Migration(ctx context.Context) (core.Migration, error) {
	if b.pooled && b.pool.Config().ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		return nil, fmt.Errorf("postgres: %s is behind a connection pooler, and migrations need a session of their own for their lock: "+
			"give the DSN of the server itself to \"modulagen migrate up --db DSN\", and open the database behind the pooler with store.MigrateCheck; "+
			"where the pooler keeps sessions, add %s=cache_statement to the DSN", b.Name(), execMode)
	}
	cfg := b.pool.Config().ConnConfig
	// Tables change under prepared statements, which then fail.
	cfg.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, failure(ctx, err)
	}
	m := &migration{session: session{q: conn, abandoned: &b.abandoned, only: true}, conn: conn}
	var settings int64
	if err := m.QueryRow(ctx, unlimited, nil, []any{&settings}); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

type migration struct {
	session
	conn *pgx.Conn
}

// Begin starts a transaction that waits for locks for a moment only.
func (m *migration) Begin(ctx context.Context) (core.Transaction, error) {
	t, err := m.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return nil, failure(ctx, err)
	}
	out := &tx{session: session{q: t, abandoned: m.abandoned, only: true}, tx: t}
	if _, err := out.Exec(ctx, lockTimeout, nil); err != nil {
		undo(ctx, out)
		return nil, err
	}
	return out, nil
}

// Lock takes the session's advisory lock.
func (m *migration) Lock(ctx context.Context) (got bool, err error) {
	err = m.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", []any{int64(migrationKey)}, []any{&got})
	return got, err
}

// Migrating reports whether a session holds the advisory lock, of which pg_locks shows the key in two halves.
func (b *backend) Migrating(ctx context.Context) (busy bool, err error) {
	err = b.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND (classid::bigint << 32) | objid::bigint = $1)`, []any{int64(migrationKey)}, []any{&busy})
	return busy, err
}

// Refuses is false: PostgreSQL has one way to change a table.
func (m *migration) Refuses(error) bool { return false }

// Close closes the connection, and the server releases the lock.
func (m *migration) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), answerWait)
	defer cancel()
	return m.conn.Close(ctx)
}
