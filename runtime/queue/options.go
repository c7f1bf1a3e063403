package queue

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"
)

// Options of a worker. The zero value is sensible.
type Options struct {
	// Concurrency is how many handlers run at once; 0 means 4, at most 1,000.
	Concurrency int
	// Poll is how long an idle worker waits before it looks again; 0 means 250 ms.
	Poll time.Duration
	// Lease is how long a claim holds without a sign of life; 0 means 30 s, and
	// 100 ms is the shortest. A process that died is relieved of its rows within
	// two of them.
	Lease time.Duration
	// StopTimeout is how long handlers may go on after the worker was told to
	// stop, before their context ends; 0 means 10 s.
	StopTimeout time.Duration
	// Backoff is how long a row waits after its n-th attempt failed (n from 1);
	// nil means the square of n in minutes.
	Backoff func(attempt int) time.Duration
	// Logger gets failures and lost leases; nil means silence.
	Logger *slog.Logger
}

const (
	maxConcurrency = 1000
	maxError       = 4000 // characters of an error that are kept on the row
	minLease       = 100 * time.Millisecond
)

func (o Options) withDefaults() (Options, error) {
	if o.Concurrency < 0 || o.Concurrency > maxConcurrency {
		return o, fmt.Errorf("queue: concurrency %d is not between 1 and %d", o.Concurrency, maxConcurrency)
	}
	if o.Poll < 0 || o.Lease < 0 || o.StopTimeout < 0 {
		return o, fmt.Errorf("queue: a negative duration in the options (poll %s, lease %s, stop timeout %s)", o.Poll, o.Lease, o.StopTimeout)
	}
	if o.Lease != 0 && o.Lease < minLease {
		return o, fmt.Errorf("queue: a lease of %s is too short to be renewed in time; the shortest is %s", o.Lease, minLease)
	}
	o.Concurrency = cmp.Or(o.Concurrency, 4)
	o.Poll = cmp.Or(o.Poll, 250*time.Millisecond)
	o.Lease = cmp.Or(o.Lease, 30*time.Second)
	o.StopTimeout = cmp.Or(o.StopTimeout, 10*time.Second)
	if o.Backoff == nil {
		o.Backoff = SquaredMinutes
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// SquaredMinutes waits n*n minutes after the n-th attempt, at most a day.
func SquaredMinutes(n int) time.Duration {
	const day = 24 * 60
	if n > 38 { // 38*38 minutes is a day and four minutes
		n = 38
	}
	return time.Duration(min(n*n, day)) * time.Minute
}
