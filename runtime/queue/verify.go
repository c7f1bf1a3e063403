package queue

import (
	"context"
	"time"
)

// verifier looks at claims that seem to be this process's no longer.
type verifier struct {
	*table
	claims *claimSet
}

// verify gives up the claims that are no longer ours, and finds out why. One whose
// end is being written is left to that.
func (v *verifier) verify(ctx context.Context, missing []*claim) {
	for _, c := range missing {
		if !c.is(buffered) && !c.is(performed) {
			continue
		}
		if done, _ := c.handle.state(); done {
			continue // its handler has completed it, and goes on for a while
		}
		cause, err := v.whyGone(ctx, c)
		if err != nil {
			return // the next heartbeat finds out
		}
		if cause != nil {
			v.claims.lose(c, cause)
		}
	}
}

// whyGone looks at a row that could not be changed. It may be ours still, and
// cause is nil then: a heartbeat passes by a row that a transaction has locked.
func (v *verifier) whyGone(ctx context.Context, c *claim) (cause, err error) {
	args := arguments(v.db, 0)
	args[argID] = c.ID
	asked := time.Now()
	rows, err := v.shape.read(ctx, v.db.Conn(), &v.shape.st.Get, args[argID:argID+1])
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return ErrCancelled, nil
	}
	now := v.shape.claimed(rows[0])
	switch {
	case now.Epoch == c.Epoch && now.State == v.shape.states.Running:
		c.confirm(asked)
		return nil, nil
	case now.Epoch == c.Epoch && now.State == v.shape.states.Done:
		return nil, nil // only a transaction of its own handler can have completed it
	case now.Epoch == c.Epoch && now.State == v.shape.gone():
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
