package engine

import (
	"context"

	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// writeProgress writes what the handlers of claims have reported since the last time.
func (t *table) writeProgress(ctx context.Context, conn *core.Conn, claims []*claim) error {
	var all [][]any
	var reporting []*claim
	for _, c := range claims {
		progress, note, ok := c.handle.Report()
		if !ok {
			continue
		}
		args := arguments(t.db, 0)
		args[protocol.ArgID], args[protocol.ArgEpoch], args[protocol.ArgProgress], args[protocol.ArgNote] = c.ID, c.Epoch, progress, note
		all, reporting = append(all, args), append(reporting, c)
	}
	if len(all) == 0 {
		return nil
	}
	err := t.changing(ctx, conn, func(conn *core.Conn) ([]any, error) {
		touched, err := core.ExecEach(ctx, conn, &t.shape.st.Report, len(all), func(i int) []any { return all[i] })
		if err != nil {
			return nil, err
		}
		written := make([]bool, len(touched))
		for i, n := range touched {
			written[i] = n > 0
		}
		return idsOf(reporting, written), nil
	})
	if err != nil || conn != t.db.Conn() { // the transaction of a handler may be rolled back
		for _, c := range reporting {
			c.handle.ReportAgain()
		}
	}
	return err
}
