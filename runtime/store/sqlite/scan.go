package sqlite

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	sqlite3 "modernc.org/sqlite/lib"
)

// scanAll reads the row that a statement stands on.
func (c *conn) scanAll(s *stmt, dest []any) error {
	if len(dest) != int(s.columns) {
		return fmt.Errorf("sqlite: the result has %d columns, not %d", s.columns, len(dest))
	}
	for i, d := range dest {
		if err := c.scan(s.p, int32(i), d); err != nil {
			name := sqlite3.Xsqlite3_column_name(c.tls, s.p, int32(i))
			return fmt.Errorf("sqlite: column %s: %w", goString(name), err)
		}
	}
	return nil
}

// scan reads one column into the places that are common without boxing it.
func (c *conn) scan(p uintptr, i int32, dest any) error {
	kind := sqlite3.Xsqlite3_column_type(c.tls, p, i)
	switch kind {
	case sqlite3.SQLITE_INTEGER:
		n := sqlite3.Xsqlite3_column_int64(c.tls, p, i)
		switch d := dest.(type) {
		case *int64:
			*d = n
		case *bool:
			*d = n != 0
		case *store.Null[int64]:
			*d = store.Some(n)
		case *store.Null[bool]:
			*d = store.Some(n != 0)
		default:
			return store.Assign(dest, n)
		}
		return nil
	case sqlite3.SQLITE_TEXT:
		return c.scanText(p, i, dest)
	case sqlite3.SQLITE_NULL:
		return scanNull(dest)
	case sqlite3.SQLITE_FLOAT:
		return store.Assign(dest, sqlite3.Xsqlite3_column_double(c.tls, p, i))
	}
	at := sqlite3.Xsqlite3_column_blob(c.tls, p, i)
	data := view(at, int(sqlite3.Xsqlite3_column_bytes(c.tls, p, i)))
	if data == nil {
		data = []byte{}
	}
	return store.Assign(dest, data)
}

func (c *conn) scanText(p uintptr, i int32, dest any) (err error) {
	at := sqlite3.Xsqlite3_column_text(c.tls, p, i)
	text := viewString(at, int(sqlite3.Xsqlite3_column_bytes(c.tls, p, i))) // the engine's memory: clone what stays
	switch d := dest.(type) {
	case *string:
		*d = strings.Clone(text)
	case *time.Time:
		*d, err = store.ParseTime(text)
	case *store.Null[string]:
		*d = store.Some(strings.Clone(text))
	case *store.Null[time.Time]:
		d.V, err = store.ParseTime(text)
		d.Valid = err == nil
	case *json.RawMessage:
		*d = json.RawMessage(text)
	default:
		return store.Assign(dest, strings.Clone(text))
	}
	return err
}

func scanNull(dest any) error {
	switch d := dest.(type) {
	case *store.Null[int64]:
		*d = store.Null[int64]{}
	case *store.Null[string]:
		*d = store.Null[string]{}
	case *store.Null[time.Time]:
		*d = store.Null[time.Time]{}
	default:
		return store.Assign(dest, nil)
	}
	return nil
}
