package engine

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	sqlite "modernc.org/sqlite"
	result "modernc.org/sqlite/lib"

	"github.com/hegner123/modulagen/gen/sqlc/protocol"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// The bounds of a rehearsal: a query that takes longer, such as one that recurs
// without end, has shown what it can.
const (
	mostRows = 1_000
	mostTime = 2 * time.Second
)

// Rehearse runs queries and returns what went wrong, and the columns that their
// Go type cannot hold.
func Rehearse(ctx context.Context, r protocol.Rehearsal) ([]protocol.Finding, error) {
	conn, done, err := open(ctx, "&_pragma=case_sensitive_like(1)")
	if err != nil {
		return nil, err
	}
	defer done()
	for _, s := range r.Setup {
		if _, err := conn.ExecContext(ctx, s.Text, protocol.Any(s.Args)...); err != nil {
			return nil, fmt.Errorf("engine: internal error: sqlite refuses a generated table or a row of it: %w\n%s", err, s.Text)
		}
	}
	out := []protocol.Finding{}
	for i, q := range r.Queries {
		for _, args := range q.Runs {
			found, err := run(ctx, conn, q, protocol.Any(args))
			if err != nil {
				return nil, err
			}
			for _, f := range found {
				f.Query = i
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// run runs a query once, and undoes what it did.
func run(ctx context.Context, conn *sql.Conn, q protocol.Query, args []any) ([]protocol.Finding, error) {
	limited, cancel := context.WithTimeout(ctx, mostTime)
	defer cancel()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	defer tx.Rollback()
	found, err := scan(limited, tx, q, args)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil || limited.Err() != nil || forgiven(err):
		return found, nil
	}
	return append(found, protocol.Finding{Column: -1, Why: message(err)}), nil
}

// forgiven tells errors that are about the rows that happen to be there.
func forgiven(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() {
	case result.SQLITE_CONSTRAINT_UNIQUE, result.SQLITE_CONSTRAINT_PRIMARYKEY, result.SQLITE_CONSTRAINT_FOREIGNKEY, result.SQLITE_CONSTRAINT_ROWID, result.SQLITE_CONSTRAINT_NOTNULL:
		return true
	}
	return false
}

// scan reads the rows and returns the columns that their Go type cannot hold.
func scan(ctx context.Context, tx *sql.Tx, q protocol.Query, args []any) ([]protocol.Finding, error) {
	if len(q.Columns) == 0 {
		_, err := tx.ExecContext(ctx, q.Text, args...)
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, q.Text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	values, places := make([]any, len(q.Columns)), make([]any, len(q.Columns))
	for i := range values {
		places[i] = &values[i]
	}
	var found []protocol.Finding
	seen := make([]bool, len(q.Columns)) // one finding a column is enough
	for n := 0; n < mostRows && rows.Next(); n++ {
		if err := rows.Scan(places...); err != nil {
			return found, err
		}
		for i, c := range q.Columns {
			if why := holds(c, values[i]); why != "" && !seen[i] {
				seen[i] = true
				found = append(found, protocol.Finding{Column: i, Why: why})
			}
		}
	}
	return found, rows.Err()
}

// holds says why the Go type of a column cannot hold a value of SQLite's.
func holds(c protocol.Column, got any) string {
	if got == nil {
		if c.Null {
			return ""
		}
		return "it may be null, which its Go type cannot be"
	}
	ok := true
	text, isText := got.(string)
	switch c.Kind {
	case check.Int:
		f, isFloat := got.(float64)
		_, isInt := got.(int64)
		ok = isInt || isFloat && f == math.Trunc(f)
	case check.Float:
		_, isFloat := got.(float64)
		_, isInt := got.(int64)
		ok = isFloat || isInt
	case check.Decimal, check.Bool:
		_, ok = got.(int64)
	case check.Time:
		ok = isText && len(text) == len("2026-01-01T09:30:00.000000Z")
	case check.Date:
		ok = isText && len(text) == len("2026-01-01")
	case check.JSON:
		ok = isText && json.Valid([]byte(text))
	case check.Text:
		ok = isText
	}
	if ok {
		return ""
	}
	return fmt.Sprintf("its type is %s, and sqlite's value is %s", c.Type, storage(got))
}

// storage names the way in which SQLite stores a value.
func storage(got any) string {
	switch got.(type) {
	case int64:
		return "a whole number"
	case float64:
		return "a fraction"
	case string:
		return "a text of another form"
	}
	return "bytes"
}
