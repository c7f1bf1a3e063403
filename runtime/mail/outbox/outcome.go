package outbox

import (
	"context"
	"errors"
	"log/slog"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/queue"
)

// settle returns what becomes of the message, and writes what became of its recipients.
func (w *worker) settle(ctx context.Context, o *mail.Outgoing, to recipients, out mail.Outcome, left recipients) error {
	e, answered := errors.AsType[*mail.Error](out.Err)
	switch {
	case out.Err == nil:
		w.hold.over()
	case !answered:
		return w.notSent(ctx, o, out.Err)
	default:
		w.log(ctx, slog.LevelWarn, "mail: the attempt failed", o, e)
		if e.Fate != mail.Hold && ctx.Err() == nil {
			w.hold.over()
		}
	}
	var refused []mail.Refusal
	if answered {
		refused = e.Refused
	} else {
		refused = out.Receipt.Refused
		left.accept(refused)
	}
	w.bounced(ctx, o, left.refuse(refused))
	if answered && !byRecipient(e) {
		return w.fate(ctx, e)
	}
	return w.partly(ctx, o, to)
}

// byRecipient reports whether what becomes of the message goes by what was answered about its
// recipients.
func byRecipient(e *mail.Error) bool {
	return len(e.Refused) > 0 && e.Phase == mail.PhaseRecipients && e.Fate != mail.Hold && e.Fate != mail.Unknown
}

// interrupted reports whether an attempt was ended from outside. One that took longer than the
// queue permits has failed.
func interrupted(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(context.Cause(ctx), queue.ErrTimeout)
}

// notSent is the outcome of an attempt in which nothing was sent: of a lost claim, an invalid
// message, an attachment that cannot be read, a context that has ended.
func (w *worker) notSent(ctx context.Context, o *mail.Outgoing, err error) error {
	switch fault, is := errors.AsType[databaseError](err); {
	case errors.Is(err, mail.ErrInvalid):
		return queue.Discard(err)
	case is:
		return w.postponed(ctx, o, fault.error)
	case interrupted(ctx):
		return queue.Snooze(0)
	}
	w.log(ctx, slog.LevelWarn, "mail: the attempt failed", o, err)
	return err
}

// fate is the outcome of a message that was not sent to anybody.
func (w *worker) fate(ctx context.Context, e *mail.Error) error {
	switch {
	case e.Fate == mail.Hold:
		wait, first := w.hold.fault(e.After)
		if first {
			w.opts.Logger.ErrorContext(ctx, "mail: the server is at fault: messages wait", "mailbox", w.spec.Name, "server", e.Server, "error", e)
		}
		return queue.Postpone(spread(wait), e)
	case e.Fate == mail.Fail:
		return queue.Discard(e)
	case e.Fate == mail.Unknown && !w.spec.Resend:
		return queue.Unknown(e)
	case interrupted(ctx) && (e.Fate == mail.Retry || e.Fate == mail.Undecided):
		return queue.Snooze(0) // it was interrupted, not tried
	}
	return e
}

// partly is the outcome of a message about whose recipients something is known.
func (w *worker) partly(ctx context.Context, o *mail.Outgoing, to recipients) error {
	err := to.err()
	if len(to) > 1 && (err != nil || o.Attempt > 1) {
		if written := w.setRecipients(ctx, o, to); written != nil {
			w.log(ctx, slog.LevelError, "mail: what became of the recipients could not be written", o, written)
			if to.any(recipientSent) && to.any(recipientWaiting) { // they would get it again
				return queue.Unknown(errors.Join(err, written))
			}
		}
	}
	switch {
	case err == nil:
		return nil
	case to.any(recipientWaiting) && (w.spec.SetRecipients != nil || !to.any(recipientSent)):
		return err // the others are not sent it again
	case to.any(recipientSent):
		return nil
	}
	return queue.Discard(err)
}

// setRecipients writes what became of each recipient, also when the handler's context has
// ended: some may have got the message.
func (w *worker) setRecipients(ctx context.Context, o *mail.Outgoing, to recipients) error {
	if w.spec.SetRecipients == nil {
		return nil
	}
	text, err := to.stored()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrites)
	defer cancel()
	return w.spec.SetRecipients(ctx, w.db.Conn(), o.ID, text)
}

// bounced suppresses addresses that a server has no mailbox for.
func (w *worker) bounced(ctx context.Context, o *mail.Outgoing, refused []mail.Refusal) {
	if w.spec.Suppress == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrites)
	defer cancel()
	for _, r := range refused {
		if !noMailbox(r.Reply) {
			continue
		}
		err := Suppress(ctx, w.db.Conn(), w.spec, mail.Suppression{Address: r.Address, Reason: mail.HardBounce, Detail: r.Reply.String()})
		if err != nil {
			w.log(ctx, slog.LevelError, "mail: an address could not be suppressed", o, err)
		}
	}
}

// noMailbox reports whether an answer to RCPT says that the address does not exist, and not
// that the message or its sender is refused: by its enhanced status (RFC 3463). A bounce may suppress by more: the
// server that sends it has tried to deliver, and this one may have refused for a reason of its own.
func noMailbox(r mail.Reply) bool {
	switch r.Enhanced {
	case "5.1.1", "5.1.3", "5.1.6", "5.1.10":
		return true
	}
	return false
}
