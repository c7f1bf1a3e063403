package engine

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/protocol"
)

// verifier finds out what happened to claims that this process may have lost.
type verifier struct {
	*table
	claims *claimSet
}

// verify reads the rows of claims, and drops those that are no longer ours with the
// cause. It skips claims whose ends are being written. left are those that are still ours, or may be.
func (v *verifier) verify(ctx context.Context, missing []*claim) (left []*claim) {
	for i, c := range missing {
		if !c.is(buffered) && !c.is(performed) {
			continue
		}
		if done, _ := c.handle.Completed(); done {
			continue // its handler has completed it, and has not returned yet
		}
		cause, runs, err := v.whyGone(ctx, c)
		if err != nil {
			return append(left, missing[i:]...) // the next heartbeat finds out
		}
		if cause != nil {
			v.claims.lose(c, cause)
		} else if runs {
			left = append(left, c)
		}
	}
	return left
}

// whyGone returns why a row could not be changed. The cause is nil if the claim has not been lost; runs reports
// whether it still runs: a heartbeat skips a row that a transaction has locked.
func (v *verifier) whyGone(ctx context.Context, c *claim) (cause error, runs bool, err error) {
	args := arguments(v.db, 0)
	args[protocol.ArgID] = c.ID
	asked := time.Now()
	rows, err := v.shape.read(ctx, v.db.Conn(), &v.shape.st.Get, args[protocol.ArgID:protocol.ArgID+1])
	switch {
	case err != nil:
		return nil, false, err
	case len(rows) == 0:
		return queue.ErrCancelled, false, nil
	}
	now := v.shape.claimed(rows[0])
	switch {
	case now.Epoch == c.Epoch && now.State == v.shape.states.Running:
		c.confirm(asked)
		return nil, true, nil
	case now.Epoch == c.Epoch && now.State == v.shape.states.Done:
		return nil, false, nil // only a transaction of its own handler can have completed it
	case now.Epoch == c.Epoch && now.State == v.shape.gone():
		return queue.ErrCancelled, false, nil
	}
	return queue.ErrLeaseLost, false, nil
}

// gone returns the state of a row that was cancelled.
func (s *shape) gone() string {
	if s.states.Cancelled != "" {
		return s.states.Cancelled
	}
	return s.states.Dead
}
