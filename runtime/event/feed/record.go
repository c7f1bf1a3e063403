package feed

import (
	"context"
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/runtime/event/document"
	"github.com/hegner123/modulagen/runtime/event/ops"
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

// Record returns what a datatype's effect runs: it writes the events of each change
// of a row, in the transaction of the write.
func Record(s *Spec, topic string, which *ops.Spec) func(ctx context.Context, c *core.Conn, changes []core.Change) error {
	return RecordKept(s, topic, which, nil)
}

// RecordKept is Record for a datatype with fields that are kept under their names before: programs of before, which
// still run, find them in the events too.
func RecordKept(s *Spec, topic string, which *ops.Spec, former *Former) func(ctx context.Context, c *core.Conn, changes []core.Change) error {
	return func(ctx context.Context, c *core.Conn, changes []core.Change) error {
		all := make([][]any, 0, len(changes))
		for _, ch := range changes {
			happened := which.Of(ch)
			if len(happened) == 0 {
				continue
			}
			a := args(c.DB())
			a[protocol.ArgTopic], a[protocol.ArgRow] = topic, fmt.Sprint(ch.ID)
			if err := rows(a, ch, former); err != nil {
				return fmt.Errorf("event: %s %v: %w", topic, ch.ID, err)
			}
			for _, op := range happened {
				a := slices.Clone(a)
				a[protocol.ArgEvent], a[protocol.ArgOp] = core.NewULID(), string(op)
				all = append(all, a)
			}
		}
		return core.InsertEach(ctx, c, &s.Append, len(all), func(i int) []any { return all[i] })
	}
}

// rows puts the row before and after into arguments. One that is too large for the
// log is left out, and so is the other.
func rows(a []any, ch core.Change, former *Former) error {
	before, err := written(ch.Before, former)
	if err != nil {
		return err
	}
	after, err := written(ch.After, former)
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

// written is a row as the log has it; "" of no row.
func written(row any, former *Former) (string, error) {
	text, err := document.Of(row)
	if err != nil {
		return "", err
	}
	return former.alsoBefore(text)
}
