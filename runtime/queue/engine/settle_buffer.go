package engine

import (
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// settlement is the end of a claim, not written yet.
type settlement struct {
	claim  *claim
	end    outcome
	result json.RawMessage
}

// settleBuffer collects ends while others are written, so that under load many are
// written at once.
type settleBuffer struct {
	mu      sync.Mutex
	waiting []settlement
	busy    bool // some are written now
	signal  chan struct{}
	quiet   chan struct{} // closed when there is nothing to write; nil if nothing waits for that
}

func newSettleBuffer() *settleBuffer {
	return &settleBuffer{signal: make(chan struct{}, 1)}
}

const (
	maxSettle  = 1000
	maxWaiting = 5000 // ends that wait while the database is unreachable; the ends of more claims would wait too
)

func (b *settleBuffer) add(list ...settlement) {
	b.mu.Lock()
	b.waiting = append(b.waiting, list...)
	b.mu.Unlock()
	select {
	case b.signal <- struct{}{}:
	default:
	}
}

// len returns how many ends wait.
func (b *settleBuffer) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

func (b *settleBuffer) full() bool {
	return b.len() > maxWaiting
}

// take removes and returns up to maxSettle ends. Those that it returned before are
// written.
func (b *settleBuffer) take() []settlement {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.waiting), maxSettle)
	out := slices.Clone(b.waiting[:n])
	b.waiting = append(b.waiting[:0], b.waiting[n:]...)
	clear(b.waiting[len(b.waiting):cap(b.waiting)])
	b.busy = n > 0
	if n == 0 && b.quiet != nil {
		close(b.quiet)
		b.quiet = nil
	}
	return out
}

// back puts ends that could not be written in front of the others.
func (b *settleBuffer) back(list []settlement) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(slices.Clone(list), b.waiting...)
}

// idle waits until all ends are written, for at most a time, and reports whether they
// are.
func (b *settleBuffer) idle(most time.Duration, force <-chan struct{}) bool {
	b.mu.Lock()
	if len(b.waiting) == 0 && !b.busy {
		b.mu.Unlock()
		return true
	}
	quiet := make(chan struct{})
	b.quiet = quiet
	b.mu.Unlock()
	select { // the settler calls take, which closes quiet if there is nothing to write
	case b.signal <- struct{}{}:
	default:
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-quiet:
		return true
	case <-timer.C:
	case <-force:
		timer.Reset(min(most, time.Second))
		select {
		case <-quiet:
			return true
		case <-timer.C:
		}
	}
	return false
}
