package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/engine"
	"github.com/hegner123/modulagen/runtime/store"
)

// Ends of all forms, mixed, are written in batches, each to its own row.
func TestManyEnds(t *testing.T) {
	const jobs = 2000
	each(t, func(t *testing.T, db *generated.DB) {
		payloads := make([]generated.ImageOptimize, jobs)
		for i := range payloads {
			payloads[i].MediaID = int64(i)
		}
		ids, err := db.JobQueue.EnqueueImageOptimizeMany(t.Context(), payloads)
		if err != nil {
			t.Fatal(err)
		}
		var runs atomic.Int64
		all := make(chan struct{})
		stop := work(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			if runs.Add(1) == jobs {
				close(all)
			}
			why := fmt.Errorf("job %d", j.Payload.MediaID)
			switch j.Payload.MediaID % 7 {
			case 1:
				return why
			case 2:
				return queue.Discard(why)
			case 3:
				return queue.Cancel(why)
			case 4:
				return j.Result(j.Payload.MediaID)
			case 5:
				return queue.Snooze(time.Hour)
			case 6:
				j.Progress(0.5, why.Error())
			}
			return nil
		}), queue.Options{Concurrency: 16, Backoff: queue.Delays(time.Hour)})
		receive(t, all, "all runs")
		stop()
		if n := runs.Load(); n != jobs {
			t.Errorf("%d runs of %d jobs", n, jobs)
		}
		for row, err := range db.JobQueue.All(t.Context(), generated.JobQueueQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			checkEnd(t, row, ids)
		}
	})
}

func checkEnd(t *testing.T, row *generated.JobQueue, ids []generated.JobQueueID) {
	t.Helper()
	var p generated.ImageOptimize
	if err := json.Unmarshal(row.Payload, &p); err != nil {
		t.Fatal(err)
	}
	if ids[p.MediaID] != row.ID {
		t.Errorf("payload %d is in row %d, want %d", p.MediaID, row.ID, ids[p.MediaID])
	}
	status, attempts, text := generated.JobQueueStatusCompleted, int64(1), ""
	switch p.MediaID % 7 {
	case 1:
		status, text = generated.JobQueueStatusPending, fmt.Sprintf("job %d", p.MediaID)
	case 2:
		status, text = generated.JobQueueStatusFailed, fmt.Sprintf("job %d", p.MediaID)
	case 3:
		status, text = generated.JobQueueStatusCancelled, fmt.Sprintf("job %d", p.MediaID)
	case 4:
		if got := string(row.QueueResult.V); got != fmt.Sprint(p.MediaID) {
			t.Errorf("job %d has the result %q", p.MediaID, got)
		}
	case 5:
		status, attempts = generated.JobQueueStatusPending, 0
	case 6:
		if got := row.QueueNote.V; got != fmt.Sprintf("job %d", p.MediaID) {
			t.Errorf("job %d has the note %q", p.MediaID, got)
		}
	}
	if row.Status != status || row.Attempts != attempts || row.Error.V != text || row.QueueLease.Valid {
		t.Errorf("job %d is %s after %d attempts with %q, lease %v; want %s, %d, %q and none",
			p.MediaID, row.Status, row.Attempts, row.Error.V, row.QueueLease, status, attempts, text)
	}
	if ended := status != generated.JobQueueStatusPending; row.CompletedAt.Valid != ended || (row.QueueHold == engine.HoldTime) == ended {
		t.Errorf("job %d is %s, ended at %v, hold %q", p.MediaID, status, row.CompletedAt, row.QueueHold)
	}
}

func failures(t *testing.T, row *generated.JobQueue) []queue.Failure {
	t.Helper()
	var list []queue.Failure
	if row.QueueErrors.Valid {
		if err := json.Unmarshal(row.QueueErrors.V, &list); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func TestHistoryKeepsTheLastFailures(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		before := time.Now().Add(-time.Second)
		id := enqueue(t, db, 1, attempts(8))
		drain(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			return fmt.Errorf("try %d \x00", j.Attempt)
		}), queue.Options{Backoff: queue.Delays()})
		row := get(t, db, id)
		list := failures(t, row)
		if row.Status != generated.JobQueueStatusFailed || len(list) != 5 {
			t.Fatalf("%s with the failures %v, want failed with the last 5", row.Status, list)
		}
		for i, f := range list {
			n := int64(i + 4)
			if f.Attempt != n || f.Error != fmt.Sprintf("try %d \uFFFD", n) || f.At.Before(before) || f.At.After(time.Now()) {
				t.Errorf("entry %d is %+v, want attempt %d", i, f, n)
			}
		}
	})
}

func TestHandlersSayWhatBecomesOfTheJob(t *testing.T) {
	no := errors.New("no")
	tests := []struct {
		name     string
		err      error
		status   generated.JobQueueStatus
		attempts int64
		wait     time.Duration
		text     string
		failures int
	}{
		{"snooze burns no attempt", queue.Snooze(2 * time.Hour), generated.JobQueueStatusPending, 0, 2 * time.Hour, "", 0},
		{"retry after", queue.RetryAfter(3*time.Hour, no), generated.JobQueueStatusPending, 1, 3 * time.Hour, "no", 1},
		{"retry after, wrapped", fmt.Errorf("disk: %w", queue.RetryAfter(3*time.Hour, no)), generated.JobQueueStatusPending, 1, 3 * time.Hour, "disk: no", 1},
		{"discard", queue.Discard(no), generated.JobQueueStatusFailed, 1, 0, "no", 1},
		{"discard, wrapped", fmt.Errorf("disk: %w", queue.Discard(no)), generated.JobQueueStatusFailed, 1, 0, "disk: discarded: no", 1},
		{"cancel", queue.Cancel(no), generated.JobQueueStatusCancelled, 1, 0, "no", 1},
		{"discard of nothing", queue.Discard(nil), generated.JobQueueStatusCompleted, 1, 0, "", 0},
		{"cancel of nothing", queue.Cancel(nil), generated.JobQueueStatusCompleted, 1, 0, "", 0},
		{"retry after nothing", queue.RetryAfter(time.Hour, nil), generated.JobQueueStatusCompleted, 1, 0, "", 0},
	}
	each(t, func(t *testing.T, db *generated.DB) {
		for _, test := range tests {
			id := enqueue(t, db, 1)
			drain(t, db, fails(test.err), queue.Options{})
			row := get(t, db, id)
			if row.Status != test.status || row.Attempts != test.attempts || row.Error.V != test.text || len(failures(t, row)) != test.failures {
				t.Errorf("%s: %s after %d attempts, error %q, failures %s", test.name, row.Status, row.Attempts, row.Error.V, row.QueueErrors.V)
			}
			wait := time.Until(row.ScheduledAt.V)
			if test.wait > 0 && (wait < test.wait-time.Minute || wait > test.wait+time.Second) {
				t.Errorf("%s: waits %s, want %s", test.name, wait, test.wait)
			}
		}
	})
}

// A snooze on the last attempt does not dead-letter the job, however often; RetryAfter
// does, being a failure.
func TestLastAttempt(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1, attempts(1))
		runs := 0
		drain(t, db, images(func(context.Context, *generated.ImageOptimizeJob) error {
			if runs++; runs < 4 {
				return queue.Snooze(0)
			}
			return queue.RetryAfter(0, errors.New("no"))
		}), queue.Options{})
		if row := get(t, db, id); runs != 4 || row.Status != generated.JobQueueStatusFailed || row.Attempts != 1 {
			t.Errorf("after %d runs the row is %s, attempts %d", runs, row.Status, row.Attempts)
		}
	})
}

// What a snoozed job has reported before it was put off stays on its row.
func TestSnoozeKeepsProgress(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		drain(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			j.Progress(0.25, "a quarter")
			return queue.Snooze(time.Hour)
		}), queue.Options{})
		if row := get(t, db, id); row.QueueNote != store.Some("a quarter") {
			t.Errorf("the note is %+v", row.QueueNote)
		}
	})
}
