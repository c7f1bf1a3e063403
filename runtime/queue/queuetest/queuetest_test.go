package queuetest_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue/queuetest"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

func onEach(t *testing.T, test func(t *testing.T, db *generated.DB, clock *queuetest.Clock)) {
	for _, name := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "queue.db")
			if name != "sqlite" {
				dsn = storetest.FreshDSN(t, name)
			}
			clock := queuetest.NewClock(time.Time{})
			db, err := generated.Open(t.Context(), dsn, generated.Options{Now: clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			test(t, db, clock)
		})
	}
}

// none has handlers that must not be called.
type none struct{ generated.JobQueueHandler }

func TestEnqueued(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB, clock *queuetest.Clock) {
		workers := generated.Workers{JobQueue: none{}}
		media := func() []generated.ImageOptimize {
			return queuetest.Enqueued[generated.ImageOptimize](t, db, workers)
		}
		if got := media(); got == nil || len(got) != 0 {
			t.Errorf("of an empty queue: %#v", got)
		}
		for i, opt := range []func(*generated.JobQueueNew){
			func(*generated.JobQueueNew) {},
			func(r *generated.JobQueueNew) { r.Priority = store.Int(5) },
			func(r *generated.JobQueueNew) { r.ScheduledAt = store.Set(clock.Now().Add(time.Hour)) },
			func(r *generated.JobQueueNew) { r.JobType = "make_coffee" },
			func(r *generated.JobQueueNew) { r.Status = store.Set(generated.JobQueueStatusCompleted) },
		} {
			if _, err := db.JobQueue.EnqueueImageOptimize(t.Context(), generated.ImageOptimize{MediaID: int64(i)}, opt); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.JobQueue.EnqueueImportData(t.Context(), generated.ImportData{CSVPath: "a.csv"}); err != nil {
			t.Fatal(err)
		}
		for range 2 { // looking changes nothing
			if got, want := media(), []generated.ImageOptimize{{MediaID: 1}, {MediaID: 0}}; !slices.Equal(got, want) {
				t.Errorf("due are %v, want %v", got, want)
			}
			if got, want := queuetest.Enqueued[generated.ImportData](t, db, workers), []generated.ImportData{{CSVPath: "a.csv"}}; !slices.Equal(got, want) {
				t.Errorf("due are %v, want %v", got, want)
			}
		}
		for row, err := range db.JobQueue.All(t.Context(), generated.JobQueueQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Attempts != 0 || row.QueueEpoch != 0 || row.Status == generated.JobQueueStatusProcessing {
				t.Errorf("looked at, the row is %+v", row)
			}
		}
		clock.Advance(time.Hour)
		if got := media(); len(got) != 3 {
			t.Errorf("an hour later due are %v, want three", got)
		}
	})
}

// failing is a test that expects to fail.
type failing struct {
	testing.TB
	said string
}

type failed struct{}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	panic(failed{})
}

func (f *failing) run(do func()) (said string) {
	defer func() {
		if p := recover(); p != nil && p != (failed{}) {
			panic(p)
		}
		said = f.said
	}()
	do()
	return f.said
}

func TestFailsTheTest(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB, _ *queuetest.Clock) {
		f := &failing{TB: t}
		if said := f.run(func() { queuetest.Drain(f, db, generated.Workers{}) }); !strings.Contains(said, "no handler") {
			t.Errorf("without a handler Drain said %q", said)
		}
		if _, err := db.JobQueue.Create(t.Context(), generated.JobQueueNew{JobType: "image_optimize", Payload: store.JSON(`{"media_id": "x"}`)}); err != nil {
			t.Fatal(err)
		}
		workers := generated.Workers{JobQueue: none{}}
		said := f.run(func() { queuetest.Enqueued[generated.ImageOptimize](f, db, workers) })
		if !strings.Contains(said, "decode payload") {
			t.Errorf("of a payload that does not decode Enqueued said %q", said)
		}
	})
}

// later fails once and then works.
type later struct {
	generated.JobQueueHandler
	runs *int
}

func (l later) ImageOptimize(context.Context, *generated.ImageOptimizeJob) error {
	if *l.runs++; *l.runs == 1 {
		return errors.New("not yet")
	}
	return nil
}

func TestDrain(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB, clock *queuetest.Clock) {
		if _, err := db.JobQueue.EnqueueImageOptimize(t.Context(), generated.ImageOptimize{}); err != nil {
			t.Fatal(err)
		}
		runs := 0
		workers := generated.Workers{JobQueue: later{runs: &runs}}
		queuetest.Drain(t, db, workers)
		queuetest.Drain(t, db, workers)
		if runs != 1 {
			t.Errorf("%d runs, want 1: the clock stands", runs)
		}
		clock.Advance(time.Hour)
		queuetest.Drain(t, db, workers)
		if runs != 2 {
			t.Errorf("%d runs after an hour, want 2", runs)
		}
	})
}
