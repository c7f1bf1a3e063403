package shop_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/internal/netfault"
	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/event/internal/shop/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// TestCutOff cuts a process off from the database in the middle of its work, at every fifth of its
// messages (a statement is one or two), as when its machine loses its power. The server does not notice, and keeps
// what the process had locked. Another subscription gets the event at once, and another process
// of the same one when the lease has ended.
func TestCutOff(t *testing.T) {
	on(t, servers, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		if err := subscribe(t, db, "index", event.Options{}, nil).stop(); err != nil {
			t.Fatal(err)
		}
		refuse := func(context.Context, *generated.ArticleChange) error { return errors.New("not this one") }
		var waiting []*reader
		var titles []string
		cut, messages := true, 0
		for cut {
			messages += 5
			title := fmt.Sprint(messages)
			create(t, db, title)
			p, through := netfault.DSN(t, dsn)
			lost := open(t, through)
			cutOff := make(chan struct{})
			at(p, messages, func() {
				p.Swallow()
				close(cutOff)
			})
			ctx, end := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() {
				ended <- lost.Subscribe(ctx, "lost"+title, generated.EventHandlers{Article: refuse}, event.Options{Lease: time.Second, MaxAttempts: 1})
			}()
			setAside := make(chan struct{})
			go func() {
				defer close(setAside)
				for ctx.Err() == nil && !exists(t, db, "event_cursors WHERE name = 'lost"+title+"' AND failed > 0 AND attempts = 0") {
					time.Sleep(5 * time.Millisecond)
				}
			}()
			select {
			case <-cutOff:
			case <-setAside:
				cut = false
			case <-time.After(patience):
				t.Fatal("the process neither ends nor is cut off")
			}
			r := subscribe(t, db, "index", event.Options{}, nil)
			r.titles(title)
			if err := r.stop(); err != nil {
				t.Error(err)
			}
			end()
			<-setAside
			p.Close()
			<-ended
			lost.Close()
		}
		t.Logf("cut off at every fifth of %d messages", messages)
		for n := range messages { // where it was subscribed by then, and had not set the event aside
			name := "lost" + fmt.Sprint(n)
			if exists(t, db, "event_cursors WHERE name = '"+name+"'") && !exists(t, db, "event_failures WHERE name = '"+name+"'") {
				waiting = append(waiting, subscribe(t, db, name, event.Options{Lease: time.Second}, nil))
				titles = append(titles, fmt.Sprint(n))
			}
		}
		for i, r := range waiting {
			r.titles(titles[i])
		}
	})
}

// at calls do when a client sends the n-th message from now on, which it may swallow.
func at(p *netfault.Proxy, n int, do func()) {
	p.OnSend("", func() {
		if n == 1 {
			do()
			return
		}
		at(p, n-1, do)
	})
}

// seen is what processes with different handlers have handled.
type seen chan string

// start runs a subscription with handlers for articles, and for visitors if that is said, until
// stop.
func (s seen) start(t *testing.T, db *generated.DB, visitors bool, opts event.Options) (stop func()) {
	t.Helper()
	if opts.Lease == 0 {
		opts.Lease = time.Second
	}
	opts.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	note := func(name string) error {
		if name != "seen" {
			s <- name
		}
		return nil
	}
	h := generated.EventHandlers{Article: func(_ context.Context, c *generated.ArticleChange) error { return note(c.After.Title) }}
	if visitors {
		h.Visitor = func(_ context.Context, c *generated.VisitorChange) error { return note(c.After.Name) }
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- db.Subscribe(ctx, "index", h, opts) }()
	t.Cleanup(cancel)
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// expect takes what has been handled, in any order.
func (s seen) expect(t *testing.T, want ...string) {
	t.Helper()
	got := take(t, s, len(want))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("handled %v; want %v", got, want)
	}
}

func topics(t *testing.T, db *generated.DB) (topics string) {
	t.Helper()
	if err := db.Store().Conn().QueryRow(t.Context(), "SELECT topics FROM event_cursors WHERE name = 'index'", nil, []any{&topics}); err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return topics
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestRollingUpdate replaces a program by one that has a handler more, takes that back, and
// replaces it again: every event is handled, and none twice.
func TestRollingUpdate(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db, before, after := open(t, dsn), open(t, dsn), open(t, dsn)
		handled := make(seen, 100)
		write := func(n string) {
			t.Helper()
			create(t, db, "article "+n)
			if _, err := db.Visitor.Create(t.Context(), generated.VisitorNew{Name: "visitor " + n}); err != nil {
				t.Fatal(err)
			}
		}
		known := func(topic string, write func() error) { // to the process that writes
			t.Helper()
			until(t, "events of "+topic, func() bool {
				if err := write(); err != nil {
					t.Fatal(err)
				}
				return exists(t, db, "event_log WHERE topic = '"+topic+"'")
			})
		}
		stopBefore := handled.start(t, before, false, event.Options{})
		known("article", func() error {
			_, err := db.Article.Create(t.Context(), generated.ArticleNew{Title: "seen"})
			return err
		})
		write("1")
		handled.expect(t, "article 1")

		stopAfter := handled.start(t, after, true, event.Options{})
		known("visitor", func() error {
			_, err := db.Visitor.Create(t.Context(), generated.VisitorNew{Name: "seen"})
			return err
		})
		write("2")
		handled.expect(t, "article 2", "visitor 2")
		write("3")
		handled.expect(t, "article 3", "visitor 3")

		stopAfter() // the update is taken back
		write("4")
		handled.expect(t, "article 4")
		write("5")
		handled.expect(t, "article 5")

		stopAfter = handled.start(t, after, true, event.Options{})
		handled.expect(t, "visitor 4", "visitor 5")
		stopBefore()
		write("6")
		handled.expect(t, "article 6", "visitor 6")
		stopAfter()

		err := after.Subscribe(t.Context(), "index", generated.EventHandlers{Article: func(context.Context, *generated.ArticleChange) error { return nil }}, event.Options{Drop: []string{"article"}})
		if !errors.Is(err, event.ErrInvalid) {
			t.Errorf("a handler for what is dropped: %v", err)
		}
		write("7")
		stopBefore = handled.start(t, before, false, event.Options{Drop: []string{"visitor"}})
		handled.expect(t, "article 7")
		until(t, "the end of the topic", func() bool { return topics(t, db) == "article," })
		stopBefore()
		if len(handled) > 0 {
			t.Errorf("handled again: %s", <-handled)
		}
	})
}

// TestClosed closes the database under a subscription: another process gets the next event
// at once.
func TestClosed(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		first, second := open(t, dsn), open(t, dsn)
		r := subscribe(t, first, "index", event.Options{Lease: time.Hour}, nil)
		create(t, first, "a")
		r.titles("a")
		if err := first.Close(); err != nil {
			t.Error(err)
		}
		if err := r.stop(); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Subscribe returned %v", err)
		}
		s := subscribe(t, second, "index", event.Options{Lease: time.Hour}, nil)
		create(t, second, "b")
		s.titles("b")
		if err := first.Close(); err != nil {
			t.Errorf("a second Close: %v", err)
		}
	})
}

// TestLongTransaction has a handler whose transaction outlasts the lease on SQLite, where
// no other process can take over meanwhile.
func TestLongTransaction(t *testing.T) {
	on(t, []string{"sqlite"}, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		opts := event.Options{Lease: time.Second}
		var calls atomic.Int64
		handle := func(ctx context.Context, c *generated.ArticleChange) error {
			if calls.Add(1); c.After.Title != "long" {
				return nil
			}
			return db.Tx(ctx, func(tx *generated.Tx) error {
				if _, err := tx.Visitor.Create(ctx, generated.VisitorNew{Name: "x"}); err != nil {
					return err
				}
				select {
				case <-ctx.Done():
					return context.Cause(ctx)
				case <-time.After(3 * time.Second):
					return nil
				}
			})
		}
		r := subscribe(t, db, "index", opts, handle)
		create(t, db, "long")
		r.titles("long")
		create(t, db, "short")
		r.titles("short")
		if n := calls.Load(); n != 2 {
			t.Errorf("%d calls", n)
		}
	})
}

// TestQuiet has a subscription whose datatypes are seldom written: it goes past the events
// of others, which are not kept for it.
func TestQuiet(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- db.Subscribe(ctx, "visitors", generated.EventHandlers{Visitor: func(context.Context, *generated.VisitorChange) error { return nil }}, event.Options{})
		}()
		r := subscribe(t, db, "index", event.Options{}, nil)
		create(t, db, "a", "b")
		r.titles("a", "b")
		until(t, "the subscription to go on", func() bool { return exists(t, db, "event_cursors WHERE name = 'visitors' AND position = 2") })
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
