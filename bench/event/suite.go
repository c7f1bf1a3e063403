package event

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/bench/event/generated"
	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"    // mysql://
	_ "github.com/hegner123/modulagen/runtime/store/postgres" // postgres://
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"   // sqlite:
)

//go:generate go run github.com/hegner123/modulagen/cmd/modulagen generate

const suite = "event"

// What is asked of a write: this much of the time of one without events.
var (
	quietTarget   = measure.Target(1 / 1.05)
	watchedTarget = measure.Target(1 / 1.6)
)

// trial is the suite on one database.
type trial struct {
	db     *generated.DB
	kind   string
	report *measure.Report
	rounds int
	calls  int
	n      int // rows so far: no slug comes twice
}

// Run measures every database that there is.
func Run(ctx context.Context, _ string, report *measure.Report) error {
	dir, err := os.MkdirTemp("", "bench-event-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, place := range []struct{ kind, dsn string }{
		{"sqlite", "sqlite:" + filepath.Join(dir, "event.db")},
		{"postgres", os.Getenv("MODULAGEN_POSTGRES_DSN")},
		{"mysql", os.Getenv("MODULAGEN_MYSQL_DSN")},
	} {
		if place.dsn == "" {
			report.Note("event: no %s: its figures are missing", place.kind)
			continue
		}
		t := &trial{kind: place.kind, report: report, rounds: 9, calls: 1000, n: int(time.Now().Unix() % 1e6 * 1e6)}
		if os.Getenv("BENCH_QUICK") != "" {
			t.rounds, t.calls = 3, 200
		}
		if err := t.run(ctx, place.dsn); err != nil {
			return fmt.Errorf("%s: %w", place.kind, err)
		}
	}
	return nil
}

func (t *trial) run(ctx context.Context, dsn string) (err error) {
	if t.db, err = generated.Open(ctx, dsn, generated.Options{}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.db.Close()) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// The subscription is there, and nothing works it: its events wait in the log.
	if err := t.begin(ctx); err != nil {
		return err
	}
	if err := t.writes(ctx); err != nil {
		return err
	}
	return t.reading(ctx)
}

// begin makes the subscription to watched known, and ends it.
func (t *trial) begin(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	got := make(chan struct{}, 1)
	done := make(chan error, 1)
	go func() {
		done <- t.subscribe(ctx, func(*generated.WatchedChange) {
			select {
			case got <- struct{}{}:
			default:
			}
		})
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := t.watched(ctx); err != nil {
			return err
		}
		select {
		case <-got:
			cancel()
			return <-done
		case err := <-done:
			return errors.Join(err, errors.New("the subscription ended"))
		case <-tick.C:
		}
	}
}

func (t *trial) subscribe(ctx context.Context, note func(*generated.WatchedChange)) error {
	return t.db.Subscribe(ctx, "bench", generated.EventHandlers{Watched: func(_ context.Context, c *generated.WatchedChange) error {
		note(c)
		return nil
	}}, event.Options{})
}

func (t *trial) slug() string {
	t.n++
	return fmt.Sprint("s", t.n)
}

var body = strings.Repeat("Some words of a text that is long enough to matter. ", 10)

func (t *trial) plain(ctx context.Context) error {
	_, err := t.db.Plain.Create(ctx, generated.PlainNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)})
	return err
}

func (t *trial) quiet(ctx context.Context) error {
	_, err := t.db.Quiet.Create(ctx, generated.QuietNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)})
	return err
}

func (t *trial) watched(ctx context.Context) error {
	_, err := t.db.Watched.Create(ctx, generated.WatchedNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)})
	return err
}

func (t *trial) plainMany(ctx context.Context) error {
	return many(ctx, t.db.Plain.CreateMany, func() generated.PlainNew {
		return generated.PlainNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)}
	})
}

func (t *trial) watchedMany(ctx context.Context) error {
	return many(ctx, t.db.Watched.CreateMany, func() generated.WatchedNew {
		return generated.WatchedNew{Slug: t.slug(), Title: "A title", Body: store.Set(body)}
	})
}

func many[N, ID any](ctx context.Context, create func(context.Context, []N) ([]ID, error), row func() N) error {
	rows := make([]N, 1000)
	for i := range rows {
		rows[i] = row()
	}
	_, err := create(ctx, rows)
	return err
}

// timed is a sample: microseconds for one call.
func (t *trial) timed(ctx context.Context, calls int, call func(context.Context) error) measure.Sample {
	return func() (float64, error) {
		start := time.Now()
		for range calls {
			if err := call(ctx); err != nil {
				return 0, err
			}
		}
		return float64(time.Since(start).Microseconds()) / float64(calls), nil
	}
}

// writes compares what a write costs with and without events.
func (t *trial) writes(ctx context.Context) error {
	all, err := measure.Rotate(t.rounds, t.timed(ctx, t.calls, t.plain), t.timed(ctx, t.calls, t.quiet), t.timed(ctx, t.calls, t.watched))
	if err != nil {
		return err
	}
	t.report.Add(measure.Compare(suite, "create, events that nobody reads", t.kind, "µs", "no events", all[1], all[0], quietTarget))
	t.report.Add(measure.Compare(suite, "create, with a subscription", t.kind, "µs", "no events", all[2], all[0], watchedTarget))
	all, err = measure.Rotate(t.rounds, t.timed(ctx, 3, t.plainMany), t.timed(ctx, 3, t.watchedMany))
	if err != nil {
		return err
	}
	t.report.Add(measure.Compare(suite, "create many (1000), with a subscription", t.kind, "µs", "no events", all[1], all[0], nil))
	return nil
}

// reading measures how fast what has been written by now is handed out, and then how
// long a single event takes from the commit to the handler.
func (t *trial) reading(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	arrived := make(chan time.Time, 1<<20)
	done := make(chan error, 1)
	start := time.Now()
	go func() {
		done <- t.subscribe(ctx, func(*generated.WatchedChange) { arrived <- time.Now() })
	}()
	n, last := 0, start
	for quiet := false; !quiet; {
		select {
		case last = <-arrived:
			n++
		case err := <-done:
			return errors.Join(err, errors.New("the subscription ended"))
		case <-time.After(3 * time.Second):
			quiet = true
		}
	}
	t.report.Note("event: %s: %d events handed out, %.0f a second", t.kind, n, float64(n)/last.Sub(start).Seconds())
	var waits []time.Duration
	for range t.calls {
		if err := t.watched(ctx); err != nil {
			return err
		}
		committed := time.Now()
		waits = append(waits, max(0, (<-arrived).Sub(committed)))
		time.Sleep(10 * time.Millisecond) // 100 events a second
	}
	slices.Sort(waits)
	at := func(p float64) time.Duration {
		return waits[int(p*float64(len(waits)-1))].Round(100 * time.Microsecond)
	}
	t.report.Note("event: %s: from the commit to the handler, 100 events a second: p50 %s, p99 %s", t.kind, at(0.5), at(0.99))
	cancel()
	return <-done
}
