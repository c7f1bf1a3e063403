package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/webhook/protocol"
)

// health notes since when a request only fails, and switches it off after some days, or at
// once when its endpoint is gone.
func (w *worker) health(ctx context.Context, req *request, o outcome) error {
	since, now := req.FailingSince, w.db.Clock()
	switch {
	case o.err == nil && since.IsZero():
		return nil
	case o.err == nil:
		return w.note(ctx, req, RequestPatch{FailingSince: store.SetNull[time.Time]()})
	case o.gone:
		return w.disable(ctx, req, true, "the endpoint answered 410 Gone")
	case since.IsZero():
		return w.note(ctx, req, RequestPatch{FailingSince: store.Set(now)})
	case w.opts.DisableAfter > 0 && now.Sub(since) > w.opts.DisableAfter:
		return w.disable(ctx, req, false, fmt.Sprintf("every attempt since %s failed; the last: %s", since.UTC().Format(time.RFC3339), message(o.err)))
	}
	return nil
}

// disable switches a request off, unless somebody has switched it off already, or has changed
// what the attempt went by while it was made.
func (w *worker) disable(ctx context.Context, req *request, gone bool, reason string) error {
	off := false
	err := w.db.Tx(ctx, func(c *core.Conn) error {
		row, err := w.spec.Locked(ctx, c, req.ID)
		off = err == nil && row.Active && row.URL == req.URL && (gone || row.FailingSince.Equal(req.FailingSince))
		if !off {
			return err
		}
		return w.spec.Change(ctx, c, req.ID, RequestPatch{Active: store.Set(false), DisabledReason: store.Set(printable(reason, protocol.MaxReason))})
	})
	w.registry.forget()
	if err == nil && off {
		w.opts.Logger.WarnContext(ctx, "webhook: a request was switched off", "request", req.ID, "reason", reason)
	}
	return err
}

// noteKey marks the context of a write that notes in a request how its deliveries go. No
// webhook fires for it: one about an endpoint that fails now and then would make deliveries
// of its own, each of which makes such notes again.
type noteKey struct{}

// note writes to the request, and has this process see it at once: attempts that run beside
// this one would write the same.
func (w *worker) note(ctx context.Context, req *request, p RequestPatch) error {
	err := w.spec.Change(context.WithValue(ctx, noteKey{}, true), w.db.Conn(), req.ID, p)
	w.registry.forget()
	return err
}
