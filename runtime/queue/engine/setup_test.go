package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// place is a database that a test can open more than once, as several processes
// do.
type place struct {
	name string
	dsn  string
}

func (p place) open(t *testing.T, opts generated.Options) *generated.DB {
	t.Helper()
	db, err := generated.Open(t.Context(), p.dsn, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// onPlaces runs a test on every database. The three run at the same time, and beside those of other
// tests: most of what these tests do is to wait for one another.
func onPlaces(t *testing.T, test func(t *testing.T, p place)) {
	t.Parallel()
	for _, name := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "queue.db")
			if name != "sqlite" {
				dsn = storetest.FreshDSN(t, name)
			}
			test(t, place{name, dsn})
		})
	}
}

// each runs a test on every database, opened once.
func each(t *testing.T, test func(t *testing.T, db *generated.DB)) {
	onPlaces(t, func(t *testing.T, p place) { test(t, p.open(t, generated.Options{})) })
}

// patience is how long a test waits for what must happen; one that fails takes
// that long, others do not.
const patience = 60 * time.Second

func patiently(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// work runs workers until the test ends, or stop is called, which waits for them.
func work(t *testing.T, db *generated.DB, h handlers, opts queue.Options) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- db.Run(ctx, generated.Workers{JobQueue: h, JobQueueOptions: opts}) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// images are handlers of one kind.
func images(f func(context.Context, *generated.ImageOptimizeJob) error) handlers {
	return handlers{image: f}
}

// events returns what happens, one after the other, from the call on.
func events(t *testing.T, db *generated.DB) (until func(queue.EventType) generated.JobQueueEvent) {
	t.Helper()
	next, stop := iter.Pull(db.JobQueue.Events(patiently(t)))
	t.Cleanup(stop)
	return func(want queue.EventType) generated.JobQueueEvent {
		t.Helper()
		for {
			ev, ok := next()
			if !ok {
				t.Fatalf("no event %s came", want)
			}
			if ev.Type == want {
				return ev
			}
		}
	}
}

// receive takes from a channel what must come.
func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited %s for %s", patience, what)
		panic("unreachable")
	}
}

// eventually asks until something is so that no one announces.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx := patiently(t)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// await waits for a job's end and checks how it ended.
func await(t *testing.T, db *generated.DB, id generated.JobQueueID, want generated.JobQueueStatus) *generated.JobQueue {
	t.Helper()
	row, err := db.JobQueue.Await(patiently(t), id)
	if err != nil {
		t.Fatal(err)
	}
	if row.Status != want {
		t.Errorf("job %d ended %s with %q, want %s", id, row.Status, row.Error.V, want)
	}
	return row
}

// compact is JSON without the spaces that databases put in.
func compact(t *testing.T, text []byte) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return out.String()
}
