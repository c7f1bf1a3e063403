package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/engine"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// lastWrites is how long what is written after an attempt may take.
const lastWrites = 5 * time.Second

// faultWait is how long a message waits when the database could not be read.
const faultWait = 5 * time.Second

// settleWithin is for how long the ends of messages are gathered while many are sent.
const settleWithin = 10 * time.Millisecond

// worker sends what is claimed from one mailbox.
type worker struct {
	db        *core.DB
	spec      *Spec
	opts      mail.Options
	transport mail.Transport
	signer    *mail.Signer
	line      *line
	hold      *hold
}

// Runner returns the queue with the handler that sends: R is the queue's row, and row reads
// one. Where an option cannot be used, running it fails. Generated code calls it.
func Runner[R any](db *core.DB, s *Spec, q *engine.Spec[R], row func(*R) *Row, from mail.Sender) engine.Runner {
	o, ok, err := mail.OptionsFor(from, s.Name, s.Mailboxes)
	if err != nil {
		return engine.Failed(fmt.Errorf("mail: %w", err))
	}
	if !ok {
		return engine.Idle()
	}
	transport, err := o.Open()
	if err != nil {
		return engine.Failed(fmt.Errorf("mail: %s: %w", s.Name, err))
	}
	signer, err := mail.NewSigner(o.DKIM)
	if err != nil {
		return engine.Failed(fmt.Errorf("mail: %s: %w", s.Name, err))
	}
	w := &worker{signer: signer, db: db, spec: s, opts: o, transport: transport, line: newLine(db, s, o.Parallel), hold: &hold{}}
	w.line.fault = func(err error) {
		o.Logger.Error("mail: waiting messages could not be marked together", "mailbox", s.Name, "error", err)
	}
	handler := func(ctx context.Context, r *R) error { return w.send(ctx, row(r)) }
	runner := engine.New(db, q, handler, o.Queue, engine.Gather(ahead, settleWithin))
	return engine.Closing(runner, func() error {
		w.line.close()
		if o.Transport != nil { // the program closes its own
			return nil
		}
		return transport.Close()
	})
}

// send makes one attempt.
func (w *worker) send(ctx context.Context, r *Row) error {
	claim := queue.Current(ctx)
	o, err := r.outgoing(w.spec.Name, w.db.Clock())
	if err != nil {
		return queue.Discard(err)
	}
	o.Attempt = claim.Attempt()
	if w.opts.Before != nil {
		if err := w.opts.Before(ctx, o); err != nil {
			return err
		}
		o.Mailbox, o.ID, o.Attempt = w.spec.Name, r.ID, claim.Attempt() // the row is the one that it is
	}
	if len(o.Recipients()) == 0 {
		return queue.Discard(&mail.InvalidError{Field: "To", Problem: "no recipient in To, Cc and Bcc: the hook Before has removed them"})
	}
	to, err := recipientsOf(o, r)
	if err != nil {
		return queue.Discard(err)
	}
	left := to.waiting()
	p := &place{claim: claim, addresses: left.keys()}
	if err := w.line.enter(ctx, p); err != nil {
		return w.notBegun(ctx, err)
	}
	defer w.line.leave()
	if left := w.hold.left(); left > 0 && engine.Draining(ctx) {
		return queue.Postpone(spread(left), errHeld)
	}
	if err := w.hold.wait(ctx); err != nil {
		return w.notBegun(ctx, err)
	}
	found, err := w.line.lookUp(ctx, p)
	if err != nil {
		return w.postponed(ctx, o, err)
	}
	left.suppress(found, o.Stream)
	return w.attempt(ctx, o, to, p)
}

// notBegun is the outcome of a message whose context ended while it waited: no attempt counts,
// unless the queue's timeout has expired.
func (w *worker) notBegun(ctx context.Context, err error) error {
	if interrupted(ctx) {
		return queue.Snooze(0)
	}
	return fmt.Errorf("mail: the message waited for a connection for too long: %v", err) // not wrapped: it has not begun, whatever is marked
}

// postponed is the outcome where the database could not be read: nothing was sent, and it is
// no attempt.
func (w *worker) postponed(ctx context.Context, o *mail.Outgoing, err error) error {
	if interrupted(ctx) {
		return queue.Snooze(0)
	}
	w.log(ctx, slog.LevelError, "mail: a message was postponed", o, err)
	return queue.Postpone(faultWait, fmt.Errorf("mail: %w", err))
}

// attempt sends the message to those who have not got it.
func (w *worker) attempt(ctx context.Context, o *mail.Outgoing, to recipients, p *place) error {
	left := to.waiting()
	if len(left) == 0 {
		return w.partly(ctx, o, to)
	}
	began := time.Now()
	receipt, err := w.transmit(ctx, o, left, p)
	if errors.Is(err, errSuppressed) && left.any(recipientSuppressed) {
		return w.attempt(ctx, o, to, p) // to those who are left, fewer each time
	}
	out := mail.Outcome{Receipt: receipt, Err: err, Took: time.Since(began)}
	w.after(ctx, o, out)
	return w.settle(ctx, o, to, out, left)
}

// log logs what happened to a message. Errors may have addresses of its recipients.
func (w *worker) log(ctx context.Context, level slog.Level, text string, o *mail.Outgoing, err error) {
	w.opts.Logger.Log(ctx, level, text, "mailbox", o.Mailbox, "message", o.ID, "attempt", o.Attempt, "error", err)
}
