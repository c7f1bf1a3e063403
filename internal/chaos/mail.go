//go:build unix

package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/queue"
)

// connectionsOfMailer is how many messages a worker sends at once.
const connectionsOfMailer = 2

// sendMail works email_queue, as a process of its own, until ctx ends.
func sendMail(ctx context.Context, s settings, _ *diary, log *slog.Logger) error {
	db, err := generated.Open(ctx, s.DSN, generated.Options{Logger: log, MaxConns: 6})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Run(ctx, generated.Workers{Mail: mail.Options{
		SMTP: mail.SMTP{
			Servers:     []mail.Server{{Host: "127.0.0.1", Port: s.Sink, TLS: mail.TLSNone}},
			Connections: connectionsOfMailer, Hello: s.host(), MaxMessages: 20,
		},
		Queue:  queue.Options{Lease: s.Lease, StopTimeout: s.Lease, Poll: 20 * time.Millisecond},
		Logger: log,
	}})
}

// host is the name by which the sink knows a process.
func (s settings) host() string { return fmt.Sprintf("mailer-%d-%d.example", s.Slot, s.Generation) }

// mailRun configures a run that sends mail.
type mailRun struct {
	DSN      string
	Seed     uint64
	Messages int
	Kills    int
	Freezes  int
	Workers  int
	Lease    time.Duration
	Logs     string        // a folder for the processes' logs
	Drain    time.Duration // at most, until every message has ended
}

// mailers keeps processes running that send mail, and hits them.
type mailers struct {
	mailRun
	*crew
}

// supervise adds the messages, lets the processes send them while they are hit, and proves.
func (r mailRun) supervise(ctx context.Context) (mailResult, error) {
	db, err := generated.Open(ctx, r.DSN, generated.Options{MaxConns: 2})
	if err != nil {
		return mailResult{}, err
	}
	defer db.Close()
	if err := r.enqueue(ctx, db); err != nil {
		return mailResult{}, err
	}
	s := &mailers{mailRun: r, crew: newCrew()}
	sink, err := openSink(r.plan(), s.hit)
	if err != nil {
		return mailResult{}, err
	}
	defer sink.close()
	defer s.killAll()
	for slot := range r.Workers {
		err := s.start(settings{Role: roleMailer, Slot: slot + 1, Generation: 1, DSN: r.DSN, Logs: r.Logs, Lease: r.Lease, Sink: sink.port()})
		if err != nil {
			return mailResult{}, err
		}
	}
	if err := s.drain(ctx, db); err != nil {
		return mailResult{}, err
	}
	out, err := proveMail(ctx, db, sink)
	out.Killed, out.Frozen = int(s.killed.Load()), int(s.frozen.Load())
	out.Findings = append(s.found(), sink.unused()...)
	return out, err
}

// enqueue adds the messages, in some transactions.
func (r mailRun) enqueue(ctx context.Context, db *generated.DB) error {
	ms := make([]mail.Message, r.Messages)
	for i := range ms {
		ms[i] = mail.Message{From: "shop@shop.example", To: []string{fmt.Sprintf("customer-%d@example.com", i)}, Subject: "Your order", Plain: "It is on its way."}
	}
	for len(ms) > 0 {
		n := min(len(ms), 500)
		if _, err := db.EmailQueue.SendMany(ctx, ms[:n]); err != nil {
			return err
		}
		ms = ms[n:]
	}
	return nil
}

// A blow is what is done to a process, and at which step of the dialogue that it has with the
// sink: the next one after so many messages were begun since the blow before.
type blow struct {
	step   step
	freeze bool // for some leases; else it is killed
	after  int
}

// plan returns the blows in the order of the seed: each step has its share. The messages that a blow
// leaves unknown are never begun again, so that few enough have to be between two.
func (r mailRun) plan() []blow {
	var out []blow
	for i := range r.Kills {
		out = append(out, blow{step: killSteps[i%len(killSteps)]})
	}
	for i := range r.Freezes {
		out = append(out, blow{step: freezeSteps[i%len(freezeSteps)], freeze: true})
	}
	random := rand.New(rand.NewPCG(r.Seed, 1))
	random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	for i := range out {
		out[i].after = 1 + random.IntN(r.Messages/(2*len(out)))
	}
	return out
}

// hit does to a process what a blow says. It returns when a process that was killed has ended.
func (s *mailers) hit(host string, b blow) {
	s.mu.Lock()
	p := s.processes[host]
	s.mu.Unlock()
	if p == nil {
		s.finding(fmt.Errorf("the sink does not know %q", host))
		return
	}
	s.strike(p, b.freeze, 3*s.Lease)
}

// drain waits until every message has ended, and ends the processes.
func (s *mailers) drain(ctx context.Context, db *generated.DB) error {
	open := generated.EmailQueueFields.Status.In(generated.EmailQueueStatusPending, generated.EmailQueueStatusSending)
	for end := time.Now().Add(s.Drain); ; rest(ctx, 50*time.Millisecond) {
		left, err := db.EmailQueue.Count(ctx, open, s.Messages)
		if err != nil {
			return err
		}
		if left == 0 {
			break
		}
		if time.Now().After(end) {
			s.finding(fmt.Errorf("%d messages had not ended within %s", left, s.Drain))
			break
		}
	}
	s.end()
	return nil
}
