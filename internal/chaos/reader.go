//go:build unix

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // a driver of database/sql
	_ "modernc.org/sqlite"             // a driver of database/sql
)

// reader reads the tables with plain SQL through the databases' own drivers:
// what is under test must not be its own witness.
type reader struct {
	*sql.DB
	kind string // sqlite, postgres, mysql
}

// openReader opens the database of a DSN as the project writes them.
func openReader(dsn string) (*reader, error) {
	kind, rest, _ := strings.Cut(dsn, ":")
	var name, source string
	switch kind {
	case "sqlite":
		name, source = "sqlite", "file:"+rest+"?_pragma=busy_timeout(20000)"
	case "postgres":
		name, source = "pgx", dsn
	case "mysql":
		u, err := url.Parse(dsn)
		if err != nil {
			return nil, errors.New("the DSN is malformed") // not the error: it shows the DSN
		}
		c := mysql.NewConfig()
		c.User = u.User.Username()
		c.Passwd, _ = u.User.Password()
		c.Net, c.Addr, c.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
		c.ParseTime, c.Params = true, map[string]string{"time_zone": "'+00:00'"}
		c.Logger = &mysql.NopLogger{} // it tells of servers that were killed
		name, source = "mysql", c.FormatDSN()
	default:
		return nil, fmt.Errorf("%q is not sqlite, postgres or mysql", kind)
	}
	db, err := sql.Open(name, source)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(3)
	return &reader{db, kind}, nil
}

// count runs a statement that selects one number.
func (r *reader) count(ctx context.Context, query string) (n int, err error) {
	return n, r.QueryRowContext(ctx, query).Scan(&n)
}

// each runs a query and calls do with each row's scanner.
func (r *reader) each(ctx context.Context, query string, do func(scan func(...any) error) error) error {
	rows, err := r.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// key is the expression for a job's key, which its payload holds.
func (r *reader) key() string {
	return map[string]string{
		"sqlite":   "json_extract(payload, '$.key')",
		"postgres": "payload->>'key'",
		"mysql":    "JSON_UNQUOTE(JSON_EXTRACT(payload, '$.key'))",
	}[r.kind]
}

// serverPatience is how long a server that was killed may take to be back.
const serverPatience = time.Minute

// persist runs fn until it succeeds: the reader's server, too, is killed.
func persist(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	for {
		err := fn(ctx)
		if err == nil {
			return nil
		}
		if rest(ctx, 100*time.Millisecond); ctx.Err() != nil {
			return fmt.Errorf("the database could not be read for %s: %w", serverPatience, err)
		}
	}
}

// moment is a time as any of the databases gives it; null is the zero time.
type moment struct{ time.Time }

// Scan takes what the driver gives.
func (m *moment) Scan(src any) (err error) {
	switch v := src.(type) {
	case nil:
		m.Time = time.Time{}
	case time.Time:
		m.Time = v.UTC()
	case string:
		m.Time, err = time.Parse(time.RFC3339Nano, v)
	case []byte:
		m.Time, err = time.Parse(time.RFC3339Nano, string(v))
	default:
		err = fmt.Errorf("%T is no time", src)
	}
	return err
}
