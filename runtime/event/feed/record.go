package feed

import (
	"context"
	"fmt"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/event/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Wanted returns what a datatype's effect is asked before a write: whether a
// subscription reads its events.
func Wanted(s *Spec, topic string) func(ctx context.Context, c *core.Conn) (bool, error) {
	return func(ctx context.Context, c *core.Conn) (bool, error) {
		return readersOf(c.DB(), s).reads(ctx, c, topic)
	}
}

// Record returns what a datatype's effect runs: it writes an event for each change
// of a row, in the transaction of the write.
func Record(s *Spec, topic string) func(ctx context.Context, c *core.Conn, changes []core.Change) error {
	return func(ctx context.Context, c *core.Conn, changes []core.Change) error {
		all := make([][]any, len(changes))
		for i, ch := range changes {
			a := args(c.DB())
			a[protocol.ArgEvent], a[protocol.ArgTopic] = core.NewULID(), topic
			a[protocol.ArgOp], a[protocol.ArgRow] = string(ops[ch.Op]), fmt.Sprint(ch.ID)
			if err := rows(a, ch); err != nil {
				return fmt.Errorf("event: %s %v: %w", topic, ch.ID, err)
			}
			all[i] = a
		}
		_, err := core.ExecEach(ctx, c, &s.Append, len(all), func(i int) []any { return all[i] })
		return err
	}
}

var ops = map[core.Op]event.Op{core.Created: event.Create, core.Updated: event.Update, core.Deleted: event.Delete}

// rows puts the row before and after into arguments. One that is too large for the
// log is left out, and so is the other.
func rows(a []any, ch core.Change) error {
	before, err := document(ch.Before)
	if err != nil {
		return err
	}
	after, err := document(ch.After)
	if err != nil {
		return err
	}
	if len(before) > protocol.MaxRow || len(after) > protocol.MaxRow {
		return nil
	}
	if before != "" {
		a[protocol.ArgBefore] = before
	}
	if after != "" {
		a[protocol.ArgAfter] = after
	}
	return nil
}
