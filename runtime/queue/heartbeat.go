package queue

import (
	"context"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

const (
	// checkEvery bounds how long a cancelled job's handler goes on unaware where
	// no process announces it.
	checkEvery = time.Second
	// reportEvery bounds how old the progress on a row is. Without news nothing
	// is written.
	reportEvery = 250 * time.Millisecond
)

// A lease in parts. A heartbeat that fails, or is not answered within heartbeatTimeout,
// is tried again soon, so that one lost connection costs no lease; and a claim is
// given up before the lease that was written last can be over for anyone else.
func (o *Options) heartbeatEvery() time.Duration { return o.Lease / 3 }
func (o *Options) heartbeatRetry() time.Duration { return o.Lease / 20 }
func (o *Options) safe() time.Duration           { return o.Lease - o.Lease/10 }

// heartbeatTimeout is how long one heartbeat may take, statementTimeout any other statement or
// transaction of the engine. Both are shorter than the lease.
func (o *Options) heartbeatTimeout() time.Duration {
	return max(o.Lease/4, min(o.Lease/2, 250*time.Millisecond))
}

func (o *Options) statementTimeout() time.Duration {
	return max(o.Lease/2, min(o.Lease*3/4, 500*time.Millisecond))
}

// heartbeatRegularly renews the leases of all claims, in one statement, a third of a
// lease apart. Nothing else is done here that could keep it waiting.
func (e *engine) heartbeatRegularly(ctx context.Context) {
	wait := e.opts.heartbeatEvery()
	for {
		sleep(ctx, nil, wait)
		if ctx.Err() != nil {
			return
		}
		asked := time.Now()
		wait = e.opts.heartbeatRetry()
		if e.heartbeat(ctx) {
			wait = max(e.opts.heartbeatEvery()-time.Since(asked), time.Millisecond)
		}
	}
}

// reportRegularly writes progress, and looks for claims that were taken away when
// an announcement says so.
func (e *engine) reportRegularly(ctx context.Context) {
	report := time.NewTicker(reportEvery)
	defer report.Stop()
	check := time.NewTicker(min(checkEvery, e.opts.heartbeatEvery()))
	defer check.Stop()
	news := e.db.Listen(controlTopic(e.shape.name))
	defer news.Stop()
	asks := !e.db.Hears() // no other process can wake us
	for {
		select {
		case <-ctx.Done():
			return
		case <-report.C:
			e.reportAll(ctx)
			continue
		case <-check.C:
			if asks {
				e.check(ctx)
			}
			continue
		case <-news.C:
		}
		e.check(ctx)
		if err := e.readPauses(ctx, e.db.Conn()); err != nil && ctx.Err() == nil {
			e.opts.Logger.Error("pauses not read", "queue", e.shape.name, "error", err)
		}
		sleep(ctx, nil, 20*time.Millisecond) // on SQLite any write of another process wakes us
	}
}

// heartbeat renews all leases, and reports whether it could.
func (e *engine) heartbeat(ctx context.Context) bool {
	claims := e.tracked()
	span := e.opts.Lease
	if e.db.FakeClock() { // it may stand still, and a lease that does not change looks like a dead worker's
		e.heartbeats++
		span += time.Duration(e.heartbeats) * time.Microsecond
	}
	var missing []*claim
	for len(claims) > 0 {
		n := min(len(claims), maxSettle)
		asked := time.Now()
		ok, err := e.change(ctx, e.vital.Conn(), &e.shape.st.Beat, claims[:n], span)
		if err != nil {
			if ctx.Err() == nil {
				e.opts.Logger.Error("heartbeat failed", "queue", e.shape.name, "claims", len(claims), "error", err)
			}
			return false
		}
		for i, c := range claims[:n] {
			if ok[i] {
				c.confirm(asked)
			} else {
				missing = append(missing, c)
			}
		}
		claims = claims[n:]
	}
	e.gone(ctx, e.vital.Conn(), missing)
	return true
}

// confirm takes note that the claim was this process's at a moment.
func (c *claim) confirm(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.confirmed) {
		c.confirmed = at
	}
}

// left is how long the claim is still safe to work on, by this process's
// monotonic clock alone; not positive when another process may have the row.
func (c *claim) left(o *Options) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return o.safe() - time.Since(c.confirmed)
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

// check finds claims that were taken away, without renewing the others.
func (e *engine) check(ctx context.Context) {
	claims := e.tracked()
	if len(claims) == 0 {
		return
	}
	rows, err := e.allRunning(ctx)
	if err != nil || len(rows) == maxRunning {
		return // the next heartbeat finds out
	}
	epochs := make(map[any]int64, len(rows))
	for _, r := range rows {
		epochs[r.id.v] = r.epoch
	}
	var missing []*claim
	for _, c := range claims {
		if epoch, ok := epochs[c.ID]; !ok || epoch != c.Epoch {
			missing = append(missing, c)
		}
	}
	e.gone(ctx, e.db.Conn(), missing)
}

// gone gives up claims that are no longer ours, and finds out why. One whose
// end is being written is left to that.
func (e *engine) gone(ctx context.Context, conn *store.Conn, missing []*claim) {
	for _, c := range missing {
		if !c.is(buffered) && !c.is(performed) {
			continue
		}
		if done, _ := c.handle.state(); done {
			continue // its handler has completed it, and goes on for a while
		}
		cause, err := e.whyGone(ctx, conn, c)
		if err != nil {
			return // the next heartbeat finds out
		}
		if cause != nil {
			e.lose(c, cause)
		}
	}
}

// whyGone looks at a row that could not be changed. It may be ours still, and
// cause is nil then: a heartbeat passes by a row that a transaction has locked.
func (e *engine) whyGone(ctx context.Context, conn *store.Conn, c *claim) (cause, err error) {
	args := arguments(e.db, 0)
	args[argID] = c.ID
	asked := time.Now()
	rows, err := e.shape.read(ctx, conn, &e.shape.st.Get, args[argID:argID+1])
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return ErrCancelled, nil
	}
	now := e.shape.claimed(rows[0])
	switch {
	case now.Epoch == c.Epoch && now.State == e.shape.states.Running:
		c.confirm(asked)
		return nil, nil
	case now.Epoch == c.Epoch && now.State == e.shape.states.Done:
		return nil, nil // only a transaction of its own handler can have completed it
	case now.Epoch == c.Epoch && now.State == e.shape.gone():
		return ErrCancelled, nil
	}
	return ErrLeaseLost, nil
}

// gone is the state of a row that was cancelled.
func (s *shape) gone() string {
	if s.states.Cancelled != "" {
		return s.states.Cancelled
	}
	return s.states.Dead
}

// reportAll writes the progress of all claims but those that a transaction is
// about to end: it has locked their rows, and heartbeats must not wait for it.
func (e *engine) reportAll(ctx context.Context) {
	claims := slices.DeleteFunc(e.tracked(), func(c *claim) bool {
		_, inTx := c.handle.state()
		return inTx
	})
	if err := e.report(ctx, e.db.Conn(), claims); err != nil && ctx.Err() == nil {
		e.opts.Logger.Error("progress not written", "queue", e.shape.name, "error", err)
	}
}

// runningRow is a claim as the table has it.
type runningRow struct {
	id          anyID
	epoch       int64
	lease       store.Null[time.Time]
	attempts    int64
	maxAttempts int64
	errors      store.Null[store.JSON]
}

// maxRunning is how many claims of all processes are looked at.
const maxRunning = 100_000

// allRunning lists the claims of all processes.
func (e *engine) allRunning(ctx context.Context) ([]runningRow, error) {
	args := arguments(e.db, 0)
	args[argLimit] = int64(maxRunning)
	return store.Many(ctx, e.db.Conn(), &e.shape.st.Running, args, func(r *runningRow) []any {
		return []any{&r.id, &r.epoch, &r.lease, &r.attempts, &r.maxAttempts, &r.errors}
	})
}
