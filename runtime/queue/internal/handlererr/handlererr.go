// Package handlererr has the errors by which handlers say what becomes of their jobs.
package handlererr

import (
	"errors"
	"fmt"
	"time"
)

// What Mark marks an error with.
var (
	ErrDiscarded = errors.New("discarded")
	ErrCancelled = errors.New("cancelled")
	ErrUnknown   = errors.New("unknown")
)

// Mark returns err marked with an outcome, or nil where err is.
func Mark(with, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", with, err)
}

// Postponed is a job that is to run again after a while.
type Postponed struct {
	By   time.Duration
	Err  error // why it failed, or waits; nil: it has not failed, and no attempt counts
	Free bool  // it has not failed, and no attempt counts, for all that Err says why it waits
}

func (p *Postponed) Error() string {
	if p.Err == nil {
		return fmt.Sprintf("snoozed for %s", p.By)
	}
	return p.Err.Error()
}

func (p *Postponed) Unwrap() error { return p.Err }

// MaxDelay is the longest delay that a backoff or a handler can ask for.
const MaxDelay = 10 * 365 * 24 * time.Hour

// Bounded returns a delay that is not negative, and not beyond what a column holds.
func Bounded(d time.Duration) time.Duration { return min(max(d, 0), MaxDelay) }
