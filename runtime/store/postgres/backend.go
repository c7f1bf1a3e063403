package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

func init() {
	store.Register("postgres", driver{})
	store.Register("postgresql", driver{})
}

type driver struct{}

// maxConns is the pool's size when no one says.
const maxConns = 16

// Open connects once, so that a wrong address or password shows here.
func (driver) Open(ctx context.Context, dsn string, opts store.Options) (store.Backend, error) {
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
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "modulagen"
	}
	cfg.ConnConfig.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 2 * time.Second}
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, unreachable(cfg, err)
	}
	return &backend{session{pool}, pool, where(cfg), newOrigin()}, nil
}

// unreachable says where the database is not, without the driver's own text
// when that could hold more than the address.
func unreachable(cfg *pgxpool.Config, err error) error {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fmt.Errorf("postgres: %s: %s (%s)", where(cfg), pg.Message, pg.Code)
	}
	return fmt.Errorf("postgres: %s: %w", where(cfg), err)
}

func where(cfg *pgxpool.Config) string {
	return fmt.Sprintf("%s:%d/%s", cfg.ConnConfig.Host, cfg.ConnConfig.Port, cfg.ConnConfig.Database)
}

// backend is a pool of connections.
type backend struct {
	session
	pool   *pgxpool.Pool
	name   string // address and database
	origin string // tells its notifications from those of others
}

// Name gives the address and the database.
func (b *backend) Name() string { return "postgres://" + b.name }

// Dialect is PostgreSQL's.
func (b *backend) Dialect() sqltext.Dialect { return sqltext.Postgres }

// Now is the server's clock, not the transaction's.
func (b *backend) Now(ctx context.Context) (t time.Time, err error) {
	err = b.QueryRow(ctx, "SELECT clock_timestamp()", nil, []any{&t})
	return t, err
}

// Close waits for the connections that are in use.
func (b *backend) Close() error {
	b.pool.Close()
	return nil
}

// Begin starts a transaction that sees what others commit meanwhile.
func (b *backend) Begin(ctx context.Context) (store.Transaction, error) {
	t, err := b.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	if err != nil {
		return nil, failure(ctx, err)
	}
	return &tx{session{t}, t}, nil
}

type tx struct {
	session
	tx pgx.Tx
}

// Commit ends the transaction; after an error nothing of it stands, unless the
// connection broke while the server was committing.
func (t *tx) Commit(ctx context.Context) error {
	if err := t.tx.Commit(ctx); err != nil {
		return failure(ctx, err)
	}
	return nil
}

// Rollback ends the transaction and undoes it, whatever became of the caller's
// context.
func (t *tx) Rollback() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := t.tx.Rollback(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
		return failure(ctx, err)
	}
	return nil
}

// Copy adds rows with COPY.
func (t *tx) Copy(ctx context.Context, table string, columns []string, n int, row func(i int) ([]any, error)) error {
	values := make([]any, len(columns))
	source := pgx.CopyFromSlice(n, func(i int) ([]any, error) {
		fields, err := row(i)
		if err != nil {
			return nil, err
		}
		for j, f := range fields {
			if values[j], err = argument(f); err != nil {
				return nil, err
			}
		}
		return values, nil
	})
	copied, err := t.tx.CopyFrom(ctx, pgx.Identifier{table}, columns, source)
	if err != nil {
		return failure(ctx, err)
	}
	if copied != int64(n) {
		return fmt.Errorf("postgres: %d of %d rows were copied", copied, n)
	}
	return nil
}

// lockKey is the advisory lock under which tables are created: "modulage" in ASCII.
const lockKey = 0x6d6f64756c616765

// Exclusive runs fn in a transaction that holds an advisory lock.
func (b *backend) Exclusive(ctx context.Context, fn func(store.Session) error) error {
	t, err := b.Begin(ctx)
	if err != nil {
		return err
	}
	defer t.Rollback()
	if _, err := t.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", []any{int64(lockKey)}); err != nil {
		return err
	}
	if err := fn(t); err != nil {
		return err
	}
	return t.Commit(ctx)
}
