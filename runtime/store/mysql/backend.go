package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

func init() {
	store.Register("mysql", driver{})
	store.Register("mariadb", driver{})
}

type driver struct{}

// maxConns is the pool's size when no one says.
const maxConns = 16

// Open connects once, so that a wrong address or password shows here.
func (driver) Open(ctx context.Context, dsn string, opts store.Options) (store.Backend, error) {
	cfg, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	inner, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("mysql: %w", err)
	}
	db := sql.OpenDB(connector{inner})
	conns := maxConns
	if opts.MaxConns > 0 {
		conns = opts.MaxConns
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("mysql: %s/%s: %w", cfg.Addr, cfg.DBName, failure(ctx, err))
	}
	return &backend{session{db}, db, cfg.Addr, cfg.DBName}, nil
}

// backend is a pool of connections.
type backend struct {
	session
	db   *sql.DB
	addr string
	name string
}

// Name gives the address and the database.
func (b *backend) Name() string { return "mysql://" + b.addr + "/" + b.name }

// Dialect is MySQL's.
func (b *backend) Dialect() sqltext.Dialect { return sqltext.MySQL }

// Now is the server's clock.
func (b *backend) Now(ctx context.Context) (t time.Time, err error) {
	err = b.QueryRow(ctx, "SELECT UTC_TIMESTAMP(6)", nil, []any{&t})
	return t, err
}

// Close waits for running statements.
func (b *backend) Close() error {
	return b.db.Close()
}

// Begin starts a transaction that sees what others commit meanwhile.
func (b *backend) Begin(ctx context.Context) (store.Transaction, error) {
	// The transaction outlives ctx if need be: its end is Commit or Rollback,
	// and each statement watches its own context.
	t, err := b.db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, failure(ctx, err)
	}
	return &tx{session{t}, t}, nil
}

type tx struct {
	session
	tx *sql.Tx
}

// Commit ends the transaction; after an error nothing of it stands, unless the
// connection broke while the server was committing.
func (t *tx) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		t.tx.Rollback()
		return context.Cause(ctx)
	}
	if err := t.tx.Commit(); err != nil {
		return failure(ctx, err)
	}
	return nil
}

// Rollback ends the transaction and undoes it.
func (t *tx) Rollback() error {
	if err := t.tx.Rollback(); err != nil && err != sql.ErrTxDone {
		return failure(context.Background(), err)
	}
	return nil
}

// Exclusive runs fn on a connection that holds a named lock. MySQL creates
// tables outside transactions.
func (b *backend) Exclusive(ctx context.Context, fn func(store.Session) error) error {
	conn, err := b.db.Conn(ctx)
	if err != nil {
		return failure(ctx, err)
	}
	defer conn.Close()
	h := fnv.New64a()
	h.Write([]byte(b.name))
	lock := fmt.Sprintf("modulagen schema %x", h.Sum64())
	s := session{conn}
	var got store.Null[int64]
	if err := s.QueryRow(ctx, "SELECT GET_LOCK(?, 60)", []any{lock}, []any{&got}); err != nil {
		return err
	}
	if got.V != 1 {
		return fmt.Errorf("mysql: another process has been creating tables for a minute: %w", store.ErrBusy)
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK(?)", lock)
	creates, err := creating(ctx, s)
	if err != nil {
		return err
	}
	return fn(creates)
}
