package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
)

// Sender says how a program sends mail: SMTP, File, Log or Options. A program whose Workers
// have nil sends none, and leaves it to other processes.
type Sender interface{ sender() Options }

// Options of the sending of mail. One of Transport and SMTP is given.
type Options struct {
	// SMTP sends through servers.
	SMTP SMTP
	// Transport sends instead of SMTP.
	Transport Transport
	// DKIM signs messages whose From is in the domain of a key.
	DKIM []DKIM
	// Before is called when a message has been claimed, which may be minutes before it is sent,
	// and again if it was interrupted before that. It may change the message: what it changes is
	// sent and not stored. Its error is the outcome of the attempt, as that of a handler of a
	// queue: an ordinary one is retried, queue.Discard and queue.Cancel stop the message.
	Before func(ctx context.Context, m *Outgoing) error
	// After is called with the outcome of each attempt for which a message was composed, before
	// the outcome is written. It cannot change that:
	// its panic is logged. While it runs, the message has a connection.
	After func(ctx context.Context, m *Outgoing, o Outcome)
	// Attachment opens attachments that have a Ref; nil means that they fail the message. Its error is
	// a failed attempt. All files of a message are read within a minute, while it has a connection: ctx
	// ends then.
	Attachment func(ctx context.Context, ref string) (io.ReadCloser, error)
	// Parallel is how many messages are sent at once through Transport; 0 means 4. With SMTP it
	// is SMTP.Connections.
	Parallel int
	// MaxSize bounds a message as it is sent, in bytes; 0 means 50 MiB. A server's own limit
	// (SIZE) holds beside it.
	MaxSize int64
	// Queue are the options of the queue's worker. Queue.Concurrency is 12 times Parallel unless
	// given: messages that wait for a connection, so that few statements are made for many.
	// Queue.ClaimBytes is 4 MiB.
	Queue queue.Options
	// Logger receives failed attempts and servers that are at fault; nil means none.
	Logger *slog.Logger
}

func (o Options) sender() Options { return o }

// Outcome is what became of an attempt.
type Outcome struct {
	Receipt *Receipt // nil unless it was accepted
	Err     error    // nil if it was accepted
	Took    time.Duration
}

// maxConcurrency is how many handlers a queue may run.
const maxConcurrency = 10_000

// parallelAhead is how many messages are claimed for each that is sent.
const parallelAhead = 12

// Mailboxes sends the mail of each mailbox in its own way, by the names of their datatypes. Those
// that are left out are not worked.
type Mailboxes map[string]Sender

func (Mailboxes) sender() Options { return Options{} }

// OptionsFor returns how a Sender sends the mail of a mailbox, one of those named, with the
// defaults filled in, and false if it does not. Package outbox calls it.
func OptionsFor(s Sender, mailbox string, all []string) (o Options, sends bool, err error) {
	if of, ok := s.(Mailboxes); ok {
		for name := range of {
			if !slices.Contains(all, name) {
				return Options{}, false, fmt.Errorf("Mailboxes names %q, which is no mailbox; there are %s", name, strings.Join(all, ", "))
			}
		}
		if s = of[mailbox]; s == nil {
			return Options{}, false, nil
		}
	}
	o = s.sender()
	return o.withDefaults(), true, o.check()
}

// check reports options that cannot be used.
func (o Options) check() error {
	switch {
	case o.Parallel < 0:
		return fmt.Errorf("Options.Parallel %d is negative", o.Parallel)
	case o.MaxSize < 0:
		return fmt.Errorf("Options.MaxSize %d is negative", o.MaxSize)
	case o.Transport != nil && len(o.SMTP.Servers) > 0:
		return errors.New("Options has both a Transport and servers of SMTP")
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Transport == nil {
		o.Parallel = o.SMTP.Connections
	}
	o.Parallel = cmp.Or(o.Parallel, 4)
	o.MaxSize = cmp.Or(o.MaxSize, 50<<20)
	o.Queue.Concurrency = cmp.Or(o.Queue.Concurrency, min(parallelAhead*o.Parallel, maxConcurrency))
	o.Queue.ClaimBytes = cmp.Or(o.Queue.ClaimBytes, 4<<20)
	if o.Queue.Logger == nil {
		o.Queue.Logger = o.Logger
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Open returns the transport of the options. Package outbox calls it.
func (o Options) Open() (Transport, error) {
	if o.Transport != nil {
		return o.Transport, nil
	}
	return o.SMTP.Transport()
}
