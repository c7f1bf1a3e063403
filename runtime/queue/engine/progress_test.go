package engine_test

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
)

// The row shows progress while its handler runs, and the latest at the end.
func TestProgress(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		release := make(chan struct{})
		work(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			for i := range 100 { // of these, the last is written
				j.Progress(float64(i)/100, "not yet")
			}
			j.Progress(0.5, "half\x00way")
			<-release
			j.Progress(1.5, strings.Repeat("é", 300))
			return nil
		}), queue.Options{Lease: 3 * time.Second})
		eventually(t, "the progress of a running job", func() bool {
			row := get(t, db, id)
			if row.QueueNote.Valid && row.QueueNote.V != "half\uFFFDway" {
				t.Fatalf("the note is %q: an earlier one was written", row.QueueNote.V)
			}
			return row.QueueProgress.V.String() == "0.5" && row.Status == generated.JobQueueStatusProcessing
		})
		close(release)
		row := await(t, db, id, generated.JobQueueStatusCompleted)
		if row.QueueProgress.V.String() != "1" || row.QueueNote.V != strings.Repeat("é", 255) {
			t.Errorf("at the end it says %s, %q", row.QueueProgress.V, row.QueueNote.V)
		}
	})
}

func TestProgressIsClamped(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		for fraction, want := range map[float64]string{-1: "0", 2: "1", math.Inf(1): "1", math.Inf(-1): "0", 0.12345: "0.1235"} {
			id := enqueue(t, db, 1)
			drain(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
				j.Progress(math.NaN(), "")
				j.Progress(fraction, "")
				return nil
			}), queue.Options{})
			if got := get(t, db, id).QueueProgress.V.String(); got != want {
				t.Errorf("progress %v is kept as %s, want %s", fraction, got, want)
			}
		}
	})
}

func TestResult(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		most := strings.Repeat("x", 1<<20-2) // and two quotes
		drain(t, db, images(func(_ context.Context, j *generated.ImageOptimizeJob) error {
			for name, v := range map[string]any{
				"too long": most + "x", "a function": func() {}, "NUL": "a\x00",
				"a lone surrogate": json.RawMessage(`"\ud800"`), "not JSON": json.RawMessage(`{`),
			} {
				if err := j.Result(v); err == nil || !strings.HasPrefix(err.Error(), "queue: result: ") {
					t.Errorf("%s: %v", name, err)
				}
			}
			if err := j.Result("replaced"); err != nil {
				t.Error(err)
			}
			return j.Result(most)
		}), queue.Options{})
		row := get(t, db, id)
		var got string
		if err := json.Unmarshal(row.QueueResult.V, &got); err != nil || got != most {
			t.Errorf("%d bytes of the result came back, %v; the row is %s: %q", len(got), err, row.Status, row.Error.V)
		}
	})
}

// A handler that a test calls by itself has no claim: what it says goes nowhere.
func TestJobWithoutAWorker(t *testing.T) {
	j := &generated.ImageOptimizeJob{}
	j.Progress(1, "done")
	if err := j.Result(1); err != nil {
		t.Error(err)
	}
	if err := j.CompleteTx(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if j.ID() != nil || j.Kind() != "" || j.Queue() != "" || j.Attempt != 0 {
		t.Errorf("it is job %v, kind %q of queue %q, try %d", j.ID(), j.Kind(), j.Queue(), j.Attempt)
	}
	if c := queue.Current(t.Context()); c != nil {
		t.Errorf("a test runs under the claim %v", c.ID())
	}
}

func TestCurrent(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		id := enqueue(t, db, 1)
		drain(t, db, images(func(ctx context.Context, j *generated.ImageOptimizeJob) error {
			c := queue.Current(ctx)
			if c != j.Claim || c.ID() != int64(id) || c.Kind() != "image_optimize" || c.Queue() != "job_queue" || c.Attempt() != 1 {
				t.Errorf("the handler runs under %v, %q, %q, %d", c.ID(), c.Kind(), c.Queue(), c.Attempt())
			}
			return nil
		}), queue.Options{})
	})
}
