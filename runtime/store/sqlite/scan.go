package sqlite

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	sqlite3 "modernc.org/sqlite/lib"
)

// value is one column of a row. Its text and its bytes are someone else's
// memory: what stays is copied.
type value struct {
	kind int32 // the engine's: SQLITE_INTEGER and so on
	n    int64
	f    float64
	text string // of a text or a blob
}

// column reads one column of the row that a statement stands on.
func (c *conn) column(p uintptr, i int32) value {
	v := value{kind: sqlite3.Xsqlite3_column_type(c.tls, p, i)}
	switch v.kind {
	case sqlite3.SQLITE_INTEGER:
		v.n = sqlite3.Xsqlite3_column_int64(c.tls, p, i)
	case sqlite3.SQLITE_FLOAT:
		v.f = sqlite3.Xsqlite3_column_double(c.tls, p, i)
	case sqlite3.SQLITE_TEXT:
		at := sqlite3.Xsqlite3_column_text(c.tls, p, i)
		v.text = viewString(at, int(sqlite3.Xsqlite3_column_bytes(c.tls, p, i)))
	case sqlite3.SQLITE_BLOB:
		at := sqlite3.Xsqlite3_column_blob(c.tls, p, i)
		v.text = viewString(at, int(sqlite3.Xsqlite3_column_bytes(c.tls, p, i)))
	}
	return v
}

// scanAll reads the row that a statement stands on.
func (c *conn) scanAll(s *stmt, dest []any) error {
	if err := s.fits(dest); err != nil {
		return err
	}
	for i, d := range dest {
		v := c.column(s.p, int32(i))
		if err := v.scan(d); err != nil {
			return fmt.Errorf("sqlite: column %s: %w", c.columnName(s, i), err)
		}
	}
	return nil
}

func (s *stmt) fits(dest []any) error {
	if len(dest) != int(s.columns) {
		return fmt.Errorf("sqlite: the result has %d columns, not %d", s.columns, len(dest))
	}
	return nil
}

func (c *conn) columnName(s *stmt, i int) string {
	return goString(sqlite3.Xsqlite3_column_name(c.tls, s.p, int32(i)))
}

// scan puts a value into the places that are common without boxing it.
func (v *value) scan(dest any) error {
	switch v.kind {
	case sqlite3.SQLITE_INTEGER:
		switch d := dest.(type) {
		case *int64:
			*d = v.n
		case *bool:
			*d = v.n != 0
		case *store.Null[int64]:
			*d = store.Some(v.n)
		case *store.Null[bool]:
			*d = store.Some(v.n != 0)
		default:
			return core.Assign(dest, v.n)
		}
		return nil
	case sqlite3.SQLITE_TEXT:
		return v.scanText(dest)
	case sqlite3.SQLITE_NULL:
		return scanNull(dest)
	case sqlite3.SQLITE_FLOAT:
		return core.Assign(dest, v.f)
	}
	return core.Assign(dest, viewBytes(v.text))
}

// scanText leaves a text alone that is the same in the row before, as the place
// still has it: a status or a kind is not copied for each row.
func (v *value) scanText(dest any) (err error) {
	switch d := dest.(type) {
	case *string:
		if *d != v.text {
			*d = strings.Clone(v.text)
		}
	case *time.Time:
		*d, err = core.ParseTime(v.text)
	case *store.Null[string]:
		if !d.Valid || d.V != v.text {
			*d = store.Some(strings.Clone(v.text))
		}
	case *store.Null[time.Time]:
		d.V, err = core.ParseTime(v.text)
		d.Valid = err == nil
	case *json.RawMessage:
		*d = json.RawMessage(v.text)
	default:
		return core.Assign(dest, strings.Clone(v.text))
	}
	if err != nil {
		return core.Assign(dest, v.text) // fails as well, with an error that does not quote the text
	}
	return nil
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
		return core.Assign(dest, nil)
	}
	return nil
}
