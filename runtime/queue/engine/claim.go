package engine

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/internal/handle"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// claim is a row that this process has claimed.
type claim struct {
	Claimed
	row    any // nil once the handler has returned
	handle *handle.Claim
	start  *start // under a rate; used by the goroutine that runs it

	mu        sync.Mutex
	phase     phase
	ctx       context.Context // of the handler; nil before it runs
	cancel    context.CancelCauseFunc
	confirmed time.Time // when the last statement was sent that found the claim to be ours; monotonic
	started   time.Time // when its handler began; zero before it has
	once      int       // calls of BeginOnce that are under way or have succeeded
}

// completer completes a job within a transaction of its handler's.
type completer interface {
	completeIn(ctx context.Context, conn *core.Conn, c *claim, result json.RawMessage) error
}

// handle returns the claim that a handler is called with.
func (s *shape) handle(c *claim, by completer, once handle.Beginner) *handle.Claim {
	name := s.name
	if c.Queue != "" {
		name += "/" + c.Queue
	}
	job := handle.Job{ID: c.ID, Kind: c.Kind, Queue: name, Attempt: int(c.Attempt)}
	h := handle.New(job, func(ctx context.Context, conn *core.Conn, result json.RawMessage) error {
		return by.completeIn(ctx, conn, c, result)
	})
	h.Beginner, h.Key = once, c
	return h
}

// ran returns how long ago the handler began; 0 if it has not.
func (c *claim) ran() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started.IsZero() {
		return 0
	}
	return time.Since(c.started)
}

// began returns when the handler began; the zero time if it has not.
func (c *claim) began() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.started
}

type phase uint8

const (
	buffered  phase = iota // claimed, not started
	performed              // its handler runs
	finished               // its handler has returned; the end is being written
	timedOut               // its handler still runs after its timeout and grace
	lost                   // another worker may have it
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

// move changes the phase if it is still from, and reports whether it was.
func (c *claim) move(from, to phase) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != from {
		return false
	}
	c.phase = to
	return true
}

// confirm records that the claim was this process's at a time.
func (c *claim) confirm(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.confirmed) {
		c.confirmed = at
	}
}

// left returns for how long the claim is safe to work on, by this process's
// monotonic clock alone. It is not positive when another process may have the row.
func (c *claim) left(l lease) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return l.safe() - time.Since(c.confirmed)
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

// add adds claims. An older claim of the same row, whose loss was not noticed yet,
// is lost.
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
		s.lose(c, queue.ErrLeaseLost)
	}
}

// remove removes a claim, unless a newer claim of the same row has replaced it.
func (s *claimSet) remove(c *claim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claims[c.ID] == c {
		delete(s.claims, c.ID)
	}
}

// lose removes a claim that another worker may have, and cancels its handler.
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
	if cause == queue.ErrCancelled {
		s.observer.emit(c, queue.Cancelled, outcome{err: cause})
		return
	}
	s.observer.log(c).Warn("the lease was lost")
	s.observer.emit(c, queue.LeaseLost, outcome{err: cause})
}
