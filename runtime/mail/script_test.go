package mail_test

import (
	"bufio"
	"context"
	"errors"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
)

// What a script can do instead of an answer.
const (
	hang    = "<hang>"    // no answer
	closing = "<close>"   // the connection is closed
	drip    = "<drip>"    // a byte a second, without an end
	endless = "<endless>" // lines without an end
)

// script answers commands by their verb: "" is the greeting and "." the end of a message. It speaks
// what no library would.
type script map[string]string

var usual = script{
	"": "220 script ESMTP", "EHLO": "250-script\r\n250-PIPELINING\r\n250 8BITMIME", "HELO": "250 script", "MAIL": "250 2.1.0 ok",
	"RCPT": "250 2.1.5 ok", "DATA": "354 go", ".": "250 2.0.0 queued", "RSET": "250 reset", "QUIT": "221 bye",
}

func (s script) with(verb, answer string) script {
	s = maps.Clone(s)
	s[verb] = answer
	return s
}

// scripted is a server without a network: dial returns its connections.
type scripted struct {
	mu      sync.Mutex
	next    []script // of the connections to come; the last one stays
	dials   int
	serving sync.WaitGroup
	lines   []string // what clients sent, without messages
}

func newScripted(t *testing.T, next ...script) *scripted {
	s := &scripted{next: next}
	t.Cleanup(s.serving.Wait)
	return s
}

func (s *scripted) dial(context.Context, string, string) (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials++
	if s.next[0] == nil {
		s.pop()
		return nil, errors.New("no route to host")
	}
	client, server := net.Pipe()
	answers := s.next[0]
	s.serving.Go(func() { s.serve(server, answers) })
	s.pop()
	return client, nil
}

func (s *scripted) pop() {
	if len(s.next) > 1 {
		s.next = s.next[1:]
	}
}

func (s *scripted) smtp() mail.SMTP {
	return mail.SMTP{Servers: []mail.Server{{Host: "localhost", TLS: mail.TLSNone}}, Hello: "client.example", Dial: s.dial}
}

func (s *scripted) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...)
}

func (s *scripted) dialled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

func (s *scripted) serve(c net.Conn, answers script) {
	defer c.Close()
	r := bufio.NewReader(c)
	if !say(c, answers[""]) {
		return
	}
	message := false
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		if message && line != "." {
			continue
		}
		s.mu.Lock()
		s.lines = append(s.lines, line)
		s.mu.Unlock()
		verb, _, _ := strings.Cut(line, " ")
		answer, known := answers[verb+" "+line[strings.LastIndexByte(line, ' ')+1:]]
		if !known {
			answer = answers[verb]
		}
		message = strings.HasPrefix(answer, "354") && verb == "DATA"
		if !say(c, answer) || verb == "QUIT" {
			return
		}
	}
}

// say reports whether the dialogue goes on.
func say(c net.Conn, answer string) bool {
	switch answer {
	case closing:
		return false
	case hang:
		c.Read(make([]byte, 1)) // until the client gives up: with what is pipelined, it reads that first
		for {
			if _, err := c.Read(make([]byte, 4096)); err != nil {
				return false
			}
		}
	case drip:
		for {
			if _, err := c.Write([]byte("2")); err != nil {
				return false
			}
			time.Sleep(time.Second)
		}
	case endless:
		for {
			if _, err := c.Write([]byte("250-and\r\n")); err != nil {
				return false
			}
		}
	}
	_, err := c.Write([]byte(answer + "\r\n"))
	return err == nil
}

// outcome is what a test expects of Send; the zero value is that it was sent.
type outcome struct {
	phase mail.Phase
	fate  mail.Fate
	code  int
}

func check(t *testing.T, name string, err *mail.Error, want outcome) {
	t.Helper()
	var got outcome
	if err != nil {
		got = outcome{err.Phase, err.Fate, err.Reply.Code}
		if (err.Err == nil) != (err.Reply.Code != 0) {
			t.Errorf("%s: an answer or a cause, not %+v", name, err)
		}
	}
	if got != want {
		t.Errorf("%s: %+v (%v), want %+v", name, got, err, want)
	}
}
