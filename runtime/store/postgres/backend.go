package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/internal/remote"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

func init() {
	core.Register("postgres", driver{})
	core.Register("postgresql", driver{})
}

type driver struct{}

// maxConns is the pool's size when no one says.
const maxConns = 16

// Open connects once, so that a wrong address or password shows here.
func (driver) Open(ctx context.Context, dsn string, opts store.Options) (core.Backend, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil { // its text may hold parts of the password
		return nil, errors.New("postgres: the DSN is malformed; it has the form postgres://user:password@host:5432/name")
	}
	if opts.MaxConns > 0 {
		cfg.MaxConns = int32(min(opts.MaxConns, 10_000))
	} else if !strings.Contains(dsn, "pool_max_conns") {
		cfg.MaxConns = maxConns
	}
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.ConnConfig.RuntimeParams["standard_conforming_strings"] = "on" // a backslash in a statement is itself
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "modulagen"
	}
	b := &backend{name: where(cfg), origin: newOrigin()}
	b.limitWaits(cfg)
	if b.pooled, err = pooler(ctx, cfg.ConnConfig); err != nil {
		return nil, unreachable(cfg, err)
	}
	if b.pooled && !strings.Contains(dsn, execMode) {
		opts.Logger.WarnContext(ctx, "store: "+b.Name()+" is behind a connection pooler: statements are not kept prepared, and other processes "+
			"cannot wake this one; add "+execMode+"=cache_statement to the DSN where the pooler keeps sessions")
		cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	var opened core.Backend = listener{b}
	if b.pooled && cfg.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement {
		opened = b
	}
	b.slots = remote.NewSlots(int(cfg.MaxConns), opened)
	if b.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	b.session = session{q: b.pool, abandoned: &b.abandoned}
	return opened, nil
}

// unreachable says where the database is not, without the driver's own text
// when that could hold more than the address.
func unreachable(cfg *pgxpool.Config, err error) error {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fmt.Errorf("postgres: %s: %s (%s)", where(cfg), pg.Message, pg.Code)
	}
	return fmt.Errorf("postgres: %s: %w", where(cfg), err)
}

// where returns the addresses of all hosts, in their order, and the database.
func where(cfg *pgxpool.Config) string {
	address := func(host string, port uint16) string { return net.JoinHostPort(host, strconv.Itoa(int(port))) }
	hosts := []string{address(cfg.ConnConfig.Host, cfg.ConnConfig.Port)}
	for _, f := range cfg.ConnConfig.Fallbacks { // with sslmode=prefer a host is there twice
		if a := address(f.Host, f.Port); !slices.Contains(hosts, a) {
			hosts = append(hosts, a)
		}
	}
	return strings.Join(hosts, ",") + "/" + cfg.ConnConfig.Database
}

// listener is a backend whose sessions are its own, so that it can listen.
type listener struct{ *backend }

// backend is a pool of connections.
type backend struct {
	session   session
	pool      *pgxpool.Pool
	slots     *remote.Slots
	dialer    remote.Dialer
	doubt     doubt
	abandoned abandoned
	pooled    bool   // behind a connection pooler
	name      string // addresses and database
	origin    string // distinguishes its notifications from those of others
}

// Name returns the addresses and the database.
func (b *backend) Name() string { return "postgres://" + b.name }

// Dialect is PostgreSQL's.
func (b *backend) Dialect() sqltext.Dialect { return sqltext.Postgres }

// Clock reads the server's clock, not the transaction's.
func (b *backend) Clock() string { return "SELECT clock_timestamp()" }

// Close waits for the connections that are in use.
func (b *backend) Close() error {
	b.pool.Close()
	return nil
}

// Cut closes the connections.
func (b *backend) Cut() { b.dialer.Cut() }

// Exec runs a statement that returns no rows.
func (b *backend) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	if err := b.slots.Take(ctx); err != nil {
		return core.Result{}, err
	}
	defer b.slots.Give()
	return b.session.Exec(ctx, sql, args)
}

// Query fills dest with each row and then calls each.
func (b *backend) Query(ctx context.Context, sql string, args, dest []any, each func() error) error {
	if err := b.slots.Take(ctx); err != nil {
		return err
	}
	defer b.slots.Give()
	return b.session.Query(ctx, sql, args, dest, each)
}

// QueryRow fills dest with the first row.
func (b *backend) QueryRow(ctx context.Context, sql string, args, dest []any) error {
	if err := b.slots.Take(ctx); err != nil {
		return err
	}
	defer b.slots.Give()
	return b.session.QueryRow(ctx, sql, args, dest)
}

// lockKey is the advisory lock under which tables are created: "modulage" in ASCII.
const lockKey = 0x6d6f64756c616765

// Exclusive runs fn in a transaction that holds an advisory lock.
func (b *backend) Exclusive(ctx context.Context, fn func(core.Session) error) error {
	t, err := b.Begin(ctx, store.TxOptions{})
	if err != nil {
		return err
	}
	defer undo(ctx, t)
	if _, err := t.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", []any{int64(lockKey)}); err != nil {
		return err
	}
	if err := fn(t); err != nil {
		return err
	}
	return t.Commit(ctx)
}
