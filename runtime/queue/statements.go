package queue

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// arguments are what every statement of a queue picks its own from.
func (w *worker[R]) arguments(c Claimed, span time.Duration, failure string) []any {
	now := w.db.Clock()
	args := make([]any, argCount)
	args[argID] = c.ID
	args[argEpoch] = c.Epoch
	args[argSpan] = span.Microseconds()
	args[argNow] = now
	args[argUntil] = now.Add(span)
	args[argError] = failure
	return args
}

func (w *worker[R]) exec(ctx context.Context, st *store.Statement, c Claimed, span time.Duration, failure string) (int64, error) {
	return store.Exec(ctx, w.db.Conn(), st, w.arguments(c, span, failure))
}

func (w *worker[R]) fields(row *R) []any { return w.spec.Fields(row, nil) }

// claim takes the next row that is due, or gives store.ErrNotFound.
func (w *worker[R]) claim(ctx context.Context) (*R, error) {
	args := w.arguments(Claimed{}, w.opts.Lease, "")
	if w.db.Conn().Dialect() == sqltext.MySQL {
		return w.claimInTwo(ctx, args)
	}
	row, err := store.One(ctx, w.db.Conn(), &w.spec.Claim, args, w.fields)
	if err != nil {
		return nil, err
	}
	return &row, nil
}

// claimInTwo finds, takes and reads a row in one short transaction, on a
// database that cannot show what it changed.
func (w *worker[R]) claimInTwo(ctx context.Context, args []any) (*R, error) {
	var claimed R
	err := w.db.Tx(ctx, func(c *store.Conn) error {
		found, err := store.One(ctx, c, &w.spec.Claim, args, func(row *R) []any { return w.fields(row)[:1] })
		if err != nil {
			return err
		}
		args[argID] = w.spec.Claimed(&found).ID
		if _, err := store.Exec(ctx, c, &w.spec.Take, args); err != nil {
			return err
		}
		claimed, err = store.One(ctx, c, &w.spec.Get, args[argID:argID+1], w.fields)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &claimed, nil
}
