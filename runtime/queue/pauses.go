package queue

import (
	"context"
	"errors"

	"github.com/hegner123/modulagen/runtime/store"
)

// pauseKey is the name of a queue's switch among the gates.
func pauseKey(datatype, queue string) string {
	if queue == "" {
		return "pause:" + datatype
	}
	return "pause:" + datatype + "/" + queue
}

// readPauses looks at the switches.
func (e *engine) readPauses(ctx context.Context, conn *store.Conn) error {
	all, err := e.paused(ctx, conn, "")
	if err != nil {
		return err
	}
	for _, l := range e.locals {
		off := all
		if !off && l.name != "" {
			if off, err = e.paused(ctx, conn, l.name); err != nil {
				return err
			}
		}
		l.setPaused(off)
	}
	return nil
}

func (e *engine) paused(ctx context.Context, conn *store.Conn, queue string) (bool, error) {
	off, err := store.One(ctx, conn, &limitPaused, []any{pauseKey(e.shape.name, queue)}, func(b *bool) []any { return []any{b} })
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return off, err
}
