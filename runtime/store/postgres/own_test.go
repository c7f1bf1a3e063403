package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/internal/netfault"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/postgres"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// TestPasswordsStayAside opens what cannot be opened.
func TestPasswordsStayAside(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, dsn := range []string{
		"postgres://me:p4ss%zz@localhost/d",
		"postgres://me:p4ss@localhost:99999/d",
		"postgres://me:p4ss@127.0.0.1:1/d",
		"postgres://me:p4ss@127.0.0.1/d?sslmode=p4ss",
		"postgres://me:p4ss",
	} {
		_, err := core.Open(ctx, dsn, nil, store.Options{})
		if err == nil || strings.Contains(err.Error(), "p4ss") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	_, err := core.Open(ctx, "postgres://me:p4ss@127.0.0.1:1,127.0.0.1:2/d", nil, store.Options{})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1,127.0.0.1:2/d") || strings.Contains(err.Error(), "p4ss") {
		t.Errorf("of two hosts: %v", err)
	}
	dsn := storetest.FreshDSN(t, "postgres")
	wrong := strings.Replace(dsn, "@", "p4ss@", 1)
	if _, err := core.Open(ctx, wrong, nil, store.Options{}); err == nil || strings.Contains(err.Error(), "p4ss") {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestMigrationHasNoLimits lifts what would end the session of a migration, which has the lock, or one of its
// statements. A pooler that keeps sessions refuses to start one with parameters that it does not know.
func TestMigrationHasNoLimits(t *testing.T) {
	limits := []string{"idle_session_timeout", "statement_timeout"}
	proxy, through := netfault.DSN(t, storetest.FreshDSN(t, "postgres"))
	dsn, err := url.Parse(through)
	if err != nil {
		t.Fatal("the DSN of the service is malformed")
	}
	m := openMigration(t, dsn.String())
	for _, name := range limits {
		text := fmt.Sprintf("ALTER DATABASE %s SET %s = '60s'", strings.TrimPrefix(dsn.Path, "/"), name)
		if _, err := m.Exec(t.Context(), text, nil); err != nil {
			t.Fatal(err)
		}
	}
	var started atomic.Int64
	for _, name := range limits {
		proxy.OnSend("\x00"+name+"\x00", func() { started.Add(1) }) // as a startup message has it
	}
	m = openMigration(t, dsn.String())
	for _, name := range limits {
		var limit string
		if err := m.QueryRow(t.Context(), "SELECT current_setting('"+name+"')", nil, []any{&limit}); err != nil || limit != "0" {
			t.Errorf("%s is %s, want 0, for ever: %v", name, limit, err)
		}
	}
	if started.Load() > 0 {
		t.Error("a session was started with one of the limits as a parameter")
	}
}

// openMigration opens a database, and the connection of a migration on it, until the test ends.
func openMigration(t *testing.T, dsn string) core.Migration {
	t.Helper()
	db, err := core.Open(t.Context(), dsn, nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := core.Below(db)
	m, err := b.(core.Migrator).Migration(t.Context())
	if err != nil {
		t.Fatal(errors.Join(err, db.Close()))
	}
	t.Cleanup(func() {
		if err := errors.Join(m.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return m
}

// TestCommitFails has the server find at the commit that a reference does not hold.
func TestCommitFails(t *testing.T) {
	ctx := t.Context()
	db, err := core.Open(ctx, storetest.FreshDSN(t, "postgres"), nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		"CREATE TABLE author (id bigint PRIMARY KEY)",
		"CREATE TABLE book (id bigint PRIMARY KEY, author bigint REFERENCES author DEFERRABLE INITIALLY DEFERRED)",
	} {
		if _, err := db.Conn().Exec(ctx, text, nil); err != nil {
			t.Fatal(err)
		}
	}
	committed := false
	err = db.Tx(ctx, func(c *core.Conn) error {
		c.AfterCommit(func() { committed = true })
		_, err := c.Exec(ctx, "INSERT INTO book VALUES (1, 7)", nil)
		return err
	})
	if !errors.Is(err, store.ErrReference) || committed {
		t.Errorf("got %v, committed: %t; want store.ErrReference", err, committed)
	}
	var books int64
	if err := db.Conn().QueryRow(ctx, "SELECT count(*) FROM book", nil, []any{&books}); err != nil || books != 0 {
		t.Errorf("%d books are there, %v", books, err)
	}
}

// TestSerialization has the server refuse a transaction that could not be put
// in order with another, which the store then runs again.
func TestSerialization(t *testing.T) {
	ctx := t.Context()
	db := storetest.Open(t, storetest.FreshDSN(t, "postgres"), store.Options{})
	a, err := db.Article.Create(ctx, storetest.ArticleNew{Slug: "a", Title: "Title"})
	if err != nil {
		t.Fatal(err)
	}
	tries := 0
	err = db.Tx(ctx, func(c *core.Conn) error {
		tries++
		if _, err := c.Exec(ctx, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", nil); err != nil {
			return err
		}
		tx := storetest.In(c)
		got, err := tx.Article.Get(ctx, a.ID)
		if err != nil {
			return err
		}
		if tries == 1 { // from outside, after the read
			if _, err := db.Article.Update(ctx, a.ID, storetest.ArticlePatch{Views: store.Int(10)}); err != nil {
				return err
			}
		}
		_, err = tx.Article.Update(ctx, a.ID, storetest.ArticlePatch{Views: store.Int(got.Views + 1)})
		if tries == 1 && !errors.Is(err, store.ErrBusy) {
			t.Errorf("the first try: %v", err)
		}
		return err
	})
	if err != nil || tries != 2 {
		t.Fatalf("%d tries, %v", tries, err)
	}
	if got, err := db.Article.Get(ctx, a.ID); err != nil || got.Views != 11 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestSimpleProtocol reads values in text form, as behind a connection pooler.
func TestSimpleProtocol(t *testing.T) {
	ctx := t.Context()
	dsn := storetest.FreshDSN(t, "postgres")
	a, err := storetest.Open(t, dsn, store.Options{}).Article.Create(ctx, storetest.ArticleNew{
		Slug: "a", Title: "Title", Rank: store.Int(-3), Cover: store.Set([]byte{0, 1}), Pinned: store.Set(true),
		Until: store.Set(store.Date{Year: 2024, Month: 2, Day: 29}),
	})
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.Open(t, dsn+"&default_query_exec_mode=simple_protocol", store.Options{})
	b, err := db.Article.Get(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if b.Rank != a.Rank || string(b.Cover) != "\x00\x01" || b.Pinned != a.Pinned || b.Until != a.Until ||
		!b.CreatedAt.Equal(a.CreatedAt) || !b.Price.Equal(a.Price) || b.Public != a.Public {
		t.Errorf("want %+v\ngot  %+v", a, b)
	}
	if _, err := db.Article.Create(ctx, storetest.ArticleNew{Slug: "b", Title: "Title", Price: store.Set(a.Price)}); err != nil {
		t.Error(err)
	}
}

// TestListenerReconnects ends the connection that listens.
func TestListenerReconnects(t *testing.T) {
	ctx := t.Context()
	dsn := storetest.FreshDSN(t, "postgres")
	here, there := storetest.Open(t, dsn, store.Options{}), storetest.Open(t, dsn, store.Options{})
	l := there.Listen("a")
	defer l.Stop()
	woken := func(what string) {
		t.Helper()
		select {
		case <-l.C:
		case <-time.After(20 * time.Second):
			t.Errorf("%s: no wake", what)
		}
	}
	woken("connected")
	for range 3 {
		var ended int64
		err := here.Conn().QueryRow(ctx, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "+
			"WHERE datname = current_database() AND query = 'LISTEN modulagen'", nil, []any{&ended})
		if err != nil || ended != 1 {
			t.Fatalf("%d connections ended, %v", ended, err)
		}
		woken("connected again")
		here.Conn().Announce("a")
		woken("announced after that")
	}
	if _, err := here.Conn().Exec(ctx, "SELECT pg_notify('modulagen', 'what')", nil); err != nil {
		t.Fatal(err)
	}
	woken("a payload that is no topic")
}

// TestReadOnlyConnectionsAreDropped has a server refuse writes on connections of a
// pool, as an old primary does after a failover, while it takes them on new ones.
func TestReadOnlyConnectionsAreDropped(t *testing.T) {
	ctx := t.Context()
	db := storetest.Open(t, storetest.FreshDSN(t, "postgres"), store.Options{MaxConns: 1})
	session := func() (pid int64) {
		t.Helper()
		if err := db.Conn().QueryRow(ctx, "SELECT pg_backend_pid()", nil, []any{&pid}); err != nil {
			t.Fatal(err)
		}
		return pid
	}
	before := session()
	if session() != before {
		t.Error("a connection that takes writes was dropped")
	}
	// The server reports it, and reads notice it, which nothing refuses.
	if _, err := db.Conn().Exec(ctx, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", nil); err != nil {
		t.Fatal(err)
	}
	if session() == before {
		t.Error("a connection that had become read-only was kept for reads")
	}
	// It does not report it, and refuses a write.
	before = session()
	tries := 0
	err := db.Tx(ctx, func(c *core.Conn) error {
		if tries++; tries == 1 {
			if _, err := c.Exec(ctx, "SET TRANSACTION READ ONLY", nil); err != nil {
				return err
			}
		}
		_, err := storetest.In(c).Article.Create(ctx, storetest.ArticleNew{Slug: "a", Title: "Title"})
		return err
	})
	if err != nil || tries != 2 || session() == before {
		t.Errorf("%d tries, %v; the connection was kept: %t", tries, err, session() == before)
	}
}

// TestReadOnlyTransactionIsNoFailover has a transaction refuse a write by its own options:
// the server takes writes, and its connections stay.
func TestReadOnlyTransactionIsNoFailover(t *testing.T) {
	ctx := t.Context()
	db := storetest.Open(t, storetest.FreshDSN(t, "postgres"), store.Options{MaxConns: 1})
	var before, after int64
	err := db.TxWith(ctx, store.TxOptions{ReadOnly: true}, func(c *core.Conn) error {
		if err := c.QueryRow(ctx, "SELECT pg_backend_pid()", nil, []any{&before}); err != nil {
			return err
		}
		_, err := storetest.In(c).Article.Create(ctx, storetest.ArticleNew{Slug: "a", Title: "Title"})
		return err
	})
	if !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a write: %v", err)
	}
	if err := db.Conn().QueryRow(ctx, "SELECT pg_backend_pid()", nil, []any{&after}); err != nil || after != before {
		t.Errorf("the connection %d is now %d: %v", before, after, err)
	}
}

// TestReadOnlyConnectionsAreKept has the DSN ask for a session that is read-only
// from its beginning.
func TestReadOnlyConnectionsAreKept(t *testing.T) {
	ctx := t.Context()
	dsn := storetest.FreshDSN(t, "postgres")
	db, err := core.Open(ctx, dsn+"&default_transaction_read_only=on", nil, store.Options{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var first, second int64
	for _, pid := range []*int64{&first, &second} {
		if err := db.Conn().QueryRow(ctx, "SELECT pg_backend_pid()", nil, []any{pid}); err != nil {
			t.Fatal(err)
		}
	}
	if first != second {
		t.Error("the connection was dropped")
	}
}

// TestErrorsHoldNoValues has the server and pgx quote values in their errors.
func TestErrorsHoldNoValues(t *testing.T) {
	ctx := t.Context()
	const secret = "hunter2"
	for _, mode := range []string{"cache_statement", "describe_exec", "exec", "simple_protocol"} {
		db := storetest.Open(t, storetest.FreshDSN(t, "postgres")+"&default_query_exec_mode="+mode, store.Options{})
		if _, err := db.Article.Create(ctx, storetest.ArticleNew{Slug: "a", Title: "Title"}); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{
			"UPDATE article SET views = $1",
			"UPDATE article SET created_at = $1",
			"UPDATE article SET price = $1",
			"UPDATE article SET day = $1",
			"UPDATE article SET status = $1",
			"UPDATE article SET public = $1",
			"UPDATE article SET data = $1",
			"UPDATE article SET title = $1 || repeat('x', 300)",
			"UPDATE article SET title = cast($1 AS text)::int::text",
			"INSERT INTO article (id, slug) VALUES (1, $1)",
			"SELECT 1 WHERE 1 $1", // the simple protocol has the argument in the statement, and the server quotes it
			"SELECT $1 FROM WHERE",
		} {
			_, err := db.Conn().Exec(ctx, text, []any{secret})
			if err == nil {
				t.Errorf("%s: no error", text)
			}
			holdsNot(t, err, secret)
		}
		for _, arg := range []any{int64(424242), "424242.", []byte("424242"), []string{"424242"}, []int64{424242}, store.Date{Year: 4242, Month: 4, Day: 2}} {
			for _, column := range []string{"public", "views", "created_at", "price", "day", "data", "cover"} {
				if _, err := db.Conn().Exec(ctx, "UPDATE article SET "+column+" = $1", []any{arg}); err != nil {
					holdsNot(t, err, "4242")
				}
			}
		}
	}
}

// holdsNot looks at an error and all that it wraps.
func holdsNot(t *testing.T, err error, secret string) {
	t.Helper()
	if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
		t.Errorf("%#v holds a value", err)
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			holdsNot(t, inner, secret)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			holdsNot(t, inner, secret)
		}
	}
}

// A transaction that is sent nothing more, because its process is stopped, does not keep its locks.
func TestIdleTransactionsEnd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	db, err := core.Open(ctx, storetest.FreshDSN(t, "postgres"), nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(c *core.Conn, text string) error { _, err := c.Exec(ctx, text, nil); return err }
	if err := errors.Join(exec(db.Conn(), "CREATE TABLE work (v bigint)"), exec(db.Conn(), "INSERT INTO work VALUES (1)")); err != nil {
		t.Fatal(err)
	}
	attempts := 0
	err = db.Tx(ctx, func(c *core.Conn) error {
		if attempts++; attempts > 1 {
			return nil // tried again: its connection was closed
		}
		if err := errors.Join(c.EndIdle(ctx, 50*time.Millisecond), exec(c, "UPDATE work SET v = 2")); err != nil {
			return err
		}
		if err := exec(db.Conn(), "UPDATE work SET v = v + 2"); err != nil { // waits for the lock
			return err
		}
		err := exec(c, "UPDATE work SET v = 5")
		if err == nil {
			t.Error("the transaction goes on")
		}
		return err
	})
	var v int64
	if found := db.Conn().QueryRow(ctx, "SELECT v FROM work", nil, []any{&v}); found != nil || v != 3 {
		t.Errorf("the row has %d, %v, and the transaction ended with %v", v, found, err)
	}
}

// TestPool finds a row that the store has written.
func TestPool(t *testing.T) {
	db := storetest.Open(t, storetest.FreshDSN(t, "postgres"), store.Options{})
	if _, err := db.Article.Create(t.Context(), storetest.ArticleNew{Slug: "a", Title: "Title"}); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := postgres.Pool(db.DB).QueryRow(t.Context(), "SELECT count(*) FROM article").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// TestStatementsAfterAColumnHasChanged goes on with statements that were prepared before a migration gave a column
// another type, as a longer max does, for which programs of the version before go on.
func TestStatementsAfterAColumnHasChanged(t *testing.T) {
	ctx, dsn := t.Context(), storetest.FreshDSN(t, "postgres")
	open := func() *core.DB {
		db, err := core.Open(ctx, dsn, nil, store.Options{MaxConns: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	db, other := open(), open()
	migrate := func(sql string) {
		t.Helper()
		if _, err := other.Conn().Exec(ctx, sql, nil); err != nil {
			t.Fatal(err)
		}
	}
	migrate("CREATE TABLE w (id bigint PRIMARY KEY, word varchar(10))")
	migrate("INSERT INTO w VALUES (1, 'a')")
	read := func(c *core.Conn) error {
		var word string
		return c.QueryRow(ctx, "SELECT word FROM w WHERE id = 1", nil, []any{&word})
	}
	for _, n := range []int{20, 30} {
		if err := read(db.Conn()); err != nil {
			t.Fatal(err)
		}
		migrate(fmt.Sprintf("ALTER TABLE w ALTER COLUMN word TYPE varchar(%d)", n))
		again := func(fn func(*core.Conn) error) error { return fn(db.Conn()) }
		if n == 30 {
			again = func(fn func(*core.Conn) error) error { return db.Tx(ctx, fn) }
		}
		if err := again(read); err != nil {
			t.Errorf("varchar(%d): %v", n, err)
		}
	}
}
