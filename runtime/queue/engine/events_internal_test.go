package engine

import (
	"context"
	"testing"
	"time"
)

// A reader whose context has ended sees every worker that stops with it, through
// whatever contexts theirs are derived from the reader's.
func TestStoppingSeesEveryDerivedContext(t *testing.T) {
	type key struct{}
	for round := range 10 {
		root, cancel := context.WithCancel(t.Context())
		h := &broadcaster{workers: map[*worker]struct{}{}}
		add := func(ctx context.Context) context.Context {
			ctx, end := context.WithCancelCause(context.WithValue(ctx, key{}, round))
			t.Cleanup(func() { end(nil) })
			h.begin(ctx)
			ctx, stop := context.WithTimeout(ctx, time.Hour)
			t.Cleanup(stop)
			h.begin(ctx)
			return ctx
		}
		for range 50 { // wide
			add(root)
		}
		for deep := root; len(h.workers) < 1000; {
			deep = add(deep)
		}
		seen := make(chan int, 1)
		reads := context.WithValue(root, key{}, "the reader")
		context.AfterFunc(reads, func() { seen <- len(h.stopping(reads)) })
		cancel()
		if n := <-seen; n != len(h.workers) {
			t.Errorf("round %d: %d of %d workers are seen to stop", round, n, len(h.workers))
		}
	}
}
