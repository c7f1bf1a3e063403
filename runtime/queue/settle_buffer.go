package queue

import (
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// settlement is the end of a claim that waits to be written.
type settlement struct {
	claim  *claim
	end    outcome
	result json.RawMessage
}

// settler collects ends while others are being written, so that under load each
// write is of many.
type settler struct {
	mu      sync.Mutex
	waiting []settlement
	busy    bool // some are being written
	signal  chan struct{}
	quiet   chan struct{} // closed when there is nothing to write; nil when no one asks
}

const (
	maxSettle  = 1000
	maxWaiting = 5000 // ends that wait while the database is away; more claims would only wait too
)

func (s *settler) add(list ...settlement) {
	s.mu.Lock()
	s.waiting = append(s.waiting, list...)
	s.mu.Unlock()
	select {
	case s.signal <- struct{}{}:
	default:
	}
}

func (s *settler) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting) > maxWaiting
}

// take gives what waits, at most so many; what it gave before is written.
func (s *settler) take() []settlement {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), maxSettle)
	out := slices.Clone(s.waiting[:n])
	s.waiting = append(s.waiting[:0], s.waiting[n:]...)
	clear(s.waiting[len(s.waiting):cap(s.waiting)])
	s.busy = n > 0
	if n == 0 && s.quiet != nil {
		close(s.quiet)
		s.quiet = nil
	}
	return out
}

// back puts those first that could not be written.
func (s *settler) back(list []settlement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(slices.Clone(list), s.waiting...)
}

// idle waits until all is written, at most so long.
func (s *settler) idle(most time.Duration, force <-chan struct{}) bool {
	s.mu.Lock()
	if len(s.waiting) == 0 && !s.busy {
		s.mu.Unlock()
		return true
	}
	quiet := make(chan struct{})
	s.quiet = quiet
	s.mu.Unlock()
	select { // the settler may have nothing to take, and is to say so
	case s.signal <- struct{}{}:
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
