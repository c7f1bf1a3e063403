package queue

import (
	"time"

	"github.com/hegner123/modulagen/runtime/queue/internal/handlererr"
)

// Discard returns an error after which the worker does not retry: the row is dead
// at once, with err as its error. Discard(nil) returns nil.
func Discard(err error) error { return handlererr.Mark(handlererr.ErrDiscarded, err) }

// Cancel returns an error after which the job is cancelled, or dead where its
// states have no option for that, with err as its error. Cancel(nil) returns nil.
func Cancel(err error) error { return handlererr.Mark(handlererr.ErrCancelled, err) }

// Snooze returns an error that postpones the job by d, as if it had not been
// claimed: no attempt is counted, and nothing has failed.
func Snooze(d time.Duration) error { return &handlererr.Postponed{By: handlererr.Bounded(d)} }

// Postpone is Snooze with the reason: err's text is the row's error, so that a person sees
// why the job waits. No attempt is counted, and nothing has failed. In a queue whose states
// have no option for unknown, the reason is in the event alone. Postpone(d, nil) returns nil.
func Postpone(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &handlererr.Postponed{By: handlererr.Bounded(d), Err: err, Free: true}
}

// Unknown returns an error after which the job is unknown, with err as its error: it may
// have done its work, and is not run again before a person calls Retry. It is dead where its
// states have no option for that. Unknown(nil) returns nil.
func Unknown(err error) error { return handlererr.Mark(handlererr.ErrUnknown, err) }

// RetryAfter returns an error that fails the job with err; the next attempt comes
// after d instead of the backoff. RetryAfter(d, nil) returns nil.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &handlererr.Postponed{By: handlererr.Bounded(d), Err: err}
}
