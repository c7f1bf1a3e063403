package engine

import (
	"context"
	"time"
)

// The intervals of maintenance. Each round is short, and changes a bounded number of
// rows.
const (
	promoteEvery = time.Second      // due rows, while a fetcher always finds rows to claim
	kindsEvery   = 5 * time.Second  // rows of unknown kinds
	pauseEvery   = 10 * time.Second // pauses that were not announced
	limitEvery   = time.Second      // rows that wait under limits
	pruneEvery   = 30 * time.Second // rows past their retention
	unusedEvery  = 10 * time.Minute // keys that are not used any more
	pruneRounds  = 20               // batches in one round of pruning
)

// round is a task that maintenance runs at an interval.
type round struct {
	name  string
	every time.Duration
	do    func(context.Context) error
}

// maintenance runs rounds, one at a time, each at its own interval.
type maintenance struct {
	rounds   []round
	observer *observer
}

// run runs each round at once and then at its interval, until ctx ends. A round that
// fails is logged, and runs again when it is due.
func (m *maintenance) run(ctx context.Context) {
	next := make([]time.Time, len(m.rounds))
	for ctx.Err() == nil {
		now := time.Now()
		wait := time.Hour
		for i, r := range m.rounds {
			if !now.Before(next[i]) {
				if err := r.do(ctx); err != nil && ctx.Err() == nil {
					m.observer.logger.Error("queue: "+r.name+" failed", "queue", m.observer.name, "error", err)
				}
				next[i] = now.Add(r.every)
			}
			wait = min(wait, time.Until(next[i]))
		}
		sleep(ctx, nil, max(wait, time.Millisecond))
	}
}
