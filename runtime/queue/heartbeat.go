package queue

import (
	"context"
	"time"
)

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
