package storetest

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// testAfterCommit counts what runs after transactions.
func testAfterCommit(t *testing.T, db *DB) {
	ctx := t.Context()
	var ran []string
	note := func(what string) func() { return func() { ran = append(ran, what) } }
	tries := 0
	err := db.Tx(ctx, func(c *core.Conn) error {
		tries++
		c.AfterCommit(note(fmt.Sprint("first of ", tries)))
		if _, err := In(c).Article.Create(ctx, full("a")); err != nil {
			return err
		}
		var n int64
		err := c.Query(ctx, "SELECT id FROM article", nil, []any{&n}, func() error {
			c.AfterCommit(note("second")) // inside a row callback
			return nil
		})
		if err != nil {
			return err
		}
		c.AfterCommit(func() { // the locks are gone
			mustCreate(t, db, full("b"))
			c.AfterCommit(note("late"))
		})
		if len(ran) > 0 {
			t.Errorf("%v ran inside", ran)
		}
		if tries == 1 {
			return store.ErrBusy
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"first of 2", "second", "late"}; !slices.Equal(ran, want) {
		t.Errorf("%q ran, want %q", ran, want)
	}
	if n := count(t, db); n != 2 {
		t.Errorf("%d rows", n)
	}
	ran = nil
	db.Conn().AfterCommit(note("at once"))
	if !slices.Equal(ran, []string{"at once"}) {
		t.Errorf("%q ran outside a transaction", ran)
	}
	testNothingAfter(t, db)
}

// testNothingAfter ends transactions in every other way.
func testNothingAfter(t *testing.T, db *DB) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var kept *core.Conn
	ran := func() { t.Error("ran after a rollback") }
	wantErr(t, db.Tx(ctx, func(c *core.Conn) error {
		kept = c
		c.AfterCommit(ran)
		return errOwn
	}), errOwn)
	kept.AfterCommit(ran)
	func() {
		defer func() { _ = recover() }()
		_ = db.Tx(ctx, func(c *core.Conn) error {
			c.AfterCommit(ran)
			panic(errOwn)
		})
	}()
	wantErr(t, db.Tx(ctx, func(c *core.Conn) error {
		c.AfterCommit(ran)
		_, err := In(c).Article.Create(ctx, full("a"))
		wantErr(t, err, store.ErrConflict)
		return nil // the transaction has failed all the same
	}), store.ErrConflict)
	wantErr(t, db.Tx(ctx, func(c *core.Conn) error {
		kept = c
		c.AfterCommit(ran)
		cancel()
		return nil
	}), context.Canceled)
	kept.AfterCommit(ran)
}

// testBeforeCommit has the last steps of transactions run, and not run.
func testBeforeCommit(t *testing.T, db *DB) {
	ctx := t.Context()
	var ran []string
	step := func(c *core.Conn, name string, err error) func(context.Context) error {
		return func(ctx context.Context) error {
			ran = append(ran, name)
			if _, cerr := In(c).Article.Create(ctx, full(name)); cerr != nil {
				return cerr
			}
			return err
		}
	}
	tries := 0
	err := db.Tx(ctx, func(c *core.Conn) error {
		tries++
		for _, name := range []string{"a", "b"} {
			if err := c.BeforeCommit(ctx, step(c, name, nil)); err != nil {
				return err
			}
		}
		err := c.BeforeCommit(ctx, func(ctx context.Context) error { return c.BeforeCommit(ctx, step(c, "c", nil)) })
		if err != nil || len(ran) > 0 {
			t.Errorf("%q ran inside, %v", ran, err)
		}
		if tries == 1 {
			return store.ErrBusy
		}
		return nil
	})
	if want := []string{"a", "b", "c"}; err != nil || !slices.Equal(ran, want) {
		t.Errorf("%q ran, %v, want %q", ran, err, want)
	}
	if n := count(t, db); n != 3 {
		t.Errorf("%d rows", n)
	}
	ran = nil
	wantErr(t, db.Tx(ctx, func(c *core.Conn) error { return c.BeforeCommit(ctx, step(c, "d", errOwn)) }), errOwn)
	wantErr(t, db.Tx(ctx, func(c *core.Conn) error {
		if err := c.BeforeCommit(ctx, step(c, "undone", nil)); err != nil {
			return err
		}
		return errOwn
	}), errOwn)
	wantErr(t, db.Tx(ctx, func(c *core.Conn) error {
		if err := c.BeforeCommit(ctx, step(c, "failed", nil)); err != nil {
			return err
		}
		_, err := In(c).Article.Create(ctx, full("a"))
		wantErr(t, err, store.ErrConflict)
		return nil // the transaction has failed all the same
	}), store.ErrConflict)
	if want := []string{"d"}; !slices.Equal(ran, want) {
		t.Errorf("%q ran, want %q", ran, want)
	}
	if n := count(t, db); n != 3 {
		t.Errorf("%d rows after transactions that were undone", n)
	}
	c := db.Conn()
	if err := c.BeforeCommit(ctx, step(c, "at once", nil)); err != nil || count(t, db) != 4 {
		t.Errorf("outside a transaction %q ran, %v", ran, err)
	}
}

// testAnnounce wakes listeners, and does not.
func testAnnounce(t *testing.T, db *DB) {
	ctx := t.Context()
	a, other := db.Listen("a"), db.Listen("other")
	defer other.Stop()
	wantWake(t, a) // it hears everything from now on
	wantWake(t, other)
	err := db.Tx(ctx, func(c *core.Conn) error {
		c.Announce("a")
		c.Announce("a")
		select {
		case <-a.C:
			t.Error("woken before the commit")
		default:
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantWake(t, a)
	db.Conn().Announce("a")
	wantWake(t, a)
	wantErr(t, db.Tx(ctx, func(c *core.Conn) error {
		c.Announce("other")
		return errOwn
	}), errOwn)
	late := db.Listen("a")
	wantWake(t, late)
	db.Conn().Announce("a")
	wantWake(t, a)
	wantWake(t, late)
	late.Stop()
	late.Stop()
	db.Conn().Announce("a")
	wantWake(t, a)
	for _, l := range []*core.Listener{a, other, late} {
		select {
		case <-l.C:
			t.Error("woken in vain")
		default:
		}
	}
}

// testAnnounceAcross has two databases stand for two processes.
func testAnnounceAcross(t *testing.T, dsn string) {
	ctx := t.Context()
	here := Open(t, dsn, store.Options{})
	if !here.ReceivesNotifications() {
		return // an announcement stays in its process: see Conn.Announce
	}
	there := Open(t, dsn, store.Options{})
	a, b := there.Listen("a"), there.Listen("b")
	wantWake(t, a)
	wantWake(t, b)
	for i := range 3 {
		err := here.Tx(ctx, func(c *core.Conn) error {
			c.Announce("a")
			_, err := In(c).Article.Create(ctx, full(fmt.Sprint("here ", i)))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		wantWake(t, a)
	}
	if here.Conn().Dialect() == sqltext.SQLite { // any commit wakes all
		return
	}
	wantErr(t, here.Tx(ctx, func(c *core.Conn) error {
		c.Announce("b")
		return errOwn
	}), errOwn)
	here.Conn().Announce("a") // had b been announced, it would have been before
	wantWake(t, a)
	select {
	case <-b.C:
		t.Error("woken by a transaction that was rolled back")
	default:
	}
}

// testListenersEnd closes under listeners: nothing goes on.
func testListenersEnd(t *testing.T, dsn string) {
	db, err := core.Open(t.Context(), dsn, Schema(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := db.Listen("a")
	wantWake(t, l)
	db.Conn().Announce("a")
	if before := stacks(); db.ReceivesNotifications() && !bytes.Contains(before, []byte(listening)) {
		t.Errorf("%s does not run before Close:\n%s", listening, before)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	db.Listen("a").Stop()
	l.Stop()
	db.Conn().Announce("a")
	for _, frame := range []string{listening, "core.(*sender)", ").Watch("} {
		if after := stacks(); bytes.Contains(after, []byte(frame)) {
			t.Errorf("%s runs after Close:\n%s", frame, after)
		}
	}
}

// listening is on the stack of a goroutine that a DB with listeners runs.
const listening = "core.(*notifier)"

// stacks are those of all goroutines.
func stacks() []byte {
	b := make([]byte, 1<<20)
	return b[:runtime.Stack(b, true)]
}

func wantWake(t *testing.T, l *core.Listener) {
	t.Helper()
	select {
	case <-l.C:
	case <-time.After(20 * time.Second):
		t.Error("no wake")
	}
}

func testShared(t *testing.T, db *DB) {
	type key struct{ name string }
	made := 0
	shared := func(name string) any {
		return db.Shared(key{name}, func() any { made++; return new(string) })
	}
	var wg sync.WaitGroup
	first := shared("a")
	for range 8 {
		wg.Go(func() {
			if shared("a") != first || shared("b") == first {
				t.Error("not the same value")
			}
		})
	}
	wg.Wait()
	if made != 2 {
		t.Errorf("made %d", made)
	}
	nested := db.Shared(key{"c"}, func() any { return shared("a") })
	if nested != first {
		t.Error("a shared value that asks for another gets a new one")
	}
}

// testFakeClock opens with a clock of the test's and without.
func testFakeClock(t *testing.T, dsn string) {
	if Open(t, dsn, store.Options{}).FakeClock() {
		t.Error("this machine's clock is a test's")
	}
	if !Open(t, dsn, store.Options{Now: func() time.Time { return noon }}).FakeClock() {
		t.Error("a test's clock is this machine's")
	}
}
