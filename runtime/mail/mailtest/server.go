package mailtest

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/hegner123/modulagen/runtime/mail"
)

// Server is an SMTP server on a loopback address. It ends with the test.
type Server struct {
	// RootCAs has the authority of the server's certificate.
	RootCAs *x509.CertPool

	options Options
	address *net.TCPAddr
	backend *smtp.Server

	mu          sync.Mutex
	messages    []Message
	arrived     chan struct{} // closed, and made again, with each message
	connections int
	open        int
}

// NewServer starts a server.
func NewServer(t testing.TB, o Options) *Server {
	t.Helper()
	certificate, roots := certify(t, o.Certificate)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("mailtest: %v", err)
	}
	s := &Server{RootCAs: roots, options: o, address: listener.Addr().(*net.TCPAddr), arrived: make(chan struct{})}
	s.backend = smtp.NewServer(smtp.BackendFunc(s.session))
	s.backend.Domain = "mailtest.example"
	s.backend.MaxMessageBytes = cmp.Or(o.MaxSize, 64<<20)
	s.backend.EnableSMTPUTF8 = !o.NoUTF8
	s.backend.AllowInsecureAuth = true
	s.backend.ErrorLog = log.New(io.Discard, "", 0) // clients that break off are what tests are about
	counted := &listening{Listener: listener, server: s}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	var serving net.Listener = counted
	switch o.TLS {
	case mail.TLSRequired:
		s.backend.TLSConfig = config
	case mail.TLSImplicit:
		serving = tls.NewListener(counted, config)
	case mail.TLSNone:
	}
	done := make(chan error, 1)
	go func() { done <- s.backend.Serve(serving) }()
	t.Cleanup(func() {
		s.backend.Close()
		counted.closeAll()
		if err := <-done; err != nil {
			t.Errorf("mailtest: %v", err)
		}
	})
	return s
}

// Config returns what reaches the server: its address, TLS and authority, without credentials.
func (s *Server) Config() mail.Server {
	return mail.Server{Host: s.address.IP.String(), Port: s.address.Port, TLS: s.options.TLS, RootCAs: s.RootCAs}
}

// SMTP returns a configuration with this server alone.
func (s *Server) SMTP() mail.SMTP {
	return mail.SMTP{Servers: []mail.Server{s.Config()}, Hello: "client.example"}
}

// Connections returns how many connections were accepted so far, and how many are open.
func (s *Server) Connections() (accepted, open int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections, s.open
}

// Messages returns the messages that have arrived, in their order.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// waitLimit bounds Wait.
const waitLimit = 30 * time.Second

// Wait waits until n messages have arrived, and returns all that have. The test fails if they do
// not come within 30 seconds, or cannot be parsed.
func (s *Server) Wait(t testing.TB, n int) []Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	for {
		s.mu.Lock()
		messages, arrived := slices.Clone(s.messages), s.arrived
		s.mu.Unlock()
		if len(messages) >= n {
			for i, m := range messages {
				if m.Err != nil {
					t.Errorf("mailtest: message %d cannot be parsed: %v", i+1, m.Err)
				}
			}
			return messages
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			t.Fatalf("mailtest: %d of %d messages arrived within %v", len(messages), n, waitLimit)
		}
	}
}

func (s *Server) keep(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
	close(s.arrived)
	s.arrived = make(chan struct{})
}

func (s *Server) ask(step Step) error {
	if s.options.Answer == nil {
		return nil
	}
	return s.options.Answer(step)
}
