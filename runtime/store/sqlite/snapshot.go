package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/hegner123/modulagen/runtime/store/core"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// snapshotPages is how many pages are copied between two looks at the context.
const snapshotPages = 512

// Snapshot copies the database, as it is when it is called, into the file at path, which is missing
// or empty, and checks the copy. Other connections read and write meanwhile: the copy reads in one
// read transaction of a connection of its own, so that what they commit neither changes it nor
// has it begin again. The WAL grows until it has ended.
//
// The copy needs no WAL beside it. It is not flushed to the disk.
func (b *backend) Snapshot(ctx context.Context, path string) (err error) {
	from, give, err := b.snapshotSource(ctx)
	if err != nil {
		return err
	}
	defer give()
	to, err := openConn(path, b.cfg.busy)
	if err != nil {
		return fmt.Errorf("sqlite: the copy: %w", err)
	}
	defer to.close()
	// What is half written is thrown away: a journal of it would be written in vain.
	for _, p := range []string{"PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF"} {
		if err := to.once(ctx, p); err != nil {
			return fmt.Errorf("sqlite: the copy: %s: %w", p, err)
		}
	}
	if err := to.copyFrom(ctx, from); err != nil {
		return fmt.Errorf("sqlite: copying: %w", err)
	}
	// Without this, a process that opens the copy makes a WAL beside it.
	if err := to.once(ctx, "PRAGMA journal_mode = DELETE"); err != nil {
		return fmt.Errorf("sqlite: the copy: %w", err)
	}
	return to.verify(ctx)
}

// snapshotSource returns a connection in a read transaction, and what ends that. Of an in-memory database it
// is the only one there is.
func (b *backend) snapshotSource(ctx context.Context) (c *conn, give func(), err error) {
	if b.cfg.memory {
		c, err = b.takeWriter(ctx)
		give = func() { b.giveWriter(c) }
	} else {
		c, err = b.openReader(ctx)
		give = func() { c.close() }
	}
	if err != nil {
		return nil, nil, err
	}
	// A transaction begins to read with its first statement.
	for _, sql := range []string{"BEGIN", "SELECT count(*) FROM sqlite_schema"} {
		if err := c.once(ctx, sql); err != nil {
			give()
			return nil, nil, err
		}
	}
	return c, give, nil
}

// copyFrom copies all pages.
func (c *conn) copyFrom(ctx context.Context, from *conn) error {
	main, err := libc.CString("main")
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	defer libc.Xfree(c.tls, main)
	backup := sqlite3.Xsqlite3_backup_init(c.tls, c.db, main, from.db, main)
	if backup == 0 {
		return c.failure(sqlite3.Xsqlite3_errcode(c.tls, c.db))
	}
	err = c.copyPages(ctx, backup)
	// The error of a step is that of the end as well.
	if rc := sqlite3.Xsqlite3_backup_finish(c.tls, backup); rc != sqlite3.SQLITE_OK && err == nil {
		err = c.failure(rc)
	}
	return err
}

func (c *conn) copyPages(ctx context.Context, backup uintptr) error {
	for {
		if ctx.Err() != nil {
			return core.Ended(ctx)
		}
		var rc int32
		err := c.patiently(ctx, func() int32 {
			rc = sqlite3.Xsqlite3_backup_step(c.tls, backup, snapshotPages)
			return rc
		})
		if err != nil || rc == sqlite3.SQLITE_DONE {
			return err
		}
	}
}

// verify checks the structure of every table and index. That an index has what its table has,
// integrity_check would find as well, in eight times as long: copying pages cannot break that.
func (c *conn) verify(ctx context.Context) error {
	w := c.watch(ctx)
	defer w.end()
	s, err := c.prepare(ctx, "PRAGMA quick_check(1)")
	if err != nil {
		return fmt.Errorf("sqlite: checking the copy: %w", err)
	}
	var found string
	if err := c.queryRow(ctx, s, nil, []any{&found}); err != nil {
		return fmt.Errorf("sqlite: checking the copy: %w", c.contextual(ctx, err))
	}
	if found != "ok" {
		return fmt.Errorf("sqlite: the database is damaged: %w", errors.New(found))
	}
	return nil
}
