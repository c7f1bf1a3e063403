//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/mail"
	"strings"
	"sync"

	"github.com/emersion/go-smtp"
)

// step is a moment of the dialogue between a process and the sink.
type step string

// The steps. Before stepData a message is not in the sink's hands, after it is.
const (
	stepHello     step = "hello"     // the process has connected
	stepSender    step = "sender"    // MAIL has no answer yet
	stepRecipient step = "recipient" // RCPT has no answer yet
	stepData      step = "data"      // the message has arrived, and the sink has not accepted it
	stepStored    step = "stored"    // the sink has accepted it, and has not answered
)

var (
	killSteps   = []step{stepStored, stepSender, stepData, stepRecipient, stepHello}
	freezeSteps = []step{stepStored, stepSender, stepRecipient, stepData}
)

// sink is an SMTP server that notes what it has accepted, at the moment at which it has.
type sink struct {
	listener net.Listener
	server   *smtp.Server
	hit      func(host string, b blow)
	served   chan error

	mu       sync.Mutex
	plan     []blow
	begun    int            // messages since the last blow
	accepted map[string]int // how often, by Message-ID
	certain  []string       // Message-IDs of messages that were accepted, and whose sender was killed before it had the answer
	failed   []error
}

// openSink opens a sink on a port of its own. It calls hit in the middle of the steps that the
// plan names.
func openSink(plan []blow, hit func(host string, b blow)) (*sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{listener: listener, hit: hit, served: make(chan error, 1), plan: plan, accepted: map[string]int{}}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &delivery{sink: s, host: c.Hostname()}, s.at(c.Hostname(), stepHello, "")
	}))
	s.server.Domain = "sink.example"
	s.server.ErrorLog = log.New(io.Discard, "", 0) // clients that break off are what it is about
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

func (s *sink) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

func (s *sink) close() {
	s.server.Close() // its errors are about connections to processes that have ended
	<-s.served
}

// unused returns a finding for each blow that found no process.
func (s *sink) unused() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.plan {
		s.failed = append(s.failed, fmt.Errorf("no process was hit at the step %q: there were too few messages", b.step))
	}
	return s.failed
}

var errHit = errors.New("the process was killed")

// at hits the process when it is its turn.
func (s *sink) at(host string, now step, messageID string) error {
	s.mu.Lock()
	if now == stepSender {
		s.begun++
	}
	if len(s.plan) == 0 || s.begun < s.plan[0].after || s.plan[0].step != now {
		s.mu.Unlock()
		return nil
	}
	b := s.plan[0]
	s.plan, s.begun = s.plan[1:], 0
	if now == stepStored && !b.freeze { // one that is frozen may wake in time: nobody takes a lease over while it holds SQLite's lock
		s.certain = append(s.certain, messageID)
	}
	s.mu.Unlock()
	s.hit(host, b)
	if b.freeze {
		return nil
	}
	return errHit
}

// accept notes a message.
func (s *sink) accept(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted[id]++
}

// delivery is a session of the sink.
type delivery struct {
	sink *sink
	host string
}

func (d *delivery) Mail(string, *smtp.MailOptions) error { return d.sink.at(d.host, stepSender, "") }

func (d *delivery) Rcpt(string, *smtp.RcptOptions) error { return d.sink.at(d.host, stepRecipient, "") }
func (d *delivery) Reset()                               {}
func (d *delivery) Logout() error                        { return nil }

func (d *delivery) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, m.Body); err != nil { // an error without the final dot
		return err
	}
	if err := d.sink.at(d.host, stepData, ""); err != nil {
		return err
	}
	id := strings.Trim(m.Header.Get("Message-Id"), "<>")
	d.sink.accept(id)
	return d.sink.at(d.host, stepStored, id)
}
