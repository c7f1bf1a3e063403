package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

func in(d time.Duration) func(*generated.JobQueueNew) {
	return func(r *generated.JobQueueNew) { r.ScheduledAt = store.Set(time.Now().Add(d)) }
}

func TestCancelOfWhatWaits(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		for name, id := range map[string]generated.JobQueueID{
			"ready": enqueue(t, db, 1), "scheduled": enqueue(t, db, 2, in(time.Hour)),
		} {
			if err := db.JobQueue.Cancel(t.Context(), id); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if row := get(t, db, id); row.Status != generated.JobQueueStatusCancelled || row.Attempts != 0 || !row.CompletedAt.Valid {
				t.Errorf("%s: the row is %+v", name, row)
			}
			if err := db.JobQueue.Cancel(t.Context(), id); !errors.Is(err, queue.ErrEnded) {
				t.Errorf("%s: cancelled again: %v, want queue.ErrEnded", name, err)
			}
		}
		if err := db.JobQueue.Cancel(t.Context(), 999); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("cancel of a missing row: %v, want store.ErrNotFound", err)
		}
		drain(t, db, images(func(context.Context, *generated.ImageOptimizeJob) error {
			t.Error("a cancelled job ran")
			return nil
		}), queue.Options{})
	})
}

// The context of a running handler ends when its job is cancelled, also through
// another open database, well before any heartbeat.
func TestCancelOfWhatRuns(t *testing.T) {
	onPlaces(t, func(t *testing.T, p place) {
		db := p.open(t, generated.Options{})
		for name, by := range map[string]*generated.DB{"same": db, "other": p.open(t, generated.Options{})} {
			until := events(t, db)
			id := enqueue(t, db, 1)
			started, ended := make(chan struct{}), make(chan error, 1)
			stop := work(t, db, images(func(ctx context.Context, _ *generated.ImageOptimizeJob) error {
				close(started)
				<-ctx.Done()
				ended <- context.Cause(ctx)
				return errors.New("interrupted")
			}), queue.Options{})
			receive(t, started, "the start")
			cancelled := time.Now()
			if err := by.JobQueue.Cancel(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if cause := receive(t, ended, "the handler's end"); !errors.Is(cause, queue.ErrCancelled) {
				t.Errorf("%s: the context ended with %v, want queue.ErrCancelled", name, cause)
			}
			if took := time.Since(cancelled); took > 5*time.Second {
				t.Errorf("%s: the handler heard of it after %s, which only a heartbeat (10 s) explains", name, took)
			}
			if ev := until(queue.Cancelled); ev.ID != id || !errors.Is(ev.Err, queue.ErrCancelled) {
				t.Errorf("%s: the event is %+v", name, ev)
			}
			stop()
			if row := get(t, db, id); row.Status != generated.JobQueueStatusCancelled || row.Error.V != "cancelled" {
				t.Errorf("%s: the row is %s with %q; the handler's result was to be refused", name, row.Status, row.Error.V)
			}
		}
	})
}

// A cancellation within a transaction that is rolled back is none.
func TestCancelRolledBack(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		no := errors.New("no")
		err := db.Tx(t.Context(), func(tx *generated.Tx) error {
			if err := tx.JobQueue.Cancel(t.Context(), id); err != nil {
				return err
			}
			return no
		})
		if !errors.Is(err, no) {
			t.Fatal(err)
		}
		drain(t, db, fails(nil), queue.Options{})
		if row := get(t, db, id); row.Status != generated.JobQueueStatusCompleted {
			t.Errorf("the row is %s", row.Status)
		}
	})
}

func TestRetryOfWhatEndedOrWaits(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		dead := enqueue(t, db, 1, attempts(1))
		drain(t, db, fails(errors.New("no disk")), queue.Options{})
		cancelled := enqueue(t, db, 2)
		if err := db.JobQueue.Cancel(t.Context(), cancelled); err != nil {
			t.Fatal(err)
		}
		scheduled := enqueue(t, db, 3, in(time.Hour))
		for _, id := range []generated.JobQueueID{dead, cancelled, scheduled} {
			if err := db.JobQueue.Retry(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if row := get(t, db, id); row.Status != generated.JobQueueStatusPending || row.Attempts != 0 || row.CompletedAt.Valid || row.QueueHold != "" {
				t.Errorf("retried, the row is %+v", row)
			}
		}
		drain(t, db, fails(nil), queue.Options{})
		for _, id := range []generated.JobQueueID{dead, cancelled, scheduled} {
			if row := get(t, db, id); row.Status != generated.JobQueueStatusCompleted || row.Attempts != 1 {
				t.Errorf("after its new run row %d is %s, attempts %d", id, row.Status, row.Attempts)
			}
		}
		if list := failures(t, get(t, db, dead)); len(list) != 1 || list[0].Error != "no disk" {
			t.Errorf("the history of the retried job is %+v", list)
		}
		if err := db.JobQueue.Retry(t.Context(), 999); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("retry of a missing row: %v, want store.ErrNotFound", err)
		}
	})
}

// A running job cannot be retried; once cancelled it can be, and the first run's result
// is then refused although the job runs again.
func TestRetryOfWhatRuns(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		started, ended := make(chan struct{}, 2), make(chan struct{})
		release := make(chan struct{})
		work(t, db, images(func(ctx context.Context, j *generated.ImageOptimizeJob) error {
			started <- struct{}{}
			if j.Row.QueueEpoch == 1 {
				<-ctx.Done()
				<-release
				defer close(ended)
				return queue.Discard(errors.New("the first run"))
			}
			close(release)
			<-ended
			return nil
		}), queue.Options{Concurrency: 2})
		receive(t, started, "the first run")
		if err := db.JobQueue.Retry(t.Context(), id); !errors.Is(err, queue.ErrRunning) {
			t.Errorf("retry of a running job: %v, want queue.ErrRunning", err)
		}
		if err := db.JobQueue.Cancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if err := db.JobQueue.Retry(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		receive(t, started, "the second run")
		if row := await(t, db, id, generated.JobQueueStatusCompleted); row.QueueEpoch != 2 {
			t.Errorf("the epoch is %d, want 2", row.QueueEpoch)
		}
	})
}
