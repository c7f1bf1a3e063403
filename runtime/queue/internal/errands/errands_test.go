package errands_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	today "github.com/hegner123/modulagen/runtime/queue/internal/errands/today/generated"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// place is a database of a test's own, which may open it several times.
type place struct {
	t     *testing.T
	name  string
	dsn   string
	clock *clock // nil: the real one
}

// onEach runs a test on every database, with a clock that only the test moves.
func onEach(t *testing.T, test func(t *testing.T, p *place)) {
	for _, name := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "queue.db")
			if name != "sqlite" {
				dsn = storetest.FreshDSN(t, name)
			}
			test(t, &place{t, name, dsn, &clock{now: time.Now().UTC().Truncate(time.Second)}})
		})
	}
}

// live is onEach with the real clock, for workers that run.
func live(t *testing.T, test func(t *testing.T, p *place)) {
	onEach(t, func(t *testing.T, p *place) {
		p.clock = nil
		test(t, p)
	})
}

func (p *place) options() store.Options {
	if p.clock == nil {
		return store.Options{}
	}
	return store.Options{Now: p.clock.time}
}

func (p *place) open() *today.DB {
	p.t.Helper()
	db, err := today.Open(p.t.Context(), p.dsn, p.options())
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { db.Close() })
	return db
}

// clock is a test's.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// does is a handler of every kind.
type does func(ctx context.Context, row *today.Errand, payload any) error

func run[P any](ctx context.Context, do does, j *queue.Job[today.Errand, P]) error {
	return do(ctx, j.Row, j.Payload)
}

func (do does) Walk(ctx context.Context, j *today.WalkJob) error { return run(ctx, do, j) }

func (do does) Film(ctx context.Context, j *today.FilmJob) error { return run(ctx, do, j) }

func (do does) Slow(ctx context.Context, j *today.SlowJob) error { return run(ctx, do, j) }

func (do does) Listed(ctx context.Context, j *today.ListedJob) error { return run(ctx, do, j) }

func (do does) Squared(ctx context.Context, j *today.SquaredJob) error { return run(ctx, do, j) }

func (do does) Jittered(ctx context.Context, j *today.JitteredJob) error { return run(ctx, do, j) }

func (do does) Rated(ctx context.Context, j *today.RatedJob) error { return run(ctx, do, j) }

func (do does) Quick(ctx context.Context, j *today.QuickJob) error { return run(ctx, do, j) }

func (do does) Shared(ctx context.Context, j *today.SharedJob) error { return run(ctx, do, j) }

func (do does) Fair(ctx context.Context, j *today.FairJob) error { return run(ctx, do, j) }

func (do does) Kept(ctx context.Context, j *today.KeptJob) error { return run(ctx, do, j) }

func (do does) Hourly(ctx context.Context, j *today.HourlyJob) error { return run(ctx, do, j) }

func (do does) Replaced(ctx context.Context, j *today.ReplacedJob) error { return run(ctx, do, j) }

func (do does) Bounced(ctx context.Context, j *today.BouncedJob) error { return run(ctx, do, j) }

func (do does) Greet(ctx context.Context, j *today.GreetJob) error { return run(ctx, do, j) }

// nothing is done, and well.
func nothing(context.Context, *today.Errand, any) error { return nil }

// list keeps what handlers note, in order.
type list[T any] struct {
	mu  sync.Mutex
	all []T
}

func (l *list[T]) add(v T) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, v)
	return len(l.all)
}

func (l *list[T]) get() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]T(nil), l.all...)
}

func drain(t *testing.T, db *today.DB, do does) {
	t.Helper()
	drainWith(t, db, do, queue.Options{})
}

func drainWith(t *testing.T, db *today.DB, do does, opts queue.Options) {
	t.Helper()
	if err := db.Drain(t.Context(), today.Workers{Errand: do, ErrandOptions: opts}); err != nil {
		t.Fatal(err)
	}
}

// work runs a worker until the test ends or stop is called, which waits for it.
func work(t *testing.T, db *today.DB, w today.Workers) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- db.Run(ctx, w) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func get(t *testing.T, db *today.DB, id today.ErrandID) *today.Errand {
	t.Helper()
	return must(db.Errand.Get(t.Context(), id))(t)
}

// await is the row once it has ended.
func await(t *testing.T, db *today.DB, id today.ErrandID) *today.Errand {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return must(db.Errand.Await(ctx, id))(t)
}

// patience is how long a test waits for what should happen at once.
const patience = 20 * time.Second

// receive waits for a value that a handler sends.
func receive[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return v
}

// until waits for what no one announces.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal(what + " did not happen")
		}
	}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// unique is must for what enqueues a unique job, new or not.
func unique[T any](v T, _ bool, err error) func(t *testing.T) T { return must(v, err) }

func opt[T any](v T) store.Opt[T] { return store.Set(v) }

func at(when time.Time) func(*today.ErrandNew) {
	return func(n *today.ErrandNew) { n.QueueRunAt = store.Set(when) }
}

func priority(p int64) func(*today.ErrandNew) {
	return func(n *today.ErrandNew) { n.Priority = store.Int(p) }
}

func (do does) GreetFromV1(_ context.Context, old today.GreetV1) (today.Greet, error) {
	first, last, ok := strings.Cut(old.Name, " ")
	if !ok {
		return today.Greet{}, queue.Discard(errors.New("one name is not enough"))
	}
	return today.Greet{First: first, Last: last}, nil
}
