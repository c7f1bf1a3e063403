package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// Await returns when a job ends, whether this process runs it or another.
func TestAwait(t *testing.T) {
	onPlaces(t, func(t *testing.T, p place) {
		db, other := p.open(t, generated.Options{}), p.open(t, generated.Options{})
		started, release := make(chan struct{}), make(chan struct{})
		work(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			close(started)
			<-release
			return j.Result(j.Payload.MediaID)
		}), queue.Options{})
		id := enqueue(t, db, 7)
		rows := make(chan *generated.JobQueue, 2)
		for _, by := range []*generated.DB{db, other} {
			go func() {
				row, err := by.JobQueue.Await(patientlyIn(t), id)
				if err != nil {
					t.Error(err)
				}
				rows <- row
			}()
		}
		receive(t, started, "the job")
		short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if row, err := db.JobQueue.Await(short, id); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("of one that runs: %+v, %v", row, err)
		}
		close(release)
		for range 2 {
			row := receive(t, rows, "Await")
			if row == nil || row.Status != generated.JobQueueStatusCompleted || string(row.QueueResult.V) != "7" {
				t.Errorf("Await gave %+v", row)
			}
		}
		if row, err := other.JobQueue.Await(t.Context(), id); err != nil || row.ID != id {
			t.Errorf("of one that has ended: %+v, %v", row, err)
		}
	})
}

// counted counts how often its Done is asked for, which a loop does in each round.
type counted struct {
	context.Context
	dones atomic.Int64
}

func (c *counted) Done() <-chan struct{} {
	c.dones.Add(1)
	return c.Context.Done()
}

func patientlyIn(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	context.AfterFunc(ctx, cancel)
	return ctx
}

func TestAwaitEndsEarly(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		if _, err := db.JobQueue.Await(t.Context(), 999); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of a missing row: %v, want store.ErrNotFound", err)
		}
		id := enqueue(t, db, 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := db.JobQueue.Await(ctx, id)
			failed <- err
		}()
		cancel(errors.New("enough"))
		if err := receive(t, failed, "Await"); !errors.Is(err, context.Canceled) {
			t.Errorf("when ctx ends: %v, want context.Canceled", err)
		}
		go func() {
			_, err := db.JobQueue.Await(patientlyIn(t), id)
			failed <- err
		}()
		if err := db.JobQueue.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if err := receive(t, failed, "Await"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of a row that is deleted: %v, want store.ErrNotFound", err)
		}
	})
}

// Await is woken by each way in which a job can end.
func TestAwaitOfEveryEnd(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		for want, end := range map[generated.JobQueueStatus]error{
			generated.JobQueueStatusCompleted: nil,
			generated.JobQueueStatusFailed:    queue.Discard(errors.New("no")),
			generated.JobQueueStatusCancelled: queue.Cancel(errors.New("no")),
		} {
			stop := work(t, db, fails(end), queue.Options{})
			await(t, db, enqueue(t, db, 1), want)
			stop()
		}
		id := enqueue(t, db, 1)
		if err := db.JobQueue.Cancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		await(t, db, id, generated.JobQueueStatusCancelled)
	})
}

// While it waits, Await asks no more than a few times a second.
func TestAwaitIsNotBusy(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 450*time.Millisecond)
		defer cancel()
		asked := &counted{Context: ctx}
		if _, err := db.JobQueue.Await(asked, id); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if n := asked.dones.Load(); n > 400 {
			t.Errorf("Await looked at its context %d times in half a second", n)
		}
	})
}
