package engine

import (
	"context"
	"errors"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// pauseKey returns the key of a queue in queue_limits that says whether it is paused.
func pauseKey(datatype, queue string) string {
	if queue == "" {
		return "pause:" + datatype
	}
	return "pause:" + datatype + "/" + queue
}

// pauses keeps the local queues paused as Pause and Resume have set.
type pauses struct {
	*table
	locals []*localQueue
}

// read reads which queues are paused.
func (p *pauses) read(ctx context.Context, conn *core.Conn) error {
	all, err := p.paused(ctx, conn, "")
	if err != nil {
		return err
	}
	for _, q := range p.locals {
		off := all
		if !off && q.name != "" {
			if off, err = p.paused(ctx, conn, q.name); err != nil {
				return err
			}
		}
		q.setPaused(off)
	}
	return nil
}

func (p *pauses) paused(ctx context.Context, conn *core.Conn, queue string) (bool, error) {
	off, err := core.One(ctx, conn, &p.shape.st.Paused, limitArguments(pauseKey(p.shape.name, queue)), func(b *bool) []any { return []any{b} })
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return off, err
}
