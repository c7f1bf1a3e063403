//go:build unix

package faults

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	today "github.com/hegner123/modulagen/runtime/queue/internal/faults/today/generated"
	"github.com/hegner123/modulagen/runtime/store/storetest"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

func TestPayloadThatDoesNotDecode(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn, today.Options{})
		var bad []today.TaskID
		for _, payload := range []string{`{"text": 7}`, `{"text": "a", "color": "red"}`, `[]`, `"text"`} {
			row, err := db.Task.Create(t.Context(), today.TaskNew{JobType: "note", Payload: store.JSON(payload)})
			if err != nil {
				t.Fatal(err)
			}
			bad = append(bad, row.ID)
		}
		good := note(t, db, "fine")
		stop := work(t, db, hands{note: fine}, queue.Options{Concurrency: 1})
		is(t, ended(t, db, good), today.TaskStateDone, 1, "")
		for _, id := range bad {
			is(t, ended(t, db, id), today.TaskStateDead, 1, "decode payload")
		}
		mustStop(t, stop)
	})
}

func TestPayloadAboveTheLimit(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn, today.Options{})
		text := func(n int) today.Bulk { return today.Bulk{Data: store.JSON(`"` + strings.Repeat("x", n) + `"`)} }
		const most = 1 << 20
		around := len(`{"data":""}`)
		row, err := db.Task.EnqueueBulk(t.Context(), text(most-around))
		if err != nil {
			t.Fatalf("a payload of %d bytes: %v", most, err)
		}
		_, err = db.Task.EnqueueBulk(t.Context(), text(most-around+1))
		if !errors.Is(err, store.ErrInvalid) {
			t.Errorf("a payload of %d bytes returned %v, want store.ErrInvalid", most+1, err)
		}
		// All or none, and the reason names which.
		_, err = db.Task.EnqueueBulkMany(t.Context(), []today.Bulk{text(1), text(most)})
		if !errors.Is(err, store.ErrInvalid) {
			t.Errorf("one of two payloads is too large: %v, want store.ErrInvalid", err)
		}
		stop := work(t, db, hands{}, queue.Options{})
		is(t, ended(t, db, row.ID), today.TaskStateDone, 1, "")
		if n, err := db.Task.Count(t.Context(), today.TaskFilter{}, 0); n != 1 || err != nil {
			t.Errorf("%d rows, want the one that was taken (%v)", n, err)
		}
		mustStop(t, stop)
	})
}

func TestHandlerPanics(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn, today.Options{})
		h := hands{note: func(_ context.Context, j *today.NoteJob) error {
			switch {
			case j.Payload.Text == "always":
				_ = make([]int, 1)[j.Attempt]
			case j.Payload.Text == "once" && j.Attempt == 1:
				panic(errors.New("out of paper"))
			}
			return nil
		}}
		always, once := note(t, db, "always", attempts(2)), note(t, db, "once")
		soon := func(int, error) time.Duration { return time.Millisecond }
		stop := work(t, db, h, queue.Options{Concurrency: 1, Backoff: soon})
		row := ended(t, db, always)
		is(t, row, today.TaskStateDead, 2, "index out of range [2] with length 1")
		if !strings.Contains(row.Error.V, "handler_test.go") {
			t.Errorf("the error has no stack: %s", row.Error.V)
		}
		row = ended(t, db, once)
		is(t, row, today.TaskStateDone, 2, "out of paper")
		mustStop(t, stop)
	})
}

// A handler blocks for ever, whatever its context says. Its time is over, and it
// is given up; others go on, and its own end counts for nothing.
func TestHandlerBlocksForEver(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn, today.Options{})
		released := make(chan struct{})
		release := onlyOnce(released)
		t.Cleanup(release)
		ended1 := make(chan error, 1)
		h := hands{note: fine, slow: func(ctx context.Context, _ *today.SlowJob) error {
			<-released
			ended1 <- context.Cause(ctx)
			return nil
		}}
		blocked, err := db.Task.EnqueueSlow(t.Context(), today.Slow{Text: "for ever"}, attempts(1))
		if err != nil {
			t.Fatal(err)
		}
		log := newJournal()
		stop := work(t, db, h, queue.Options{Concurrency: 2, Grace: 100 * time.Millisecond, Logger: log.logger()})
		is(t, ended(t, db, blocked.ID), today.TaskStateDead, 1, queue.ErrTimeout.Error())
		log.says(t, "handler given up", idWord(blocked.ID))
		is(t, ended(t, db, note(t, db, "beside it")), today.TaskStateDone, 1, "")
		release()
		if cause := await(t, "the handler's end", ended1); cause != queue.ErrTimeout {
			t.Errorf("the handler's context ended with %v", cause)
		}
		log.says(t, "result refused", idWord(blocked.ID))
		is(t, get(t, db, blocked.ID), today.TaskStateDead, 1, queue.ErrTimeout.Error())
		mustStop(t, stop)
	})
}

// A handler does not look at its context when the worker stops. Run returns
// anyway, says so, and another worker takes the job when the lease is over. What
// the first one then returns is refused.
func TestHandlerIgnoresItsContext(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn, today.Options{})
		begun, released := make(chan struct{}), make(chan struct{})
		release := onlyOnce(released)
		t.Cleanup(release)
		id := note(t, db, "deaf")
		opts := queue.Options{Lease: longLease, StopTimeout: 50 * time.Millisecond, Grace: 50 * time.Millisecond}
		refused := make(chan error, 1)
		stop := work(t, db, hands{note: func(ctx context.Context, j *today.NoteJob) error {
			close(begun)
			<-released
			refused <- db.Tx(context.WithoutCancel(ctx), func(tx *today.Tx) error {
				if _, err := tx.Receipt.Create(context.WithoutCancel(ctx), today.ReceiptNew{Task: int64(id), By: "first"}); err != nil {
					return err
				}
				return j.CompleteTx(context.WithoutCancel(ctx), tx)
			})
			return nil
		}}, opts)
		await(t, "the handler's beginning", begun)
		if err := stop(); !errors.Is(err, queue.ErrLeft) {
			t.Errorf("Run returned %v, want queue.ErrLeft", err)
		}
		other := open(t, dsn, today.Options{})
		stop = work(t, other, hands{note: complete(other, "second")}, opts)
		is(t, ended(t, db, id), today.TaskStateDone, 2, "was lost")
		release()
		if err := await(t, "the first handler's end", refused); !errors.Is(err, queue.ErrLeaseLost) {
			t.Errorf("the first handler's CompleteTx returned %v, want queue.ErrLeaseLost", err)
		}
		receipts(t, db, id, "second")
		mustStop(t, stop)
	})
}

// A handler succeeds, and its lease was lost meanwhile: its result is refused,
// and the log says so.
func TestSuccessAfterTheLeaseWasLost(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db := open(t, dsn, today.Options{})
		begun, taken := make(chan struct{}, 2), make(chan struct{})
		id := note(t, db, "late")
		log := newJournal()
		h := hands{note: func(ctx context.Context, j *today.NoteJob) error {
			begun <- struct{}{}
			<-ctx.Done()
			if cause := context.Cause(ctx); cause != queue.ErrLeaseLost {
				t.Errorf("the context ended with %v", cause)
			}
			<-taken
			return j.Result("first")
		}}
		stop := work(t, db, h, queue.Options{Lease: longLease, Logger: log.logger()})
		await(t, "the handler's beginning", begun)
		// What another process does that has seen this one's lease unchanged for long.
		// (On a busy machine this one may have given the row back once.)
		epoch := get(t, db, id).QueueEpoch + 1
		storetest.SetColumns(t, db.Store(), "task", map[string]any{
			"state": "running", "queue_epoch": epoch, "queue_lease": time.Now().Add(time.Hour),
		}, id)
		log.says(t, "the lease was lost", idWord(id))
		close(taken)
		log.says(t, "result refused: the lease was lost", idWord(id))
		mustStop(t, stop)
		row := get(t, db, id)
		if row.State != today.TaskStateRunning || row.QueueEpoch != epoch || row.QueueResult.Valid {
			t.Errorf("the first worker changed the second's row: %s, epoch %d, result %s", row.State, row.QueueEpoch, row.QueueResult.V)
		}
	})
}

func onlyOnce(c chan struct{}) func() {
	done := false
	return func() {
		if !done {
			done = true
			close(c)
		}
	}
}

// complete is a handler that leaves a receipt in the transaction that completes
// its task.
func complete(db *today.DB, by string) func(context.Context, *today.NoteJob) error {
	return func(ctx context.Context, j *today.NoteJob) error {
		return db.Tx(ctx, func(tx *today.Tx) error {
			if _, err := tx.Receipt.Create(ctx, today.ReceiptNew{Task: int64(j.Row.ID), By: by}); err != nil {
				return err
			}
			return j.CompleteTx(ctx, tx)
		})
	}
}

// receipts compares whose receipts a task has.
func receipts(t *testing.T, db *today.DB, id today.TaskID, want ...string) {
	t.Helper()
	var got []string
	for row, err := range db.Receipt.All(t.Context(), today.ReceiptQuery{Where: today.ReceiptFields.Task.Eq(int64(id))}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row.By)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("task %d was completed by %q, want %q", id, got, want)
	}
}

// A handler's own transaction, in which it has completed its job, stays open for
// longer than a lease. Its row cannot be renewed meanwhile, and cannot be taken;
// the other jobs of its process are renewed as ever. (On SQLite a transaction
// that writes locks the whole file, heartbeats included: keep them short.)
func TestTransactionLongerThanALease(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			dsn := freshDSN(t, name)
			t.Parallel()
			const lease = longLease
			db, other := open(t, dsn, today.Options{}), open(t, dsn, today.Options{})
			begun, release := make(chan struct{}, 2), make(chan struct{})
			plain, tx := note(t, db, "plain"), note(t, db, "tx")
			log := newJournal()
			opts := queue.Options{Lease: lease, Concurrency: 2, Logger: log.logger()}
			stop := work(t, db, hands{note: func(ctx context.Context, j *today.NoteJob) error {
				if j.Payload.Text == "plain" {
					begun <- struct{}{}
					<-release
					return ctx.Err()
				}
				return db.Tx(ctx, func(tx *today.Tx) error {
					err := j.CompleteTx(ctx, tx)
					begun <- struct{}{}
					<-release
					return err
				})
			}}, opts)
			await(t, "a handler's beginning", begun)
			await(t, "a handler's beginning", begun)
			onlooker := work(t, other, hands{note: fine}, opts)
			locked := get(t, other, tx).QueueLease.V
			renewed(t, other, 6, plain)
			until(t, "the end of what was the locked row's lease, twice over", func() bool { return time.Since(locked) > lease })
			if now := get(t, other, tx).QueueLease.V; !now.Equal(locked) {
				t.Errorf("the lease of the locked row was renewed: it is %s, and was %s", now, locked)
			}
			close(release)
			for _, id := range []today.TaskID{plain, tx} {
				is(t, ended(t, db, id), today.TaskStateDone, 1, "")
			}
			mustStop(t, stop)
			mustStop(t, onlooker)
		})
	}
}
