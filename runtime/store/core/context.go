package core

import (
	"context"
	"time"
)

var errNoContext = invalidf("the context is nil; context.Background() is the one without an end")

// Ended returns the error of an operation whose context has ended, and nil while
// the context goes on; drivers use it. errors.Is finds context.Canceled or
// context.DeadlineExceeded in it, and the cause that the context was given.
func Ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		if deadline, ok := ctx.Deadline(); !ok || time.Now().Before(deadline) {
			return nil
		}
		err = context.DeadlineExceeded // the network keeps the same deadline, and may notice it first
	}
	cause := context.Cause(ctx)
	if cause == nil || cause == err {
		return err
	}
	return &endedError{err, cause}
}

// endedError is the end of a context that says why.
type endedError struct{ err, cause error }

func (e *endedError) Error() string   { return e.err.Error() + ": " + e.cause.Error() }
func (e *endedError) Unwrap() []error { return []error{e.err, e.cause} }
