package queue

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// prune deletes rows that ended long enough ago, in batches.
func (e *engine) prune(ctx context.Context) error {
	for i := range e.shape.retention {
		r := &e.shape.retention[i]
		for range pruneRounds {
			more, err := e.pruneSome(ctx, r)
			if err != nil {
				return err
			}
			if !more {
				break
			}
			sleep(ctx, nil, 5*time.Millisecond) // others write too
		}
	}
	return nil
}

// pruneSome deletes some rows that ended long enough ago, with the effects of
// their deletion, and reports whether there may be more.
func (e *engine) pruneSome(ctx context.Context, r *Retention) (more bool, err error) {
	if r.Ended == nil {
		args := arguments(e.db, -r.After)
		args[argLimit] = int64(maxSettle)
		n, err := store.Exec(ctx, e.db.Conn(), &r.Prune, args)
		return n >= maxSettle, err
	}
	now, err := moment(ctx, e.db.Conn())
	if err != nil {
		return false, err
	}
	n, err := store.Bind(e.db.Conn(), r.Rows).DeleteSome(ctx, r.Ended(now.Add(-r.After)), store.EffectBatch)
	return n >= store.EffectBatch, err
}
