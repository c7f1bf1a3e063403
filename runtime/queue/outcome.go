package queue

import (
	"errors"
	"fmt"
	"time"
)

// Causes with which a handler's context ends, as context.Cause returns them.
var (
	// ErrLeaseLost: the lease was not renewed in time, or another worker has the row.
	ErrLeaseLost = errors.New("queue: the lease was lost")
	// ErrCancelled: the row was cancelled.
	ErrCancelled = errors.New("queue: the job was cancelled")
	// ErrTimeout: the timeout of the job's kind has passed.
	ErrTimeout = errors.New("queue: the handler's time is over")
	// ErrStopping: the worker is stopping, and StopTimeout has passed.
	ErrStopping = errors.New("queue: the worker is stopping")
)

// Errors of operations on rows.
var (
	// ErrEnded: the row has ended and cannot be cancelled.
	ErrEnded = errors.New("queue: the job has ended")
	// ErrRunning: a worker is running the row.
	ErrRunning = errors.New("queue: the job is running")
	// ErrDuplicate: another row has the unique key. A *DuplicateError says which.
	ErrDuplicate = errors.New("queue: another job holds the unique key")
)

// DuplicateError is returned by Retry for a row whose unique key another row has.
// It matches ErrDuplicate.
type DuplicateError struct {
	Datatype string
	ID       any // the id of the row that has ended: an int64, or a string where ids are ULIDs
	Holder   any // the id of the row that has the key
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("%s %v was not made ready: row %v is the same job and holds its unique key; cancel that one, or leave it to be run", e.Datatype, e.ID, e.Holder)
}

// Is reports whether target is ErrDuplicate.
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

// errDiscard marks errors of Discard, errCancel those of Cancel.
var (
	errDiscard = errors.New("discarded")
	errCancel  = errors.New("cancelled")
)

// Discard returns an error after which the worker does not retry: the row is dead
// at once, with err as its error. Discard(nil) returns nil.
func Discard(err error) error { return mark(errDiscard, err) }

// Cancel returns an error after which the job is cancelled, or dead where its
// states have no option for that, with err as its error. Cancel(nil) returns nil.
func Cancel(err error) error { return mark(errCancel, err) }

func mark(with, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", with, err)
}

// postponed is the error that Snooze and RetryAfter return.
type postponed struct {
	by  time.Duration
	err error // nil: a snooze
}

func (p *postponed) Error() string {
	if p.err == nil {
		return fmt.Sprintf("snoozed for %s", p.by)
	}
	return p.err.Error()
}

func (p *postponed) Unwrap() error { return p.err }

// Snooze returns an error that postpones the job by d, as if it had not been
// claimed: no attempt is counted, and nothing has failed.
func Snooze(d time.Duration) error { return &postponed{by: min(max(d, 0), maxDelay)} }

// RetryAfter returns an error that fails the job with err; the next attempt comes
// after d instead of the backoff. RetryAfter(d, nil) returns nil.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &postponed{min(max(d, 0), maxDelay), err}
}

// UnknownKind returns the error of a row whose kind this program does not know. The
// row stays ready for a program that does.
func UnknownKind(kind string) error { return unknownKind(kind) }

type unknownKind string

func (k unknownKind) Error() string {
	return fmt.Sprintf("queue: no handler for kind %q: it waits for a program that knows it", string(k))
}

// verb is how a claim ends.
type verb int

const (
	toDone verb = iota
	toRetry
	toSnooze
	toRelease
	toPark
	toDead
	toCancelled
)

// outcome is how one claim ends.
type outcome struct {
	verb  verb
	delay time.Duration
	err   error
}

// decide returns the outcome of a job whose handler returned err, a failure or a
// wrapper of one.
func decide(c *claim, err error, backoff Backoff) outcome {
	switch {
	case err == nil:
		return outcome{verb: toDone}
	case errors.Is(err, errDiscard):
		return outcome{verb: toDead, err: err}
	case errors.Is(err, errCancel):
		return outcome{verb: toCancelled, err: err}
	}
	if _, ok := errors.AsType[unknownKind](err); ok {
		return outcome{verb: toPark, err: err}
	}
	p, postponed := errors.AsType[*postponed](err)
	if postponed && p.err == nil {
		return outcome{verb: toSnooze, delay: p.by, err: err}
	}
	if c.cause() == ErrStopping { // a caller's own cause, under Drain, is not asked: it may panic
		return outcome{verb: toRelease, err: err} // it was interrupted, not tried
	}
	if c.Attempt >= c.MaxAttempts {
		return outcome{verb: toDead, err: err}
	}
	if postponed {
		return outcome{verb: toRetry, delay: p.by, err: err}
	}
	return outcome{verb: toRetry, delay: delay(backoff, int(c.Attempt), own(err)), err: err}
}
