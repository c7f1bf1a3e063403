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
// lease, and before that those that the last heartbeat skipped. It does nothing else that could delay that.
func (h *heartbeat) run(ctx context.Context) {
	next := time.Now().Add(h.lease.heartbeatEvery()) // when all are renewed
	var skipped []*claim
	for {
		wait := time.Until(next)
		if len(skipped) > 0 {
			wait = min(wait, h.lease.heartbeatRetry())
		}
		sleep(ctx, nil, max(wait, time.Millisecond))
		if ctx.Err() != nil {
			return
		}
		asked := time.Now()
		early := len(skipped) > 0 && asked.Before(next)
		claims := skipped
		if !early {
			claims = h.claims.all()
		}
		var ok bool
		skipped, ok = h.renew(ctx, claims)
		switch {
		case early: // those that are left are tried again, or renewed with the others
		case ok:
			next = asked.Add(h.lease.heartbeatEvery())
		default:
			next = time.Now().Add(h.lease.heartbeatRetry())
		}
	}
}

// renew renews leases, and reports whether that succeeded. left are those of rows that another transaction has
// locked, on MySQL also one that only passes them, and after an error those that were not sent.
func (h *heartbeat) renew(ctx context.Context, claims []*claim) (left []*claim, ok bool) {
	span := h.lease.span()
	if h.db.FakeClock() { // it may stand still, and a lease that does not change would look like a dead worker's
		h.sent++
		span += time.Duration(h.sent) * time.Microsecond
	}
	var missing []*claim
	for len(claims) > 0 {
		n := min(len(claims), maxSettle)
		asked := time.Now()
		renewed, err := h.changeClaims(ctx, h.db.Conn(), &h.shape.st.Heartbeat, claims[:n], span)
		if err != nil {
			if ctx.Err() == nil {
				h.observer.logger.Error("heartbeat failed", "queue", h.shape.name, "claims", len(claims), "error", err)
			}
			return claims, false
		}
		for i, c := range claims[:n] {
			if renewed[i] {
				c.confirm(asked)
			} else {
				missing = append(missing, c)
			}
		}
		claims = claims[n:]
	}
	return h.verifier.verify(ctx, missing), true
}
