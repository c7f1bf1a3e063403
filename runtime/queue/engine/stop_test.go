package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// A handler that goes on although its context has ended is left behind; its row
// is run again once its lease has ended, and its late result is refused.
func TestStopLeavesWhoIgnoresIt(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		started, release, over := make(chan context.Context, 1), make(chan struct{}), make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- db.Run(ctx, generated.Workers{
				JobQueue: images(func(ctx context.Context, _ *generated.ImageOptimizeJob) error {
					started <- ctx
					<-release
					defer close(over)
					return nil
				}),
				JobQueueOptions: queue.Options{StopTimeout: 10 * time.Millisecond, Grace: 10 * time.Millisecond, Lease: time.Second},
			})
		}()
		handler := receive(t, started, "the start")
		cancel()
		err := receive(t, done, "Run")
		if !errors.Is(err, queue.ErrLeft) || !strings.Contains(err.Error(), "1 of job_queue") {
			t.Errorf("Run gave %v, want queue.ErrLeft of one", err)
		}
		if cause := context.Cause(handler); !errors.Is(cause, queue.ErrStopping) {
			t.Errorf("the handler's context ended with %v, want queue.ErrStopping", cause)
		}
		if row := get(t, db, id); row.Status != generated.JobQueueStatusProcessing {
			t.Errorf("the row that was left is %s", row.Status)
		}
		work(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			return j.Result(j.Attempt)
		}), queue.Options{Lease: time.Second})
		row := await(t, db, id, generated.JobQueueStatusCompleted)
		if string(row.QueueResult.V) != "2" || row.QueueEpoch != 2 {
			t.Errorf("the row was done by attempt %s, epoch %d, want 2 and 2", row.QueueResult.V, row.QueueEpoch)
		}
		close(release)
		receive(t, over, "the first handler")
	})
}

// What was claimed ahead and has not begun is given back as it was.
func TestStopGivesBackWhatHasNotBegun(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		const jobs, quick = 60, 20
		for i := range jobs {
			enqueue(t, db, int64(i))
		}
		running, release := make(chan generated.JobQueueID), make(chan struct{})
		ran := 0
		stop := work(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			if ran++; ran == quick { // by now rows are claimed ahead
				running <- j.Row.ID
				<-release
			}
			return nil
		}), queue.Options{Concurrency: 1, Poll: time.Minute})
		last := receive(t, running, "the last run")
		ahead := func() int {
			n, err := db.JobQueue.Count(t.Context(), store.And(
				generated.JobQueueFields.Status.Eq(generated.JobQueueStatusProcessing), generated.JobQueueFields.ID.Gt(last)), 100)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		eventually(t, "rows claimed ahead", func() bool { return ahead() > 0 })
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			stop()
		}()
		eventually(t, "the rows to be given back", func() bool { return ahead() == 0 })
		close(release)
		receive(t, stopped, "the stop")
		if ran != quick {
			t.Errorf("%d ran, want %d: none after the stop", ran, quick)
		}
		waiting := 0
		for row, err := range db.JobQueue.All(t.Context(), generated.JobQueueQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Status == generated.JobQueueStatusCompleted {
				continue
			}
			waiting++
			if row.Status != generated.JobQueueStatusPending || row.Attempts != 0 || row.QueueLease.Valid || row.Error.Valid || row.ScheduledAt.Valid {
				t.Errorf("given back, a row is %+v", row)
			}
		}
		if waiting != jobs-quick {
			t.Errorf("%d rows wait, want %d", waiting, jobs-quick)
		}
	})
}

// One who finishes within StopTimeout is not disturbed.
func TestStopWaits(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		started, release := make(chan context.Context, 1), make(chan struct{})
		stop := work(t, db, images(func(ctx context.Context, _ *generated.ImageOptimizeJob) error {
			started <- ctx
			<-release
			return ctx.Err()
		}), queue.Options{Lease: 3 * time.Second})
		receive(t, started, "the start")
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			stop()
		}()
		renewals(t, db, id, 4) // it keeps its lease meanwhile
		close(release)
		receive(t, stopped, "the stop")
		if row := get(t, db, id); row.Status != generated.JobQueueStatusCompleted {
			t.Errorf("the row is %s: %q", row.Status, row.Error.V)
		}
	})
}

// Run ends when its database is closed, with work and without.
func TestRunEndsWithClose(t *testing.T) {
	for name, workers := range map[string]generated.Workers{"idle": {}, "with a handler": {JobQueue: handlers{}}} {
		t.Run(name, func(t *testing.T) {
			onPlaces(t, func(t *testing.T, p place) {
				db := p.open(t, generated.Options{})
				began, ended := make(chan struct{}), make(chan error, 1)
				go func() {
					close(began)
					ended <- db.Run(t.Context(), workers)
				}()
				<-began
				if err := db.Close(); err != nil {
					t.Error(err)
				}
				if err := receive(t, ended, "Run"); !errors.Is(err, store.ErrClosed) {
					t.Errorf("got %v, want store.ErrClosed", err)
				}
				if err := db.Run(t.Context(), workers); !errors.Is(err, store.ErrClosed) {
					t.Errorf("of a database that is closed: %v, want store.ErrClosed", err)
				}
			})
		})
	}
}
