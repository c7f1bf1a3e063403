package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/queuetest"
)

// Under a test's clock jobs are due when that says so, on every database.
func TestTestsClock(t *testing.T) {
	onPlaces(t, func(t *testing.T, p place) {
		clock := queuetest.NewClock(time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC))
		db := p.open(t, generated.Options{Now: clock.Now})
		var runs []time.Time
		h := images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			runs = append(runs, j.Row.StartedAt.V)
			if j.Attempt < 3 {
				return errors.New("no")
			}
			return nil
		})
		opts := queue.Options{Backoff: queue.Delays(time.Hour, 24*time.Hour)}
		start := clock.Now()
		id := enqueue(t, db, 1)
		drain(t, db, h, opts)
		drain(t, db, h, opts)
		clock.Advance(time.Hour - time.Microsecond)
		drain(t, db, h, opts)
		if len(runs) != 1 {
			t.Fatalf("%d runs before the hour is over", len(runs))
		}
		clock.Advance(time.Microsecond)
		drain(t, db, h, opts)
		clock.Advance(24 * time.Hour)
		drain(t, db, h, opts)
		row := get(t, db, id)
		if len(runs) != 3 || !runs[0].Equal(start) || !runs[1].Equal(start.Add(time.Hour)) || !runs[2].Equal(start.Add(25*time.Hour)) {
			t.Errorf("it ran at %v", runs)
		}
		if row.Status != generated.JobQueueStatusCompleted || !row.CompletedAt.V.Equal(clock.Now()) || !row.CreatedAt.Equal(start) {
			t.Errorf("the row is %+v", row)
		}
	})
}

// A clock that stands still, or jumps, does not make a live worker lose its job,
// although its leases hardly change.
func TestTestsClockAndALiveWorker(t *testing.T) {
	onPlaces(t, func(t *testing.T, p place) {
		clock := queuetest.NewClock(time.Time{})
		db := p.open(t, generated.Options{Now: clock.Now})
		id := enqueue(t, db, 1)
		started, release := make(chan struct{}), make(chan struct{})
		const lease = 4 * time.Second
		work(t, db, images(func(ctx context.Context, j *generated.ImageOptimizeJob) error {
			close(started)
			<-release
			return ctx.Err()
		}), queue.Options{Lease: lease})
		receive(t, started, "the start")
		// Another worker, of another open database, watches it for some leases.
		watching := p.open(t, generated.Options{Now: clock.Now})
		work(t, watching, fails(errors.New("taken over")), queue.Options{Lease: lease})
		over := time.Now().Add(2 * lease)
		eventually(t, "two leases to pass", func() bool { return time.Now().After(over) })
		clock.Advance(time.Hour)
		eventually(t, "the lease to follow the clock", func() bool { return get(t, db, id).QueueLease.V.After(clock.Now()) })
		close(release)
		if row := await(t, db, id, generated.JobQueueStatusCompleted); row.QueueEpoch != 1 {
			t.Errorf("the job ran %d times", row.QueueEpoch)
		}
	})
}
