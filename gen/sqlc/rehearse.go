package sqlc

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	sqlite "modernc.org/sqlite"
	engine "modernc.org/sqlite/lib"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// The bounds of a rehearsal: a query that takes longer, such as one that recurs
// without end, has shown what it can.
const (
	rehearseRows = 1_000
	rehearseTime = 2 * time.Second
)

// rehearse runs the user's queries on an in-memory SQLite that has their tables
// with a few rows, nulls wherever a column may be null. It finds what no analysis
// does: a value that the generated Go type cannot hold.
func rehearse(ctx context.Context, tables []Table, queries []*UserQuery) error {
	if len(queries) == 0 {
		return nil
	}
	db, err := sql.Open("sqlite", "file::memory:?_dqs=0&_pragma=case_sensitive_like(1)")
	if err != nil {
		return fmt.Errorf("gen/sqlc: %w", err)
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("gen/sqlc: %w", err)
	}
	defer conn.Close()
	if err := stage(ctx, conn, tables, queries); err != nil {
		return err
	}
	for _, q := range queries {
		for _, nulls := range []bool{false, true} {
			if err := run(ctx, conn, q, nulls); err != nil {
				return err
			}
		}
	}
	return nil
}

// stage creates the tables that the queries name, and fills them.
func stage(ctx context.Context, conn *sql.Conn, tables []Table, queries []*UserQuery) error {
	named := map[string]bool{}
	for _, q := range queries {
		for w := range words(q.Text[model.SQLite]) {
			named[w] = true
		}
	}
	for _, t := range tables {
		if !named[t.Datatype.Name] {
			continue
		}
		if _, err := conn.ExecContext(ctx, t.DDL); err != nil {
			return fmt.Errorf("gen/sqlc: internal error: sqlite refuses a generated table: %w\n%s", err, t.DDL)
		}
		for row := range 3 {
			if err := fill(ctx, conn, t.Datatype, row); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill adds a row; the second has nulls.
func fill(ctx context.Context, conn *sql.Conn, d *model.Datatype, row int) error {
	var names, marks []string
	var args []any
	for _, f := range d.Columns() {
		names, marks = append(names, `"`+f.Name+`"`), append(marks, "?")
		if row == 1 && !f.NotNull && f.Name != "id" {
			args = append(args, nil)
		} else {
			args = append(args, sample(f.Storage().Kind, f, row))
		}
	}
	text := fmt.Sprintf(`INSERT OR IGNORE INTO "%s" (%s) VALUES (%s)`, d.Name, strings.Join(names, ", "), strings.Join(marks, ", "))
	if _, err := conn.ExecContext(ctx, text, args...); err != nil {
		return fmt.Errorf("gen/sqlc: internal error: sqlite refuses a row of %s: %w", d.Name, err)
	}
	return nil
}

// sample is a value of a kind, as SQLite stores it.
func sample(kind check.Kind, f *model.Field, row int) any {
	switch kind {
	case check.Int:
		return int64(row + 1)
	case check.Decimal:
		return int64(150 * (row + 1))
	case check.Bool:
		return int64((row + 1) % 2)
	case check.Time:
		return fmt.Sprintf("2026-01-%02dT09:30:00.%06dZ", row+1, row)
	case check.Date:
		return fmt.Sprintf("2026-01-%02d", row+1)
	case check.JSON:
		return "{}"
	case check.Bytes:
		return []byte{byte(row)}
	}
	if f != nil && len(f.Options) > 0 {
		return f.Options[row%len(f.Options)].Value
	}
	if f != nil && f.Storage().Name == "ulid" {
		return fmt.Sprintf("%026d", row+1)
	}
	return string(rune('a' + row))
}

// run runs a query once, and undoes what it did.
func run(ctx context.Context, conn *sql.Conn, q *UserQuery, nulls bool) error {
	limited, cancel := context.WithTimeout(ctx, rehearseTime)
	defer cancel()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("gen/sqlc: %w", err)
	}
	defer tx.Rollback()
	err = q.scan(limited, tx, q.samples(nulls))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil || limited.Err() != nil || forgiven(err):
		return nil
	}
	q.wrong("", fmt.Sprintf("it fails on sqlite: %s", engineNoise.ReplaceAllString(err.Error(), "")))
	return nil
}

// samples are arguments for a query's parameters.
func (q *UserQuery) samples(nulls bool) []any {
	var args []any
	for _, p := range q.Params {
		if nulls && p.Null {
			args = append(args, nil)
		} else {
			args = append(args, sample(p.kind(), p.Field, 0))
		}
	}
	if q.Clock {
		args = append(args, "2026-01-02T00:00:00.000000Z")
	}
	return args
}

// forgiven tells errors that are about the rows that happen to be there.
func forgiven(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() {
	case engine.SQLITE_CONSTRAINT_UNIQUE, engine.SQLITE_CONSTRAINT_PRIMARYKEY, engine.SQLITE_CONSTRAINT_FOREIGNKEY, engine.SQLITE_CONSTRAINT_ROWID, engine.SQLITE_CONSTRAINT_NOTNULL:
		return true
	}
	return false
}

// scan reads the rows and reports columns that their Go type cannot hold.
func (q *UserQuery) scan(ctx context.Context, tx *sql.Tx, args []any) error {
	if len(q.Columns) == 0 {
		_, err := tx.ExecContext(ctx, q.Text[model.SQLite], args...)
		return err
	}
	rows, err := tx.QueryContext(ctx, q.Text[model.SQLite], args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	values, places := make([]any, len(q.Columns)), make([]any, len(q.Columns))
	for i := range values {
		places[i] = &values[i]
	}
	for n := 0; n < rehearseRows && rows.Next(); n++ {
		if err := rows.Scan(places...); err != nil {
			return err
		}
		for i, c := range q.Columns {
			if why := c.holds(values[i]); why != "" {
				q.wrong(c.Name, why)
			}
		}
	}
	return rows.Err()
}

// holds says why the Go type of a column cannot hold a value of SQLite's.
func (v UserValue) holds(got any) string {
	if got == nil {
		if v.Null {
			return ""
		}
		return "it may be null, which its Go type cannot be"
	}
	ok := true
	text, isText := got.(string)
	switch v.kind() {
	case check.Int:
		f, isFloat := got.(float64)
		_, isInt := got.(int64)
		ok = isInt || isFloat && f == math.Trunc(f)
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
	return fmt.Sprintf("its type is %s, and sqlite's value is %s", typeText(v.Type, v.Scale), storage(got))
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
