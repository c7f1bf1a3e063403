package queuetest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/queuetest"
)

// upload is the code to be tested.
func upload(ctx context.Context, db *generated.DB, media int64) error {
	_, err := db.JobQueue.EnqueueImageOptimize(ctx, generated.ImageOptimize{MediaID: media})
	return err
}

// flaky fails at first.
type flaky struct{ generated.JobQueueHandler }

func (flaky) ImageOptimize(_ context.Context, job *generated.ImageOptimizeJob) error {
	if job.Attempt == 1 {
		return queue.RetryAfter(time.Hour, errors.New("busy"))
	}
	fmt.Println("optimized image", job.Payload.MediaID, "at", job.Row.StartedAt.V.Format(time.TimeOnly))
	return nil
}

// inExample stands for a test's own t.
type inExample struct{ testing.TB }

func (inExample) Helper()                   {}
func (inExample) Context() context.Context  { return context.Background() }
func (inExample) Fatalf(f string, a ...any) { log.Fatalf(f, a...) }

func Example() {
	t := inExample{} // in a test, its *testing.T
	clock := queuetest.NewClock(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC))
	db, err := generated.Open(t.Context(), "sqlite::memory:", generated.Options{Now: clock.Now})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	workers := generated.Workers{JobQueue: flaky{}}

	if err := upload(t.Context(), db, 7); err != nil {
		log.Fatal(err)
	}
	fmt.Println(queuetest.Enqueued[generated.ImageOptimize](t, db, workers))

	queuetest.Drain(t, db, workers) // fails, and is to be tried again in an hour
	fmt.Println(queuetest.Enqueued[generated.ImageOptimize](t, db, workers))
	clock.Advance(time.Hour)
	queuetest.Drain(t, db, workers)
	// Output:
	// [{7}]
	// []
	// optimized image 7 at 13:00:00
}

func ExampleClock() {
	clock := queuetest.NewClock(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC))
	clock.Advance(90 * time.Minute)
	fmt.Println(clock.Now())
	// Output: 2030-01-01 13:30:00 +0000 UTC
}
