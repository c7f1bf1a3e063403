package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// testNested uses the database inside its own transaction, where the only
// connection is the transaction's: an error that says what to use.
func testNested(t *testing.T, dsn string) {
	db := Open(t, dsn, store.Options{MaxConns: 1})
	sqlite := db.Conn().Dialect().String() == "sqlite"
	for _, call := range []struct {
		name  string
		waits bool // on SQLite too, which reads beside a transaction
		do    func(ctx context.Context) error
	}{
		{"create", true, func(ctx context.Context) error {
			_, err := db.Article.Create(ctx, full("x"))
			return err
		}},
		{"create many", true, func(ctx context.Context) error {
			_, err := db.Article.CreateMany(ctx, []ArticleNew{full("x"), full("y")})
			return err
		}},
		{"a transaction", true, func(ctx context.Context) error {
			return db.Tx(ctx, func(*core.Conn) error { return nil })
		}},
		{"two transactions of others between", true, func(ctx context.Context) error {
			return nest(t, dsn, func() error { _, err := db.Article.Create(ctx, full("x")); return err })
		}},
		{"list", false, func(ctx context.Context) error {
			_, err := db.Article.List(ctx, store.Query[ArticleID]{})
			return err
		}},
	} {
		done := make(chan error, 1)
		go func() {
			done <- db.Tx(context.Background(), func(*core.Conn) error { return call.do(context.Background()) })
		}()
		select {
		case err := <-done:
			if waits := call.waits || !sqlite; waits != errors.Is(err, store.ErrInvalid) {
				t.Errorf("%s: %v", call.name, err)
			}
		case <-time.After(late):
			t.Fatalf("%s: waits for itself", call.name)
		}
	}
	mustCreate(t, db, full("a"))
}

// nest runs fn inside a transaction of another database of the same kind that
// is opened a second time.
func nest(t *testing.T, dsn string, fn func() error) error {
	if dsn[:6] == "sqlite" {
		dsn = "sqlite:" + t.TempDir() + "/other.db"
	}
	other, err := core.Open(t.Context(), dsn, nil, store.Options{MaxConns: 1})
	if err != nil {
		return err
	}
	defer other.Close()
	return other.Tx(t.Context(), func(*core.Conn) error { return fn() })
}

// testNestedStarves has many transactions that each want a second connection.
func testNestedStarves(t *testing.T, dsn string) {
	db := Open(t, dsn, store.Options{MaxConns: 4})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			err := db.Tx(t.Context(), func(c *core.Conn) error {
				if _, err := In(c).Article.Create(t.Context(), full(fmt.Sprint("in", i))); err != nil {
					return err
				}
				_, err := db.Article.Create(t.Context(), full(fmt.Sprint("out", i)))
				return err
			})
			if err != nil && !errors.Is(err, store.ErrInvalid) {
				t.Error(err)
			}
		})
	}
	done := make(chan bool)
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(4 * late):
		t.Fatal("they wait for each other")
	}
}

// testNotNested waits for a transaction that is someone else's: that is no
// mistake, whatever transaction of another database the one who waits is in.
func testNotNested(t *testing.T, dsn string) {
	db := Open(t, dsn, store.Options{MaxConns: 1})
	held, release, ended := make(chan bool), make(chan bool), make(chan error, 3)
	go func() {
		ended <- db.Tx(t.Context(), func(*core.Conn) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	go func() {
		_, err := db.Article.Create(t.Context(), full("a"))
		ended <- err
	}()
	go func() {
		ended <- nest(t, dsn, func() error { _, err := db.Article.Create(t.Context(), full("b")); return err })
	}()
	time.AfterFunc(200*time.Millisecond, func() { close(release) }) // most likely they wait by then
	for range 3 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	err := db.Tx(t.Context(), func(c *core.Conn) error {
		c.AfterCommit(func() { mustCreate(t, db, full("c")) })
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if n := count(t, db); n != 3 {
		t.Errorf("%d rows", n)
	}
}
