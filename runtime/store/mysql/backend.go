package mysql

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/internal/remote"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

func init() {
	core.Register("mysql", driver{})
	core.Register("mariadb", driver{})
}

type driver struct{}

// maxConns is the pool's size when no one says.
const maxConns = 16

// pooled is how long a connection may be idle before the pool closes it.
const pooled = 5 * time.Minute

// Open connects once, so that a wrong address or password shows here.
func (driver) Open(ctx context.Context, dsn string, opts store.Options) (core.Backend, error) {
	return open(ctx, dsn, opts, pooled, 0)
}

// The server closes a reserved connection that has sent nothing for so long, and undoes its
// transaction; the pool does not keep one so long without use.
const (
	reservedPooled = 10 * time.Second
	reservedIdle   = 30 * time.Second
)

// OpenReserved implements core.Reserver.
func (driver) OpenReserved(ctx context.Context, dsn string, opts store.Options) (core.Backend, error) {
	return open(ctx, dsn, opts, reservedPooled, reservedIdle)
}

func open(ctx context.Context, dsn string, opts store.Options, pooled, idle time.Duration) (core.Backend, error) {
	cfg, keep, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	conns := maxConns
	if opts.MaxConns > 0 {
		conns = opts.MaxConns
	}
	b := &backend{addr: cfg.Addr, name: cfg.DBName}
	b.slots = remote.NewSlots(conns, b)
	if b.connector, err = newConnector(cfg, &b.dialer, keep, conns, idle); err != nil {
		return nil, fmt.Errorf("mysql: %w", err)
	}
	b.db = sql.OpenDB(b.connector)
	b.pool = session{q: b.db}
	b.db.SetMaxOpenConns(conns)
	b.db.SetMaxIdleConns(conns)
	b.db.SetConnMaxIdleTime(pooled)
	if err := b.db.PingContext(ctx); err != nil {
		b.db.Close()
		return nil, fmt.Errorf("mysql: %s/%s: %w", cfg.Addr, cfg.DBName, failure(ctx, err))
	}
	return b, nil
}

// backend is a pool of connections.
type backend struct {
	pool      session
	db        *sql.DB
	connector *connector
	open      sync.RWMutex // read by all that runs; Close takes it
	slots     *remote.Slots
	dialer    remote.Dialer
	addr      string
	name      string
}

// Name returns the address and the database.
func (b *backend) Name() string { return "mysql://" + b.addr + "/" + b.name }

// Dialect is MySQL's.
func (b *backend) Dialect() sqltext.Dialect { return sqltext.MySQL }

// StatementBytes is the server's max_allowed_packet.
func (b *backend) StatementBytes() int { return int(b.connector.packet.Load()) }

// StatementSetting names it.
func (b *backend) StatementSetting() string { return packetSetting }

// Clock reads the server's clock.
func (b *backend) Clock() string { return "SELECT UTC_TIMESTAMP(6)" }

// enter is for what uses a connection; it is followed by leave.
func (b *backend) enter(ctx context.Context) error {
	if !b.open.TryRLock() { // Close is at it
		return errClosed
	}
	if err := b.slots.Take(ctx); err != nil {
		b.open.RUnlock()
		return err
	}
	return nil
}

func (b *backend) leave() {
	b.slots.Give()
	b.open.RUnlock()
}

var errClosed = fmt.Errorf("mysql: the database is %w", store.ErrClosed)

// Close waits for running statements and transactions. The lock is kept: what
// comes later finds it closed.
func (b *backend) Close() error {
	b.open.Lock()
	return b.db.Close()
}

// Cut closes the connections.
func (b *backend) Cut() { b.dialer.Cut() }

// Exec runs a statement that gives no rows.
func (b *backend) Exec(ctx context.Context, text string, args []any) (core.Result, error) {
	if err := b.enter(ctx); err != nil {
		return core.Result{}, err
	}
	defer b.leave()
	return b.pool.Exec(ctx, text, args)
}

// Query fills dest with each row and then calls each.
func (b *backend) Query(ctx context.Context, text string, args, dest []any, each func() error) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	defer b.leave()
	return b.pool.Query(ctx, text, args, dest, each)
}

// QueryRow fills dest with the first row.
func (b *backend) QueryRow(ctx context.Context, text string, args, dest []any) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	defer b.leave()
	return b.pool.QueryRow(ctx, text, args, dest)
}

// Exclusive runs fn on a connection that holds a named lock. MySQL creates
// tables outside transactions.
func (b *backend) Exclusive(ctx context.Context, fn func(core.Session) error) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	defer b.leave()
	conn, err := b.db.Conn(ctx)
	if err != nil {
		return failure(ctx, err)
	}
	defer conn.Close()
	s := session{q: conn}
	lock, err := lockName(ctx, s, "schema")
	if err != nil {
		return err
	}
	var got store.Null[int64]
	if err := s.QueryRow(ctx, "SELECT GET_LOCK(?, 60)", []any{lock}, []any{&got}); err != nil {
		return err
	}
	if got.V != 1 {
		return fmt.Errorf("mysql: another process has been creating tables for a minute: %w", store.ErrBusy)
	}
	defer unlock(ctx, conn, lock)
	creates, err := creating(ctx, s)
	if err != nil {
		return err
	}
	return fn(creates)
}

// lockName names a lock of the database. Named locks are the server's, and the server says which
// database it is: a DSN may spell its name in another case, and its address in many ways.
func lockName(ctx context.Context, s session, purpose string) (name string, err error) {
	err = s.QueryRow(ctx, "SELECT CONCAT('modulagen ', ?, ' ', SHA1(LOWER(DATABASE())))", []any{purpose}, []any{&name})
	return name, err
}

// unlock releases a named lock, by closing the connection if need be.
func unlock(ctx context.Context, conn *sql.Conn, lock string) {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWait)
	defer cancel()
	if _, err := conn.ExecContext(late, "DO RELEASE_LOCK(?)", lock); err != nil {
		discard(conn)
	}
}

// discard has the pool close a connection whose state is not known.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return sqldriver.ErrBadConn }) // which is what it returns
}

// answerWait bounds what takes no time on a server that answers.
const answerWait = 5 * time.Second
