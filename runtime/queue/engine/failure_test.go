package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/otelqueue"
)

// apiError is the usual mistake: a function that returns a nil *apiError as an error.
type apiError struct{ text string }

func (e *apiError) Error() string { return e.text }

// hostile is an error whose methods panic as a test says.
type hostile struct{ text, is, as, unwrap func() }

func call(f func()) {
	if f != nil {
		f()
	}
}

func (h *hostile) Error() string { call(h.text); return "hostile" }
func (h *hostile) Is(error) bool { call(h.is); return false }
func (h *hostile) As(any) bool   { call(h.as); return false }
func (h *hostile) Unwrap() error { call(h.unwrap); return nil }

func boom() { panic("boom") }

// later panics from the second call on, as a method does whose error refers to
// what the handler has taken back.
func later() func() {
	var mu sync.Mutex
	called := false
	return func() {
		mu.Lock()
		defer mu.Unlock()
		if called {
			panic("too late")
		}
		called = true
	}
}

var errFine = errors.New("fine")

// hostiles are results of handlers, and what is to become of their jobs.
var hostiles = []struct {
	name   string
	result func() error
	status generated.JobQueueStatus
	text   string // of the error, a part
}{
	{"a nil pointer", func() error { return (*apiError)(nil) }, "pending", "*engine_test.apiError whose Error method panicked: runtime error: invalid memory address"},
	{"Error panics", func() error { return &hostile{text: boom} }, "pending", "panicked: boom"},
	{"Error panics later", func() error { return &hostile{text: later()} }, "pending", "hostile"},
	{"Error panics with such an error", func() error { return &hostile{text: func() { panic(&hostile{text: boom}) }} }, "pending", "whose Error method panicked"},
	{"Is panics", func() error { return &hostile{is: boom} }, "pending", "hostile"},
	{"Is panics later", func() error { return &hostile{is: later()} }, "pending", "hostile"},
	{"As panics", func() error { return &hostile{as: boom} }, "pending", "hostile"},
	{"Unwrap panics", func() error { return &hostile{unwrap: boom} }, "pending", "hostile"},
	{"RetryAfter of a nil pointer", func() error { return queue.RetryAfter(time.Hour, (*apiError)(nil)) }, "pending", "Error method panicked"},
	{"Discard of a nil pointer", func() error { return queue.Discard((*apiError)(nil)) }, "failed", "<nil>"},
	{"Discard of one whose Is panics", func() error { return queue.Discard(&hostile{is: boom}) }, "failed", "hostile"},
	{"Cancel of one whose As panics", func() error { return queue.Cancel(&hostile{as: boom}) }, "cancelled", "hostile"},
	{"joined", func() error { return errors.Join(&hostile{is: boom, as: boom}, errFine) }, "pending", "hostile"},
	{"a panic with a nil pointer", func() error { panic((*apiError)(nil)) }, "pending", "handler panicked: <nil>"},
	{"a panic with one that panics with one", func() error { panic(&hostile{text: func() { panic(&hostile{text: boom}) }}) }, "pending", "handler panicked"},
}

// A handler's error is the program's: whatever its methods do, the process goes on,
// and the job is settled as far as it can be understood.
func TestErrorsThatPanic(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		readEvents(t, db)
		ids := enqueueHostiles(t, db)
		tracer := &spans{}
		work(t, db, hostileHandlers(), hostileOptions(tracer))
		innocent := enqueue(t, db, int64(len(hostiles)))
		await(t, db, innocent, generated.JobQueueStatusCompleted)
		for i, id := range ids {
			eventually(t, hostiles[i].name+" to be settled", func() bool {
				row := get(t, db, id)
				return row.Error.Valid && row.Status != generated.JobQueueStatusProcessing
			})
		}
		checkHostiles(t, db, ids)
	})
}

// Drain treats them alike.
func TestErrorsThatPanicUnderDrain(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		ids := enqueueHostiles(t, db)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel((*apiError)(nil))
		if err := db.Drain(ctx, generated.Workers{JobQueue: hostileHandlers(), JobQueueOptions: hostileOptions(&spans{})}); err != nil {
			t.Fatal(err)
		}
		checkHostiles(t, db, ids)
	})
}

func enqueueHostiles(t *testing.T, db *generated.DB) []generated.JobQueueID {
	ids := make([]generated.JobQueueID, len(hostiles))
	for i := range hostiles {
		ids[i] = enqueue(t, db, int64(i))
	}
	return ids
}

func hostileHandlers() handlers {
	return images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
		if j.Payload.MediaID == int64(len(hostiles)) {
			return nil
		}
		return hostiles[j.Payload.MediaID].result()
	})
}

// hostileOptions do with an error what programs do with it, without a recover.
func hostileOptions(tracer *spans) queue.Options {
	return queue.Options{
		Logger:    slog.New(plainHandler{slog.DiscardHandler}),
		Telemetry: otelqueue.New(otelqueue.Options{TracerProvider: tracer}),
		Backoff: func(_ int, err error) time.Duration {
			_ = errors.Is(err, errFine)
			return time.Hour
		},
		Middleware: []queue.Middleware{func(ctx context.Context, _ *queue.Claim, next func(context.Context) error) error {
			err := next(ctx)
			if errors.Is(err, errFine) && err.Error() == "" {
				return nil
			}
			return err
		}},
	}
}

// plainHandler is a log that asks an error for its text itself.
type plainHandler struct{ slog.Handler }

func (h plainHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h plainHandler) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h plainHandler) WithGroup(string) slog.Handler            { return h }

func (h plainHandler) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			_ = err.Error()
			_ = errors.Is(err, errFine)
		}
		return true
	})
	return nil
}

// readEvents reads events as a program does that looks at their errors.
func readEvents(t *testing.T, db *generated.DB) {
	ctx, cancel := context.WithCancel(t.Context())
	events := db.JobQueue.Events(ctx)
	var ended sync.WaitGroup
	ended.Go(func() {
		for ev := range events {
			if ev.Err != nil {
				_ = ev.Err.Error()
				_ = errors.Is(ev.Err, errFine)
				_, _ = errors.AsType[*apiError](ev.Err)
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		ended.Wait()
	})
}

func checkHostiles(t *testing.T, db *generated.DB, ids []generated.JobQueueID) {
	t.Helper()
	for i, id := range ids {
		want, row := hostiles[i], get(t, db, id)
		if row.Status != want.status || !strings.Contains(row.Error.V, want.text) || row.Attempts != 1 {
			t.Errorf("%s: the row is %s after %d attempts with %q, want %s after one with %q", want.name, row.Status, row.Attempts, row.Error.V, want.status, want.text)
		}
		if want.status == "pending" && !row.ScheduledAt.Valid {
			t.Errorf("%s: the row does not wait for its next attempt", want.name)
		}
	}
}

// What is sound arrives as it is where programs compare it.
func TestErrorsArriveAsTheyAre(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		var under, after error
		tracer := &spans{}
		enqueue(t, db, 1)
		drain(t, db, fails(errFine), queue.Options{
			Telemetry: otelqueue.New(otelqueue.Options{TracerProvider: tracer}),
			Backoff:   func(_ int, err error) time.Duration { after = err; return time.Hour },
			Middleware: []queue.Middleware{func(ctx context.Context, _ *queue.Claim, next func(context.Context) error) error {
				under = next(ctx)
				return under
			}},
		})
		if under != errFine || after != errFine {
			t.Errorf("middleware got %#v and the backoff %#v, want the handler's own", under, after)
		}
		if recorded := tracer.list[0].err; recorded != errFine {
			t.Errorf("the span got %#v, want the handler's own", recorded)
		}
	})
}
