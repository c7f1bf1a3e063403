package engine

import (
	"context"
	"slices"
	"time"
)

const (
	// checkEvery is how long the handler of a cancelled job runs on at most where
	// cancellations of other processes are not announced.
	checkEvery = time.Second
	// reportEvery is how old the progress on a row is at most. Progress is written
	// only if it changed.
	reportEvery = 250 * time.Millisecond
)

// monitor writes the progress of handlers, and reacts when jobs are cancelled and
// queues paused.
type monitor struct {
	*table
	lease    lease
	claims   *claimSet
	verifier *verifier
	pauses   *pauses
	observer *observer
}

// run writes progress until ctx ends. When it is notified, it looks for lost claims
// and reads which queues are paused.
func (m *monitor) run(ctx context.Context) {
	report := time.NewTicker(reportEvery)
	defer report.Stop()
	check := time.NewTicker(min(checkEvery, m.lease.heartbeatEvery()))
	defer check.Stop()
	news := m.db.Listen(controlTopic(m.shape.name))
	defer news.Stop()
	polls := !m.db.ReceivesNotifications() // no other process can wake us
	for {
		select {
		case <-ctx.Done():
			return
		case <-report.C:
			m.report(ctx)
			continue
		case <-check.C:
			if polls {
				m.check(ctx)
			}
			continue
		case <-news.C:
		}
		m.check(ctx)
		if err := m.pauses.read(ctx, m.db.Conn()); err != nil && ctx.Err() == nil {
			m.observer.logger.Error("pauses not read", "queue", m.shape.name, "error", err)
		}
		sleep(ctx, nil, 20*time.Millisecond) // on SQLite any write of another process wakes us
	}
}

// check looks for lost claims, without renewing the others.
func (m *monitor) check(ctx context.Context) {
	claims := m.claims.all()
	if len(claims) == 0 {
		return
	}
	rows, err := m.allRunning(ctx)
	if err != nil || len(rows) == maxRunning {
		return // the next heartbeat finds out
	}
	epochs := make(map[any]int64, len(rows))
	for _, r := range rows {
		epochs[r.id.V] = r.epoch
	}
	var missing []*claim
	for _, c := range claims {
		if epoch, ok := epochs[c.ID]; !ok || epoch != c.Epoch {
			missing = append(missing, c)
		}
	}
	m.verifier.verify(ctx, missing)
}

// report writes the progress of the handlers that run. It leaves out those that CompleteTx
// was called for: a transaction has locked their rows, and a write would wait for it.
func (m *monitor) report(ctx context.Context) {
	running := slices.DeleteFunc(m.claims.all(), func(c *claim) bool {
		_, inTx := c.handle.Completed()
		return inTx || c.is(finished) // the settler writes what those of the latter have left
	})
	if err := m.writeProgress(ctx, m.db.Conn(), reports(running)); err != nil && ctx.Err() == nil {
		m.observer.logger.Error("progress not written", "queue", m.shape.name, "error", err)
	}
}
