package engine

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
)

// lease is how long a claim lasts. Its methods return the times that must fit into
// it. A heartbeat that fails, or is not answered within heartbeatTimeout, is retried
// soon, so that one lost connection costs no lease. A claim is dropped before the
// lease that was written last can end for anyone else.
type lease time.Duration

func (l lease) span() time.Duration           { return time.Duration(l) }
func (l lease) heartbeatEvery() time.Duration { return l.span() / 3 }
func (l lease) heartbeatRetry() time.Duration { return l.span() / 20 }
func (l lease) safe() time.Duration           { return l.span() - l.span()/10 }

// heartbeatTimeout is how long one heartbeat may take, statementTimeout any other
// statement or transaction of the engine. Both are shorter than the lease.
func (l lease) heartbeatTimeout() time.Duration {
	return max(l.span()/4, min(l.span()/2, 250*time.Millisecond))
}

func (l lease) statementTimeout() time.Duration {
	return max(l.span()/2, min(l.span()*3/4, 500*time.Millisecond))
}

// leaseWatch drops claims whose leases were not renewed in time, by this process's
// monotonic clock alone.
type leaseWatch struct {
	lease   lease
	claims  *claimSet
	release func(*claim) bool // releases a claim that has not started, and reports whether it had not
}

// run checks all claims until ctx ends. It runs no statement: whatever happens to the
// database, the network or a lock, the contexts of handlers end before another
// process starts their jobs.
func (w *leaseWatch) run(ctx context.Context) {
	for ctx.Err() == nil {
		next := w.lease.span() / 20
		for _, c := range w.claims.all() {
			if left := w.check(c); left > 0 {
				next = min(next, left)
			}
		}
		sleep(ctx, nil, max(next, time.Millisecond))
	}
}

// check drops a claim whose lease has ended, and returns how long it lasts otherwise.
// A claim that has not started is released as if it had not been claimed; the epoch
// decides whether that is still written.
func (w *leaseWatch) check(c *claim) (left time.Duration) {
	if left = c.left(w.lease); left > 0 || w.release(c) {
		return left
	}
	if done, _ := c.handle.Completed(); !done { // else its end is written, and its handler goes on for a while
		w.claims.lose(c, queue.ErrLeaseLost)
	}
	return left
}
