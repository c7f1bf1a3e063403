package queue

import (
	"context"
	"log/slog"
	"time"
)

// Options of a worker. The zero value is sensible.
type Options struct {
	// Concurrency is how many handlers run at once, in each named queue whose
	// definition does not say; 0 means 4, at most 10,000. Use a high number for
	// handlers that mostly wait, such as for network calls. Short jobs are claimed
	// ahead, so that Concurrency does not limit how many finish in a second.
	Concurrency int
	// ClaimBytes bounds how much memory the rows of each named queue take that this process
	// has claimed, those that run and those that wait for a handler: by the size of the rows
	// that it has claimed before, so that fewer run at once where rows are large. 0 means
	// 64 MiB, at least one row runs.
	ClaimBytes int64
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
