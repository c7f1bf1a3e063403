package engine

import (
	"context"
	"slices"

	"github.com/hegner123/modulagen/runtime/queue/internal/handle"
	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// report is what the handler of a claim has reported since the last time it was written.
type report struct {
	claim *claim
	handle.Report
}

// reports returns what is not written yet of what the handlers of claims have reported, in the order
// of their ids: two transactions that write some of the same lock them in that order.
func reports(claims []*claim) []report {
	var list []report
	for _, c := range claims {
		if r, ok := c.handle.Report(); ok {
			list = append(list, report{c, r})
		}
	}
	slices.SortFunc(list, func(a, b report) int { return compare(bound(a.claim.ID), bound(b.claim.ID)) })
	return list
}

// bound is an id as an argument of a statement, which compare takes.
func bound(id any) any {
	v, err := core.Plain(id)
	if err != nil {
		return nil // what a claim was read with can be bound
	}
	return v
}

// writeProgress writes reports. Those written in a transaction of conn's count as unwritten
// still: it may be rolled back.
func (t *table) writeProgress(ctx context.Context, conn *core.Conn, list []report) error {
	if len(list) == 0 {
		return nil
	}
	claims := make([]*claim, len(list))
	args := make([][]any, len(list))
	for i, r := range list {
		claims[i], args[i] = r.claim, arguments(t.db, 0)
		args[i][protocol.ArgID], args[i][protocol.ArgEpoch] = r.claim.ID, r.claim.Epoch
		args[i][protocol.ArgProgress], args[i][protocol.ArgNote] = r.Progress, r.Note
	}
	err := t.changing(ctx, conn, func(conn *core.Conn) ([]any, error) {
		touched, err := core.ExecEach(ctx, conn, &t.shape.st.Report, len(list), func(i int) []any { return args[i] })
		if err != nil {
			return nil, err
		}
		written := make([]bool, len(touched))
		for i, n := range touched {
			written[i] = n > 0
		}
		return idsOf(claims, written), nil
	})
	if err == nil && conn == t.db.Conn() {
		for _, r := range list {
			r.claim.handle.Wrote(r.Report)
		}
	}
	return err
}
