package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// A job starts long before the worker would look by itself, when this process
// adds it, and, where the database can tell, when another does.
func TestWakesUp(t *testing.T) {
	onPlaces(t, func(t *testing.T, p place) {
		db := p.open(t, generated.Options{})
		by := db
		if p.name != "mysql" {
			by = p.open(t, generated.Options{})
		}
		ran := make(chan generated.JobQueueID, 1)
		work(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			ran <- j.Row.ID
			return nil
		}), queue.Options{Poll: time.Minute})
		for range 3 { // the second and third find a worker that sleeps for sure
			id := enqueue(t, by, 1)
			if got := receive(t, ran, "the run"); got != id {
				t.Errorf("job %d ran, want %d", got, id)
			}
			await(t, db, id, generated.JobQueueStatusCompleted)
		}
		err := by.Tx(t.Context(), func(tx *generated.Tx) error {
			_, err := tx.JobQueue.EnqueueImageOptimizeMany(t.Context(), make([]generated.ImageOptimize, 1))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		receive(t, ran, "the run of a job that a transaction added")
	})
}

// What is due and was locked by another transaction when the worker looked runs soon after. On MySQL
// that happens to any row, since a read with locks holds rows for a moment that it only passes.
func TestFindsWhatItSkipped(t *testing.T) {
	whileLocked := func(t *testing.T, db *generated.DB, id generated.JobQueueID, do func()) {
		t.Helper()
		err := db.Tx(t.Context(), func(tx *generated.Tx) error {
			if _, err := tx.JobQueue.GetForUpdate(t.Context(), id); err != nil {
				return err
			}
			do()
			// What was begun looks for work meanwhile. Drain waits for a row that is locked, but not for long.
			for over := time.Now().Add(300 * time.Millisecond); time.Now().Before(over); {
				if _, err := tx.JobQueue.Get(t.Context(), id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ran := make(chan generated.JobQueueID, 1)
	handlers := images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
		ran <- j.Row.ID
		return nil
	})
	t.Run("run", func(t *testing.T) {
		db := place{"mysql", storetest.FreshDSN(t, "mysql")}.open(t, generated.Options{})
		if err := db.JobQueue.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		work(t, db, handlers, queue.Options{Poll: time.Hour})
		whileLocked(t, db, enqueue(t, db, 1), func() {
			if err := db.JobQueue.Resume(t.Context()); err != nil {
				t.Error(err)
			}
		})
		receive(t, ran, "the run")
	})
	t.Run("drain", func(t *testing.T) {
		db := place{"mysql", storetest.FreshDSN(t, "mysql")}.open(t, generated.Options{})
		drained := make(chan error, 1)
		whileLocked(t, db, enqueue(t, db, 1), func() {
			go func() { drained <- db.Drain(t.Context(), generated.Workers{JobQueue: handlers}) }()
		})
		if err := receive(t, drained, "Drain"); err != nil {
			t.Fatal(err)
		}
		if len(ran) == 0 {
			t.Error("Drain left a job that is due")
		}
	})
}

// What was rolled back runs nowhere, and wakes no one.
func TestRolledBackWakesNoOne(t *testing.T) {
	onPlaces(t, func(t *testing.T, p place) {
		db := p.open(t, generated.Options{})
		news := db.Store().Listen("job_queue")
		defer news.Stop()
		rollBack := func() {
			no := errors.New("no")
			err := db.Tx(t.Context(), func(tx *generated.Tx) error {
				_, err := tx.JobQueue.EnqueueImageOptimize(t.Context(), generated.ImageOptimize{})
				return errors.Join(err, no)
			})
			if !errors.Is(err, no) {
				t.Fatal(err)
			}
		}
		if p.name == "mysql" { // elsewhere a wake may be of another's write, or of a connection
			enqueue(t, db, 1, in(time.Hour))
			<-news.C
			rollBack()
			select {
			case <-news.C:
				t.Error("a rollback woke a listener")
			default:
			}
		}
		ran := make(chan int64, 10)
		work(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			ran <- j.Payload.MediaID
			return nil
		}), queue.Options{Poll: time.Minute})
		rollBack()
		enqueue(t, db, 7)
		if got := receive(t, ran, "the run"); got != 7 {
			t.Errorf("image %d ran, want 7 alone", got)
		}
	})
}

// A job that is due soon runs then, not when the worker looks next.
func TestRunsWhenItIsDue(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		ran := make(chan time.Time, 2)
		work(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			ran <- j.Row.ScheduledAt.V
			if j.Attempt == 1 {
				return errors.New("no")
			}
			return nil
		}), queue.Options{Poll: time.Minute, Backoff: queue.Delays(200 * time.Millisecond)})
		enqueue(t, db, 1, in(200*time.Millisecond))
		for range 2 {
			if due := receive(t, ran, "the run"); time.Until(due) > 50*time.Millisecond {
				t.Errorf("it ran %s before it was due", time.Until(due))
			}
		}
	})
}
