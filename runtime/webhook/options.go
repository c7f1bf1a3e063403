package webhook

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/queue"
)

// Sender says how a program delivers webhooks: [Options]. A program whose Workers have nil
// delivers none, and leaves them to other processes.
type Sender interface{ sender() Options }

// Options of the delivery of webhooks. The zero value is sensible.
//
//	err := db.Run(ctx, generated.Workers{Webhooks: webhook.Options{}})
type Options struct {
	// Egress are the options of the client that makes the requests: which private
	// addresses are permitted, certificates, bounds. A request's own timeout holds within
	// Egress.Timeout, which is 5 minutes here unless given. Of a response's body 16 KiB are
	// read unless Egress.MaxResponseBody says otherwise.
	Egress egress.Options
	// Queue are the options of the queue's worker. Queue.Concurrency is 128 unless given: how
	// many requests this process makes at once. An endpoint that hangs takes as many of them as
	// the queue's own limit permits, 8 in the built-in one: 15 that hang leave room for others.
	Queue queue.Options
	// Backoff returns how long a delivery waits after its n-th attempt (n from 1) failed; nil
	// means 5 s, 5 m, 30 m, 2 h, 5 h and then 10 h each, and up to a fifth more at random.
	Backoff func(n int) time.Duration
	// MaxRetryAfter bounds how long an endpoint can ask to be left alone by Retry-After; 0
	// means 24 h.
	MaxRetryAfter time.Duration
	// DisableAfter is how long an endpoint may only fail before its request is switched
	// off; 0 means 5 days, and less than 0 never.
	DisableAfter time.Duration
	// Logger receives failed attempts and requests that are switched off; nil means none.
	Logger *slog.Logger
}

func (o Options) sender() Options { return o }

// OptionsOf returns the options of a Sender, with the defaults filled in. Package delivery
// calls it.
func OptionsOf(s Sender) Options {
	o := s.sender()
	o.Egress.Timeout = cmp.Or(o.Egress.Timeout, 5*time.Minute)
	o.Egress.MaxResponseBody = cmp.Or(o.Egress.MaxResponseBody, 16<<10)
	if o.Egress.UserAgent == "" {
		o.Egress.UserAgent = "modulagen-webhooks"
	}
	o.Queue.Concurrency = cmp.Or(o.Queue.Concurrency, 128)
	if o.Queue.Logger == nil {
		o.Queue.Logger = o.Logger
	}
	o.MaxRetryAfter = cmp.Or(o.MaxRetryAfter, 24*time.Hour)
	o.DisableAfter = cmp.Or(o.DisableAfter, 5*24*time.Hour)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
