package evolution_test

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// server is where a test has its databases of one kind. Those of PostgreSQL are schemas of
// one database, which are made in a fraction of the time.
type server struct {
	kind  model.Database
	dsn   string // of PostgreSQL's database
	admin *core.DB
	made  atomic.Int64
}

// onEach runs a test on every database.
func onEach(t *testing.T, test func(t *testing.T, s *server)) {
	for _, kind := range model.Databases {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, newServer(t, kind))
		})
	}
}

func newServer(t testing.TB, kind model.Database) *server {
	s := &server{kind: kind}
	if kind == model.Postgres {
		s.dsn = storetest.FreshDSN(t, string(kind))
		s.admin = open(t, s.dsn, nil)
	}
	return s
}

// fresh returns the DSN of a database without tables.
func (s *server) fresh(t testing.TB) string {
	t.Helper()
	switch s.kind {
	case model.SQLite:
		return "sqlite:" + filepath.Join(t.TempDir(), "evolution.db") + "?synchronous=off"
	case model.MySQL:
		return storetest.FreshDSN(t, string(s.kind))
	}
	name := fmt.Sprintf("case_%d", s.made.Add(1))
	exec(t, s.admin.Conn(), "CREATE SCHEMA "+name)
	u, err := url.Parse(s.dsn)
	if err != nil {
		t.Fatal("a service's DSN is malformed")
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// another returns the DSN of a database without tables that is only looked at.
func (s *server) another(t testing.TB) string {
	if s.kind == model.SQLite {
		return "sqlite::memory:"
	}
	return s.fresh(t)
}

// open opens a database until the test ends; with a schema it makes the tables, or compares them.
func open(t testing.TB, dsn string, schema *core.Schema) *core.DB {
	t.Helper()
	db, err := core.Open(context.Background(), dsn, schema, store.Options{MaxConns: 2})
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	t.Cleanup(func() { closed(t, db) })
	return db
}

func closed(t testing.TB, db *core.DB) {
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// with opens a database as open does, for a moment.
func with(t testing.TB, dsn string, schema *core.Schema, fn func(c *core.Conn)) {
	t.Helper()
	db, err := core.Open(context.Background(), dsn, schema, store.Options{MaxConns: 2})
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	defer closed(t, db)
	fn(db.Conn())
}

func exec(t testing.TB, c *core.Conn, sql string) {
	t.Helper()
	if _, err := c.Exec(context.Background(), sql, nil); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}

// texts returns the first column of each row.
func texts(t testing.TB, c *core.Conn, sql string) []string {
	t.Helper()
	var out []string
	var text string
	err := c.Query(context.Background(), sql, nil, []any{&text}, func() error { out = append(out, text); return nil })
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return out
}
