package main

import (
	"errors"
	"io"
	"net"
	"sync"

	"github.com/emersion/go-smtp"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
)

// sink is a mail server on this machine, which keeps what arrives. It does not know gone@,
// and wants the message to slow@ a second time, as greylisting does.
type sink struct {
	server *smtp.Server
	served chan error
	config mail.Server

	mu       sync.Mutex
	deferred bool
	arrived  []mailtest.Message
}

func newSink() (*sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{served: make(chan error, 1)}
	s.config = mail.Server{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, TLS: mail.TLSNone}
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &dialogue{sink: s}, nil }))
	s.server.Domain = "mail.example"
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

func (s *sink) Close() error {
	err := s.server.Close()
	if e := <-s.served; !errors.Is(e, smtp.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

func (s *sink) messages() []mailtest.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arrived
}

// dialogue is one connection.
type dialogue struct {
	*sink
	from string
	to   []string
}

func (d *dialogue) Mail(from string, _ *smtp.MailOptions) error {
	d.from, d.to = from, nil
	return nil
}

func (d *dialogue) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case to == "gone@example.com":
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	case to == "slow@example.com" && !d.deferred:
		d.deferred = true
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted, try again"}
	}
	d.to = append(d.to, to)
	return nil
}

func (d *dialogue) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mailtest.Parse(data)
	m.From, m.To = d.from, d.to
	d.mu.Lock()
	defer d.mu.Unlock()
	d.arrived = append(d.arrived, m)
	return err
}

func (d *dialogue) Reset()        { d.from, d.to = "", nil }
func (d *dialogue) Logout() error { return nil }
