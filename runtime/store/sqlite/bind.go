package sqlite

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	sqlite3 "modernc.org/sqlite/lib"
)

const timeWidth = len("2006-01-02T15:04:05.000000Z")

// bindAll binds the arguments. Text is copied into the connection's arena,
// which stays as it is until the next statement.
func (c *conn) bindAll(s *stmt, args []any) error {
	if len(args) != int(s.params) {
		return fmt.Errorf("sqlite: the statement takes %d arguments, not %d", s.params, len(args))
	}
	plain := c.plain[:0]
	size := 0
	for _, a := range args {
		v, n, err := measure(a)
		if err != nil {
			return err
		}
		plain = append(plain, v)
		size += n
	}
	c.plain = plain
	defer clear(plain)
	if err := c.reserve(size); err != nil {
		return err
	}
	for i, v := range plain {
		if rc := c.bind(s.p, int32(i+1), v); rc != sqlite3.SQLITE_OK {
			return c.failure(rc)
		}
	}
	return nil
}

// measure returns the value to bind and how much room its text takes. Pointers
// that bind knows stay what they are: no value is boxed for them.
func measure(a any) (v any, size int, err error) {
	switch x := a.(type) {
	case *int64, *bool:
		return a, 0, nil
	case *string:
		return a, len(*x), nil
	case *time.Time:
		return a, timeWidth, nil
	case *store.Null[string]:
		return a, len(x.V), nil
	case *store.Null[int64]:
		return a, 0, nil
	case *store.Null[time.Time]:
		return a, timeWidth, nil
	}
	v, err = core.Plain(a)
	switch x := v.(type) {
	case string:
		size = len(x)
	case []byte:
		size = len(x)
	case json.RawMessage:
		size = len(x)
	case time.Time:
		size = timeWidth
	case store.Date:
		size = len("2006-01-02") + 8
	}
	return v, size, err
}

func (c *conn) bind(p uintptr, i int32, v any) int32 {
	switch x := v.(type) {
	case nil:
		return sqlite3.Xsqlite3_bind_null(c.tls, p, i)
	case *int64:
		return sqlite3.Xsqlite3_bind_int64(c.tls, p, i, *x)
	case *string:
		return c.bindText(p, i, *x)
	case *bool:
		return c.bindBool(p, i, *x)
	case *time.Time:
		return c.bindTime(p, i, *x)
	case *store.Null[string]:
		if x.Valid {
			return c.bindText(p, i, x.V)
		}
		return sqlite3.Xsqlite3_bind_null(c.tls, p, i)
	case *store.Null[int64]:
		if x.Valid {
			return sqlite3.Xsqlite3_bind_int64(c.tls, p, i, x.V)
		}
		return sqlite3.Xsqlite3_bind_null(c.tls, p, i)
	case *store.Null[time.Time]:
		if x.Valid {
			return c.bindTime(p, i, x.V)
		}
		return sqlite3.Xsqlite3_bind_null(c.tls, p, i)
	case int64:
		return sqlite3.Xsqlite3_bind_int64(c.tls, p, i, x)
	case string:
		return c.bindText(p, i, x)
	case bool:
		return c.bindBool(p, i, x)
	case time.Time:
		return c.bindTime(p, i, x)
	case store.Date:
		return c.bindText(p, i, x.String())
	case core.Number:
		return sqlite3.Xsqlite3_bind_int64(c.tls, p, i, x.Unscaled)
	case float64:
		return sqlite3.Xsqlite3_bind_double(c.tls, p, i, x)
	case json.RawMessage:
		return sqlite3.Xsqlite3_bind_text(c.tls, p, i, c.text.putBytes(x), int32(len(x)), 0)
	case []byte:
		return sqlite3.Xsqlite3_bind_blob(c.tls, p, i, c.text.putBytes(x), int32(len(x)), 0)
	}
	return sqlite3.SQLITE_MISMATCH
}

func (c *conn) bindText(p uintptr, i int32, s string) int32 {
	return sqlite3.Xsqlite3_bind_text(c.tls, p, i, c.text.put(s), int32(len(s)), 0)
}

func (c *conn) bindBool(p uintptr, i int32, v bool) int32 {
	n := int64(0)
	if v {
		n = 1
	}
	return sqlite3.Xsqlite3_bind_int64(c.tls, p, i, n)
}

func (c *conn) bindTime(p uintptr, i int32, t time.Time) int32 {
	at := c.text.p + uintptr(c.text.used)
	core.AppendTime(view(at, timeWidth)[:0], t)
	c.text.used += timeWidth
	return sqlite3.Xsqlite3_bind_text(c.tls, p, i, at, int32(timeWidth), 0)
}
