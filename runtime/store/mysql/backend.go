package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"sync"
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
	return &backend{pool: session{db}, db: db, addr: cfg.Addr, name: cfg.DBName}, nil
}

// backend is a pool of connections.
type backend struct {
	pool session
	db   *sql.DB
	open sync.RWMutex // read by all that runs; Close takes it
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

// enter is for what uses a connection; it is followed by b.open.RUnlock.
func (b *backend) enter() error {
	if !b.open.TryRLock() { // Close is at it
		return errClosed
	}
	return nil
}

var errClosed = fmt.Errorf("mysql: the database is %w", store.ErrClosed)

// Close waits for running statements and transactions. The lock is kept: what
// comes later finds it closed.
func (b *backend) Close() error {
	b.open.Lock()
	return b.db.Close()
}

// Exec runs a statement that gives no rows.
func (b *backend) Exec(ctx context.Context, text string, args []any) (store.Result, error) {
	if err := b.enter(); err != nil {
		return store.Result{}, err
	}
	defer b.open.RUnlock()
	return b.pool.Exec(ctx, text, args)
}

// Query fills dest with each row and then calls each.
func (b *backend) Query(ctx context.Context, text string, args, dest []any, each func() error) error {
	if err := b.enter(); err != nil {
		return err
	}
	defer b.open.RUnlock()
	return b.pool.Query(ctx, text, args, dest, each)
}

// QueryRow fills dest with the first row.
func (b *backend) QueryRow(ctx context.Context, text string, args, dest []any) error {
	if err := b.enter(); err != nil {
		return err
	}
	defer b.open.RUnlock()
	return b.pool.QueryRow(ctx, text, args, dest)
}

// Begin starts a transaction that sees what others commit meanwhile.
func (b *backend) Begin(ctx context.Context) (store.Transaction, error) {
	if err := b.enter(); err != nil {
		return nil, err
	}
	t, err := b.begin(ctx)
	if err != nil {
		b.open.RUnlock()
		return nil, failure(ctx, err)
	}
	return t, nil
}

// begin waits for a connection as long as ctx lasts. The transaction outlives
// ctx if need be: its end is Commit or Rollback, and each statement watches its
// own context.
func (b *backend) begin(ctx context.Context) (*tx, error) {
	conn, err := b.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	t, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &tx{session: session{t}, tx: t, release: func() {
		conn.Close()
		b.open.RUnlock()
	}}, nil
}

type tx struct {
	session
	tx      *sql.Tx
	release func() // gives the connection back; nil after that
}

func (t *tx) end() {
	if t.release != nil {
		t.release()
		t.release = nil
	}
}

// Commit ends the transaction; after an error nothing of it stands, unless the
// connection broke while the server was committing.
func (t *tx) Commit(ctx context.Context) error {
	defer t.end()
	if ended := store.Ended(ctx); ended != nil {
		t.tx.Rollback()
		return ended
	}
	if err := t.tx.Commit(); err != nil {
		return failure(ctx, err)
	}
	return nil
}

// Rollback ends the transaction and undoes it.
func (t *tx) Rollback() error {
	defer t.end()
	if err := t.tx.Rollback(); err != nil && err != sql.ErrTxDone {
		return failure(context.Background(), err)
	}
	return nil
}

// Exclusive runs fn on a connection that holds a named lock. MySQL creates
// tables outside transactions.
func (b *backend) Exclusive(ctx context.Context, fn func(store.Session) error) error {
	if err := b.enter(); err != nil {
		return err
	}
	defer b.open.RUnlock()
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
