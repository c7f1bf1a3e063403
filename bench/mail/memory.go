package mail

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/hegner123/modulagen/bench/mail/generated"
	"github.com/hegner123/modulagen/bench/measure"
)

// WorkerCommand is the argument by which the benchmark's program becomes a worker of its own,
// with a data source and the sink's address and certificate behind it.
const WorkerCommand = "mail-worker"

// memory measures how much more memory a process takes at most that sends large messages, of which
// many wait, than one of which none do.
func (t *trial) memory(ctx context.Context) error {
	at := t.sink.address() + "," + base64.StdEncoding.EncodeToString(t.sink.pem)
	worker := func() (measure.Usage, error) {
		return measure.Run(exec.CommandContext(ctx, os.Args[0], WorkerCommand, t.dsn, at))
	}
	idle, err := worker()
	if err != nil {
		return err
	}
	large := strings.Repeat("Some words of a large message.\n", largeMessage/31)
	if err := t.queue(ctx, t.large, large); err != nil {
		return err
	}
	used, err := worker()
	if err != nil {
		return err
	}
	sent, err := t.db.EmailQueue.Count(ctx, generated.EmailQueueFields.Status.Eq(generated.EmailQueueStatusSent), 2*t.large)
	if err != nil {
		return err
	}
	if sent != t.large {
		return fmt.Errorf("%d of %d large messages are sent", sent, t.large)
	}
	mb := func(u measure.Usage) float64 { return float64(u.Largest) / 1e6 }
	t.report.Note("mail: %s: the benchmark's program takes %.1f MB as a worker of an empty mailbox, and %.1f MB with these messages", t.kind, mb(idle), mb(used))
	t.report.Add(measure.Compare(suite, fmt.Sprintf("memory for %d messages of 1 MB", t.large), t.kind, "MB", "limit", max(mb(used)-mb(idle), 0.1), mostMemory, onceTarget))
	return t.clear(ctx)
}

// Work sends what is due, in a process of its own.
func Work(ctx context.Context, dsn, at string) (err error) {
	address, certificate, _ := strings.Cut(at, ",")
	pem, err := base64.StdEncoding.DecodeString(certificate)
	if err != nil {
		return err
	}
	o, err := options(address, pem)
	if err != nil {
		return err
	}
	db, err := generated.Open(ctx, dsn, generated.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	run, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- db.Run(run, generated.Workers{Mail: o}) }()
	waiting := generated.EmailQueueFields.Status.In(generated.EmailQueueStatusPending, generated.EmailQueueStatusSending)
	for {
		left, err := db.EmailQueue.Count(ctx, waiting, 1)
		if err != nil {
			return err
		}
		if left == 0 {
			stop()
			return <-done
		}
		select {
		case err := <-done:
			return errors.Join(err, errors.New("the worker ended"))
		case <-time.After(50 * time.Millisecond):
		}
	}
}
