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

// Drain runs every job that is due, including those that jobs add, one after the other
// in the caller's goroutine. An error of the database fails the test. A job that fails
// does not; see its row.
func Drain[W any](t testing.TB, db DB[W], workers W) {
	t.Helper()
	if err := db.Drain(t.Context(), workers); err != nil {
		t.Fatalf("drain: %v", err)
	}
}

// Enqueued returns the payloads of type P that are due, in the order in which they
// would run. It calls no handler and changes nothing. For a queue without kinds, P is
// the type of its rows. Enqueued looks at queues that have a handler in workers,
// including paused ones, at up to 10,000 jobs of each named queue, and ignores limits.
// Advance the test's clock to see jobs that run later.
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
