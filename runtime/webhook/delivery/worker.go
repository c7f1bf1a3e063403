package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/engine"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/webhook"
)

// lastWrites is how long each of what came of an attempt may take to be written.
const lastWrites = 5 * time.Second

// faultWait is how long a delivery waits when the database could not be read.
const faultWait = 5 * time.Second

// worker delivers what is claimed from the queue.
type worker struct {
	db       *core.DB
	spec     *Spec
	registry *registry
	client   *egress.Client
	opts     webhook.Options
	log      *log
}

// Runner returns the queue with the handler that delivers: R is the queue's row, and
// delivery reads one. Where an option cannot be used, running it fails.
func Runner[R any](db *core.DB, s *Spec, q *engine.Spec[R], delivery func(row *R) *Delivery, from webhook.Sender) engine.Runner {
	o := webhook.OptionsOf(from)
	client, err := egress.New(o.Egress)
	if err != nil {
		return engine.Failed(fmt.Errorf("webhook: %w", err))
	}
	w := &worker{db: db, spec: s, registry: registryOf(db, s), client: client, opts: o, log: &log{db: db, spec: s}}
	return engine.New(db, q, func(ctx context.Context, row *R) error { return w.deliver(ctx, delivery(row)) }, o.Queue)
}

// deliver makes one attempt.
func (w *worker) deliver(ctx context.Context, d *Delivery) error {
	req, err := w.request(ctx, d)
	if err != nil {
		return err
	}
	if req.Ordered {
		if err := w.inOrder(ctx, d); err != nil {
			return err
		}
	}
	m, err := req.outgoing(d)
	if err != nil {
		return queue.Discard(fmt.Errorf("webhook: %w", err))
	}
	claim := queue.Current(ctx)
	a := &Attempt{
		Request: d.Request, Delivery: d.ID, Route: d.Route, EventID: d.EventID, Op: opOf(d.Type), Row: d.Row,
		Number: int64(claim.Attempt()), RequestBody: string(m.Body), At: w.db.Clock(),
	}
	began := time.Now()
	res, err := w.send(ctx, req, d, m, a.At)
	a.Duration = (time.Since(began) + time.Millisecond - 1).Milliseconds()
	o := w.judge(m, res, err, int(a.Number))
	w.describe(a, m, res, o.err)
	return w.record(ctx, req, d, a, o)
}

// request finds the request of a delivery as it is by now: its address, its headers and its
// keys may have changed since the event.
func (w *worker) request(ctx context.Context, d *Delivery) (*request, error) {
	h, err := w.registry.hooks(ctx, w.db.Conn())
	if err != nil {
		return nil, w.postponed(ctx, d, err)
	}
	req := h.requests[d.Request]
	if req == nil { // it is switched off, or newer
		row, err := w.spec.Request(ctx, w.db.Conn(), d.Request)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil, queue.Discard(errors.New("webhook: the request was deleted"))
		case err != nil:
			return nil, w.postponed(ctx, d, err)
		case !row.Active && row.DisabledReason != "":
			return nil, queue.Discard(fmt.Errorf("webhook: the request is switched off: %s", row.DisabledReason))
		case !row.Active:
			return nil, queue.Discard(errors.New("webhook: the request is not active"))
		}
		req = checkRequest(row)
	}
	if err := req.err(); err != nil {
		return nil, queue.Discard(fmt.Errorf("webhook: %w", err))
	}
	return req, nil
}

// postponed is the outcome where the database could not be read: nothing was sent, and it is
// no attempt.
func (w *worker) postponed(ctx context.Context, d *Delivery, err error) error {
	w.opts.Logger.ErrorContext(ctx, "webhook: a delivery was postponed", "request", d.Request, "delivery", d.ID, "error", err)
	return queue.Snooze(faultWait)
}

// send makes the request, with a signature of its own for each attempt.
func (w *worker) send(ctx context.Context, req *request, d *Delivery, m *outgoing, now time.Time) (*egress.Response, error) {
	if err := sign(m.Header, req.signers(now), d.EventID, m.Body, now); err != nil {
		return nil, fmt.Errorf("%w: %w", egress.ErrInvalid, err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(req.Timeout)*time.Second)
	defer cancel()
	return w.client.Do(ctx, m.Request)
}

// sign adds the headers of Standard Webhooks. A request without keys has no signature.
func sign(header http.Header, keys []webhook.Signer, id string, body []byte, now time.Time) error {
	if len(keys) == 0 {
		header.Set(webhook.HeaderID, id)
		header.Set(webhook.HeaderTimestamp, fmt.Sprint(now.Unix()))
		return nil
	}
	signed, err := webhook.Sign(id, now, body, keys...)
	for name, values := range signed {
		header[name] = values
	}
	return err
}

// record writes what came of an attempt.
func (w *worker) record(ctx context.Context, req *request, d *Delivery, a *Attempt, o outcome) error {
	err := last(ctx, func(ctx context.Context) error { return w.log.add(ctx, a) })
	if err != nil {
		w.opts.Logger.ErrorContext(ctx, "webhook: an attempt could not be logged", "request", d.Request, "delivery", d.ID, "error", err)
	}
	if err := last(ctx, func(ctx context.Context) error { return w.health(ctx, req, o) }); err != nil {
		w.opts.Logger.ErrorContext(ctx, "webhook: the request could not be changed", "request", d.Request, "error", err)
	}
	if o.err != nil {
		w.opts.Logger.WarnContext(ctx, "webhook: the attempt failed", "request", d.Request, "delivery", d.ID, "attempt", a.Number, "error", o.err)
		return o.settled()
	}
	if req.Ordered {
		return last(ctx, func(ctx context.Context) error { return w.complete(ctx, d) })
	}
	return nil
}

// last has something written about an attempt also when the handler's context has ended: the
// endpoint may have got the request.
func last(ctx context.Context, write func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrites)
	defer cancel()
	return write(ctx)
}
