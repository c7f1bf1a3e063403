package engine

import (
	"context"
	"errors"

	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"

	"github.com/hegner123/modulagen/runtime/queue/internal/peek"
)

// maxPeek is how many rows of a local queue a test sees at most.
const maxPeek = 10_000

var errPeeked = errors.New("queue: only looked at")

// peek passes the payloads of all jobs that are due to the function of the context:
// it claims them in a transaction that it rolls back.
func (r *runner) peek(ctx context.Context) error {
	e, err := r.engine(ctx)
	if err != nil {
		return err
	}
	for _, q := range e.locals {
		rows, err := e.peekQueue(ctx, q)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := e.show(ctx, row); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *engine) peekQueue(ctx context.Context, q *localQueue) (rows []any, err error) {
	err = e.db.Tx(ctx, func(c *core.Conn) error {
		args := arguments(e.db, e.opts.Lease)
		args[protocol.ArgLimit], args[protocol.ArgName] = int64(maxPeek), q.name
		if _, err := e.fetcher.changeSome(ctx, c, &e.shape.st.Promote, &e.shape.st.SetHold, args); err != nil {
			return err
		}
		if rows, err = e.fetcher.claimRows(ctx, c, args); err != nil {
			return err
		}
		return errPeeked
	})
	if !errors.Is(err, errPeeked) {
		return nil, err
	}
	return e.shape.sorted(rows), nil
}

func (e *engine) show(ctx context.Context, row any) error {
	if _, plain := e.shape.policies[""]; plain {
		peek.From(ctx)(row)
		return nil
	}
	err := sound(e.performer.handler(ctx, row))
	if _, unknown := errors.AsType[unknownKind](err); unknown {
		return nil
	}
	return err
}
