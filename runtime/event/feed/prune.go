package feed

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/event/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

const (
	keptFor    = 7 * 24 * time.Hour // how long events stay that every subscription is past
	pruneEvery = time.Minute
	pruneMost  = 500 // rows of one statement
)

// prune deletes old events, now and then.
func (s *subscription) prune(ctx context.Context) error {
	if time.Since(s.pruned) < pruneEvery {
		return nil
	}
	s.pruned = time.Now()
	var least int64
	if err := core.Row(ctx, s.db.Conn(), &s.spec.Least, args(s.db), []any{&least}); err != nil {
		return err
	}
	for {
		a := args(s.db)
		span(a, -keptFor)
		a[protocol.ArgPosition], a[protocol.ArgLimit] = least, int64(pruneMost)
		if n, err := core.Exec(ctx, s.db.Conn(), &s.spec.Prune, a); err != nil || n < pruneMost {
			return err
		}
	}
}

// Unsubscribe removes a subscription, and reports whether there was one. A process that
// runs it can record nothing from then on, and waits for its ctx to end.
func Unsubscribe(ctx context.Context, c *core.Conn, s *Spec, name string) (bool, error) {
	if err := checkName(name); err != nil { // the empty name is that of the last position
		return false, err
	}
	a := args(c.DB())
	a[protocol.ArgName] = name
	n, err := core.Exec(ctx, c, &s.Remove, a)
	c.AfterCommit(readersOf(c.DB(), s).forget)
	return n > 0, err
}
