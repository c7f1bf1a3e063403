package core

import (
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/internal/value"
)

// Field is a column's place in a row: it is scanned into and bound from. Plain
// pointers (*int64 *float64 *string *bool *time.Time *[]byte *json.RawMessage *store.Date) do
// the same without this interface.
type Field = value.Field

// Assign sets the place dest, a pointer or a Field, from what a database gave.
// A []byte is copied.
func Assign(dest, src any) error { return value.Assign(dest, src) }

// Plain returns the value that a driver binds for v: a plain value, a pointer to
// one, or a Field. The result is nil, int64, float64, string, bool, time.Time,
// []byte, json.RawMessage, store.Date, Number, or a slice of one of them, which only
// PostgreSQL takes.
func Plain(v any) (any, error) {
	switch v.(type) {
	case store.Date, Number, []store.Date, []Number:
		return v, nil
	}
	return value.Plain(v)
}

// Moment brings t to what every database keeps: UTC, in microseconds.
func Moment(t time.Time) time.Time { return value.Moment(t) }

// FormatTime returns t as text of fixed width, "2006-01-02T15:04:05.000000Z".
func FormatTime(t time.Time) string { return value.FormatTime(t) }

// AppendTime appends FormatTime(t) to b.
func AppendTime(b []byte, t time.Time) []byte { return value.AppendTime(b, t) }

// ParseTime reads what FormatTime wrote, and, more slowly, other forms of
// RFC 3339 and of SQLite's own functions, which are UTC.
func ParseTime(s string) (time.Time, error) { return value.ParseTime(s) }
