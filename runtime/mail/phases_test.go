package mail_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
)

// TestPhases goes through every step and everything that a server can do there. The fate follows
// from the phase and the code alone.
func TestPhases(t *testing.T) {
	const retry, fail, hold, unknown = mail.Retry, mail.Fail, mail.Hold, mail.Unknown
	steps := []struct {
		verb                               string
		phase                              mail.Phase
		temporary, permanent, closes, lost mail.Fate
	}{
		{"", mail.PhaseConnect, hold, hold, hold, hold},
		{"EHLO", mail.PhaseConnect, hold, hold, hold, hold},
		{"MAIL", mail.PhaseSender, retry, fail, hold, retry},
		{"RCPT", mail.PhaseRecipients, retry, fail, retry, retry},
		{"DATA", mail.PhaseData, retry, fail, retry, retry},
		{".", mail.PhaseFinal, retry, fail, retry, unknown},
	}
	lost := []string{hang, closing, drip, endless, "what?", "250", "199 odd", "700 odd", "354 odd", "250-a\r\n550 b\r\n250-c"}
	for _, pipelining := range []bool{true, false} {
		for _, step := range steps {
			base := usual
			if !pipelining {
				base = base.with("EHLO", "250 script")
			}
			try := func(answer string, fate mail.Fate, code int) {
				s := base.with(step.verb, answer)
				if step.verb == "EHLO" {
					s = s.with("HELO", answer)
				}
				name := fmt.Sprintf("pipelining %t, %q answered with %q", pipelining, step.verb, answer)
				synctest.Test(t, func(t *testing.T) {
					srv := newScripted(t, s)
					r, err, begun := send(t, transport(t, srv.smtp()), envelope())
					check(t, name, err, outcome{step.phase, fate, code})
					if want := step.verb == "DATA" || step.verb == "."; (begun == 1) != want || begun > 1 {
						t.Errorf("%s: begin was called %d times", name, begun)
					}
					if r != nil || len(err.Error()) > 2000 || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
						t.Errorf("%s: receipt %v, error of %d bytes %q", name, r, len(err.Error()), err)
					}
				})
			}
			try("451 4.3.0 later", step.temporary, 451)
			try("550 5.7.1 never", step.permanent, 550)
			try("421 4.3.2 closing", step.closes, 421)
			if step.verb == "MAIL" {
				try("530 5.7.0 authentication required", hold, 530)
			}
			for _, answer := range lost {
				switch {
				case answer == "250" && step.verb != "" && step.verb != "DATA", // an answer without a text
					answer == "354 odd" && step.verb == "DATA",
					strings.HasPrefix(answer, "250-a") && step.verb == "MAIL" && pipelining: // RCPT's answer ends it
					continue
				}
				try(answer, step.lost, 0)
			}
		}
	}
}

func TestBrokenBodies(t *testing.T) {
	for _, test := range []struct {
		answer string
		want   outcome
	}{
		{"354 go\r\n552 5.3.4 too big", outcome{mail.PhaseData, mail.Retry, 0}}, // it answered more than it was asked
		{"354 go\r\n250 accepted already", outcome{mail.PhaseData, mail.Retry, 0}},
		{"250 go", outcome{mail.PhaseData, mail.Retry, 0}},
	} {
		synctest.Test(t, func(t *testing.T) {
			srv := newScripted(t, usual.with("DATA", test.answer))
			_, err, _ := send(t, transport(t, srv.smtp()), envelope())
			check(t, test.answer, err, test.want)
			if slices.Contains(srv.heard(), ".") {
				t.Errorf("%s: the final dot was sent", test.answer)
			}
		})
	}
}

// TestSlowBody has a server that stops reading in the middle of a large message.
func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newScripted(t, usual.with("DATA", "354 go\r\n"+hang), usual)
		srv.next[0]["DATA"] = hang
		e := envelope()
		e.Data = append(e.Data, strings.Repeat("x\r\n", 1<<20)...)
		began := time.Now()
		_, err, _ := send(t, transport(t, srv.smtp()), e)
		check(t, "hang", err, outcome{mail.PhaseData, mail.Retry, 0})
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

func TestSentWhateverFollows(t *testing.T) {
	for _, answer := range []string{"250 ok\r\ntrailing", "250-2.0.0 one\r\n250 2.0.0 two", "251 odd but fine"} {
		synctest.Test(t, func(t *testing.T) {
			srv := newScripted(t, usual.with(".", answer), usual)
			tr := transport(t, srv.smtp())
			for range 2 { // what is left in the connection does not reach the next message
				if _, err, begun := send(t, tr, envelope()); err != nil || begun != 1 {
					t.Errorf("%q: %v", answer, err)
				}
			}
		})
	}
}

func TestRefusedRecipients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newScripted(t, usual.
			with("RCPT TO:<gone@example.com>", "550-5.1.1 no\r\n550 5.1.1 such user\x1b[2J").
			with("RCPT TO:<full@example.com>", "452 4.2.2 full"))
		tr := transport(t, srv.smtp())
		r, err, begun := send(t, tr, envelope("gone@example.com", "ann@example.com", "full@example.com"))
		if err != nil || begun != 1 {
			t.Fatal(err)
		}
		want := []mail.Refusal{
			{Address: "gone@example.com", Reply: mail.Reply{Code: 550, Enhanced: "5.1.1", Text: "no such user?[2J"}},
			{Address: "full@example.com", Reply: mail.Reply{Code: 452, Enhanced: "4.2.2", Text: "full"}},
		}
		if !slices.Equal(r.Refused, want) {
			t.Errorf("refused %+v, want %+v", r.Refused, want)
		}
		_, err, begun = send(t, tr, envelope("gone@example.com", "full@example.com"))
		check(t, "one is temporary", err, outcome{mail.PhaseRecipients, mail.Retry, 452})
		if len(err.Refused) != 2 || begun != 0 {
			t.Errorf("%+v, begin %d times", err, begun)
		}
		_, err, _ = send(t, tr, envelope("gone@example.com"))
		check(t, "all are final", err, outcome{mail.PhaseRecipients, mail.Fail, 550})
		if srv.dialled() != 1 {
			t.Errorf("%d connections: refused recipients do not break one", srv.dialled())
		}
	})
}

func TestBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newScripted(t, usual)
		tr := transport(t, srv.smtp())
		stop := errors.New("the lease is lost")
		_, err := tr.Send(t.Context(), envelope(), func(context.Context) error {
			if got := srv.heard(); !strings.HasPrefix(got[len(got)-1], "RCPT TO:") {
				t.Errorf("begin is called after %q", got)
			}
			return stop
		})
		if err != stop {
			t.Errorf("the error is %v, want that of begin as it is", err)
		}
		if _, err, _ := send(t, tr, envelope()); err != nil {
			t.Error(err)
		}
		got := strings.Join(srv.heard(), "|")
		want := "EHLO client.example|MAIL FROM:<shop@example.com>|RCPT TO:<ann@example.com>|RSET|" +
			"MAIL FROM:<shop@example.com>|RCPT TO:<ann@example.com>|DATA|."
		if got != want {
			t.Errorf("the server heard\n%s, want\n%s", got, want)
		}
	})
}

func TestEndOfContext(t *testing.T) {
	for _, test := range []struct {
		verb string
		want outcome
	}{
		{"", outcome{mail.PhaseConnect, mail.Retry, 0}},
		{"MAIL", outcome{mail.PhaseSender, mail.Retry, 0}},
		{"RCPT", outcome{mail.PhaseRecipients, mail.Retry, 0}},
		{"DATA", outcome{mail.PhaseData, mail.Retry, 0}},
		{".", outcome{mail.PhaseFinal, mail.Unknown, 0}},
	} {
		synctest.Test(t, func(t *testing.T) {
			srv := newScripted(t, usual.with(test.verb, hang), usual)
			tr := transport(t, srv.smtp())
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := tr.Send(ctx, envelope(), func(context.Context) error { return nil })
			var failure *mail.Error
			if !errors.As(err, &failure) || !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%q: %v", test.verb, err)
			}
			check(t, test.verb, failure, test.want)
			// The server is not at fault: the next message is sent at once.
			if _, err, _ := send(t, tr, envelope()); err != nil {
				t.Errorf("%q: then %v", test.verb, err)
			}
		})
	}
}

func TestNothingOnTheWire(t *testing.T) {
	srv := newScripted(t, usual)
	tr := transport(t, srv.smtp())
	refuse := func(name string, change func(*mail.Envelope)) {
		t.Helper()
		e := envelope()
		change(e)
		_, err, begun := send(t, tr, e)
		check(t, name, err, outcome{mail.PhaseSender, mail.Fail, 0})
		if begun != 0 {
			t.Errorf("%s: begin was called", name)
		}
	}
	for _, address := range []string{
		"", "a@example.com\r\nRCPT TO:<b@example.com>", "a@example.com> SIZE=1", "a b@example.com", "a\x00@example.com",
		`"a> ORCPT=x`, `"a\" x@example.com`, "ä@example.com", strings.Repeat("a", 600) + "@example.com",
	} {
		refuse(address, func(e *mail.Envelope) { e.To = append(e.To, address) })
		if address != "" { // the sender of a bounce
			refuse(address, func(e *mail.Envelope) { e.From = address })
		}
	}
	for _, data := range []string{"a\rb\r\n", "a\nb\r\n", "a\r\n.\n\r\n", "a\r\n.\r\r\n", "a\x00\r\n"} {
		refuse(data, func(e *mail.Envelope) { e.Data = []byte(data) })
	}
	refuse("no recipients", func(e *mail.Envelope) { e.To = nil })
	if srv.dialled() != 0 {
		t.Errorf("%d connections", srv.dialled())
	}
}

func TestExtensions(t *testing.T) {
	eightBit := func(e *mail.Envelope) { e.Data = append(e.Data, "ä\r\n"...) }
	utf8 := func(e *mail.Envelope) { e.UTF8, e.To = true, []string{"jörg@example.com"} }
	for _, test := range []struct {
		ehlo   string
		change func(*mail.Envelope)
		mail   string // "" means that the message fails
	}{
		{"250 SIZE 100", func(*mail.Envelope) {}, ""},
		{"250 SIZE 1000", func(*mail.Envelope) {}, fmt.Sprintf(" SIZE=%d", len(letter))},
		{"250 SIZE", func(*mail.Envelope) {}, fmt.Sprintf(" SIZE=%d", len(letter))},
		{"250 SIZE 0", func(*mail.Envelope) {}, fmt.Sprintf(" SIZE=%d", len(letter))},
		{"250 HELP", eightBit, ""},
		{"250 8BITMIME", eightBit, " BODY=8BITMIME"},
		{"250 8BITMIME", utf8, ""},
		{"250-8BITMIME\r\n250 SMTPUTF8", utf8, " BODY=8BITMIME SMTPUTF8"},
		{"250-8BITMIME\r\n250 SMTPUTF8", func(*mail.Envelope) {}, ""}, // not asked for what is not needed
	} {
		synctest.Test(t, func(t *testing.T) {
			srv := newScripted(t, usual.with("EHLO", "250-script\r\n"+test.ehlo))
			e := envelope()
			test.change(e)
			_, err, _ := send(t, transport(t, srv.smtp()), e)
			line := "MAIL FROM:<shop@example.com>" + test.mail
			if sent := slices.Contains(srv.heard(), line); sent != (err == nil) {
				t.Errorf("%s: %v, the server heard %q", test.ehlo, err, srv.heard())
			}
			if err != nil {
				check(t, test.ehlo, err, outcome{mail.PhaseSender, mail.Fail, 0})
			}
		})
	}
}
