// Package shop_test tests the log of events on every database.
package shop_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/event/internal/shop/generated"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// servers are the databases on which several transactions write at once. SQLite has one writer.
var servers = []string{"postgres", "mysql"}

// onEach runs a test on every database, with a fresh one each.
func onEach(t *testing.T, test func(t *testing.T, dsn string)) {
	on(t, append([]string{"sqlite"}, servers...), test)
}

func on(t *testing.T, databases []string, test func(t *testing.T, dsn string)) {
	t.Parallel()
	for _, name := range databases {
		t.Run(name, func(t *testing.T) {
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "shop.db")
			if name != "sqlite" {
				dsn = storetest.FreshDSN(t, name)
			}
			t.Parallel()
			test(t, dsn)
		})
	}
}

func open(t *testing.T, dsn string) *generated.DB {
	t.Helper()
	db, err := generated.Open(t.Context(), dsn, generated.Options{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// A reader is a subscription to articles that keeps what it gets.
type reader struct {
	t    *testing.T
	got  chan generated.ArticleChange
	stop func() error // ends it
	ends func() error // waits for its end
}

type handler func(ctx context.Context, c *generated.ArticleChange) error

// subscribe runs a subscription until stop, which returns what Subscribe returned. It returns
// when the subscription is known to this process. handle may be nil.
func subscribe(t *testing.T, db *generated.DB, name string, opts event.Options, handle handler) *reader {
	t.Helper()
	r := &reader{t: t, got: make(chan generated.ArticleChange, 10_000)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	done := make(chan error, 1)
	go func() {
		done <- db.Subscribe(ctx, name, generated.EventHandlers{Article: func(ctx context.Context, c *generated.ArticleChange) error {
			if handle != nil {
				if err := handle(ctx, c); err != nil {
					return err
				}
			}
			select {
			case r.got <- *c: // also when ctx has ended: it was handled
				return nil
			default:
			}
			select {
			case r.got <- *c:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}, opts)
	}()
	r.stop = func() error {
		cancel()
		return r.ends()
	}
	r.ends = sync.OnceValue(func() error {
		select {
		case err := <-done:
			return err
		case <-time.After(patience):
			return errors.New("Subscribe does not return")
		}
	})
	t.Cleanup(func() { _ = r.stop() })
	for !exists(t, db, "event_cursors WHERE epoch > 0 AND name = '"+name+"'") {
		select {
		case err := <-done:
			t.Fatalf("Subscribe ended: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	return r
}

func exists(t *testing.T, db *generated.DB, from string) bool {
	t.Helper()
	return number(t, db, "SELECT count(*) FROM "+from) > 0
}

func number(t *testing.T, db *generated.DB, sql string) (n int64) {
	t.Helper()
	if err := db.Store().Conn().QueryRow(t.Context(), sql, nil, []any{&n}); err != nil {
		t.Fatal(err)
	}
	return n
}

// next returns the next event.
func (r *reader) next() generated.ArticleChange {
	r.t.Helper()
	select {
	case c := <-r.got:
		return c
	case <-time.After(patience):
		r.t.Fatal("no event came")
		panic("unreachable")
	}
}

// titles expects the next events to be of new articles with these titles.
func (r *reader) titles(want ...string) {
	r.t.Helper()
	for _, title := range want {
		if c := r.next(); c.After == nil || c.After.Title != title {
			r.t.Fatalf("got %+v; want the article %s", c, title)
		}
	}
}

func create(t *testing.T, db *generated.DB, titles ...string) {
	t.Helper()
	for _, title := range titles {
		if _, err := db.Article.Create(t.Context(), generated.ArticleNew{Title: title}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRestarts ends a subscription and begins it again, at once, many times: none waits for a
// lease of the one before.
func TestRestarts(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		for i := range 30 {
			r := subscribe(t, db, "index", event.Options{Lease: time.Hour}, nil)
			create(t, db, fmt.Sprint(i))
			r.titles(fmt.Sprint(i))
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestLateCommit commits an event after one with a greater id: both come, and their
// positions are in the order of the commits.
func TestLateCommit(t *testing.T) {
	on(t, servers, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		r := subscribe(t, db, "index", event.Options{}, nil)
		create(t, db, "first")
		r.titles("first")
		written, commit := make(chan struct{}), make(chan struct{})
		slow := make(chan error, 1)
		go func() {
			slow <- db.Tx(t.Context(), func(tx *generated.Tx) error {
				_, err := tx.Article.Create(t.Context(), generated.ArticleNew{Title: "slow"})
				close(written)
				<-commit
				return err
			})
		}()
		<-written
		create(t, db, "fast")
		if c := r.next(); c.After.Title != "fast" || c.Position != 2 {
			t.Errorf("got %+v; want fast at 2", c)
		}
		close(commit)
		if err := <-slow; err != nil {
			t.Fatal(err)
		}
		if c := r.next(); c.After.Title != "slow" || c.Position != 3 {
			t.Errorf("got %+v; want slow at 3", c)
		}
	})
}

// TestGaps undoes transactions: what comes after them does not wait.
func TestGaps(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		r := subscribe(t, db, "index", event.Options{}, nil)
		undone := errors.New("undone")
		for i := range 3 {
			err := db.Tx(t.Context(), func(tx *generated.Tx) error {
				if _, err := tx.Article.Create(t.Context(), generated.ArticleNew{Title: "gone"}); err != nil {
					return err
				}
				return undone
			})
			if !errors.Is(err, undone) {
				t.Fatal(err)
			}
			create(t, db, fmt.Sprint(i))
			if c := r.next(); c.After.Title != fmt.Sprint(i) || c.Position != int64(i)+1 {
				t.Errorf("got %+v", c)
			}
		}
	})
}

// TestShared runs one subscription in several processes: each event is handled once,
// in order, and when the one that has it ends, another goes on.
func TestShared(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		titles := make(chan string, 1_000)
		note := func(_ context.Context, c *generated.ArticleChange) error {
			if c.After.Title != "seen" {
				titles <- c.After.Title
			}
			return nil
		}
		var handled []string
		writer := open(t, dsn)
		var readers []*reader
		for range 3 {
			readers = append(readers, subscribe(t, open(t, dsn), "index", event.Options{}, note))
		}
		awaitSeen(t, writer)
		var want []string
		for i := range 60 {
			want = append(want, fmt.Sprint(i))
			create(t, writer, fmt.Sprint(i))
			if i%20 == 19 && i < 59 { // another one has it from then on
				handled = append(handled, take(t, titles, 20)...)
				for j, r := range readers {
					if len(r.got) > 1 {
						if err := r.stop(); err != nil {
							t.Fatal(err)
						}
						readers = append(readers[:j], readers[j+1:]...)
						break
					}
				}
			}
		}
		handled = append(handled, take(t, titles, 20)...)
		if len(titles) > 0 {
			t.Errorf("%d events were handled again", len(titles))
		}
		if fmt.Sprint(handled) != fmt.Sprint(want) {
			t.Errorf("handled %v; want %v", handled, want)
		}
	})
}

// awaitSeen waits until a process that has no subscription of its own knows that there is
// one, by articles of which only the last one has an event.
func awaitSeen(t *testing.T, db *generated.DB) {
	t.Helper()
	for end := time.Now().Add(patience); !exists(t, db, "event_log"); create(t, db, "seen") {
		if time.Now().After(end) {
			t.Fatal("the subscription is not seen")
		}
	}
}

// take returns the next n titles.
func take(t *testing.T, titles <-chan string, n int) (taken []string) {
	t.Helper()
	for range n {
		select {
		case title := <-titles:
			taken = append(taken, title)
		case <-time.After(patience):
			t.Fatalf("%d events were handled, of %d", len(taken), n)
		}
	}
	return taken
}

// TestFailures hands an event to a handler until it takes it, in place.
func TestFailures(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		failed := 0
		var ids []string
		r := subscribe(t, db, "index", event.Options{Backoff: func(int) time.Duration { return 0 }}, func(_ context.Context, c *generated.ArticleChange) error {
			if c.After.Title != "bad" {
				return nil
			}
			ids = append(ids, c.ID)
			switch failed++; failed {
			case 1:
				return errors.New("not now")
			case 2:
				panic("a handler's own fault")
			case 3:
				runtime.Goexit()
			case 4:
				return faultyError{}
			}
			return nil
		})
		create(t, db, "good", "bad", "better")
		r.titles("good", "bad", "better")
		if failed != 5 || ids[0] != ids[4] {
			t.Errorf("%d calls, of %v; want 5 of one event", failed, ids)
		}
		if n := number(t, db, "SELECT count(*) FROM event_failures"); n != 0 {
			t.Errorf("%d events were set aside", n)
		}
	})
}

// faultyError is an error whose own method fails.
type faultyError struct{}

func (faultyError) Error() string { panic("no text") }

// TestBulk writes more rows than one batch of anything.
func TestBulk(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		r := subscribe(t, db, "index", event.Options{}, nil)
		rows := make([]generated.ArticleNew, 1_200)
		for i := range rows {
			rows[i].Title = fmt.Sprint(i)
		}
		if _, err := db.Article.CreateMany(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			if c := r.next(); c.After.Title != fmt.Sprint(i) || c.Position != int64(i)+1 {
				t.Fatalf("event %d is %+v", i, c)
			}
		}
	})
}

// TestLargeRow writes a row that the log has no room for.
func TestLargeRow(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		r := subscribe(t, db, "index", event.Options{}, nil)
		body := make([]byte, 4_000_000)
		for i := range body {
			body[i] = 'x'
		}
		row, err := db.Article.Create(t.Context(), generated.ArticleNew{Title: "large", Body: store.Set(string(body))})
		if err != nil {
			t.Fatal(err)
		}
		if c := r.next(); !c.Partial || c.After != nil || c.Row != fmt.Sprint(row.ID) {
			t.Errorf("got %+v", c.Event)
		}
		create(t, db, "small")
		if c := r.next(); c.Partial || c.After == nil {
			t.Errorf("got %+v", c.Event)
		}
	})
}

// TestUnsubscribe removes a subscription that one process has, and for which another one waits.
func TestUnsubscribe(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		r := subscribe(t, db, "index", event.Options{Lease: time.Second}, nil)
		create(t, db, "a")
		r.titles("a")
		other := open(t, dsn)
		done := make(chan error, 1)
		go func() {
			h := generated.EventHandlers{
				Article: func(context.Context, *generated.ArticleChange) error { return nil },
				Visitor: func(context.Context, *generated.VisitorChange) error { return nil },
			}
			done <- other.Subscribe(t.Context(), "index", h, event.Options{Lease: time.Second})
		}()
		until(t, "the other process", func() bool { return topics(t, db) != "article," })
		if there, err := db.Unsubscribe(t.Context(), "index"); !there || err != nil {
			t.Fatal(there, err)
		}
		create(t, db, "b")
		if n := number(t, db, "SELECT count(*) FROM event_log"); n != 1 {
			t.Errorf("%d events are in the log", n)
		}
		if err := r.ends(); !errors.Is(err, event.ErrUnsubscribed) {
			t.Errorf("Subscribe returned %v", err)
		}
		select {
		case err := <-done:
			if !errors.Is(err, event.ErrUnsubscribed) {
				t.Errorf("Subscribe returned %v where it waited", err)
			}
		case <-time.After(patience):
			t.Error("Subscribe does not return where it waited")
		}
	})
}

// TestLostLease has a process whose lease ended: another takes over, and the
// first one's handler is told and can record nothing.
func TestLostLease(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		cause, taken := make(chan error, 1), make(chan struct{})
		r := subscribe(t, db, "index", event.Options{Lease: time.Second}, func(ctx context.Context, c *generated.ArticleChange) error {
			select {
			case <-taken:
				return nil
			default:
			}
			takeOver(t, db)
			close(taken)
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return nil
		})
		create(t, db, "a")
		select {
		case err := <-cause:
			if !errors.Is(err, event.ErrLost) {
				t.Errorf("the handler's context ended with %v", err)
			}
		case <-time.After(patience):
			t.Fatal("the handler is not told")
		}
		r.titles("a", "a") // it was not recorded as handled
	})
}

// takeOver takes a subscription away from the process that has it, as if another one had taken
// over while that was frozen.
func takeOver(t *testing.T, db *generated.DB) {
	t.Helper()
	if _, err := db.Store().Conn().Exec(t.Context(), "UPDATE event_cursors SET epoch = epoch + 1, lease = NULL WHERE name = 'index'", nil); err != nil {
		t.Error(err)
	}
}

// TestSteadyWriters has writers that never pause: what they write is handed out meanwhile,
// and not only when they end.
func TestSteadyWriters(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		r := subscribe(t, db, "index", event.Options{}, nil)
		ctx, stop := context.WithCancel(t.Context())
		var writers sync.WaitGroup
		for range 4 {
			writers.Go(func() {
				for ctx.Err() == nil {
					_, _ = db.Article.Create(ctx, generated.ArticleNew{Title: "one of many"})
				}
			})
		}
		defer writers.Wait()
		defer stop()
		for range 1_000 {
			r.next()
		}
	})
}

// TestErrorText has handlers fail with what no database stores as text.
func TestErrorText(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		texts := map[string]string{"bytes": "bad \xff\xfe", "nul": "bad \x00", "long": strings.Repeat("\U0001F600", 100_000)}
		r := subscribe(t, db, "index", event.Options{MaxAttempts: 1}, func(_ context.Context, c *generated.ArticleChange) error {
			if text, ok := texts[c.After.Title]; ok {
				return errors.New(text)
			}
			return nil
		})
		create(t, db, "bytes", "nul", "long", "good")
		r.titles("good")
		if n := number(t, db, "SELECT count(*) FROM event_failures"); n != 3 {
			t.Errorf("%d events were set aside", n)
		}
	})
}

// TestUnsubscribeNothing is refused: the last position of the log is kept under the empty name.
func TestUnsubscribeNothing(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		r := subscribe(t, db, "index", event.Options{}, nil)
		for _, name := range []string{"", " "} {
			if there, err := db.Unsubscribe(t.Context(), name); there || !errors.Is(err, event.ErrInvalid) {
				t.Error(there, err)
			}
		}
		create(t, db, "a")
		r.titles("a")
	})
}

// TestSubscribedAnew removes a subscription that runs, and makes it again: the process that
// had it cannot record anything in the new one.
func TestSubscribedAnew(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		first, second := open(t, dsn), open(t, dsn)
		begun, goOn := make(chan struct{}, 10), make(chan struct{})
		r := subscribe(t, first, "index", event.Options{Lease: time.Hour}, func(context.Context, *generated.ArticleChange) error {
			begun <- struct{}{}
			<-goOn
			return nil
		})
		create(t, first, "a", "b")
		<-begun
		if there, err := second.Unsubscribe(t.Context(), "index"); !there || err != nil {
			t.Fatal(there, err)
		}
		refused := make(chan struct{}, 10)
		anew := subscribe(t, second, "index", event.Options{Lease: time.Hour, FromStart: true, Backoff: func(int) time.Duration { return time.Millisecond }},
			func(_ context.Context, c *generated.ArticleChange) error {
				select {
				case refused <- struct{}{}:
				default:
				}
				return errors.New("not now")
			})
		<-refused
		close(goOn)
		r.titles("a") // and perhaps b, before it records
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		if n := number(t, first, "SELECT position FROM event_cursors WHERE name = 'index'"); n != 0 {
			t.Errorf("the one that was removed recorded that all up to %d is handled", n)
		}
		if err := anew.stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestLargeRows reads more of them than are kept in memory at a time.
func TestLargeRows(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		if err := subscribe(t, db, "index", event.Options{}, nil).stop(); err != nil {
			t.Fatal(err)
		}
		want, rows := make([]string, 7), make([]generated.ArticleNew, 7)
		for i := range want {
			want[i] = fmt.Sprint(i)
			rows[i] = generated.ArticleNew{Title: want[i], Body: store.Set(strings.Repeat("x", 2_600_000))}
		}
		if _, err := db.Article.CreateMany(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		r := subscribe(t, db, "index", event.Options{}, nil)
		r.titles(want...)
		create(t, db, "small")
		r.titles("small")
	})
}
