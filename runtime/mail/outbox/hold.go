package outbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// How long nothing is sent when the server is at fault: twice as long each time.
const (
	firstHold = 5 * time.Second
	maxHold   = time.Minute
)

// hold keeps messages from a transport whose server is at fault.
type hold struct {
	mu    sync.Mutex
	next  time.Duration // after the next fault
	until time.Time
}

// fault begins a hold, or keeps the current one, and returns how long it lasts: at
// least as long as the transport leaves its servers alone.
func (h *hold) fault(after time.Duration) (wait time.Duration, first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if now.Before(h.until) {
		return h.until.Sub(now), false
	}
	first = h.next == 0
	h.next = min(max(2*h.next, firstHold), maxHold)
	wait = max(h.next, min(after, maxHold))
	h.until = now.Add(wait)
	return wait, first
}

// over ends the hold: the server has answered.
func (h *hold) over() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next, h.until = 0, time.Time{}
}

// errHeld is why Drain leaves a message.
var errHeld = errors.New("mail: the server is at fault, as the message before this one found")

// left returns how long the hold lasts.
func (h *hold) left() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Until(h.until)
}

// wait waits until the hold has ended.
func (h *hold) wait(ctx context.Context) error {
	for {
		left := h.left()
		if left <= 0 {
			return ctx.Err()
		}
		t := time.NewTimer(left)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// spread adds up to a fifth at random, so that what was postponed together does not come back
// together.
func spread(d time.Duration) time.Duration { return d + rand.N(d/5+1) }
