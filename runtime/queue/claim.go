package queue

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// claim is a row that this process has.
type claim struct {
	Claimed
	row    any
	handle *Claim
	start  *start // under a rate; of the goroutine that runs it

	mu        sync.Mutex
	phase     phase
	ctx       context.Context // of the handler; nil before it runs
	cancel    context.CancelCauseFunc
	confirmed time.Time // when the database was last asked and said that it is ours; monotonic
	started   time.Time // when its handler began; zero before
}

// ran returns how long ago the handler began; 0 for one that has not.
func (c *claim) ran() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started.IsZero() {
		return 0
	}
	return time.Since(c.started)
}

// began returns when the handler began; the zero time before it has.
func (c *claim) began() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.started
}

type phase uint8

const (
	buffered  phase = iota // claimed, not begun
	performed              // its handler runs
	finished               // its handler has returned; the end is being written
	timedOut               // its handler runs on, but was given up
	lost                   // another may have it
)

func (c *claim) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		return nil
	}
	return context.Cause(c.ctx)
}

func (c *claim) is(p phase) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == p
}

// move changes the phase if it is still the one expected.
func (c *claim) move(from, to phase) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != from {
		return false
	}
	c.phase = to
	return true
}

// claimSet holds the claims of this process, by id, until they are settled or lost.
type claimSet struct {
	observer *observer

	mu     sync.Mutex
	claims map[any]*claim
}

func newClaimSet(o *observer) *claimSet {
	return &claimSet{observer: o, claims: map[any]*claim{}}
}

// all lists the claims that this process has.
func (s *claimSet) all() []*claim {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.claims))
}

// add adds claims. A row that this process had before, and lost without having
// noticed yet, is lost to the handler that it had then.
func (s *claimSet) add(claims []*claim) {
	var old []*claim
	s.mu.Lock()
	for _, c := range claims {
		if before := s.claims[c.ID]; before != nil {
			old = append(old, before)
		}
		s.claims[c.ID] = c
	}
	s.mu.Unlock()
	for _, c := range old {
		s.lose(c, ErrLeaseLost)
	}
}

// remove removes a claim, unless a newer one of the same row has taken its place.
func (s *claimSet) remove(c *claim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claims[c.ID] == c {
		delete(s.claims, c.ID)
	}
}

// confirm takes note that the claim was this process's at a moment.
func (c *claim) confirm(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.confirmed) {
		c.confirmed = at
	}
}

// left is how long the claim is still safe to work on, by this process's
// monotonic clock alone; not positive when another process may have the row.
func (c *claim) left(l lease) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return l.safe() - time.Since(c.confirmed)
}

// lose gives a claim up that another may have.
func (s *claimSet) lose(c *claim, cause error) {
	c.mu.Lock()
	was := c.phase
	if was == buffered || was == performed {
		c.phase = lost
	}
	cancel := c.cancel
	c.mu.Unlock()
	if was != buffered && was != performed {
		return
	}
	s.remove(c)
	if cancel != nil {
		cancel(cause)
	}
	if cause == ErrCancelled {
		s.observer.emit(c, Cancelled, outcome{err: cause})
		return
	}
	s.observer.log(c).Warn("the lease was lost")
	s.observer.emit(c, LeaseLost, outcome{err: cause})
}
