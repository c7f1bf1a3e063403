package engine

import (
	"context"
	"time"
)

// heartbeat renews the leases of all claims of this process.
type heartbeat struct {
	*table   // on connections of its own, for which nothing else waits
	lease    lease
	claims   *claimSet
	verifier *verifier // on the same connections
	observer *observer

	sent int // heartbeats under a test's clock
}

// run renews the leases of all claims, in one statement, at intervals of a third of a
// lease. It does nothing else that could delay that.
func (h *heartbeat) run(ctx context.Context) {
	wait := h.lease.heartbeatEvery()
	for {
		sleep(ctx, nil, wait)
		if ctx.Err() != nil {
			return
		}
		asked := time.Now()
		wait = h.lease.heartbeatRetry()
		if h.renew(ctx) {
			wait = max(h.lease.heartbeatEvery()-time.Since(asked), time.Millisecond)
		}
	}
}

// renew renews all leases, and reports whether that succeeded. Rows that another transaction has locked,
// on MySQL also one that only passes them, are skipped: it has not succeeded then.
func (h *heartbeat) renew(ctx context.Context) bool {
	claims := h.claims.all()
	span := h.lease.span()
	if h.db.FakeClock() { // it may stand still, and a lease that does not change would look like a dead worker's
		h.sent++
		span += time.Duration(h.sent) * time.Microsecond
	}
	var missing []*claim
	for len(claims) > 0 {
		n := min(len(claims), maxSettle)
		asked := time.Now()
		ok, err := h.changeClaims(ctx, h.db.Conn(), &h.shape.st.Heartbeat, claims[:n], span)
		if err != nil {
			if ctx.Err() == nil {
				h.observer.logger.Error("heartbeat failed", "queue", h.shape.name, "claims", len(claims), "error", err)
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
	return h.verifier.verify(ctx, missing) == 0
}
