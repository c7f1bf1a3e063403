package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hegner123/modulagen/internal/netfault"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// RunNetwork holds a driver of a server to what package store promises of a
// network that fails. fresh is as in Run. The tests run at the same time: what they
// do is wait for what does not come.
func RunNetwork(t *testing.T, fresh func(t *testing.T) string) {
	for name, test := range map[string]func(t *testing.T, dsn string){
		"Swallowed": testSwallowed, "SwallowedConnecting": testSwallowedConnecting, "CloseCuts": testCloseCuts,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}

const (
	soon = 300 * time.Millisecond // deadline of a call that gets no answer
	late = 15 * time.Second       // a loaded machine's "soon after"; without a limit the call waits for minutes
)

// calls are what a program does with a database. Each calls swallow at the
// moment from which the server is not heard any more.
var calls = []struct {
	name string
	do   func(ctx context.Context, db *DB, swallow func()) error
}{
	{"get", func(ctx context.Context, db *DB, swallow func()) error {
		swallow()
		_, err := db.Article.Get(ctx, 1)
		return err
	}},
	{"a statement that is new", func(ctx context.Context, db *DB, swallow func()) error {
		swallow()
		var n int64
		return db.Conn().QueryRow(ctx, "SELECT count(*) + 17 FROM author", nil, []any{&n})
	}},
	{"create", func(ctx context.Context, db *DB, swallow func()) error {
		swallow()
		_, err := db.Article.Create(ctx, full("b"))
		return err
	}},
	{"update", func(ctx context.Context, db *DB, swallow func()) error {
		swallow()
		_, err := db.Article.Update(ctx, 1, ArticlePatch{Views: store.Int(1)})
		return err
	}},
	{"create many", func(ctx context.Context, db *DB, swallow func()) error {
		swallow()
		_, err := db.Article.CreateMany(ctx, []ArticleNew{full("b"), full("c")})
		return err
	}},
	{"many times", func(ctx context.Context, db *DB, swallow func()) error {
		swallow()
		_, err := core.ExecEach(ctx, db.Conn(), &core.Statement{Text: [3]string{
			"", "UPDATE article SET views = $1", "UPDATE article SET views = ?",
		}}, 3, func(i int) []any { return []any{int64(i)} })
		return err
	}},
	{"within a row", func(ctx context.Context, db *DB, swallow func()) error {
		var n int64
		return db.Conn().Query(ctx, numbers[db.Conn().Dialect()], nil, []any{&n}, func() error {
			swallow()
			return errors.New("enough") // what is left is not worth waiting for
		})
	}},
	{"the clock", func(ctx context.Context, db *DB, swallow func()) error {
		swallow()
		_, err := db.Now(ctx)
		return err
	}},
	{"begin", func(ctx context.Context, db *DB, swallow func()) error {
		swallow()
		return db.Tx(ctx, func(*core.Conn) error { return nil })
	}},
	{"commit", func(ctx context.Context, db *DB, swallow func()) error {
		return db.Tx(ctx, func(c *core.Conn) error {
			_, err := In(c).Article.Create(ctx, full("b"))
			swallow()
			return err
		})
	}},
	{"rollback", func(ctx context.Context, db *DB, swallow func()) error {
		return db.Tx(ctx, func(c *core.Conn) error {
			_, err := In(c).Article.Create(ctx, full("b"))
			swallow()
			return errors.Join(err, errors.New("undo"))
		})
	}},
	{"a statement inside", func(ctx context.Context, db *DB, swallow func()) error {
		return db.Tx(ctx, func(c *core.Conn) error {
			_, err := In(c).Article.Create(ctx, full("b"))
			swallow()
			if err == nil {
				_, err = In(c).Article.Get(ctx, 1)
			}
			return err
		})
	}},
}

// numbers returns more rows than a socket's buffers hold.
var numbers = [3]string{
	"",
	"SELECT n FROM generate_series(1, 5000000) AS n",
	"WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 900), t (m) AS (SELECT 1 UNION ALL SELECT m + 1 FROM t WHERE m < 900) SELECT n FROM s, t",
}

// testSwallowed makes each call on a network that falls silent: it returns with
// its context, and its connection is not used again.
func testSwallowed(t *testing.T, dsn string) {
	mustCreate(t, Open(t, dsn, store.Options{MaxConns: 1}), full("a"))
	for _, call := range calls {
		t.Run(call.name, func(t *testing.T) {
			proxy, through := netfault.DSN(t, dsn)
			db := Open(t, through, store.Options{MaxConns: 1})
			if _, err := db.Article.Get(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			err := within(t, func(ctx context.Context) error { return call.do(ctx, db, proxy.Swallow) })
			if err == nil || call.name != "within a row" && call.name != "rollback" && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
			proxy.Heal() // for new connections; the one there is stays silent
			ctx, cancel := context.WithTimeout(t.Context(), late)
			defer cancel()
			if _, err := db.Article.Get(ctx, 1); err != nil {
				t.Errorf("after it: %v", err)
			}
		})
	}
}

// within calls do under a deadline and fails if it does not return soon after.
func within(t *testing.T, do func(ctx context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	select {
	case err := <-done:
		return err
	case <-time.After(late):
		t.Fatalf("not back %s after its context's deadline", late)
		return nil
	}
}

// testSwallowedConnecting opens a database, and a connection of one, while
// nothing comes back.
func testSwallowedConnecting(t *testing.T, dsn string) {
	proxy, through := netfault.DSN(t, dsn)
	db := Open(t, through, store.Options{MaxConns: 2})
	proxy.Swallow()
	err := within(t, func(ctx context.Context) error {
		_, err := core.Open(ctx, through, Schema(), store.Options{})
		return err
	})
	wantErr(t, err, context.DeadlineExceeded)
	for range 5 { // more than there are connections
		wantErr(t, within(t, func(ctx context.Context) error {
			_, err := db.Now(ctx)
			return err
		}), context.DeadlineExceeded)
	}
	proxy.Heal()
	ctx, cancel := context.WithTimeout(t.Context(), 2*late)
	defer cancel()
	if _, err := db.Now(ctx); err != nil {
		t.Error(err)
	}
}

// testCloseCuts closes a database on whose server a statement and a transaction
// wait that have no deadline.
func testCloseCuts(t *testing.T, dsn string) {
	proxy, through := netfault.DSN(t, dsn)
	db, err := core.Open(t.Context(), through, Schema(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	silent, ended := make(chan bool), make(chan error, 1)
	go func() {
		ctx := context.Background()
		ended <- db.Tx(ctx, func(c *core.Conn) error {
			if _, err := In(c).Author.Create(ctx, AuthorNew{Email: "a@example.com"}); err != nil {
				return err
			}
			proxy.Swallow()
			close(silent)
			_, err := In(c).Author.Count(ctx, store.Cond[AuthorID]{}, 0)
			return err
		})
	}()
	<-silent
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	for what, done := range map[string]chan error{"Close": closed, "the transaction": ended} {
		select {
		case err := <-done:
			if err == nil || what == "Close" && !errors.Is(err, store.ErrBusy) {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(2 * late):
			t.Fatalf("%s does not return", what)
		}
	}
}
