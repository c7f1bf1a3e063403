package queue

import (
	"context"
	"time"
)

// The rounds of maintenance. Each is short, and bounded in what it changes.
const (
	promoteEvery = time.Second      // while there is always something to claim
	kindsEvery   = 5 * time.Second  // rows of other programs
	pauseEvery   = 5 * time.Second  // switches whose change was not announced
	limitEvery   = time.Second      // rows under limits
	pruneEvery   = 30 * time.Second // rows that ended
	unusedEvery  = 10 * time.Minute // limits under which nothing runs
	pruneRounds  = 20               // batches in one round
)

// round is something that maintenance does regularly.
type round struct {
	name  string
	every time.Duration
	do    func(context.Context) error
}

// maintenance does what a queue needs besides claims: it runs rounds, one at a
// time, each at its own interval.
type maintenance struct {
	rounds   []round
	observer *observer
}

// run runs the rounds until ctx ends, each at once and then regularly. One that
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
