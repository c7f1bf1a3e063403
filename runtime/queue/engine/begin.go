package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/queue/internal/handle"
)

// beginner marks the rows of claims whose handlers are about to do what must not happen
// twice. While the mark has the epoch of the claim, a rescuer makes the row unknown instead
// of ready or dead.
type beginner struct {
	*table
	lease lease
}

// Begin marks claims in one statement, and reports which of them may go on: those that are
// ours before it and after it. The statement renews their leases too.
func (b *beginner) Begin(ctx context.Context, handles []*handle.Claim) ([]bool, error) {
	if b.shape.states.Unknown == "" {
		return nil, fmt.Errorf("queue: BeginOnce: the queue of %s has no state for jobs that may have done their work: add unknown: to its state, with an option of the select for it, and generate again", b.shape.name)
	}
	if len(handles) > maxSettle {
		return nil, fmt.Errorf("queue: BeginOnce: %d claims of %s; at most %d at once", len(handles), b.shape.name, maxSettle)
	}
	ours := make([]bool, len(handles))
	var claims []*claim
	var at []int // where they are among the handles
	for i, h := range handles {
		if c := h.Key.(*claim); c.beginOnce() {
			claims, at = append(claims, c), append(at, i)
		}
	}
	if len(claims) == 0 {
		return ours, nil
	}
	asked := time.Now()
	marked, err := b.changeClaims(ctx, b.db.Conn(), &b.shape.st.BeginOnce, claims, b.lease.span())
	if err != nil {
		for _, c := range claims {
			c.notBegun()
		}
		return nil, fmt.Errorf("queue: BeginOnce: it is not recorded that jobs of %s began, so nothing may be begun: %w", b.shape.name, err)
	}
	for i, c := range claims {
		if !marked[i] {
			c.notBegun()
			continue
		}
		c.confirm(asked)
		ours[at[i]] = c.is(performed)
	}
	return ours, nil
}

// beginOnce counts a call of BeginOnce, unless the handler has returned or was given up, or
// the lease was lost. It counts before the row is marked: an outcome that is decided
// meanwhile must not make the job run again.
func (c *claim) beginOnce() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != performed {
		return false
	}
	c.once++
	return true
}

// notBegun takes back what beginOnce counted.
func (c *claim) notBegun() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.once--
}

// begunOnce reports whether the job may have done what must not happen twice.
func (c *claim) begunOnce() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.once > 0
}
