package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
)

// attachmentLimit is how long the files of a message may take to be read: it has a connection
// meanwhile, which others wait for.
const attachmentLimit = time.Minute

// errSuppressed stops a transport: since the message was handed to it, a recipient was suppressed.
var errSuppressed = errors.New("mail: a recipient was suppressed while the message waited")

// databaseError is why a message could not be begun, though nothing is wrong with it.
type databaseError struct{ error }

func (e databaseError) Unwrap() error { return e.error }

// transmit composes the message and hands it to the transport. The error is an *mail.Error where the
// message may have been accepted.
func (w *worker) transmit(ctx context.Context, o *mail.Outgoing, to recipients, p *place) (*mail.Receipt, error) {
	e, err := w.envelope(ctx, o, to)
	if err != nil {
		return nil, err
	}
	var b beginning
	receipt, err := w.transport.Send(ctx, e, b.once(func(ctx context.Context) error { return w.begin(ctx, o, to, p) }))
	return b.answer(receipt, err)
}

// begin is what a transport calls before the message may be delivered. How long it has waited until
// then, for a server or its rate, nobody knows: recipients may have been suppressed meanwhile.
func (w *worker) begin(ctx context.Context, o *mail.Outgoing, to recipients, p *place) error {
	found, err := w.line.lookUp(ctx, p)
	if err != nil {
		return databaseError{err}
	}
	if to.suppress(found, o.Stream); to.any(recipientSuppressed) {
		return errSuppressed
	}
	err = w.line.mark(ctx, p)
	if err != nil && !errors.Is(err, errLost) {
		return databaseError{err}
	}
	return err
}

// envelope is the message as it is sent.
func (w *worker) envelope(ctx context.Context, o *mail.Outgoing, to recipients) (*mail.Envelope, error) {
	if err := w.attachments(ctx, o); err != nil {
		return nil, err
	}
	data, err := o.Compose()
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > w.opts.MaxSize {
		return nil, &mail.InvalidError{Field: "message", Problem: fmt.Sprintf("is %d bytes as it is sent, and Options.MaxSize permits %d", len(data), w.opts.MaxSize)}
	}
	if data, err = w.signer.Sign(o.From.Email, data); err != nil {
		return nil, err
	}
	e := &mail.Envelope{From: envelopeAddress(o.From), Data: data, UTF8: o.NeedsUTF8(), Message: o}
	for _, r := range to {
		e.To = append(e.To, envelopeAddress(r.of))
	}
	return e, nil
}

// attachments reads the files that a message refers to, up to Options.MaxSize together.
func (w *worker) attachments(ctx context.Context, o *mail.Outgoing) error {
	ctx, cancel := context.WithTimeoutCause(ctx, attachmentLimit, fmt.Errorf("the files of the message were not read within %s", attachmentLimit))
	defer cancel()
	left := w.opts.MaxSize
	for i := range o.Attachments {
		a := &o.Attachments[i]
		if a.Ref == "" || a.Data != nil {
			continue
		}
		field := fmt.Sprintf("Attachments[%d]", i)
		if w.opts.Attachment == nil {
			return &mail.InvalidError{Field: field, Problem: fmt.Sprintf("%q is a reference, and Options.Attachment is nil", a.Ref)}
		}
		data, err := w.read(ctx, a.Ref, left)
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = fmt.Errorf("%w: %w", cause, err)
			}
			return fmt.Errorf("mail: attachment %q: %w", a.Ref, err)
		}
		if left -= int64(len(data)); left < 0 {
			return &mail.InvalidError{Field: field, Problem: fmt.Sprintf("with %q, the files have more than the %d bytes that Options.MaxSize permits", a.Ref, w.opts.MaxSize)}
		}
		a.Data = data
	}
	return nil
}

// read reads a file, and one byte more than most if it has more.
func (w *worker) read(ctx context.Context, ref string, most int64) (data []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the hook Attachment panicked: %v\n%s", v, debug.Stack())
		}
	}()
	f, err := w.opts.Attachment(ctx, ref)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, errors.New("the hook Attachment has returned neither a file nor an error")
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err = io.ReadAll(io.LimitReader(f, most+1))
	if data == nil {
		data = []byte{} // an empty file is one
	}
	return data, err
}

// after calls the hook. Its panic does not touch the message, about which more is known.
func (w *worker) after(ctx context.Context, o *mail.Outgoing, out mail.Outcome) {
	if w.opts.After == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			w.log(ctx, slog.LevelError, "mail: the hook After panicked", o, fmt.Errorf("%v\n%s", v, debug.Stack()))
		}
	}()
	seen := *o
	w.opts.After(context.WithoutCancel(ctx), &seen, out)
}
