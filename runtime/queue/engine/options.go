package engine

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store/core"
)

const (
	maxConcurrency = 10_000
	maxError       = 4000 // characters of an error that are kept on the row
	minLease       = 100 * time.Millisecond
	maxLease       = 24 * time.Hour
)

// withDefaults returns the options with the values that zero stands for.
func withDefaults(o queue.Options, db *core.DB) (queue.Options, error) {
	if o.Concurrency < 0 || o.Concurrency > maxConcurrency {
		return o, fmt.Errorf("queue: concurrency %d is not between 1 and %d", o.Concurrency, maxConcurrency)
	}
	for name, n := range o.Queues {
		if n < 0 || n > maxConcurrency {
			return o, fmt.Errorf("queue: concurrency %d of the queue %s is not between 1 and %d", n, name, maxConcurrency)
		}
	}
	if o.ClaimBytes < 0 {
		return o, fmt.Errorf("queue: claim bytes %d are negative", o.ClaimBytes)
	}
	if o.Poll < 0 || o.Lease < 0 || o.StopTimeout < 0 || o.Grace < 0 {
		return o, fmt.Errorf("queue: a negative duration in the options (poll %s, lease %s, stop timeout %s, grace %s)", o.Poll, o.Lease, o.StopTimeout, o.Grace)
	}
	if o.Lease != 0 && (o.Lease < minLease || o.Lease > maxLease) {
		return o, fmt.Errorf("queue: a lease of %s is not between %s, to be renewed in time, and %s", o.Lease, minLease, maxLease)
	}
	poll := time.Second
	if !db.ReceivesNotifications() {
		poll = 100 * time.Millisecond
	}
	o.Concurrency = cmp.Or(o.Concurrency, 4)
	o.ClaimBytes = cmp.Or(o.ClaimBytes, 64<<20)
	o.Poll = cmp.Or(o.Poll, poll)
	o.Lease = cmp.Or(o.Lease, 30*time.Second)
	o.StopTimeout = cmp.Or(o.StopTimeout, 10*time.Second)
	o.Grace = cmp.Or(o.Grace, 5*time.Second)
	if o.Backoff == nil {
		o.Backoff = queue.Exponential
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
