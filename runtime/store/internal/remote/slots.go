package remote

import (
	"context"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// slotWait is how long a statement whose context has no deadline waits for a
// connection.
const slotWait = time.Minute

// Slots bounds how many connections are in use, in front of a pool of as many:
// the pool itself never makes anyone wait.
type Slots struct {
	taken chan struct{}
	owner core.Backend
}

// NewSlots returns n slots of a backend.
func NewSlots(n int, owner core.Backend) *Slots {
	return &Slots{taken: make(chan struct{}, n), owner: owner}
}

// Take waits for a slot as long as ctx lasts. Inside a transaction of the same
// database it does not wait: the caller holds a connection already, and 16 who
// hold one each and wait for a second would wait forever.
func (s *Slots) Take(ctx context.Context) error {
	select {
	case s.taken <- struct{}{}:
		return nil
	default:
	}
	if ended := core.Ended(ctx); ended != nil {
		return ended
	}
	if err := core.Nested(s.owner); err != nil {
		return err
	}
	limit := make(<-chan time.Time)
	if _, bounded := ctx.Deadline(); !bounded {
		timer := time.NewTimer(slotWait)
		defer timer.Stop()
		limit = timer.C
	}
	select {
	case s.taken <- struct{}{}:
		return nil
	case <-ctx.Done():
		return core.Ended(ctx)
	case <-limit:
		return fmt.Errorf("store: all %d connections have been in use for %s; inside db.Tx use tx, or raise Options.MaxConns: %w",
			cap(s.taken), slotWait, store.ErrFull)
	}
}

// Give returns a slot.
func (s *Slots) Give() { <-s.taken }
