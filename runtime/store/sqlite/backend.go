package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
	sqlite3 "modernc.org/sqlite/lib"
)

func init() {
	sqlite3.PatchIssue199() // the page size on linux/arm64, as modernc.org/sqlite itself does
	core.Register("sqlite", driver{})
}

type driver struct{}

// Open opens the file, and creates it where it is missing.
func (driver) Open(ctx context.Context, dsn string, opts store.Options) (core.Backend, error) {
	cfg, err := parseDSN(dsn, opts)
	if err != nil {
		return nil, err
	}
	b := &backend{readers: make(chan *conn, cfg.readers), cfg: cfg, closing: make(chan struct{})}
	b.writer.closing, b.writer.owner = b.closing, b
	c, err := openConn(cfg.path, cfg.busy)
	if err != nil {
		return nil, unopened(cfg.path, err)
	}
	b.writer.free = c
	if err := c.setUp(ctx, cfg); err != nil {
		c.close()
		return nil, unopened(cfg.path, err)
	}
	if cfg.memory {
		return b, nil
	}
	for range cfg.readers {
		b.readers <- nil // opened when it is needed first
	}
	return b, nil
}

// unopened says what is wrong with the file, where the engine says only that
// something is.
func unopened(path string, err error) error {
	e, ok := errors.AsType[*Error](err)
	folder := filepath.Dir(path)
	switch at, statErr := os.Stat(path); {
	case ok && e.Code&0xff == sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("sqlite: opening %s: the file is no SQLite database: %w", path, err)
	case statErr == nil && at.IsDir():
		return fmt.Errorf("sqlite: opening %s: it is a folder: %w", path, err)
	case errors.Is(statErr, fs.ErrNotExist):
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sqlite: opening %s: the folder %s does not exist", path, folder)
		}
		if ok { // the engine has tried to open it for reading too, and reports that
			return fmt.Errorf("sqlite: opening %s: there is no such file, and this program cannot create it: it needs the permission to write to the folder %s (%d)", path, folder, e.Code)
		}
	}
	return fmt.Errorf("sqlite: opening %s: %w", path, err)
}

// setUp says how a connection behaves.
func (c *conn) setUp(ctx context.Context, cfg config) error {
	pragmas := []string{
		"PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = " + cfg.synchronous,
		"PRAGMA foreign_keys = ON",
		"PRAGMA trusted_schema = OFF",
		"PRAGMA case_sensitive_like = ON", // as on the other databases
		"PRAGMA temp_store = MEMORY",
		fmt.Sprintf("PRAGMA cache_size = -%d", cfg.cacheKiB),
	}
	for _, p := range pragmas {
		if err := c.once(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	return nil
}

// once runs a statement without arguments to its end.
func (c *conn) once(ctx context.Context, sql string) error {
	s, err := c.prepare(ctx, sql)
	if err != nil {
		return err
	}
	row, err := c.run(ctx, s, nil)
	for row && err == nil {
		err = c.next(ctx, s)
	}
	if rerr := c.reset(s); err == nil || errors.Is(err, io.EOF) {
		err = rerr
	}
	return err
}

// backend is an open database: one connection that writes, some that read.
type backend struct {
	cfg     config
	writer  writer
	readers chan *conn // holds those that no one has; nil entries are not open yet
	closing chan struct{}
	once    sync.Once
	foreign foreign
}

// takeWriter returns the connection that writes, for its holder alone.
func (b *backend) takeWriter(ctx context.Context) (*conn, error) {
	return b.writer.take(ctx, nil)
}

// giveWriter hands it to the next one, who must not find himself in another's
// transaction.
func (b *backend) giveWriter(c *conn) {
	if c.inTransaction() {
		_ = c.leaveTransaction()
	}
	b.foreign.answer(c)
	b.writer.give(c)
}

// takeReader returns a connection to read with; of an in-memory database, the one
// that there is.
func (b *backend) takeReader(ctx context.Context) (*conn, error) {
	if b.cfg.memory {
		return b.takeWriter(ctx)
	}
	var c *conn
	select {
	case c = <-b.readers:
	default:
		select {
		case c = <-b.readers:
		case <-b.closing:
			return nil, errClosing
		case <-ctx.Done():
			return nil, core.Ended(ctx)
		}
	}
	if c != nil {
		return c, nil
	}
	c, err := b.openReader(ctx)
	if err != nil {
		b.readers <- nil
		return nil, err
	}
	return c, nil
}

func (b *backend) openReader(ctx context.Context) (*conn, error) {
	c, err := openConn(b.cfg.path, b.cfg.busy)
	if err != nil {
		return nil, unopened(b.cfg.path, err)
	}
	if err = c.setUp(ctx, b.cfg); err == nil {
		err = c.once(ctx, "PRAGMA query_only = ON")
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (b *backend) giveReader(c *conn) {
	if b.cfg.memory {
		b.giveWriter(c)
		return
	}
	b.readers <- c
}

// Name returns the file.
func (b *backend) Name() string { return "sqlite:" + b.cfg.path }

// Dialect is SQLite's.
func (b *backend) Dialect() sqltext.Dialect { return sqltext.SQLite }

// Clock is empty: SQLite has no clock that is as exact as a column.
func (b *backend) Clock() string { return "" }

// yieldFor is longer than a writer of another process sleeps before it asks for
// the lock again.
const yieldFor = 2 * time.Millisecond

// Yield lets writers of other processes in.
func (b *backend) Yield(ctx context.Context) error {
	timer := time.NewTimer(yieldFor)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close waits for running statements and transactions.
func (b *backend) Close() error {
	b.once.Do(func() {
		close(b.closing)
		for range cap(b.readers) {
			if b.cfg.memory {
				break
			}
			if c := <-b.readers; c != nil {
				c.close()
			}
		}
		b.writer.takeLast().close() // last: it takes the WAL into the file
	})
	return nil
}
