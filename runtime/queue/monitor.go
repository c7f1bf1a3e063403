package queue

import (
	"context"
	"slices"
	"time"
)

const (
	// checkEvery bounds how long a cancelled job's handler goes on unaware where
	// no process announces it.
	checkEvery = time.Second
	// reportEvery bounds how old the progress on a row is. Without news nothing
	// is written.
	reportEvery = 250 * time.Millisecond
)

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
