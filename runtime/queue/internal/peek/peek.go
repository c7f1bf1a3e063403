// Package peek lets queuetest see what Drain would run, without running it. Generated
// code passes its queues to Drain alone.
package peek

import "context"

type key struct{}

// With returns a context with which Drain runs nothing, and instead calls see for each
// job that is due, in order, with its payload or, in a queue without kinds, a pointer
// to its row.
func With(ctx context.Context, see func(job any)) context.Context {
	return context.WithValue(ctx, key{}, see)
}

// From returns the function that With was called with; nil for other contexts.
func From(ctx context.Context) (see func(job any)) {
	see, _ = ctx.Value(key{}).(func(job any))
	return see
}
