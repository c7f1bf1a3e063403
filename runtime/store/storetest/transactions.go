package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

var errOwn = errors.New("own")

func count(t *testing.T, db *DB) int {
	t.Helper()
	n, err := db.Article.Count(context.Background(), store.Cond[ArticleID]{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func testTransaction(t *testing.T, db *DB) {
	ctx := t.Context()
	err := db.Tx(ctx, func(c *core.Conn) error {
		tx := In(c)
		a, err := tx.Article.Create(ctx, full("a"))
		if err != nil {
			return err
		}
		if _, err := tx.Article.CreateMany(ctx, []ArticleNew{full("b"), full("c")}); err != nil {
			return err
		}
		if _, err := tx.Article.Update(ctx, a.ID, ArticlePatch{Title: store.Set("New")}); err != nil {
			return err
		}
		if _, err := tx.Article.UpsertUnique(ctx, 0, full("d")); err != nil {
			return err
		}
		if err := tx.Article.Delete(ctx, a.ID); err != nil {
			return err
		}
		_, err = tx.Article.Get(ctx, a.ID) // not there: no failure of the transaction
		wantErr(t, err, store.ErrNotFound)
		_, err = tx.Article.Create(ctx, ArticleNew{}) // refused before it is sent: nor this
		wantErr(t, err, store.ErrInvalid)
		page, err := tx.Article.List(ctx, store.Query[ArticleID]{})
		if err == nil && len(page.Items) != 3 {
			t.Errorf("%d rows inside", len(page.Items))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 3 {
		t.Errorf("%d rows after commit", n)
	}
	err = db.Tx(ctx, func(c *core.Conn) error {
		if _, err := In(c).Article.DeleteWhere(ctx, store.Everything[ArticleID]()); err != nil {
			return err
		}
		return fmt.Errorf("stop: %w", errOwn)
	})
	wantErr(t, err, errOwn)
	if n := count(t, db); n != 3 {
		t.Errorf("%d rows after rollback", n)
	}
}

// testTransactionSees reads, within a transaction, what another commits meanwhile.
func testTransactionSees(t *testing.T, db *DB) {
	if db.Conn().Dialect().String() == "sqlite" {
		return // its one writer is this transaction
	}
	ctx := t.Context()
	err := db.Tx(ctx, func(c *core.Conn) error {
		for want := range 3 {
			n, err := In(c).Article.Count(ctx, store.Cond[ArticleID]{}, 0)
			if err != nil || n != want {
				return fmt.Errorf("%d rows, not %d: %w", n, want, err)
			}
			if _, err := db.Article.Create(ctx, full(fmt.Sprint(want))); err != nil { // on another connection
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func testTransactionPanic(t *testing.T, db *DB) {
	ctx := t.Context()
	run := func(fn func(c *core.Conn)) (got any) {
		defer func() { got = recover() }()
		_ = db.Tx(ctx, func(c *core.Conn) error {
			fn(c)
			return nil
		})
		return nil
	}
	got := run(func(c *core.Conn) {
		if _, err := In(c).Article.Create(ctx, full("a")); err != nil {
			t.Error(err)
		}
		panic(errOwn)
	})
	if got != any(errOwn) {
		t.Errorf("recovered %v", got)
	}
	mustCreate(t, db, full("b"))
	got = run(func(c *core.Conn) { // in the middle of a result
		var n int64
		_ = c.Query(ctx, "SELECT id FROM article", nil, []any{&n}, func() error { panic(errOwn) })
	})
	if got != any(errOwn) {
		t.Errorf("recovered %v", got)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows", n)
	}
	mustCreate(t, db, full("c")) // the writer is free
}

func testTransactionEnds(t *testing.T, db *DB) {
	ctx := t.Context()
	var kept *Tx
	err := db.Tx(ctx, func(c *core.Conn) error {
		kept = In(c)
		var n int64
		if err := c.QueryRow(ctx, "SELECT 1", nil, []any{&n}); err != nil {
			return err
		}
		return c.Query(ctx, "SELECT 1", nil, []any{&n}, func() error {
			if _, err := kept.Article.Get(ctx, 1); err == nil || errors.Is(err, store.ErrNotFound) {
				t.Errorf("a statement inside a row callback: %v", err)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = kept.Article.Get(ctx, 1)
	wantErr(t, err, store.ErrClosed)
	_, err = kept.Article.Create(ctx, full("a"))
	wantErr(t, err, store.ErrClosed)
	_, err = kept.Article.CreateMany(ctx, []ArticleNew{full("a")})
	wantErr(t, err, store.ErrClosed)
	if n := count(t, db); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// testTransactionFails has fn go on after a statement that failed.
func testTransactionFails(t *testing.T, db *DB) {
	ctx := t.Context()
	mustCreate(t, db, full("a"))
	err := db.Tx(ctx, func(c *core.Conn) error {
		tx := In(c)
		if _, err := tx.Article.Create(ctx, full("b")); err != nil {
			return err
		}
		_, err := tx.Article.Create(ctx, full("a"))
		wantErr(t, err, store.ErrConflict)
		_, err = tx.Article.Create(ctx, full("c"))
		if err == nil {
			t.Error("a statement runs in a failed transaction")
		}
		wantFields(t, err, "slug")
		return nil
	})
	wantErr(t, err, store.ErrConflict)
	wantFields(t, err, "slug")
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// wantFields compares the fields of a conflict.
func wantFields(t *testing.T, err error, fields ...string) {
	t.Helper()
	if c, ok := errors.AsType[*store.ConflictError](err); !ok || !slices.Equal(c.Fields, fields) {
		t.Errorf("the error %v is no conflict of %v", err, fields)
	}
}

func testTransactionRetries(t *testing.T, db *DB) {
	ctx := t.Context()
	tries := 0
	err := db.Tx(ctx, func(c *core.Conn) error {
		if _, err := In(c).Article.Create(ctx, full("a")); err != nil {
			return err
		}
		if tries++; tries < 4 {
			return fmt.Errorf("again: %w", store.ErrBusy)
		}
		return nil
	})
	if err != nil || tries != 4 {
		t.Errorf("%d tries, %v", tries, err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows", n)
	}
	tries = 0
	err = db.Tx(ctx, func(*core.Conn) error {
		tries++
		return store.ErrBusy
	})
	wantErr(t, err, store.ErrBusy)
	if tries != 10 {
		t.Errorf("given up after %d tries", tries)
	}
}

func testTransactionCancelled(t *testing.T, db *DB) {
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Tx(ctx, func(c *core.Conn) error {
		if _, err := In(c).Article.Create(ctx, full("a")); err != nil {
			return err
		}
		cancel()
		return nil
	})
	wantErr(t, err, context.Canceled)
	if n := count(t, db); n != 0 {
		t.Errorf("%d rows of a cancelled transaction", n)
	}
	wantErr(t, db.Tx(ctx, func(*core.Conn) error { return nil }), context.Canceled)
	_, err = db.Article.Create(ctx, full("b"))
	wantErr(t, err, context.Canceled)
	mustCreate(t, db, full("c"))
}

// endless is a statement that runs for minutes on each database.
var endless = [3]string{
	"WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 10000000000) SELECT count(*) FROM n",
	"SELECT count(*) FROM generate_series(1, 100000000000) AS x",
	"SELECT SLEEP(600)",
}

// testCancel interrupts a statement that runs.
func testCancel(t *testing.T, db *DB) {
	text := endless[db.Conn().Dialect()]
	var n int64
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	started := time.Now()
	err := db.Conn().QueryRow(ctx, text, nil, []any{&n})
	wantErr(t, err, context.DeadlineExceeded)
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("the interrupt took %s", took)
	}
	inside, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err = db.Tx(inside, func(c *core.Conn) error { return c.QueryRow(inside, text, nil, []any{&n}) })
	wantErr(t, err, context.DeadlineExceeded)
	for i := range 20 { // every connection works on
		mustCreate(t, db, full(fmt.Sprint(i)))
	}
}

// testConcurrent counts up one row from many goroutines, in transactions, with
// readers beside them.
func testConcurrent(t *testing.T, db *DB) {
	ctx := t.Context()
	a := mustCreate(t, db, full("counter"))
	const workers, rounds = 16, 10
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				err := db.Tx(ctx, func(c *core.Conn) error {
					_, err := c.Exec(ctx, "UPDATE article SET views = views + 1 WHERE slug = 'counter'", nil)
					if err != nil {
						return err
					}
					_, err = In(c).Article.Create(ctx, full(fmt.Sprintf("%d-%d", w, i)))
					return err
				})
				if err != nil {
					t.Error(err)
				}
				if _, err := db.Article.Get(ctx, a.ID); err != nil {
					t.Error(err)
				}
				if _, err := db.Article.List(ctx, store.Query[ArticleID]{Where: f.Views.Gt(40), Limit: 5}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got, err := db.Article.Get(ctx, a.ID)
	if err != nil || got.Views != 42+workers*rounds {
		t.Errorf("views are %d, want %d (%v)", got.Views, 42+workers*rounds, err)
	}
	if n := count(t, db); n != 1+workers*rounds {
		t.Errorf("%d rows", n)
	}
}

// testDeadlock has two transactions lock two rows in opposite order: on a
// database with row locks one of them is given up and runs again.
func testDeadlock(t *testing.T, db *DB) {
	ctx := t.Context()
	a, b := mustCreate(t, db, full("a")), mustCreate(t, db, full("b"))
	both := newMeeting(2)
	if db.Conn().Dialect().String() == "sqlite" { // one writer: the second starts when the first has ended
		both = newMeeting(1)
	}
	var tries atomic.Int32
	swap := func(first, second ArticleID) error {
		return db.Tx(ctx, func(c *core.Conn) error {
			tries.Add(1)
			tx := In(c)
			if _, err := tx.Article.Update(ctx, first, ArticlePatch{Views: store.Int(1)}); err != nil {
				return err
			}
			both.wait()
			_, err := tx.Article.Update(ctx, second, ArticlePatch{Rank: store.Int(1)})
			return err
		})
	}
	var wg sync.WaitGroup
	for _, pair := range [][2]ArticleID{{a.ID, b.ID}, {b.ID, a.ID}} {
		wg.Go(func() {
			if err := swap(pair[0], pair[1]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if db.Conn().Dialect().String() != "sqlite" && tries.Load() < 3 {
		t.Errorf("no deadlock came about in %d tries", tries.Load())
	}
	for _, id := range []ArticleID{a.ID, b.ID} {
		if got, err := db.Article.Get(ctx, id); err != nil || got.Views != 1 || got.Rank.V != 1 {
			t.Errorf("row %d: %+v, %v", id, got, err)
		}
	}
}

// meeting lets the first n goroutines wait for each other, and no later one.
type meeting struct {
	left atomic.Int32
	all  chan struct{}
}

func newMeeting(n int32) *meeting {
	m := &meeting{all: make(chan struct{})}
	m.left.Store(n)
	return m
}

func (m *meeting) wait() {
	if m.left.Add(-1) == 0 {
		close(m.all)
	}
	<-m.all
}
