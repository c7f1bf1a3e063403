// Package force is how a second signal reaches the engine.
package force

import "context"

type key struct{}

// With returns a context that holds the channel that is closed on the second signal.
func With(ctx context.Context, asked <-chan struct{}) context.Context {
	return context.WithValue(ctx, key{}, asked)
}

// Asked returns the channel of the context; nil if it has none.
func Asked(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(key{}).(<-chan struct{})
	return c
}
