package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// testNilContext passes no context: an error, and everything works on.
func testNilContext(t *testing.T, db *DB) {
	var none context.Context
	ran := func(*core.Conn) error { t.Error("ran"); return nil }
	_, get := db.Article.Get(none, 1)
	_, create := db.Article.Create(none, full("a"))
	_, many := db.Article.CreateMany(none, []ArticleNew{full("a")})
	_, list := db.Article.List(none, store.Query[ArticleID]{})
	_, exec := db.Conn().Exec(none, "DELETE FROM article", nil)
	_, now := db.Now(none)
	for name, err := range map[string]error{
		"get": get, "create": create, "many": many, "list": list, "exec": exec, "now": now, "tx": db.Tx(none, ran),
		"inside": db.Tx(t.Context(), func(c *core.Conn) error {
			_, err := In(c).Article.Get(none, 1)
			return err
		}),
	} {
		if !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	mustCreate(t, db, full("a"))
}

// testCause ends contexts that say why.
func testCause(t *testing.T, db *DB) {
	why := errors.New("the user went away")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	_, create := db.Article.Create(ctx, full("a"))
	_, list := db.Article.List(ctx, store.Query[ArticleID]{})
	inside, stop := context.WithCancelCause(t.Context())
	commit := db.Tx(inside, func(*core.Conn) error { stop(why); return nil })
	for name, err := range map[string]error{
		"create": create, "list": list, "commit": commit, "tx": db.Tx(ctx, func(*core.Conn) error { return nil }),
	} {
		if !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	late, done := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, why)
	defer done()
	var n int64
	err := db.Conn().QueryRow(late, endless[db.Conn().Dialect()], nil, []any{&n})
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, why) {
		t.Errorf("a statement: %v", err)
	}
}

// testPoolWait begins a transaction while another holds the only connection.
func testPoolWait(t *testing.T, dsn string) {
	db := Open(t, dsn, store.Options{MaxConns: 1})
	err := db.Tx(t.Context(), func(*core.Conn) error {
		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		inner := make(chan error, 1)
		go func() { inner <- db.Tx(short, func(*core.Conn) error { return nil }) }()
		select {
		case err := <-inner:
			wantErr(t, err, context.DeadlineExceeded)
		case <-time.After(10 * time.Second):
			t.Error("a transaction waits longer than its context")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	mustCreate(t, db, full("a"))
}

// testCloseWaits closes while a transaction runs: it ends as it would have.
func testCloseWaits(t *testing.T, dsn string) {
	db, err := core.Open(t.Context(), dsn, Schema(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	inside, closing, closed, ended := make(chan bool), make(chan bool), make(chan error, 1), make(chan error, 1)
	go func() {
		ended <- db.Tx(t.Context(), func(c *core.Conn) error {
			close(inside)
			<-closing
			for i := range 50 {
				if _, err := In(c).Article.Create(t.Context(), full(fmt.Sprint(i))); err != nil {
					return err
				}
				select {
				case err := <-closed:
					closed <- err
					return fmt.Errorf("closed under a transaction, %w", err)
				default:
				}
			}
			return nil
		})
	}()
	<-inside
	go func() {
		close(closing)
		closed <- db.Close()
	}()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if n := count(t, Open(t, dsn, store.Options{})); n != 50 {
		t.Errorf("%d rows of 50", n)
	}
}
