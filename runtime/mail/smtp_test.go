package mail_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
)

const letter = "From: Shop <shop@example.com>\r\nTo: ann@example.com\r\nSubject: Hello\r\n" +
	"Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nHello.\r\n.\r\n..two\r\nend\r\n"

func envelope(to ...string) *mail.Envelope {
	if to == nil {
		to = []string{"ann@example.com"}
	}
	return &mail.Envelope{From: "shop@example.com", To: to, Data: []byte(letter)}
}

func transport(t *testing.T, s mail.SMTP) mail.Transport {
	t.Helper()
	tr, err := s.Transport()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr
}

// began counts calls of begin.
type began struct {
	mu    sync.Mutex
	count int
}

func (b *began) begin(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count++
	return nil
}

func send(t *testing.T, tr mail.Transport, e *mail.Envelope) (*mail.Receipt, *mail.Error, int) {
	t.Helper()
	var b began
	r, err := tr.Send(t.Context(), e, b.begin)
	var failure *mail.Error
	if err != nil && !errors.As(err, &failure) {
		t.Fatalf("the error is no *mail.Error: %v", err)
	}
	if (r == nil) == (err == nil) {
		t.Fatalf("receipt %v and error %v", r, err)
	}
	return r, failure, b.count
}

func TestSMTPSends(t *testing.T) {
	for _, mode := range []mail.TLS{mail.TLSRequired, mail.TLSImplicit, mail.TLSNone} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			srv := mailtest.NewServer(t, mailtest.Options{TLS: mode})
			tr := transport(t, srv.SMTP())
			for range 3 {
				r, err, begun := send(t, tr, envelope("ann@example.com", "bob@example.com"))
				if err != nil || begun != 1 || len(r.Refused) > 0 || !strings.HasPrefix(r.Response, "2.0.0 ") {
					t.Fatalf("receipt %+v, error %v, begin %d times", r, err, begun)
				}
			}
			m := srv.Wait(t, 3)[2]
			if m.From != "shop@example.com" || !slices.Equal(m.To, []string{"ann@example.com", "bob@example.com"}) ||
				m.TLS != (mode != mail.TLSNone) || m.Size != int64(len(letter)) || m.Hello != "client.example" || m.UTF8 {
				t.Errorf("envelope %+v", m)
			}
			if string(m.Raw) != letter {
				t.Errorf("the message arrived as\n%q, want\n%q", m.Raw, letter)
			}
			if m.Subject != "Hello" || m.Addresses("From")[0] != (mailtest.Address{Name: "Shop", Email: "shop@example.com"}) {
				t.Errorf("parsed %+v", m)
			}
			if accepted, _ := srv.Connections(); accepted != 1 {
				t.Errorf("%d connections for messages one after the other", accepted)
			}
		})
	}
}
