package engine

import (
	"context"
	"errors"
	"time"

	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// pruner deletes rows that ended longer ago than their retention.
type pruner struct{ *table }

// maxBusy is how often a batch is deleted again after a deadlock with those who write ends meanwhile.
const maxBusy = 3

// prune deletes rows that ended long enough ago, in batches.
func (p *pruner) prune(ctx context.Context) error {
	for i := range p.shape.retention {
		r := &p.shape.retention[i]
		busy := 0
		for range pruneRounds {
			more, err := p.pruneSome(ctx, r)
			if errors.Is(err, store.ErrBusy) && busy < maxBusy {
				busy++
				more, err = true, nil
			}
			if err != nil {
				return err
			}
			if !more {
				break
			}
			sleep(ctx, nil, 5*time.Millisecond) // so that others can write
		}
	}
	return nil
}

// pruneSome deletes a batch of rows that ended long enough ago, with the effects of
// their deletion, and reports whether there may be more.
func (p *pruner) pruneSome(ctx context.Context, r *Retention) (more bool, err error) {
	if r.Ended == nil {
		args := arguments(p.db, -r.After)
		args[protocol.ArgLimit] = int64(maxSettle)
		n, err := p.changeSome(ctx, p.db.Conn(), &r.Prune, &p.shape.st.DeleteEnded, args)
		return n >= maxSettle, err
	}
	now, err := p.db.Conn().Now(ctx)
	if err != nil {
		return false, err
	}
	n, err := core.Bind(p.db.Conn(), r.Rows).DeleteSome(ctx, r.Ended(now.Add(-r.After)), core.EffectBatch)
	return n >= core.EffectBatch, err
}
