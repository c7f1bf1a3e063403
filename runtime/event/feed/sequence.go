package feed

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/event/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// The events that get their positions in one statement: first few, and more while it is fast. MySQL reads
// the whole of a row for it, which takes 40 ms where it has some megabytes.
const (
	sequenceFirst = 16
	sequenceMost  = 500
	sequenceLong  = time.Second // fewer events from then on
)

// sequence assigns positions to events that are committed by now and have none, in the
// order of their ids, and reports whether there may be more: writers that never pause must
// not keep it from handing them out.
//
// Positions only grow, and none is assigned while an event could still be committed with a
// lower one: the statement moves the last position on from what it was when the events had
// none, and of two processes the second one changes nothing. It is one statement, so that a
// process that is cut off from the database has no lock on the last position.
func (l log) sequence(ctx context.Context, most int) (more bool, err error) {
	conn := l.db.Conn()
	if !l.spec.Assign.Has(conn) {
		return false, nil
	}
	a := args(l.db)
	a[protocol.ArgLimit] = int64(most)
	var id, last int64
	var ids []int64
	err = core.Each(ctx, conn, &l.spec.Unsequenced, a, []any{&id, &last}, func() error {
		ids = append(ids, id)
		return nil
	})
	if err != nil || len(ids) == 0 {
		return false, err
	}
	a[protocol.ArgList], a[protocol.ArgFrom], a[protocol.ArgPosition] = core.ListOf(ids), last, last+int64(len(ids))
	n, err := core.Exec(ctx, conn, &l.spec.Assign, a)
	return len(ids) == most || n == 0, err
}
