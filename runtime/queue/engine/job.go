package engine

import (
	"context"
	"fmt"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/internal/peek"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Handle decodes a row's payload and calls the handler of its kind. A job whose
// payload does not decode is discarded. Generated code calls it.
func Handle[R, P any](ctx context.Context, row *R, payload []byte, handler func(context.Context, *queue.Job[R, P]) error) error {
	p, err := decode[P](payload)
	if err != nil {
		return err
	}
	return call(ctx, row, p, handler)
}

// HandleOlder is like Handle for a payload of an earlier version, which upcast
// converts to the current one. Generated code calls it.
func HandleOlder[R, O, P any](ctx context.Context, row *R, payload []byte, upcast func(context.Context, O) (P, error), handler func(context.Context, *queue.Job[R, P]) error) error {
	old, err := decode[O](payload)
	if err != nil {
		return err
	}
	p, err := upcast(ctx, old)
	if err != nil {
		return fmt.Errorf("queue: payload of an earlier version: %w", err)
	}
	return call(ctx, row, p, handler)
}

func call[R, P any](ctx context.Context, row *R, payload P, handler func(context.Context, *queue.Job[R, P]) error) error {
	if see := peek.From(ctx); see != nil {
		see(payload)
		return nil
	}
	job := &queue.Job[R, P]{Row: row, Payload: payload, Attempt: 1, Claim: queue.Current(ctx)}
	if job.Claim != nil {
		job.Attempt = job.Claim.Attempt()
	}
	return handler(ctx, job)
}

func decode[P any](payload []byte) (P, error) {
	var p P
	if err := core.DecodePayload(payload, &p); err != nil {
		return p, queue.Discard(fmt.Errorf("queue: decode payload: %w", core.JSONFault(err)))
	}
	return p, nil
}

// Encode returns the JSON of a payload. If the payload breaks the rules of its kind,
// the error is a *store.ValidationError. Generated code calls it.
func Encode[P any](kind string, payload P, rules []check.Member) (store.JSON, error) {
	return core.PayloadJSON(kind, payload, check.Rules{Kind: check.JSON, Required: true, Fields: rules})
}
