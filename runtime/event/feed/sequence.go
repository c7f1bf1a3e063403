package feed

import (
	"context"

	"github.com/hegner123/modulagen/runtime/event/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// sequenceMost bounds the events that get their positions in one transaction.
const sequenceMost = 500

// sequence gives positions to events that are committed by now and have none, in the
// order of their ids, and reports whether there may be more: writers that never pause must
// not keep it from handing them out. Whoever does so holds the last position locked: positions
// only grow, and none is given while an event could still be committed with a lower one.
func (l log) sequence(ctx context.Context, most int) (more bool, err error) {
	if ids, err := l.unsequenced(ctx, l.db.Conn(), 1); err != nil || len(ids) == 0 {
		return false, err
	}
	err = l.db.Tx(ctx, func(c *core.Conn) error {
		n, err := l.sequenceSome(ctx, c, most)
		more = n == most
		return err
	})
	return more, err
}

func (l log) sequenceSome(ctx context.Context, c *core.Conn, most int) (int, error) {
	var last int64
	if err := core.Row(ctx, c, &l.spec.LockSequence, args(l.db), []any{&last}); err != nil {
		return 0, err
	}
	ids, err := l.unsequenced(ctx, c, most)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	a := args(l.db)
	_, err = core.ExecEach(ctx, c, &l.spec.SetPosition, len(ids), func(i int) []any {
		a[protocol.ArgID], a[protocol.ArgPosition] = ids[i], last+int64(i)+1
		return a
	})
	if err != nil {
		return 0, err
	}
	a = args(l.db)
	a[protocol.ArgPosition] = last + int64(len(ids))
	_, err = core.Exec(ctx, c, &l.spec.SetSequence, a)
	return len(ids), err
}

// unsequenced returns the ids of events without a position, oldest first.
func (l log) unsequenced(ctx context.Context, c *core.Conn, most int) ([]int64, error) {
	a := args(l.db)
	a[protocol.ArgLimit] = int64(most)
	return core.Many(ctx, c, &l.spec.Unsequenced, a, func(id *int64) []any { return []any{id} })
}
