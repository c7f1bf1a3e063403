package sqlite

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	sqlite3 "modernc.org/sqlite/lib"
)

// Exec runs a statement on the writer, as a transaction of its own or with
// others in one.
func (b *backend) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	if isWrite(sql) {
		u := &unit{ctx: ctx, sql: sql, args: args}
		err := b.share(u)
		return u.result, err
	}
	c, err := b.takeWriter(ctx)
	if err != nil {
		return core.Result{}, err
	}
	defer b.giveWriter(c)
	return c.exec(ctx, sql, args)
}

// Query reads with a reader, unless the statement writes.
func (b *backend) Query(ctx context.Context, sql string, args, dest []any, each func() error) error {
	return b.read(ctx, sql, func(c *conn, s *stmt) error { return c.query(ctx, s, args, dest, each) },
		func() error {
			if isWrite(sql) {
				return b.share(&unit{ctx: ctx, sql: sql, args: args, dest: dest, each: each})
			}
			return b.write(ctx, sql, func(c *conn, s *stmt) error { return c.query(ctx, s, args, dest, each) })
		})
}

// QueryRow reads with a reader, unless the statement writes.
func (b *backend) QueryRow(ctx context.Context, sql string, args, dest []any) error {
	return b.read(ctx, sql, func(c *conn, s *stmt) error { return c.queryRow(ctx, s, args, dest) },
		func() error {
			if isWrite(sql) {
				return b.share(&unit{ctx: ctx, sql: sql, args: args, row: true, dest: dest})
			}
			return b.write(ctx, sql, func(c *conn, s *stmt) error { return c.queryRow(ctx, s, args, dest) })
		})
}

// firstWord returns a statement's first word, without comments before it.
func firstWord(sql string) string {
	for {
		sql = strings.TrimLeft(sql, " \t\r\n(")
		var found bool
		switch {
		case strings.HasPrefix(sql, "--"):
			_, sql, found = strings.Cut(sql, "\n")
		case strings.HasPrefix(sql, "/*"):
			_, sql, found = strings.Cut(sql, "*/")
		default:
			n := 0
			for n < len(sql) && sql[n]|0x20 >= 'a' && sql[n]|0x20 <= 'z' {
				n++
			}
			return sql[:n]
		}
		if !found {
			return ""
		}
	}
}

// isWrite recognizes a statement that changes rows and may stand in a transaction
// with others. A WITH may also be a read, which does no harm there.
func isWrite(sql string) bool {
	switch word := firstWord(sql); len(word) {
	case len("WITH"):
		return strings.EqualFold(word, "WITH")
	case len("INSERT"):
		return strings.EqualFold(word, "INSERT") || strings.EqualFold(word, "UPDATE") || strings.EqualFold(word, "DELETE")
	case len("REPLACE"):
		return strings.EqualFold(word, "REPLACE")
	}
	return false
}

// reads guesses from a statement's first word, so that a write does not take a
// reader first; the engine decides.
func reads(sql string) bool {
	word := firstWord(sql)
	if word == "" {
		return true
	}
	switch word[0] | 0x20 {
	case 'i', 'u', 'd', 'r': // insert, update, delete, replace
		return false
	}
	return true
}

// read runs fn on a reader, or write when the statement writes.
func (b *backend) read(ctx context.Context, sql string, fn func(*conn, *stmt) error, write func() error) error {
	if !reads(sql) {
		return write()
	}
	c, err := b.takeReader(ctx)
	if err != nil {
		return err
	}
	s, err := c.prepare(ctx, sql)
	if err != nil || s.readonly {
		defer b.giveReader(c)
		if err != nil {
			return err
		}
		return fn(c, s)
	}
	b.giveReader(c)
	return write()
}

func (b *backend) write(ctx context.Context, sql string, fn func(*conn, *stmt) error) error {
	c, err := b.takeWriter(ctx)
	if err != nil {
		return err
	}
	defer b.giveWriter(c)
	s, err := c.prepare(ctx, sql)
	if err != nil {
		return err
	}
	return fn(c, s)
}

func (c *conn) exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	if err := ctx.Err(); err != nil {
		return core.Result{}, core.Ended(ctx)
	}
	s, err := c.prepare(ctx, sql)
	if err != nil {
		return core.Result{}, err
	}
	w := c.watch(ctx)
	defer w.end()
	return c.complete(ctx, s, args)
}

// complete runs a statement to its end, past rows that it may give.
func (c *conn) complete(ctx context.Context, s *stmt, args []any) (core.Result, error) {
	row, err := c.run(ctx, s, args)
	for row && err == nil {
		err = c.next(ctx, s)
	}
	if rerr := c.reset(s); err == nil || errors.Is(err, io.EOF) {
		err = rerr
	}
	if err != nil {
		return core.Result{}, err
	}
	return core.Result{
		RowsAffected: int64(sqlite3.Xsqlite3_changes(c.tls, c.db)),
		LastID:       sqlite3.Xsqlite3_last_insert_rowid(c.tls, c.db),
	}, nil
}

// query reads every row. A failure while resetting matters only to a statement
// that writes, whose rows have then not been written.
func (c *conn) query(ctx context.Context, s *stmt, args, dest []any, each func() error) (err error) {
	if err := ctx.Err(); err != nil {
		return core.Ended(ctx)
	}
	w := c.watch(ctx)
	defer w.end()
	defer func() { // also when each panics
		if rerr := c.reset(s); err == nil {
			err = rerr
		}
	}()
	row, err := c.run(ctx, s, args)
	if err != nil || !row {
		return err
	}
	for {
		if err := c.scanAll(s, dest); err != nil {
			return err
		}
		if err := each(); err != nil {
			return err
		}
		if err := c.next(ctx, s); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

func (c *conn) queryRow(ctx context.Context, s *stmt, args, dest []any) (err error) {
	if err := ctx.Err(); err != nil {
		return core.Ended(ctx)
	}
	w := c.watch(ctx)
	defer w.end()
	defer func() { // also when a place of the caller's panics
		if rerr := c.reset(s); err == nil {
			err = rerr
		}
	}()
	row, err := c.run(ctx, s, args)
	if err != nil {
		return err
	}
	if !row {
		return store.ErrNotFound
	}
	if err := c.scanAll(s, dest); err != nil || s.readonly {
		return err
	}
	if err := c.next(ctx, s); err != nil && !errors.Is(err, io.EOF) { // a write is done when its last row is
		return err
	}
	return nil
}
