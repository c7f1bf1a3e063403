package queuetest

import (
	"context"
	"testing"

	"github.com/hegner123/modulagen/runtime/queue/internal/peek"
)

// DB is a generated database; W its Workers.
type DB[W any] interface {
	Drain(ctx context.Context, workers W) error
}

// Drain runs every job that is due, and those that these add, one after the
// other in the caller's goroutine. It fails the test when the database fails;
// jobs that fail do not: their rows tell.
func Drain[W any](t testing.TB, db DB[W], workers W) {
	t.Helper()
	if err := db.Drain(t.Context(), workers); err != nil {
		t.Fatalf("drain: %v", err)
	}
}

// Enqueued gives the payloads of type P that are due, in the order in which they
// would run, and changes nothing: no handler is called. Of a queue without
// kinds P is the type of its rows. Only queues that have a handler in workers
// are looked at, paused ones too, and whatever limits say; of each named queue
// up to 10,000 jobs. Jobs that are to run later are due once the test's clock
// says so.
func Enqueued[P, W any](t testing.TB, db DB[W], workers W) []P {
	t.Helper()
	found := []P{}
	ctx := peek.With(t.Context(), func(job any) {
		switch job := job.(type) {
		case P:
			found = append(found, job)
		case *P:
			found = append(found, *job)
		}
	})
	if err := db.Drain(ctx, workers); err != nil {
		t.Fatalf("jobs that are due: %v", err)
	}
	return found
}
