package queue

import (
	"context"
	"time"
)

// A lease in parts. A heartbeat that fails, or is not answered within heartbeatTimeout,
// is tried again soon, so that one lost connection costs no lease; and a claim is
// given up before the lease that was written last can be over for anyone else.
func (o *Options) heartbeatEvery() time.Duration { return o.Lease / 3 }

func (o *Options) heartbeatRetry() time.Duration { return o.Lease / 20 }

func (o *Options) safe() time.Duration { return o.Lease - o.Lease/10 }

// heartbeatTimeout is how long one heartbeat may take, statementTimeout any other statement or
// transaction of the engine. Both are shorter than the lease.
func (o *Options) heartbeatTimeout() time.Duration {
	return max(o.Lease/4, min(o.Lease/2, 250*time.Millisecond))
}

func (o *Options) statementTimeout() time.Duration {
	return max(o.Lease/2, min(o.Lease*3/4, 500*time.Millisecond))
}

// watch gives up claims that were not confirmed for too long. It runs no
// statement: whatever became of the database, the network or a lock, handlers
// learn that their leases are over before another process begins the jobs.
func (e *engine) watch(ctx context.Context) {
	for ctx.Err() == nil {
		next := e.opts.Lease / 20
		for _, c := range e.tracked() {
			if left := c.left(&e.opts); left > 0 {
				next = min(next, left)
			} else {
				e.outlive(c)
			}
		}
		sleep(ctx, nil, max(next, time.Millisecond))
	}
}

// outlive gives up a claim whose lease is over. One that has not begun is given
// back as if it had not been claimed: the fence decides whether that still counts.
func (e *engine) outlive(c *claim) {
	if c.move(buffered, finished) {
		e.settle(c, outcome{verb: toRelease})
		return
	}
	if done, _ := c.handle.state(); !done { // else its end is written, and its handler goes on for a while
		e.lose(c, ErrLeaseLost)
	}
}
