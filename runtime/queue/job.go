package queue

import "context"

// Job is the argument of a handler: the row as claimed, and its decoded payload.
type Job[R, P any] struct {
	Row     *R
	Payload P
	Attempt int // 1 for the first

	*Claim // nil when no worker runs the handler, as in a test that calls it
}

// Handler runs one claimed row. The row is done when Handler returns nil. Discard,
// Cancel, Snooze and RetryAfter return errors with other outcomes. After any other
// error the row is retried, or dead when it has no attempts left.
type Handler[R any] func(ctx context.Context, row *R) error
