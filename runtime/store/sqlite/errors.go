package sqlite

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

var errInterrupted = errors.New("sqlite: interrupted")

// Error is a failure as the engine reports it, for errors.As.
type Error struct {
	Code    int // SQLite's extended result code
	Message string
}

// Error returns the engine's words.
func (e *Error) Error() string { return fmt.Sprintf("sqlite: %s (%d)", e.Message, e.Code) }

func goString(p uintptr) string { return libc.GoString(p) }

// failure returns the error for a result code of the connection's last call. The
// engine's messages name columns, never values.
func (c *conn) failure(rc int32) error {
	message := goString(sqlite3.Xsqlite3_errstr(c.tls, rc))
	if c.db != 0 {
		if code := sqlite3.Xsqlite3_extended_errcode(c.tls, c.db); code&0xff == rc&0xff {
			rc, message = code, goString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))
		}
	}
	cause, full := c.diskError(rc)
	err := &Error{Code: int(rc), Message: message + cause}
	if full {
		return core.Coded(store.ErrFull, err)
	}
	switch rc {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return conflict(message)
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return &store.ReferenceError{Cause: err}
	case sqlite3.SQLITE_CONSTRAINT_TRIGGER: // of a reference with "restrict"
		if strings.HasPrefix(message, "FOREIGN KEY") {
			return &store.ReferenceError{Cause: err}
		}
	case sqlite3.SQLITE_CONSTRAINT_CHECK:
		_, check, _ := strings.Cut(message, ": ")
		return &core.RefusedError{Check: check, Cause: err}
	case sqlite3.SQLITE_CONSTRAINT_NOTNULL:
		_, what, _ := strings.Cut(message, ": ")
		table, column, _ := strings.Cut(what, ".")
		return &core.RefusedError{Datatype: table, Column: column, Null: true, Cause: err}
	case sqlite3.SQLITE_CONSTRAINT_DATATYPE:
		return core.Coded(store.ErrInvalid, err)
	}
	switch rc & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return core.Coded(store.ErrBusy, err)
	case sqlite3.SQLITE_FULL:
		return core.Coded(store.ErrFull, err)
	case sqlite3.SQLITE_TOOBIG:
		return core.Coded(store.ErrInvalid, err)
	case sqlite3.SQLITE_INTERRUPT:
		return errInterrupted
	}
	return err
}

// conflict reads "UNIQUE constraint failed: article.lang, article.slug" and
// "UNIQUE constraint failed: index 'name'".
func conflict(message string) error {
	e := &store.ConflictError{}
	_, what, _ := strings.Cut(message, ": ")
	if name, ok := strings.CutPrefix(what, "index '"); ok {
		e.Key = strings.TrimSuffix(name, "'")
		return e
	}
	for column := range strings.SplitSeq(what, ", ") {
		table, name, ok := strings.Cut(column, ".")
		if ok {
			e.Datatype = table
			e.Fields = append(e.Fields, name)
		}
	}
	return e
}
