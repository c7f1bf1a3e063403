package queue

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// Options of a worker. The zero value is sensible.
type Options struct {
	// Concurrency is how many handlers run at once, in each named queue whose
	// definition does not say; 0 means 4, at most 10,000. Use a high number for
	// handlers that mostly wait, such as for network calls. Short jobs are claimed
	// ahead, so that Concurrency does not limit how many finish in a second.
	Concurrency int
	// Queues are the named queues to run, with their concurrency (0: that of their
	// definition, or Concurrency); nil means all of them.
	Queues map[string]int
	// Poll is how long an idle worker waits at most before it looks for rows again.
	// It is woken when rows are added; polling covers what it is not notified of.
	// 0 means 1 s, and 100 ms where other processes cannot wake this one: on MySQL,
	// and on PostgreSQL behind a pooler.
	Poll time.Duration
	// Lease is how long a claim lasts without a heartbeat; 0 means 30 s, and
	// 100 ms is the minimum. A handler's context ends with ErrLeaseLost when its
	// lease was not renewed for nine tenths of Lease. Jobs of a process that died
	// are rescued within twice Lease. All processes of one queue should use the
	// same value.
	Lease time.Duration
	// StopTimeout is how long handlers may run after the worker begins to stop,
	// before their contexts end; 0 means 10 s.
	StopTimeout time.Duration
	// Grace is how long a handler may run after its context has ended, by its
	// timeout or by a stop, before the worker stops waiting for it; 0 means 5 s.
	Grace time.Duration
	// Backoff is how long a job waits after a failure, where the definition of its
	// kind does not say; nil means Exponential.
	Backoff Backoff
	// Middleware runs around every handler, the first outermost.
	Middleware []Middleware
	// Logger logs failures and lost leases; nil means that nothing is logged.
	Logger *slog.Logger
	// Telemetry observes jobs; nil means none. Package otelqueue reports to
	// OpenTelemetry.
	Telemetry Telemetry
}

// Middleware runs around a handler. It calls next, or does not, and returns the
// error that settles the job. A panic of next is returned as an error.
type Middleware func(ctx context.Context, c *Claim, next func(context.Context) error) error

const (
	maxConcurrency = 10_000
	maxError       = 4000 // characters of an error that are kept on the row
	minLease       = 100 * time.Millisecond
	maxLease       = 24 * time.Hour
)

func (o Options) withDefaults(db *core.DB) (Options, error) {
	if o.Concurrency < 0 || o.Concurrency > maxConcurrency {
		return o, fmt.Errorf("queue: concurrency %d is not between 1 and %d", o.Concurrency, maxConcurrency)
	}
	for name, n := range o.Queues {
		if n < 0 || n > maxConcurrency {
			return o, fmt.Errorf("queue: concurrency %d of the queue %s is not between 1 and %d", n, name, maxConcurrency)
		}
	}
	if o.Poll < 0 || o.Lease < 0 || o.StopTimeout < 0 || o.Grace < 0 {
		return o, fmt.Errorf("queue: a negative duration in the options (poll %s, lease %s, stop timeout %s, grace %s)", o.Poll, o.Lease, o.StopTimeout, o.Grace)
	}
	if o.Lease != 0 && (o.Lease < minLease || o.Lease > maxLease) {
		return o, fmt.Errorf("queue: a lease of %s is not between %s, to be renewed in time, and %s", o.Lease, minLease, maxLease)
	}
	poll := time.Second
	if !db.Hears() {
		poll = 100 * time.Millisecond
	}
	o.Concurrency = cmp.Or(o.Concurrency, 4)
	o.Poll = cmp.Or(o.Poll, poll)
	o.Lease = cmp.Or(o.Lease, 30*time.Second)
	o.StopTimeout = cmp.Or(o.StopTimeout, 10*time.Second)
	o.Grace = cmp.Or(o.Grace, 5*time.Second)
	if o.Backoff == nil {
		o.Backoff = Exponential
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
