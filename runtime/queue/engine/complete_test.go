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

// thumbnail is what handlers of these tests write: another row.
func thumbnail(ctx context.Context, tx *generated.Tx) error {
	_, err := tx.JobQueue.EnqueueImportData(ctx, generated.ImportData{CSVPath: "made by the handler"}, in(time.Hour))
	return err
}

func thumbnails(t *testing.T, db *generated.DB) int {
	t.Helper()
	n, err := db.JobQueue.Count(t.Context(), generated.JobQueueFields.JobType.Eq("import_data"), 100)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCompleteTx(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		until := events(t, db)
		drain(t, db, images(func(ctx context.Context, j *generated.ImageOptimizeJob) error {
			j.Progress(1, "all of it")
			if err := j.Result(map[string]int{"bytes": 7}); err != nil {
				return err
			}
			return db.Tx(ctx, func(tx *generated.Tx) error {
				if err := thumbnail(ctx, tx); err != nil {
					return err
				}
				return j.CompleteTx(ctx, tx)
			})
		}), queue.Options{})
		row := get(t, db, id)
		if row.Status != generated.JobQueueStatusCompleted || !row.CompletedAt.Valid || row.QueueLease.Valid {
			t.Errorf("the row is %+v", row)
		}
		if row.QueueNote.V != "all of it" {
			t.Errorf("the last progress is %q", row.QueueNote.V)
		}
		if got := compact(t, row.QueueResult.V); got != `{"bytes":7}` {
			t.Errorf("the result is %s", got)
		}
		if n := thumbnails(t, db); n != 1 {
			t.Errorf("the handler's own writes: %d", n)
		}
		if ev := until(queue.Done); ev.ID != id {
			t.Errorf("the event is %+v", ev)
		}
	})
}

// When the transaction fails, neither the handler's writes nor the completion
// take effect, and the job is tried again, also when the handler says nothing.
func TestCompleteTxRolledBack(t *testing.T) {
	no := errors.New("no")
	for name, drop := range map[string]bool{"said": false, "droped": true} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *generated.DB) {
				id := enqueue(t, db, 1)
				drain(t, db, images(func(ctx context.Context, j *generated.ImageOptimizeJob) error {
					err := db.Tx(ctx, func(tx *generated.Tx) error {
						if err := errors.Join(thumbnail(ctx, tx), j.CompleteTx(ctx, tx)); err != nil {
							return err
						}
						return no
					})
					if !errors.Is(err, no) {
						t.Errorf("the transaction gave %v", err)
					}
					if drop {
						return nil
					}
					return err
				}), queue.Options{Backoff: queue.Delays(time.Hour)})
				row := get(t, db, id)
				want := "no"
				if drop {
					want = "queue: CompleteTx was called, but its transaction did not commit"
				}
				if row.Status != generated.JobQueueStatusPending || row.Attempts != 1 || row.Error.V != want || row.CompletedAt.Valid {
					t.Errorf("the row is %s after %d attempts with %q", row.Status, row.Attempts, row.Error.V)
				}
				if n := thumbnails(t, db); n != 0 {
					t.Errorf("%d of the handler's writes were kept", n)
				}
			})
		})
	}
}

// A second transaction after one that was rolled back completes the job.
func TestCompleteTxAtSecondTry(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		drain(t, db, images(func(ctx context.Context, j *generated.ImageOptimizeJob) error {
			for _, outcome := range []error{errors.New("no"), nil} {
				err := db.Tx(ctx, func(tx *generated.Tx) error {
					if err := errors.Join(thumbnail(ctx, tx), j.CompleteTx(ctx, tx)); err != nil {
						return err
					}
					return outcome
				})
				if !errors.Is(err, outcome) {
					t.Errorf("the transaction gave %v, want %v", err, outcome)
				}
			}
			return errors.New("said too late: the job is done")
		}), queue.Options{})
		if row := get(t, db, id); row.Status != generated.JobQueueStatusCompleted || row.Error.Valid {
			t.Errorf("the row is %s with %q", row.Status, row.Error.V)
		}
		if n := thumbnails(t, db); n != 1 {
			t.Errorf("the handler's own writes: %d, want 1", n)
		}
	})
}

func TestCompleteTxAfterTheLeaseWasLost(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		for name, how := range map[string]func(id generated.JobQueueID) error{
			"cancelled": func(id generated.JobQueueID) error { return db.JobQueue.Cancel(t.Context(), id) },
			"taken": func(id generated.JobQueueID) error {
				storetest.SetColumns(t, db.Store(), "job_queue", map[string]any{"queue_epoch": int64(7)}, id)
				return nil
			},
		} {
			id := enqueue(t, db, 1)
			before := get(t, db, id)
			drain(t, db, images(func(ctx context.Context, j *generated.ImageOptimizeJob) error {
				if err := how(id); err != nil {
					t.Error(err)
				}
				j.Progress(1, "done") // not before: it would be written in time on a slow machine
				err := db.Tx(context.WithoutCancel(ctx), func(tx *generated.Tx) error {
					if err := thumbnail(t.Context(), tx); err != nil {
						return err
					}
					return j.CompleteTx(t.Context(), tx)
				})
				if !errors.Is(err, queue.ErrLeaseLost) {
					t.Errorf("%s: CompleteTx gave %v, want queue.ErrLeaseLost", name, err)
				}
				return err
			}), queue.Options{})
			row := get(t, db, id)
			if row.Status == generated.JobQueueStatusCompleted || row.QueueNote != before.QueueNote || thumbnails(t, db) != 0 {
				t.Errorf("%s: something was written: %+v, %d rows", name, row, thumbnails(t, db))
			}
		}
	})
}

// A handler may go on after its transaction has completed the job: its context
// stays, and the job counts as done, not as lost.
func TestGoesOnAfterCompleteTx(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id, other := enqueue(t, db, 1), enqueue(t, db, 2)
		until := events(t, db)
		completed, release := make(chan context.Context, 1), make(chan struct{})
		stop := work(t, db, images(func(ctx context.Context, j *generated.ImageOptimizeJob) (err error) {
			if j.Row.ID == id {
				err = db.Tx(ctx, func(tx *generated.Tx) error { return j.CompleteTx(ctx, tx) })
				completed <- ctx
			}
			<-release
			return err
		}), queue.Options{Lease: 3 * time.Second})
		ctx := receive(t, completed, "the completion")
		renewals(t, db, other, 3)
		if ctx.Err() != nil {
			t.Errorf("the context ended with %v", context.Cause(ctx))
		}
		close(release)
		for until(queue.Done).ID != id {
			continue
		}
		stop()
	})
}

// renewals waits until a running job's lease has been renewed n times.
func renewals(t *testing.T, db *generated.DB, id generated.JobQueueID, n int) {
	t.Helper()
	lease := time.Time{}
	for range n + 1 { // the first is the claim's own
		eventually(t, "a lease to be renewed", func() bool {
			now := get(t, db, id).QueueLease.V
			renewed := now.After(lease)
			lease = now
			return renewed
		})
	}
}

// A handler that holds its transaction open after CompleteTx has its row locked:
// the leases of the process's other jobs are renewed all the same.
func TestOpenTransactionCostsNoOtherLease(t *testing.T) {
	onPlaces(t, func(t *testing.T, p place) {
		if p.name == "sqlite" {
			return // an open transaction keeps every writer out there, whatever the row
		}
		db := p.open(t, generated.Options{})
		locking, other := enqueue(t, db, 1), enqueue(t, db, 2)
		started, release := make(chan context.Context, 2), make(chan struct{})
		work(t, db, images(func(ctx context.Context, j *generated.ImageOptimizeJob) error {
			if j.Row.ID == other {
				started <- ctx
				<-release
				return ctx.Err()
			}
			return db.Tx(ctx, func(tx *generated.Tx) error {
				if err := j.CompleteTx(ctx, tx); err != nil {
					return err
				}
				started <- ctx
				<-release
				return nil
			})
		}), queue.Options{Lease: 3 * time.Second})
		receive(t, started, "both")
		receive(t, started, "both")
		renewals(t, db, other, 5) // each a third of a lease
		close(release)
		if row := await(t, db, other, generated.JobQueueStatusCompleted); row.QueueEpoch != 1 {
			t.Errorf("the other job ran %d times", row.QueueEpoch)
		}
		if row := await(t, db, locking, generated.JobQueueStatusCompleted); row.QueueEpoch != 1 {
			t.Errorf("the locking job ran %d times", row.QueueEpoch)
		}
	})
}
