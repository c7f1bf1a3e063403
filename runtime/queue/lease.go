package queue

import (
	"context"
	"time"
)

// lease is how long a claim holds. Its methods are the parts that it has to have
// room for. A heartbeat that fails, or is not answered within heartbeatTimeout, is
// tried again soon, so that one lost connection costs no lease; and a claim is
// given up before the lease that was written last can end for anyone else.
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

// leaseWatch gives up claims whose leases were not renewed in time, by this
// process's monotonic clock alone.
type leaseWatch struct {
	lease   lease
	claims  *claimSet
	release func(*claim) bool // hands back a claim that has not begun; false for others
}

// run checks all claims until ctx ends. It runs no statement: whatever became of
// the database, the network or a lock, handlers learn that their leases are over
// before another process begins the jobs.
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

// check gives up a claim whose lease is over, and returns how long it was left
// otherwise. One that has not begun is handed back as if it had not been claimed:
// the fence decides whether that still counts.
func (w *leaseWatch) check(c *claim) (left time.Duration) {
	if left = c.left(w.lease); left > 0 || w.release(c) {
		return left
	}
	if done, _ := c.handle.state(); !done { // else its end is written, and its handler goes on for a while
		w.claims.lose(c, ErrLeaseLost)
	}
	return left
}
