package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/internal/handle"
	"github.com/hegner123/modulagen/runtime/queue/internal/handlererr"
)

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
	toUnknown
)

// outcome is how one claim ends.
type outcome struct {
	verb  verb
	delay time.Duration
	err   error
	shown bool // of toSnooze: err is why the job waits, and is written to the row
}

// decide returns the outcome of a job whose handler returned err, a failure or a
// wrapper of one.
func decide(c *claim, err error, backoff queue.Backoff) outcome {
	switch {
	case err == nil:
		return outcome{verb: toDone}
	case errors.Is(err, handlererr.ErrDiscarded):
		return outcome{verb: toDead, err: err}
	case errors.Is(err, handlererr.ErrCancelled):
		return outcome{verb: toCancelled, err: err}
	case errors.Is(err, handlererr.ErrUnknown):
		return outcome{verb: toUnknown, err: err}
	}
	if _, ok := errors.AsType[unknownKind](err); ok {
		return outcome{verb: toPark, err: err}
	}
	p, postponed := errors.AsType[*handlererr.Postponed](err)
	if postponed && (p.Err == nil || p.Free) {
		return outcome{verb: toSnooze, delay: p.By, err: err, shown: p.Free}
	}
	if !postponed && c.begunOnce() && isUndecided(err) {
		return outcome{verb: toUnknown, err: err}
	}
	if c.cause() == queue.ErrStopping { // a caller's own cause, under Drain, is not asked: it may panic
		return outcome{verb: toRelease, err: err} // it was interrupted, not tried
	}
	if c.Attempt >= c.MaxAttempts {
		return outcome{verb: toDead, err: err}
	}
	if postponed {
		return outcome{verb: toRetry, delay: p.By, err: err}
	}
	return outcome{verb: toRetry, delay: delay(backoff, int(c.Attempt), own(err)), err: err}
}

// isUndecided reports whether an error leaves open what becomes of the job. A handler that
// returned nil, and whose CompleteTx did not commit, has done its work and left no end of it.
func isUndecided(err error) bool {
	_, is := errors.AsType[*undecided](err)
	return is || errors.Is(err, handle.ErrNotCommitted)
}

// Ends reports whether the job of the handler that was called with ctx has ended when the handler
// returns err. Otherwise it runs again.
func Ends(ctx context.Context, err error) bool {
	h := (*handle.Claim)(queue.Current(ctx))
	if h == nil {
		return true
	}
	c := h.Key.(*claim)
	if !c.is(performed) {
		return false // cancelled, given up or lost: what the handler returns is not how the job ends
	}
	switch decide(c, err, queue.Exponential).verb {
	case toDone, toDead, toCancelled, toUnknown:
		return true
	}
	return false
}
