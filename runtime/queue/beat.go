package queue

import (
	"context"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

const (
	// checkEvery bounds how long a cancelled job's handler goes on unaware where
	// no one tells us.
	checkEvery = time.Second
	// reportEvery bounds how old the progress on a row is. Without news nothing
	// is written.
	reportEvery = 250 * time.Millisecond
)

// beatRegularly renews the leases of all claims, in one statement, a third of a
// lease apart. In between it writes progress, and looks for claims that were
// taken away when someone says so.
func (e *engine) beatRegularly(ctx context.Context) {
	beat := time.NewTicker(e.opts.Lease / 3)
	defer beat.Stop()
	report := time.NewTicker(reportEvery)
	defer report.Stop()
	check := time.NewTicker(min(checkEvery, e.opts.Lease/3))
	defer check.Stop()
	news := e.db.Listen(controlTopic(e.shape.name))
	defer news.Stop()
	asks := e.db.Conn().Dialect() == mysqlDialect // no other process can wake us
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			e.beat(ctx)
			continue
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
		if err := e.readPauses(ctx); err != nil && ctx.Err() == nil {
			e.opts.Logger.Error("pauses not read", "queue", e.shape.name, "error", err)
		}
		e.pause(ctx, nil, 20*time.Millisecond) // on SQLite any write of another process wakes us
	}
}

// beat renews all leases. A claim whose lease is over, because the database was
// away for so long, is lost.
func (e *engine) beat(ctx context.Context) {
	claims := e.held()
	if len(claims) == 0 {
		return
	}
	asked := time.Now()
	span := e.opts.Lease
	if e.db.FakeClock() { // it may stand still, and a lease that does not change looks like a dead worker's
		e.beats++
		span += time.Duration(e.beats) * time.Microsecond
	}
	var missing []*claim
	for len(claims) > 0 {
		n := min(len(claims), maxSettle)
		ok, err := e.change(ctx, e.db.Conn(), &e.shape.st.Beat, claims[:n], span)
		if err != nil {
			if ctx.Err() == nil {
				e.opts.Logger.Error("heartbeat failed", "queue", e.shape.name, "claims", len(claims), "error", err)
			}
			break
		}
		for i, c := range claims[:n] {
			if ok[i] {
				c.renew(asked)
			} else {
				missing = append(missing, c)
			}
		}
		claims = claims[n:]
	}
	for _, c := range claims { // those that were not renewed
		if c.over(e.opts.Lease) {
			e.lose(c, ErrLeaseLost)
		}
	}
	e.gone(ctx, missing)
}

func (c *claim) renew(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.renewed = at
}

func (c *claim) over(lease time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.renewed) >= lease
}

// check finds claims that were taken away, without renewing the others.
func (e *engine) check(ctx context.Context) {
	claims := e.held()
	if len(claims) == 0 {
		return
	}
	rows, err := e.allRunning(ctx)
	if err != nil || len(rows) == maxRunning {
		return // the next heartbeat tells
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
	e.gone(ctx, missing)
}

// gone gives up claims that are no longer ours, and finds out why. One whose
// end is being written is left to that.
func (e *engine) gone(ctx context.Context, missing []*claim) {
	for _, c := range missing {
		if !c.is(buffered) && !c.is(performed) {
			continue
		}
		if done, _ := c.handle.state(); done {
			continue // its handler has completed it, and goes on for a while
		}
		if cause, lost := e.whyGone(ctx, c); lost {
			e.lose(c, cause)
		}
	}
}

// whyGone looks at a row that could not be changed. It may be ours still: a
// heartbeat passes by a row that a transaction has locked.
func (e *engine) whyGone(ctx context.Context, c *claim) (cause error, lost bool) {
	args := arguments(e.db, 0)
	args[argID] = c.ID
	rows, err := e.shape.read(ctx, e.db.Conn(), &e.shape.st.Get, args[argID:argID+1])
	switch {
	case err != nil:
		return nil, false // the next heartbeat tells
	case len(rows) == 0:
		return ErrCancelled, true
	}
	now := e.shape.claimed(rows[0])
	switch {
	case now.Epoch == c.Epoch && now.State == e.shape.states.Running:
		return nil, false
	case now.Epoch == c.Epoch && now.State == e.shape.states.Done:
		return nil, false // only a transaction of its own handler can have completed it
	case now.Epoch == c.Epoch && now.State == e.shape.gone():
		return ErrCancelled, true
	}
	return ErrLeaseLost, true
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
	claims := slices.DeleteFunc(e.held(), func(c *claim) bool {
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
