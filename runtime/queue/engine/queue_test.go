package engine_test

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/engine"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// handlers run what a test says.
type handlers struct {
	image func(context.Context, *generated.ImageOptimizeJob) error
	data  func(context.Context, *generated.ImportDataJob) error
}

func (h handlers) ImageOptimize(ctx context.Context, j *generated.ImageOptimizeJob) error {
	return h.image(ctx, j)
}

func (h handlers) ImportData(ctx context.Context, j *generated.ImportDataJob) error {
	return h.data(ctx, j)
}

func fails(with error) handlers {
	return handlers{image: func(context.Context, *generated.ImageOptimizeJob) error { return with }}
}

// onEach runs a test on every database.
func onEach(t *testing.T, test func(t *testing.T, db *generated.DB)) {
	for _, name := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "queue.db")
			if name != "sqlite" {
				dsn = storetest.FreshDSN(t, name)
			}
			db, err := generated.Open(t.Context(), dsn, generated.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			test(t, db)
		})
	}
}

func enqueue(t *testing.T, db *generated.DB, media int64, opts ...func(*generated.JobQueueNew)) generated.JobQueueID {
	t.Helper()
	job, err := db.JobQueue.EnqueueImageOptimize(t.Context(), generated.ImageOptimize{MediaID: media}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return job.ID
}

func drain(t *testing.T, db *generated.DB, h handlers, opts queue.Options) {
	t.Helper()
	if err := db.Drain(t.Context(), generated.Workers{JobQueue: h, JobQueueOptions: opts}); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, db *generated.DB, id generated.JobQueueID) *generated.JobQueue {
	t.Helper()
	row, err := db.JobQueue.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func attempts(n int64) func(*generated.JobQueueNew) {
	return func(r *generated.JobQueueNew) { r.MaxAttempts = store.Int(n) }
}

func TestTypedHandlers(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 42)
		if _, err := db.JobQueue.EnqueueImportData(t.Context(), generated.ImportData{CSVPath: "a.csv"}); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var media int64
		var path string
		drain(t, db, handlers{
			image: func(_ context.Context, j *generated.ImageOptimizeJob) error {
				mu.Lock()
				defer mu.Unlock()
				media = j.Payload.MediaID
				if j.Attempt != 1 || j.Row.ID != id {
					t.Errorf("attempt %d of row %d, want 1 of %d", j.Attempt, j.Row.ID, id)
				}
				return nil
			},
			data: func(_ context.Context, j *generated.ImportDataJob) error {
				mu.Lock()
				defer mu.Unlock()
				path = j.Payload.CSVPath
				return nil
			},
		}, queue.Options{})
		if media != 42 || path != "a.csv" {
			t.Errorf("payloads %d and %q, want 42 and a.csv", media, path)
		}
		row := get(t, db, id)
		if row.Status != generated.JobQueueStatusCompleted || row.Attempts != 1 || !row.StartedAt.Valid || !row.CompletedAt.Valid {
			t.Errorf("after its run the row is %+v", row)
		}
	})
}

func TestOrderAndDueTime(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		low := enqueue(t, db, 1)
		high := enqueue(t, db, 2, func(n *generated.JobQueueNew) { n.Priority = store.Int(10) })
		later := enqueue(t, db, 3, func(n *generated.JobQueueNew) { n.ScheduledAt = store.Set(time.Now().Add(time.Hour)) })
		var order []generated.JobQueueID
		drain(t, db, handlers{image: func(_ context.Context, j *generated.ImageOptimizeJob) error {
			order = append(order, j.Row.ID)
			return nil
		}}, queue.Options{Concurrency: 1})
		if len(order) != 2 || order[0] != high || order[1] != low {
			t.Errorf("ran %v, want %v: the third, %d, is not due", order, []generated.JobQueueID{high, low}, later)
		}
	})
}

func TestFailures(t *testing.T) {
	tests := []struct {
		name   string
		h      handlers
		opts   []func(*generated.JobQueueNew)
		status generated.JobQueueStatus
		error  string
	}{
		{"is tried again", fails(errors.New("no disk")), nil, generated.JobQueueStatusPending, "no disk"},
		{"is dead after its last attempt", fails(errors.New("no disk")), []func(*generated.JobQueueNew){attempts(1)}, generated.JobQueueStatusFailed, "no disk"},
		{"is dead at once when discarded", fails(queue.Discard(errors.New("no such image"))), nil, generated.JobQueueStatusFailed, "no such image"},
		{
			"a panic is an error with its stack",
			handlers{image: func(context.Context, *generated.ImageOptimizeJob) error { panic("out of range") }},
			nil, generated.JobQueueStatusPending, "queue_test.go",
		},
		{"text that no database takes", fails(errors.New("a\x00b\xff")), nil, generated.JobQueueStatusPending, "a\uFFFDb\uFFFD"},
		{"a very long error", fails(errors.New(strings.Repeat("é", 5000))), nil, generated.JobQueueStatusPending, "ééé"},
	}
	onEach(t, func(t *testing.T, db *generated.DB) {
		for _, test := range tests {
			id := enqueue(t, db, 1, test.opts...)
			drain(t, db, test.h, queue.Options{Backoff: queue.Delays(time.Hour)})
			row := get(t, db, id)
			if row.Status != test.status || !strings.Contains(row.Error.V, test.error) {
				t.Errorf("%s: status %s, error %q, want %s with %q", test.name, row.Status, row.Error.V, test.status, test.error)
			}
			if n := utf8.RuneCountInString(row.Error.V); n > 4000 {
				t.Errorf("%s: %d characters of error were kept", test.name, n)
			}
			if test.status == generated.JobQueueStatusPending {
				if wait := time.Until(row.ScheduledAt.V); wait < 50*time.Minute || wait > 61*time.Minute {
					t.Errorf("%s: waits %s, want an hour", test.name, wait)
				}
			}
		}
	})
}

// A handler that ends its goroutine, as a test's FailNow does, fails its job and
// no more: the next one runs.
func TestHandlerEndsItsGoroutine(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		first, second := enqueue(t, db, 1), enqueue(t, db, 2)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- db.Run(ctx, generated.Workers{JobQueueOptions: queue.Options{Concurrency: 1}, JobQueue: handlers{
				image: func(_ context.Context, j *generated.ImageOptimizeJob) error {
					if j.Row.ID == first {
						runtime.Goexit()
					}
					return nil
				},
			}})
		}()
		if _, err := db.JobQueue.Await(t.Context(), second); err != nil {
			t.Error(err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if row := get(t, db, first); row.Status != generated.JobQueueStatusPending || !strings.Contains(row.Error.V, "Goexit") {
			t.Errorf("status %s, error %q", row.Status, row.Error.V)
		}
	})
}

func TestRetriesUntilItWorks(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		var seen []int
		drain(t, db, handlers{image: func(_ context.Context, j *generated.ImageOptimizeJob) error {
			seen = append(seen, j.Attempt)
			if j.Attempt < 3 {
				return errors.New("not yet")
			}
			return nil
		}}, queue.Options{Concurrency: 1, Backoff: queue.Delays()})
		if row := get(t, db, id); row.Status != generated.JobQueueStatusCompleted || len(seen) != 3 {
			t.Errorf("attempts %v, status %s", seen, row.Status)
		}
	})
}

func TestRowsThatCannotRun(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		for _, test := range []struct {
			kind, payload, want string
			status              generated.JobQueueStatus
			attempts            int64
		}{
			{"make_coffee", `{}`, `no handler for kind "make_coffee"`, generated.JobQueueStatusPending, 0},
			{"image_optimize", `{"media_id": "seven"}`, "decode payload", generated.JobQueueStatusFailed, 1},
			{"image_optimize", `{"media_id": 1, "colour": "red"}`, `unknown field "colour"`, generated.JobQueueStatusFailed, 1},
		} {
			row, err := db.JobQueue.Create(t.Context(), generated.JobQueueNew{JobType: test.kind, Payload: store.JSON(test.payload)})
			if err != nil {
				t.Fatal(err)
			}
			drain(t, db, handlers{}, queue.Options{})
			got := get(t, db, row.ID)
			if got.Status != test.status || got.Attempts != test.attempts || !strings.Contains(got.Error.V, test.want) {
				t.Errorf("%s %s: status %s, attempts %d, error %q", test.kind, test.payload, got.Status, got.Attempts, got.Error.V)
			}
		}
	})
}

func TestPayloadBreaksItsRules(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		_, err := db.JobQueue.EnqueueImportData(t.Context(), generated.ImportData{})
		if !errors.Is(err, store.ErrInvalid) {
			t.Errorf("an empty path gives %v, want store.ErrInvalid", err)
		}
	})
}

func TestRolledBackNeverRuns(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		stop := errors.New("no")
		err := db.Tx(t.Context(), func(tx *generated.Tx) error {
			if _, err := tx.JobQueue.EnqueueImageOptimize(t.Context(), generated.ImageOptimize{MediaID: 1}); err != nil {
				return err
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		drain(t, db, handlers{image: func(context.Context, *generated.ImageOptimizeJob) error {
			t.Error("a job that was rolled back ran")
			return nil
		}}, queue.Options{})
	})
}

func TestNoRowRunsTwiceAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		const jobs = 120
		for i := range jobs {
			enqueue(t, db, int64(i+1))
		}
		var mu sync.Mutex
		runs := map[generated.JobQueueID]int{}
		h := handlers{image: func(_ context.Context, j *generated.ImageOptimizeJob) error {
			mu.Lock()
			defer mu.Unlock()
			runs[j.Row.ID]++
			return nil
		}}
		var workers sync.WaitGroup
		for range 3 {
			workers.Go(func() {
				if err := db.Drain(t.Context(), generated.Workers{JobQueue: h, JobQueueOptions: queue.Options{Concurrency: 4}}); err != nil {
					t.Error(err)
				}
			})
		}
		workers.Wait()
		if len(runs) != jobs {
			t.Errorf("%d of %d jobs ran", len(runs), jobs)
		}
		for id, n := range runs {
			if n != 1 {
				t.Errorf("job %d ran %d times", id, n)
			}
		}
	})
}

// A worker loses its lease while its handler runs: another one runs the row,
// and the first one's result is refused.
func TestLostLease(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		started, taken := make(chan struct{}), make(chan struct{})
		first := handlers{image: func(ctx context.Context, _ *generated.ImageOptimizeJob) error {
			close(started)
			<-ctx.Done()
			if !errors.Is(context.Cause(ctx), queue.ErrLeaseLost) {
				t.Errorf("the handler's context ended with %v", context.Cause(ctx))
			}
			<-taken
			return errors.New("the first worker's result")
		}}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- db.Run(ctx, generated.Workers{JobQueue: first, JobQueueOptions: queue.Options{Concurrency: 1, Lease: 3 * time.Second}})
		}()
		<-started
		// What rescue does to a lease that has expired, in one step: a heartbeat
		// between setting the lease back and sweeping would renew it.
		storetest.SetColumns(t, db.Store(), "job_queue", map[string]any{"status": "pending", "queue_epoch": int64(2), "queue_lease": nil}, id)
		drain(t, db, handlers{image: func(_ context.Context, j *generated.ImageOptimizeJob) error {
			if j.Attempt != 2 {
				t.Errorf("the second worker's attempt is %d, want 2", j.Attempt)
			}
			return nil
		}}, queue.Options{})
		close(taken)
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if row := get(t, db, id); row.Status != generated.JobQueueStatusCompleted {
			t.Errorf("status %s, error %q: the first worker overwrote the second's result", row.Status, row.Error.V)
		}
	})
}

func TestSweepBuriesWhatUsedItsAttempts(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1, attempts(1))
		storetest.SetColumns(t, db.Store(), "job_queue", map[string]any{
			"status": "processing", "attempts": int64(1), "queue_lease": time.Now().Add(-time.Hour),
		}, id)
		drain(t, db, handlers{}, queue.Options{})
		if row := get(t, db, id); row.Status != generated.JobQueueStatusFailed || !strings.Contains(row.Error.V, "lost") {
			t.Errorf("status %s, error %q", row.Status, row.Error.V)
		}
	})
}

func TestStop(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		polite, stubborn := enqueue(t, db, 1), enqueue(t, db, 2, attempts(1))
		both := make(chan struct{}, 2)
		ctx, stop := context.WithCancel(t.Context())
		release := make(chan struct{})
		h := handlers{image: func(ctx context.Context, j *generated.ImageOptimizeJob) error {
			both <- struct{}{}
			if j.Payload.MediaID == 1 {
				<-release // finishes by itself, after the stop
				return ctx.Err()
			}
			<-ctx.Done() // ends only when it is cancelled
			return context.Cause(ctx)
		}}
		done := make(chan error)
		go func() {
			done <- db.Run(ctx, generated.Workers{JobQueue: h, JobQueueOptions: queue.Options{Concurrency: 2, StopTimeout: time.Second}})
		}()
		<-both
		<-both
		stop()
		close(release)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if row := get(t, db, polite); row.Status != generated.JobQueueStatusCompleted {
			t.Errorf("the handler that finished in time left its row %s: %q", row.Status, row.Error.V)
		}
		// Interrupted is not tried: its one attempt is still there.
		if row := get(t, db, stubborn); row.Status != generated.JobQueueStatusPending || row.Attempts != 0 || row.ScheduledAt.Valid {
			t.Errorf("the handler that was cancelled left its row %s, attempts %d, due %s", row.Status, row.Attempts, row.ScheduledAt.V)
		}
	})
}

func TestNothingToRun(t *testing.T) {
	if err := engine.Run(t.Context()); !errors.Is(err, queue.ErrNoHandler) {
		t.Errorf("got %v", err)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	onEach(t, func(t *testing.T, db *generated.DB) {
		for _, opts := range []queue.Options{{Concurrency: -1}, {Concurrency: 10_001}, {Lease: -1}, {Lease: 1}, {Poll: -1}, {StopTimeout: -1}} {
			if err := db.Drain(t.Context(), generated.Workers{JobQueue: handlers{}, JobQueueOptions: opts}); err == nil {
				t.Errorf("%+v was taken", opts)
			}
		}
	})
}

func TestSquaredMinutes(t *testing.T) {
	for n, want := range map[int]time.Duration{1: time.Minute, 2: 4 * time.Minute, 3: 9 * time.Minute, 37: 1369 * time.Minute, 38: 24 * time.Hour, 1 << 40: 24 * time.Hour} {
		if got := queue.SquaredMinutes(n, nil); got != want {
			t.Errorf("after attempt %d it waits %s, want %s", n, got, want)
		}
	}
}
