// Package peek lets queuetest look at what Drain would run, without running it:
// generated code hands its queues to Drain alone.
package peek

import "context"

type key struct{}

// With gives a context under which Drain runs nothing, and gives see each job
// that is due instead, in order: its payload, or in a queue without kinds a
// pointer to its row.
func With(ctx context.Context, see func(job any)) context.Context {
	return context.WithValue(ctx, key{}, see)
}

// From gives what With was given; nil elsewhere.
func From(ctx context.Context) (see func(job any)) {
	see, _ = ctx.Value(key{}).(func(job any))
	return see
}
