package mail

import (
	"context"
	"errors"
	"time"
)

// Send sends one message through a server that is not at fault. See Transport.
func (t *smtpTransport) Send(ctx context.Context, e *Envelope, begin func(context.Context) error) (*Receipt, error) {
	if err := checkEnvelope(e); err != nil {
		return nil, &Error{Phase: PhaseSender, Fate: Fail, Err: err}
	}
	select {
	case t.places <- struct{}{}:
		defer func() { <-t.places }()
	case <-ctx.Done():
		return nil, t.ended(ctx)
	}
	var tried []*smtpServer
	var fault *Error
	for {
		next := t.pick(tried)
		switch {
		case next.server != nil:
		case next.wait > 0:
			if !wait(ctx, next.wait) {
				return nil, t.ended(ctx)
			}
			continue
		case fault != nil:
			return nil, fault
		default:
			return nil, next.fault
		}
		receipt, err := t.sendAt(ctx, next.server, e, begin)
		var failure *Error
		if !errors.As(err, &failure) || failure.Fate != Hold {
			return receipt, err
		}
		tried = append(tried, next.server)
		if fault == nil {
			fault = failure
		}
	}
}

// sendAt sends the message at one server. A connection that the server closed while it was idle
// is replaced: nothing of the message was begun.
func (t *smtpTransport) sendAt(ctx context.Context, s *smtpServer, e *Envelope, begin func(context.Context) error) (*Receipt, error) {
	for {
		c, kept, err := t.take(ctx, s)
		if err != nil {
			return nil, err
		}
		receipt, err := c.send(ctx, e, begin)
		again := kept && c.stale && ctx.Err() == nil
		t.put(c) // from here on it is another message's
		if again {
			continue
		}
		return receipt, err
	}
}

// ended is the error of a message that was not begun when its context ended.
func (t *smtpTransport) ended(ctx context.Context) error {
	return &Error{Phase: PhaseConnect, Fate: Retry, Err: context.Cause(ctx)}
}

// wait waits, and reports whether ctx has not ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
