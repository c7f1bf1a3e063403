package outbox

import (
	"context"
	"errors"
	"sync"

	"github.com/hegner123/modulagen/runtime/mail"
)

// beginning is what a transport has done with the begin of a message: transports of programs may
// not keep their contract, and a message whose outcome they leave open must not be sent again.
type beginning struct {
	mu    sync.Mutex
	begun bool
	err   error // why it could not be begun
}

// once returns what the transport calls. Further calls change nothing.
func (b *beginning) once(begin func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.begun {
			return nil
		}
		b.err = begin(ctx)
		b.begun = b.err == nil
		return b.err
	}
}

// errNoReason stands for a nil *mail.Error.
var errNoReason = errors.New("the transport has returned a nil *mail.Error")

// answer returns the outcome of Transport.Send as its contract has it: a receipt, or an error
// that says what became of the message. Once it was begun, only an *mail.Error does.
func (b *beginning) answer(receipt *mail.Receipt, err error) (*mail.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		if receipt == nil {
			receipt = &mail.Receipt{}
		}
		return receipt, nil
	}
	e, says := errors.AsType[*mail.Error](err)
	if says && e == nil {
		err = errNoReason
	}
	switch {
	case b.err != nil && !b.begun:
		return nil, b.err
	case says && e != nil && e.Fate >= mail.Retry && e.Fate <= mail.Unknown:
		return nil, err
	case b.begun:
		return nil, &mail.Error{
			Phase: mail.PhaseFinal, Fate: mail.Unknown, Err: err,
			Hint: "the transport has to return an *mail.Error that says whether the message was accepted",
		}
	}
	return nil, err
}
