package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// services is where the test servers are found; scripts/services.sh sets them.
var services = map[string]string{
	"postgres": "MODULAGEN_POSTGRES_DSN", "mysql": "MODULAGEN_MYSQL_DSN", "pgbouncer": "MODULAGEN_PGBOUNCER_DSN",
}

// loud holds the kinds whose absence has been told.
var loud sync.Map

// FreshDSN makes a new, empty database on the test server for "postgres" or
// "mysql", whose driver the caller imports, and removes it when the test ends.
// Without the server the test is skipped with a loud line, or fails when
// MODULAGEN_REQUIRE_SERVICES is 1.
func FreshDSN(t testing.TB, kind string) string {
	t.Helper()
	return fresh(t, kind, "")
}

// FreshEnglishDSN is FreshDSN for a PostgreSQL database whose own order of texts is that of English,
// as that of most servers is of some language: what is not ordered byte by byte shows.
func FreshEnglishDSN(t testing.TB) string {
	t.Helper()
	return fresh(t, "postgres", " TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'")
}

func fresh(t testing.TB, kind, options string) string {
	t.Helper()
	dsn := serviceDSN(t, kind)
	name := fmt.Sprintf("test_%016x", rand.Uint64())
	create, drop := "CREATE DATABASE "+name, "DROP DATABASE "+name
	if kind == "postgres" {
		// The default, WAL_LOG, takes a server that does not flush several times as long.
		create, drop = create+options+" STRATEGY FILE_COPY", drop+" WITH (FORCE)"
	}
	administer(t, dsn, create)
	t.Cleanup(func() { administer(t, dsn, drop) })
	return renamed(t, dsn, name)
}

// FreshPooledDSN is FreshDSN for a PostgreSQL behind PgBouncer in transaction
// mode.
func FreshPooledDSN(t testing.TB) string {
	t.Helper()
	pooler := serviceDSN(t, "pgbouncer")
	direct, err := url.Parse(FreshDSN(t, "postgres"))
	if err != nil {
		t.Fatal("the DSN of PostgreSQL is malformed")
	}
	return renamed(t, pooler, strings.TrimPrefix(direct.Path, "/"))
}

func serviceDSN(t testing.TB, kind string) string {
	t.Helper()
	dsn := os.Getenv(services[kind])
	if dsn != "" {
		return dsn
	}
	Missing(t, kind, services[kind])
	return ""
}

// Missing ends a test of a server that is not there, as the environment's variable says: loudly, and
// as a failure where servers are required.
func Missing(t testing.TB, server, variable string) {
	t.Helper()
	why := fmt.Sprintf("!!! NO %s: %s is not set; run the tests through scripts/services.sh !!!", strings.ToUpper(server), variable)
	if os.Getenv("MODULAGEN_REQUIRE_SERVICES") == "1" {
		t.Fatal(why)
	}
	if _, said := loud.LoadOrStore(server, true); !said {
		fmt.Fprintln(os.Stderr, why)
	}
	t.Skip(why)
}

// renamed puts another database into a DSN.
func renamed(t testing.TB, dsn, name string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("a service's DSN is malformed") // its text holds a password
	}
	u.Path = "/" + name
	return u.String()
}

// administrators are the connections that make and remove databases, by DSN. They
// stay open until the process ends: a server's new connection takes as long as all
// that is done here.
var administrators = struct {
	mu sync.Mutex
	by map[string]*core.DB
}{by: map[string]*core.DB{}}

func administer(t testing.TB, dsn, statement string) {
	t.Helper()
	ctx := context.Background()
	administrators.mu.Lock()
	defer administrators.mu.Unlock()
	db := administrators.by[dsn]
	if db == nil {
		var err error
		if db, err = core.Open(ctx, dsn, nil, store.Options{MaxConns: 1}); err != nil {
			t.Fatal(err)
		}
		administrators.by[dsn] = db
	}
	if _, err := db.Conn().Exec(ctx, statement, nil); err != nil {
		t.Fatal(err)
	}
}

// Open opens a database with the suite's tables until the test ends.
func Open(t testing.TB, dsn string, opts store.Options) *DB {
	t.Helper()
	db, err := core.Open(context.Background(), dsn, Schema(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return On(db)
}
