package queue

import (
	"context"
	"time"
)

// The rounds of maintenance. Each is short, and bounded in what it changes.
const (
	promoteEvery = time.Second      // while there is always something to claim
	kindsEvery   = 5 * time.Second  // rows of other programs
	pauseEvery   = 5 * time.Second  // switches that no one told us of
	limitEvery   = time.Second      // rows under limits
	pruneEvery   = 30 * time.Second // rows that ended
	unusedEvery  = 10 * time.Minute // gates
	pruneRounds  = 20               // batches in one round
)

// keep does what a queue needs besides claims, until ctx ends: it takes claims
// from processes that are gone, and lets rows go that had to wait.
func (e *engine) keep(ctx context.Context) {
	pauses := pauseEvery
	if !e.db.Hears() { // no other process can tell us
		pauses = promoteEvery
	}
	rounds := []struct {
		name  string
		every time.Duration
		do    func(context.Context) error
		when  bool
	}{
		{"rescue", e.opts.Lease / 4, e.rescue, true},
		{"promote", promoteEvery, func(ctx context.Context) error { _, err := e.promote(ctx); return err }, true},
		{"kinds", kindsEvery, e.sortKinds, e.shape.st.Park.Text[0] != ""},
		{"pauses", pauses, func(ctx context.Context) error { return e.readPauses(ctx, e.db.Conn()) }, true},
		{"limits", limitEvery, e.releaseWaiting, e.limited()},
		{"prune limits", unusedEvery, e.pruneLimits, e.limited()},
		{"prune", pruneEvery, e.prune, len(e.shape.retention) > 0},
	}
	next := make([]time.Time, len(rounds))
	for ctx.Err() == nil {
		now := time.Now()
		wait := time.Hour
		for i, r := range rounds {
			if !r.when {
				continue
			}
			if !now.Before(next[i]) {
				if err := r.do(ctx); err != nil && ctx.Err() == nil {
					e.opts.Logger.Error("queue: "+r.name+" failed", "queue", e.shape.name, "error", err)
				}
				next[i] = now.Add(r.every)
			}
			wait = min(wait, time.Until(next[i]))
		}
		sleep(ctx, nil, max(wait, time.Millisecond))
	}
}
