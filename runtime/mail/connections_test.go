package mail_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
)

// TestClosedWhileIdle has servers that close a kept connection, which shows at the next message.
func TestClosedWhileIdle(t *testing.T) {
	for _, answer := range []string{"421 4.4.2 idle too long", closing} {
		for _, ehlo := range []string{"250 script", "250-script\r\n250 PIPELINING"} {
			synctest.Test(t, func(t *testing.T) {
				first := usual.with("EHLO", ehlo)
				srv := newScripted(t, first, usual)
				tr := transport(t, srv.smtp())
				send(t, tr, envelope())
				first["MAIL"] = answer
				r, err, begun := send(t, tr, envelope())
				if err != nil || begun != 1 || srv.dialled() != 2 {
					t.Errorf("%q: receipt %v, error %v, begin %d times, %d connections", answer, r, err, begun, srv.dialled())
				}
			})
		}
	}
}

// TestNotClosedWhileIdle has servers that break a kept connection later: the message is not
// sent a second time without the queue.
func TestNotClosedWhileIdle(t *testing.T) {
	for verb, want := range map[string]outcome{
		"RCPT": {mail.PhaseRecipients, mail.Retry, 0},
		"DATA": {mail.PhaseData, mail.Retry, 0},
		".":    {mail.PhaseFinal, mail.Unknown, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			first := usual.with("HELO", "")
			srv := newScripted(t, first, usual)
			tr := transport(t, srv.smtp())
			send(t, tr, envelope())
			first[verb] = closing
			_, err, _ := send(t, tr, envelope())
			check(t, verb, err, want)
			if srv.dialled() != 1 {
				t.Errorf("%s: %d connections", verb, srv.dialled())
			}
		})
	}
}

func TestRenewedConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newScripted(t, usual)
		s := srv.smtp()
		s.MaxMessages, s.MaxIdle = 3, time.Minute
		tr := transport(t, s)
		dials := func(want int) {
			t.Helper()
			if _, err, _ := send(t, tr, envelope()); err != nil || srv.dialled() != want {
				t.Errorf("%d connections, want %d (%v)", srv.dialled(), want, err)
			}
		}
		for _, want := range []int{1, 1, 1, 2, 2} {
			dials(want)
		}
		time.Sleep(59 * time.Second)
		dials(2) // the third: it is renewed after it
		dials(3)
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if heard := srv.heard(); heard[len(heard)-1] != "QUIT" {
			t.Errorf("an idle connection ends with %q, want QUIT", heard[len(heard)-1])
		}
		dials(4)
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newScripted(t, usual.with("QUIT", hang))
		tr := transport(t, srv.smtp())
		send(t, tr, envelope())
		began := time.Now()
		if err := tr.Close(); err != nil || time.Since(began) > time.Second {
			t.Errorf("Close: %v after %v", err, time.Since(began))
		}
		_, err, begun := send(t, tr, envelope())
		check(t, "closed", err, outcome{mail.PhaseConnect, mail.Retry, 0})
		if begun != 0 || srv.dialled() != 1 {
			t.Error("a message was begun after Close")
		}
	})
}

// TestConcurrentSends has more senders than connections. Every outcome belongs to its message.
func TestConcurrentSends(t *testing.T) {
	srv := mailtest.NewServer(t, mailtest.Options{Answer: func(s mailtest.Step) error {
		if s.Name == mailtest.Recipient && strings.HasPrefix(s.Address, "no") {
			return mailtest.Refuse(550, "5.1.1", s.Address)
		}
		return nil
	}})
	s := srv.SMTP()
	s.Connections, s.MaxMessages = 3, 7
	tr := transport(t, s)
	var wg sync.WaitGroup
	const messages = 60
	for i := range messages {
		wg.Go(func() {
			to := fmt.Sprintf("%s%d@example.com", []string{"yes", "no"}[i%2], i)
			_, err, _ := send(t, tr, envelope(to))
			if _, open := srv.Connections(); open > 3+2 { // the server may not have seen an end yet
				t.Errorf("%d connections", open)
			}
			if i%2 == 0 && err != nil {
				t.Errorf("%s: %v", to, err)
			}
			if i%2 == 1 && (err == nil || !strings.Contains(err.Reply.Text, to)) {
				t.Errorf("%s: %v", to, err)
			}
		})
	}
	wg.Wait()
	arrived := map[string]bool{}
	for _, m := range srv.Wait(t, messages/2) {
		arrived[m.To[0]] = true
	}
	if len(arrived) != messages/2 {
		t.Errorf("%d messages arrived, want %d", len(arrived), messages/2)
	}
}

// servers are scripted ones by their host.
type servers map[string]*scripted

func (s servers) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(address)
	return s[host].dial(ctx, network, address)
}

func TestFailOver(t *testing.T) {
	for _, fault := range []script{
		nil, usual.with("", "554 5.7.1 not you"), usual.with("", "421 busy"), usual.with("", hang),
		usual.with("EHLO", "550 no").with("HELO", "550 no"),
	} {
		synctest.Test(t, func(t *testing.T) {
			a, b := newScripted(t, fault, usual), newScripted(t, usual)
			s := mail.SMTP{Dial: servers{"a": a, "b": b}.dial, Servers: []mail.Server{
				{Host: "b", TLS: mail.TLSNone, Order: 20}, {Host: "a", TLS: mail.TLSNone, Order: 10},
			}}
			tr := transport(t, s)
			to := func(want string) {
				t.Helper()
				r, err, begun := send(t, tr, envelope())
				if err != nil || begun != 1 || r.Server != want {
					t.Errorf("%+v, %v, begin %d times; want %s", r, err, begun, want)
				}
			}
			to("b:25")
			to("b:25") // a is left alone
			if a.dialled() != 1 {
				t.Errorf("a server at fault was asked %d times", a.dialled())
			}
			time.Sleep(time.Second)
			to("a:25")
		})
	}
}

// TestMessageFaults has a first server that refuses the message: no other one is asked.
func TestMessageFaults(t *testing.T) {
	for _, verb := range []string{"MAIL", "RCPT", "DATA", "."} {
		for _, answer := range []string{"450 later", "550 never"} {
			synctest.Test(t, func(t *testing.T) {
				a, b := newScripted(t, usual.with(verb, answer)), newScripted(t, usual)
				tr := transport(t, mail.SMTP{Dial: servers{"a": a, "b": b}.dial, Servers: []mail.Server{
					{Host: "a", TLS: mail.TLSNone}, {Host: "b", TLS: mail.TLSNone, Order: 1},
				}})
				if _, err, _ := send(t, tr, envelope()); err == nil || b.dialled() != 0 {
					t.Errorf("%s %s: %v, and another server was asked", verb, answer, err)
				}
			})
		}
	}
}

func TestAllAtFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newScripted(t, nil, nil, nil, nil, usual)
		tr := transport(t, srv.smtp())
		for i, rest := range []time.Duration{1, 2, 4, 8} {
			_, err, begun := send(t, tr, envelope())
			check(t, "dialled", err, outcome{mail.PhaseConnect, mail.Hold, 0})
			if err.After != rest*time.Second || begun != 0 {
				t.Errorf("failure %d: after %v, want %d s", i+1, err.After, rest)
			}
			time.Sleep(rest*time.Second - time.Nanosecond)
			_, err, _ = send(t, tr, envelope())
			check(t, "left alone", err, outcome{mail.PhaseConnect, mail.Hold, 0})
			if err.After != 1 || srv.dialled() != i+1 {
				t.Errorf("failure %d: after %v, %d connections", i+1, err.After, srv.dialled())
			}
			time.Sleep(time.Nanosecond)
		}
		if _, err, _ := send(t, tr, envelope()); err != nil {
			t.Error(err)
		}
	})
}

func TestWeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newScripted(t, usual), newScripted(t, usual)
		tr := transport(t, mail.SMTP{Connections: 1, Dial: servers{"a": a, "b": b}.dial, Servers: []mail.Server{
			{Host: "a", TLS: mail.TLSNone}, {Host: "b", TLS: mail.TLSNone, Weight: 9},
		}})
		count := map[string]int{}
		for range 400 {
			r, err, _ := send(t, tr, envelope())
			if err != nil {
				t.Fatal(err)
			}
			count[r.Server]++
		}
		// 40 of 400 to a, the standard deviation is 6.
		if count["a:25"] < 4 || count["a:25"] > 100 {
			t.Errorf("the messages went to %v", count)
		}
	})
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newScripted(t, usual)
		s := srv.smtp()
		s.Servers[0].Rate = mail.Rate{Messages: 10, Per: time.Minute}
		tr := transport(t, s)
		began := time.Now()
		for range 25 {
			if _, err, _ := send(t, tr, envelope()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 90*time.Second {
			t.Errorf("25 messages at 10 a minute took %v, want 1m30s after a burst of 10", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := tr.Send(ctx, envelope(), nil); err == nil {
			t.Error("a message was sent beyond the rate")
		}
	})
}
