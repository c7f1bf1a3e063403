package engine_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
)

type traveller struct{}

func TestMiddleware(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		var steps []string
		step := func(name string) queue.Middleware {
			return func(ctx context.Context, c *queue.Claim, next func(context.Context) error) error {
				if c.Kind() != "image_optimize" || c != queue.Current(ctx) {
					t.Errorf("middleware got the claim %v", c)
				}
				steps = append(steps, name+" in")
				err := next(context.WithValue(ctx, traveller{}, name))
				steps = append(steps, name+" out")
				return err
			}
		}
		id := enqueue(t, db, 1)
		drain(t, db, images(func(ctx context.Context, _ *generated.ImageOptimizeJob) error {
			steps = append(steps, "handler under "+ctx.Value(traveller{}).(string))
			return nil
		}), queue.Options{Middleware: []queue.Middleware{step("a"), step("b")}})
		if want := []string{"a in", "b in", "handler under b", "b out", "a out"}; !slices.Equal(steps, want) {
			t.Errorf("steps %v, want %v", steps, want)
		}
		if row := get(t, db, id); row.Status != generated.JobQueueStatusCompleted {
			t.Errorf("the row is %s: %q", row.Status, row.Error.V)
		}
	})
}

// The outermost middleware has the last word on what becomes of a job.
func TestMiddlewareDecides(t *testing.T) {
	no := errors.New("no")
	tests := []struct {
		name    string
		around  queue.Middleware
		handler error
		status  generated.JobQueueStatus
		text    string
	}{
		{"replaces the error", func(ctx context.Context, _ *queue.Claim, next func(context.Context) error) error {
			return queue.Discard(next(ctx))
		}, no, generated.JobQueueStatusFailed, "no"},
		{"drops it", func(ctx context.Context, _ *queue.Claim, next func(context.Context) error) error {
			_ = next(ctx)
			return nil
		}, no, generated.JobQueueStatusCompleted, ""},
		{"does not call the handler", func(context.Context, *queue.Claim, func(context.Context) error) error {
			return queue.Cancel(errors.New("not today"))
		}, nil, generated.JobQueueStatusCancelled, "not today"},
		{"panics", func(context.Context, *queue.Claim, func(context.Context) error) error {
			panic("out of tea")
		}, nil, generated.JobQueueStatusPending, "queue: middleware panicked: out of tea\n"},
	}
	each(t, func(t *testing.T, db *generated.DB) {
		for _, test := range tests {
			id := enqueue(t, db, 1)
			drain(t, db, fails(test.handler), queue.Options{
				Middleware: []queue.Middleware{test.around}, Backoff: queue.Delays(time.Hour),
			})
			if row := get(t, db, id); row.Status != test.status || !strings.HasPrefix(row.Error.V, test.text) {
				t.Errorf("%s: the row is %s: %q", test.name, row.Status, row.Error.V)
			}
		}
	})
}

// A panic of a handler reaches middleware as an error.
func TestMiddlewareSeesPanics(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		enqueue(t, db, 1)
		var seen error
		drain(t, db, images(func(context.Context, *generated.ImageOptimizeJob) error { panic("no tea") }), queue.Options{
			Backoff: queue.Delays(time.Hour),
			Middleware: []queue.Middleware{func(ctx context.Context, _ *queue.Claim, next func(context.Context) error) error {
				seen = next(ctx)
				return seen
			}},
		})
		if seen == nil || !strings.Contains(seen.Error(), "no tea") {
			t.Errorf("middleware saw %v", seen)
		}
	})
}

// Failures are logged with what identifies the job, and never with its payload.
func TestLog(t *testing.T) {
	const secret = "/home/ann/salaries.csv"
	each(t, func(t *testing.T, db *generated.DB) {
		_, err := db.JobQueue.EnqueueImportDataMany(t.Context(), []generated.ImportData{{CSVPath: secret + "?1"}, {CSVPath: secret + "?2"}, {CSVPath: secret + "?3"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.JobQueue.Create(t.Context(), generated.JobQueueNew{JobType: "image_optimize", Payload: []byte(`{"media_id":"` + secret + `"}`)}); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		runs := 0
		drain(t, db, handlers{data: func(context.Context, *generated.ImportDataJob) error {
			runs++
			switch runs {
			case 1:
				return errors.New("disk full")
			case 2:
				return queue.Discard(errors.New("disk gone"))
			}
			return nil
		}}, queue.Options{
			Backoff: queue.Delays(time.Hour),
			Logger:  slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		for _, want := range []string{
			`level=WARN msg="job failed" queue=job_queue id=1 attempt=1 kind=import_data error="disk full" again_in=1h0m0s`,
			`level=ERROR msg="job is dead" queue=job_queue id=2 attempt=1 kind=import_data error="discarded: disk gone"`,
			`level=ERROR msg="job is dead" queue=job_queue id=4 attempt=1 kind=image_optimize error="discarded: queue: decode payload:`,
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the log lacks\n%s\nit is\n%s", want, &out)
			}
		}
		if lines := strings.Count(out.String(), "\n"); lines != 3 {
			t.Errorf("%d lines in the log, want 3: what goes well is not logged", lines)
		}
		if strings.Contains(out.String(), secret) {
			t.Errorf("a payload is in the log:\n%s", &out)
		}
	})
}
