package mail

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hegner123/modulagen/bench/mail/generated"
	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"    // mysql://
	_ "github.com/hegner123/modulagen/runtime/store/postgres" // postgres://
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"   // sqlite:
)

//go:generate go run github.com/hegner123/modulagen/cmd/modulagen generate

const suite = "mail"

// workers is how many messages are sent at once, by both sides.
const workers = 4

// What is asked for.
var (
	sentTarget   = measure.Target(0.8)
	onceTarget   = measure.Target(1) // of figures that are compared with a limit
	mostPerSent  = 0.2               // statements
	mostMemory   = 64.0              // MB
	largeMessage = 1 << 20           // bytes
)

// trial is the suite on one database.
type trial struct {
	db         *generated.DB
	dsn, kind  string
	report     *measure.Report
	sink       *sink
	statements func() (int64, error) // so far; nil where they cannot be counted
	rounds     int
	sends      int // messages in a sample
	large      int // messages for the memory's figure
}

// Run measures every database that there is.
func Run(ctx context.Context, _ string, report *measure.Report) (err error) {
	dir, err := os.MkdirTemp("", "bench-mail-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	report.Note("mail: %d connections each, STARTTLS, kept; the sink is in this process and takes part of the processors", workers)
	report.Note("mail: listmonk publishes 3,500,000 messages in about 3 h 40 m, 265 a second, on a c5.large and through SES: another machine and another server")
	for _, place := range []struct{ kind, dsn string }{
		{"sqlite", "sqlite:" + filepath.Join(dir, "mail.db")},
		{"postgres", os.Getenv("MODULAGEN_POSTGRES_DSN")},
		{"mysql", os.Getenv("MODULAGEN_MYSQL_DSN")},
	} {
		if place.dsn == "" {
			report.Note("mail: no %s: its figures are missing", place.kind)
			continue
		}
		t := &trial{kind: place.kind, dsn: place.dsn, report: report, rounds: 5, sends: 5000, large: 1000}
		if os.Getenv("BENCH_QUICK") != "" {
			t.rounds, t.sends, t.large = 3, 1000, 100
		}
		if err := t.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", place.kind, err)
		}
	}
	return nil
}

func (t *trial) run(ctx context.Context) (err error) {
	if t.sink, err = newSink(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.sink.close()) }()
	closeCounter, err := t.count(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeCounter()) }()
	if t.db, err = generated.Open(ctx, t.dsn, generated.Options{}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.db.Close()) }()
	for _, part := range []func(context.Context) error{t.sending, t.memory} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// count has statements counted: on the wire of PostgreSQL, by the server of MySQL.
func (t *trial) count(ctx context.Context) (end func() error, err error) {
	switch t.kind {
	case "postgres":
		counter, through, err := measure.CountStatements(t.dsn)
		if err != nil {
			return nil, err
		}
		t.dsn, t.statements = through, func() (int64, error) { return counter.Count(), nil }
		return counter.Close, nil
	case "mysql":
		u, err := url.Parse(t.dsn)
		if err != nil {
			return nil, errors.New("MODULAGEN_MYSQL_DSN is no URL") // the error would show its password
		}
		counter, err := measure.CountQuestions(measure.NativeMySQL(u))
		if err != nil {
			return nil, err
		}
		t.statements = func() (int64, error) { return counter.Count(ctx) }
		return counter.Close, nil
	}
	return func() error { return nil }, nil
}

// queue adds messages.
func (t *trial) queue(ctx context.Context, n int, plain string) error {
	const chunk = 100
	for left := n; left > 0; left -= chunk {
		ms := make([]mail.Message, min(left, chunk))
		for i := range ms {
			ms[i] = mail.Message{From: from, To: []string{to}, Subject: subject, HTML: html, Plain: plain}
		}
		if _, err := t.db.EmailQueue.SendMany(ctx, ms); err != nil {
			return err
		}
	}
	return nil
}

// clear removes what was sent.
func (t *trial) clear(ctx context.Context) error {
	_, err := t.db.EmailQueue.DeleteWhere(ctx, store.Everything[generated.EmailQueueID]())
	return err
}

// What both sides send.
var (
	from    = "Shop <shop@shop.example>"
	to      = "Ann Example <ann@customer.example>"
	subject = "Your order is on its way"
	html    = "<h1>On its way</h1>" + strings.Repeat("<p>Some words of a message that is long enough to matter.</p>", 20)
	plain   = "On its way\n\n" + strings.Repeat("Some words of a message that is long enough to matter.\n", 20)
)

// sending compares the sending of what waits with a loop of a bare client.
func (t *trial) sending(ctx context.Context) error {
	rounds := measure.Rounds{Ours: t.rounds, Peer: t.rounds}
	var statements []float64
	ours, peer, err := measure.Alternate(rounds,
		func() (float64, error) {
			rate, perSent, err := t.ours(ctx)
			statements = append(statements, perSent)
			return rate, err
		},
		func() (float64, error) { return t.bare(ctx) })
	if err != nil {
		return err
	}
	t.report.Add(measure.CompareRates(suite, fmt.Sprintf("messages, %d connections", workers), t.kind, "1/s", "go-mail, nothing stored", ours, peer, sentTarget))
	if t.statements != nil {
		t.report.Add(measure.Compare(suite, "statements a message", t.kind, "", "limit", measure.Median(statements), mostPerSent, onceTarget))
	}
	return nil
}

// ours fills the queue, and then sends what is in it, until the last row has its end.
func (t *trial) ours(ctx context.Context) (rate, perSent float64, err error) {
	if err := t.queue(ctx, t.sends, plain); err != nil {
		return 0, 0, err
	}
	options, err := t.options()
	if err != nil {
		return 0, 0, err
	}
	before, err := t.counted()
	if err != nil {
		return 0, 0, err
	}
	want := t.sink.count.Load() + int64(t.sends)
	ctx2, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	start := time.Now()
	go func() { done <- t.db.Run(ctx2, generated.Workers{Mail: options}) }()
	for t.sink.count.Load() < want {
		select {
		case err := <-done:
			return 0, 0, errors.Join(err, errors.New("the worker ended"))
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-done; err != nil { // every end is written by then
		return 0, 0, err
	}
	took := time.Since(start)
	after, err := t.counted()
	if err != nil {
		return 0, 0, err
	}
	sent, err := t.db.EmailQueue.Count(ctx, generated.EmailQueueFields.Status.Eq(generated.EmailQueueStatusSent), 2*t.sends)
	if err == nil && sent != t.sends {
		err = fmt.Errorf("%d of %d messages are sent", sent, t.sends)
	}
	return float64(t.sends) / took.Seconds(), float64(after-before) / float64(t.sends), errors.Join(err, t.clear(ctx))
}

func (t *trial) counted() (int64, error) {
	if t.statements == nil {
		return 0, nil
	}
	return t.statements()
}

func (t *trial) options() (mail.Options, error) { return options(t.sink.address(), t.sink.pem) }
