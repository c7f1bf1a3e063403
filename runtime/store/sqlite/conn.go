package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// conn is one connection of the engine. One goroutine uses it at a time; only
// interrupt may be called beside it.
type conn struct {
	tls   *libc.TLS
	db    uintptr
	out   uintptr // room for two pointers that the engine writes
	text  arena
	plain []any // arguments on their way
	busy  time.Duration
	path  string
	stmts map[string]*stmt
	clock uint64 // grows with each use of a statement
}

// stmt is a prepared statement, kept for the next time.
type stmt struct {
	p        uintptr
	params   int32
	columns  int32
	readonly bool
	used     uint64
}

// keptStmts bounds the statements that a connection keeps prepared.
const keptStmts = 256

func openConn(path string, busy time.Duration) (*conn, error) {
	c := &conn{tls: libc.NewTLS(), busy: busy, path: path, stmts: map[string]*stmt{}}
	c.out = sqlite3.Xsqlite3_malloc64(c.tls, 32)
	if c.out == 0 {
		return nil, errors.New("sqlite: no memory")
	}
	name, err := libc.CString(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	defer libc.Xfree(c.tls, name)
	const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_CREATE | sqlite3.SQLITE_OPEN_NOMUTEX
	rc := sqlite3.Xsqlite3_open_v2(c.tls, name, c.out, flags, 0)
	c.db = pointerAt(c.out)
	if rc != sqlite3.SQLITE_OK {
		err := c.failure(rc)
		c.close()
		return nil, err
	}
	sqlite3.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	return c, nil
}

func (c *conn) close() {
	for _, s := range c.stmts {
		sqlite3.Xsqlite3_finalize(c.tls, s.p)
	}
	c.stmts = nil
	if c.db != 0 {
		sqlite3.Xsqlite3_close_v2(c.tls, c.db)
		c.db = 0
	}
	sqlite3.Xsqlite3_free(c.tls, c.text.p)
	sqlite3.Xsqlite3_free(c.tls, c.out)
	c.text, c.out = arena{}, 0
	c.tls.Close()
}

// prepare returns the statement for a text, prepared before if it can be.
func (c *conn) prepare(ctx context.Context, sql string) (*stmt, error) {
	c.clock++
	if s := c.stmts[sql]; s != nil {
		s.used = c.clock
		return s, nil
	}
	text, err := libc.CString(sql)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	defer libc.Xfree(c.tls, text)
	tail := c.out + 16
	err = c.patiently(ctx, func() int32 {
		return sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, text, int32(len(sql))+1, sqlite3.SQLITE_PREPARE_PERSISTENT, c.out, tail)
	})
	if err != nil {
		return nil, err
	}
	s := &stmt{p: pointerAt(c.out), used: c.clock}
	if s.p == 0 {
		return nil, errors.New("sqlite: the statement is empty")
	}
	if rest := int(text) + len(sql) - int(pointerAt(tail)); rest > 0 && !blank(sql[len(sql)-rest:]) {
		sqlite3.Xsqlite3_finalize(c.tls, s.p)
		return nil, errors.New("sqlite: one statement at a time")
	}
	s.params = sqlite3.Xsqlite3_bind_parameter_count(c.tls, s.p)
	s.columns = sqlite3.Xsqlite3_column_count(c.tls, s.p)
	s.readonly = sqlite3.Xsqlite3_stmt_readonly(c.tls, s.p) != 0
	c.keep(sql, s)
	return s, nil
}

func blank(s string) bool {
	for i := range len(s) {
		if s[i] > ' ' && s[i] != ';' {
			return false
		}
	}
	return true
}

// keep remembers a statement, in place of the one that was not used for the
// longest time when there are too many.
func (c *conn) keep(sql string, s *stmt) {
	if len(c.stmts) >= keptStmts {
		var oldest string
		for text, other := range c.stmts {
			if oldest == "" || other.used < c.stmts[oldest].used {
				oldest = text
			}
		}
		sqlite3.Xsqlite3_finalize(c.tls, c.stmts[oldest].p)
		delete(c.stmts, oldest)
	}
	c.stmts[sql] = s
}

// patiently repeats a call while another process holds the lock that it needs,
// for as long as the busy timeout and the context allow.
func (c *conn) patiently(ctx context.Context, call func() int32) error {
	var until time.Time
	for pause := time.Millisecond; ; pause = min(pause*2, 50*time.Millisecond) {
		rc := call()
		if rc == sqlite3.SQLITE_OK || rc == sqlite3.SQLITE_ROW || rc == sqlite3.SQLITE_DONE {
			return nil
		}
		if rc&0xff != sqlite3.SQLITE_BUSY {
			return c.contextual(ctx, c.failure(rc))
		}
		now := time.Now()
		if until.IsZero() {
			until = now.Add(c.busy)
		}
		if !now.Before(until) {
			return c.failure(rc)
		}
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return core.Ended(ctx)
		}
	}
}

// contextual returns the context's error for a statement that it has ended.
func (c *conn) contextual(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, errInterrupted) {
		return core.Ended(ctx)
	}
	return err
}

// run binds and starts a statement. With row true there is a first row; the
// caller ends with reset in any case.
func (c *conn) run(ctx context.Context, s *stmt, args []any) (row bool, err error) {
	if err := c.bindAll(s, args); err != nil {
		return false, err
	}
	err = c.patiently(ctx, func() int32 {
		rc := sqlite3.Xsqlite3_step(c.tls, s.p)
		row = rc == sqlite3.SQLITE_ROW
		if rc&0xff == sqlite3.SQLITE_BUSY {
			sqlite3.Xsqlite3_reset(c.tls, s.p)
		}
		return rc
	})
	return row, err
}

// next goes on to the following row; io.EOF after the last.
func (c *conn) next(ctx context.Context, s *stmt) error {
	switch rc := sqlite3.Xsqlite3_step(c.tls, s.p); rc {
	case sqlite3.SQLITE_ROW:
		return nil
	case sqlite3.SQLITE_DONE:
		return io.EOF
	default:
		return c.contextual(ctx, c.failure(rc))
	}
}

// reset ends a statement. A write whose rows were not all read is completed by
// this, and may fail.
func (c *conn) reset(s *stmt) error {
	rc := sqlite3.Xsqlite3_reset(c.tls, s.p)
	c.trim()
	if rc != sqlite3.SQLITE_OK {
		return c.failure(rc)
	}
	return nil
}

// inTransaction reports whether a transaction is open.
func (c *conn) inTransaction() bool {
	return sqlite3.Xsqlite3_get_autocommit(c.tls, c.db) == 0
}
