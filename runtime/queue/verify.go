package queue

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// gone gives up claims that are no longer ours, and finds out why. One whose
// end is being written is left to that.
func (e *engine) gone(ctx context.Context, conn *store.Conn, missing []*claim) {
	for _, c := range missing {
		if !c.is(buffered) && !c.is(performed) {
			continue
		}
		if done, _ := c.handle.state(); done {
			continue // its handler has completed it, and goes on for a while
		}
		cause, err := e.whyGone(ctx, conn, c)
		if err != nil {
			return // the next heartbeat finds out
		}
		if cause != nil {
			e.lose(c, cause)
		}
	}
}

// whyGone looks at a row that could not be changed. It may be ours still, and
// cause is nil then: a heartbeat passes by a row that a transaction has locked.
func (e *engine) whyGone(ctx context.Context, conn *store.Conn, c *claim) (cause, err error) {
	args := arguments(e.db, 0)
	args[argID] = c.ID
	asked := time.Now()
	rows, err := e.shape.read(ctx, conn, &e.shape.st.Get, args[argID:argID+1])
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return ErrCancelled, nil
	}
	now := e.shape.claimed(rows[0])
	switch {
	case now.Epoch == c.Epoch && now.State == e.shape.states.Running:
		c.confirm(asked)
		return nil, nil
	case now.Epoch == c.Epoch && now.State == e.shape.states.Done:
		return nil, nil // only a transaction of its own handler can have completed it
	case now.Epoch == c.Epoch && now.State == e.shape.gone():
		return ErrCancelled, nil
	}
	return ErrLeaseLost, nil
}

// gone is the state of a row that was cancelled.
func (s *shape) gone() string {
	if s.states.Cancelled != "" {
		return s.states.Cancelled
	}
	return s.states.Dead
}
