package queue

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Options of a worker. The zero value is sensible.
type Options struct {
	// Concurrency is how many handlers run at once, in each named queue that
	// does not say itself; 0 means 4, at most 10,000. Handlers that wait for
	// others, such as network calls, can be many; while jobs are short, rows are
	// claimed ahead, so that Concurrency does not bound how many end in a second.
	Concurrency int
	// Queues are the named queues to work, with their concurrency (0: as their
	// definition or Concurrency says); nil means all of them.
	Queues map[string]int
	// Poll is how long an idle worker waits at most before it looks again. It is
	// woken when rows are added; this is for what no one told it. 0 means 1 s,
	// and 100 ms where other processes cannot wake this one: on MySQL, and on
	// PostgreSQL behind a pooler.
	Poll time.Duration
	// Lease is how long a claim holds without a sign of life; 0 means 30 s, and
	// 100 ms is the shortest. A handler's context ends with ErrLeaseLost when its
	// lease could not be renewed for nine tenths of it. A process that died is relieved of its rows within
	// two of them. All processes of one queue should have the same.
	Lease time.Duration
	// StopTimeout is how long handlers may go on after the worker was told to
	// stop, before their context ends; 0 means 10 s.
	StopTimeout time.Duration
	// Grace is how long a handler may go on after its context has ended, by its
	// timeout or by a stop, before it is given up; 0 means 5 s.
	Grace time.Duration
	// Backoff is how long a row waits after a failure, where its kind's
	// definition does not say; nil means Exponential.
	Backoff Backoff
	// Middleware runs around every handler, the first outermost.
	Middleware []Middleware
	// Logger gets failures and lost leases; nil means silence.
	Logger *slog.Logger
	// Telemetry observes jobs; nil means no one does. Package otelqueue reports to
	// OpenTelemetry.
	Telemetry Telemetry
}

// Middleware runs around a handler: it calls next, or not, and gives the error
// by which the job is settled. A panic of next arrives as an error.
type Middleware func(ctx context.Context, c *Claim, next func(context.Context) error) error

const (
	maxConcurrency = 10_000
	maxError       = 4000 // characters of an error that are kept on the row
	minLease       = 100 * time.Millisecond
	maxLease       = 24 * time.Hour
)

const sqliteDialect, mysqlDialect = sqltext.SQLite, sqltext.MySQL

func (o Options) withDefaults(db *store.DB) (Options, error) {
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
