package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// testReserved holds every connection of the pool, and a lock: what is reserved
// goes on, and ends in its time.
func testReserved(t *testing.T, dsn string) {
	const conns = 2
	db := Open(t, dsn, store.Options{MaxConns: conns})
	ctx := t.Context()
	if _, err := db.Author.Create(ctx, AuthorNew{Email: "a@example.com"}); err != nil {
		t.Fatal(err)
	}
	view, err := db.DB.Reserved(ctx, "test", 1, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	hasty, err := db.DB.Reserved(ctx, "test", 1, 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	release := holdPool(t, db, conns)
	defer release()
	if err := authors(ctx, view.Conn()); err != nil {
		t.Errorf("a reserved statement while the pool is held: %v", err)
	}
	write := func(c *core.Conn) error {
		_, err := c.Exec(ctx, "UPDATE author SET realm = 'other'", nil)
		return err
	}
	for what, err := range map[string]error{
		"a statement":   write(hasty.Conn()),
		"a transaction": hasty.Tx(ctx, write),
	} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s that waits for a lock for longer than is reserved gives %v, want context.DeadlineExceeded", what, err)
		}
	}
	if err := authors(ctx, view.Conn()); err != nil {
		t.Errorf("a reserved statement after others met their deadline: %v", err)
	}
	news := db.DB.Listen("reserved")
	defer news.Stop()
	<-news.C // it hears
	view.Conn().Announce("reserved")
	<-news.C
	release()
	if err := view.Tx(ctx, write); err != nil {
		t.Errorf("a reserved transaction: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := authors(ctx, view.Conn()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("a reserved statement after Close gives %v, want ErrClosed", err)
	}
	if _, err := db.DB.Reserved(ctx, "test", 1, time.Second); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Reserved after Close gives %v, want ErrClosed", err)
	}
}

func authors(ctx context.Context, c *core.Conn) error {
	var n int64
	return c.QueryRow(ctx, "SELECT COUNT(*) FROM author", nil, []any{&n})
}

// holdPool has as many transactions as the pool has connections, one of which has
// locked a row, until release.
func holdPool(t *testing.T, db *DB, conns int) (release func()) {
	t.Helper()
	if db.Conn().Dialect() == sqltext.SQLite {
		conns = 1 // it has one writer
	}
	var held, ended sync.WaitGroup
	let := make(chan struct{})
	held.Add(conns)
	for i := range conns {
		ended.Go(func() {
			err := db.DB.Tx(context.WithoutCancel(t.Context()), func(c *core.Conn) error {
				var err error
				if i == 0 {
					_, err = c.Exec(t.Context(), "UPDATE author SET realm = 'held'", nil)
				} else {
					err = authors(t.Context(), c)
				}
				held.Done()
				<-let
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	held.Wait()
	return sync.OnceFunc(func() {
		close(let)
		ended.Wait()
	})
}
