// Package servers_test sends mail through the servers that people run, and compares what they
// delivered with what was sent.
package servers_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// patience is how long a test waits for a server to deliver.
const patience = 30 * time.Second

// server is one that scripts/services.sh --mail has started.
type server struct {
	name, dir string
	config    mail.Server
}

// find returns a server by the variables that the script sets. Without it the test is skipped
// with a loud line, or fails when MODULAGEN_REQUIRE_SERVICES is 1.
func find(t *testing.T, name string) *server {
	t.Helper()
	variable := "MODULAGEN_" + strings.ToUpper(name)
	host, port, err := net.SplitHostPort(os.Getenv(variable + "_ADDR"))
	if err != nil {
		storetest.Missing(t, name, variable+"_ADDR")
	}
	s := &server{name: name, dir: os.Getenv(variable + "_DIR")}
	s.config = mail.Server{Host: host, TLS: mail.TLSNone}
	if s.config.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	if name == "Postfix" { // OpenSMTPD speaks no TLS: see mailservers.sh
		certificate, err := os.ReadFile(filepath.Join(s.dir, "certificate.pem"))
		if err != nil {
			t.Fatal(err)
		}
		s.config.TLS, s.config.RootCAs = mail.TLSRequired, x509.NewCertPool()
		s.config.RootCAs.AppendCertsFromPEM(certificate)
	}
	return s
}

// delivered waits for a message in a recipient's Maildir. Servers write it with the line ends of
// the machine; what is signed and parsed has CRLF.
func (s *server) delivered(t *testing.T, user, id string) mailtest.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	often := time.NewTicker(10 * time.Millisecond)
	defer often.Stop()
	for ; ctx.Err() == nil; <-often.C {
		files, err := filepath.Glob(filepath.Join(s.dir, "mail", user, "new", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(data, []byte(id)) {
				continue
			}
			m, err := mailtest.Parse(bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")))
			if err != nil {
				t.Fatalf("%v in:\n%s", err, data)
			}
			return m
		}
	}
	t.Fatalf("%s has not delivered %s to %s", s.name, id, user)
	return mailtest.Message{}
}

// key signs the mail of example.org.
type key struct {
	public ed25519.PublicKey
	signer *mail.Signer
}

func newKey(t *testing.T) key {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := mail.NewSigner([]mail.DKIM{{
		Domain: "example.org", Selector: "s", Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return key{public, signer}
}

// verify checks that the one signature of a message holds after delivery.
func (k key) verify(t *testing.T, raw []byte) {
	t.Helper()
	found, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: func(string) ([]string, error) {
		return []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(k.public)}, nil
	}})
	if err != nil || len(found) != 1 || found[0].Err != nil {
		t.Errorf("DKIM: %d signatures, %v, %v in:\n%.3000s", len(found), err, found, raw)
	}
}

// send sends a message, signed, and returns it as it was sent.
func send(t *testing.T, tr mail.Transport, k key, m mail.Message) (*mail.Outgoing, *mail.Receipt, error) {
	t.Helper()
	o, err := m.Prepare(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	data, err := o.Compose()
	if err != nil {
		t.Fatal(err)
	}
	if data, err = k.signer.Sign(o.From.Email, data); err != nil {
		t.Fatal(err)
	}
	e := &mail.Envelope{Data: data, UTF8: o.NeedsUTF8(), Message: o}
	e.From, _ = o.From.ASCII()
	for _, a := range o.Recipients() {
		to, _ := a.ASCII()
		e.To = append(e.To, to)
	}
	receipt, err := tr.Send(t.Context(), e, func(context.Context) error { return nil })
	return o, receipt, err
}

// letters are messages that servers could change, or that could be lost on the way.
var letters = map[string]mail.Message{
	"plain":        {Subject: "Hello", Plain: "Hello Ann."},
	"UTF-8":        {From: `"Jürgen „Jü“ Müller, 東京" <shop@example.org>`, Subject: "Ihre Bestellung für Ünïcödé 🎉 &lt;ok&gt;", Plain: "Grüße\n東京 🎉\n", HTML: "<p>Grüße, 東京 🎉</p>"},
	"long subject": {Subject: strings.Repeat("Änderung des Vertrags über ", 20) + "x", Plain: "x"},
	"long lines":   {Subject: "long", Plain: strings.Repeat("x", 5000) + "\n" + strings.Repeat("ü ", 4000), HTML: "<p>" + strings.Repeat("word ", 2000) + "</p>"},
	"dots":         {Subject: "dots", Plain: ".\n..\n.hidden\nFrom the start of a line\n>From\n.\n\n  indented \nend"},
	"unsubscribe":  {Subject: "news", Plain: "x", ListUnsubscribe: "https://example.org/u?" + strings.Repeat("abcdef0123456789", 20), Headers: map[string]string{"X-Campaign": "Frühling"}, ReplyTo: []string{"Büro <office@example.org>"}},
	"files": {
		Subject: "files", HTML: `<img src="cid:logo@example.org">`,
		Attachments: []mail.Attachment{
			{Name: "logo.png", Type: "image/png", Data: octets(), ContentID: "logo@example.org"},
			{Name: `Größe "1"; a=b 東京.pdf`, Data: octets()},
			{Name: strings.Repeat("langer Name ", 15) + ".txt", Type: "text/plain", Data: []byte("bare LF\nbare CR\rNUL\x00\r\n.\r\n")},
			{Name: "empty.bin", Data: []byte{}},
		},
	},
}

// octets are all of them, several times.
func octets() []byte {
	var all []byte
	for i := range 4096 {
		all = append(all, byte(i*7))
	}
	return all
}

// TestDelivered: what a server delivers is what was sent, field by field as another library reads
// it, and its signature holds.
func TestDelivered(t *testing.T) {
	for _, name := range []string{"Postfix", "OpenSMTPD"} {
		t.Run(name, func(t *testing.T) {
			s, k := find(t, name), newKey(t)
			tr, err := mail.SMTP{Servers: []mail.Server{s.config}, Connections: 1}.Transport()
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			for what, m := range letters {
				if m.From == "" {
					m.From = "Shop <shop@example.org>"
				}
				m.To = []string{"Ann Ä. <ann@example.com>"}
				o, receipt, err := send(t, tr, k, m)
				if err != nil {
					t.Errorf("%s: %v", what, err)
					continue
				}
				if receipt.Response == "" || len(receipt.Refused) != 0 {
					t.Errorf("%s: the receipt is %+v", what, receipt)
				}
				got := s.delivered(t, "ann", o.MessageID)
				compare(t, what, o, got)
				k.verify(t, got.Raw)
			}
		})
	}
}

// compare compares a message that was delivered with the one that was sent.
func compare(t *testing.T, what string, o *mail.Outgoing, got mailtest.Message) {
	t.Helper()
	equal := func(field, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s is\n%.500q, want\n%.500q", what, field, got, want)
		}
	}
	lines := strings.NewReplacer("\r\n", "\n").Replace
	equal("Subject", got.Subject, o.Subject)
	equal("text", strings.TrimRight(lines(got.Text), "\n"), strings.TrimRight(lines(o.Plain), "\n"))
	equal("HTML", strings.TrimRight(lines(got.HTML), "\n"), strings.TrimRight(lines(o.HTML), "\n"))
	equal("Message-ID", got.Header("Message-ID"), "<"+o.MessageID+">")
	equal("Date", got.Date.UTC().Format(time.DateTime), o.Date.UTC().Format(time.DateTime))
	for field, want := range map[string][]mail.Address{"From": {o.From}, "To": o.To, "Reply-To": o.ReplyTo} {
		if list := got.Addresses(field); !slices.EqualFunc(list, want, func(a mailtest.Address, b mail.Address) bool { return a.Name == b.Name && a.Email == b.Email }) {
			t.Errorf("%s: %s is %q, want %q", what, field, list, want)
		}
	}
	if o.ListUnsubscribe != "" {
		equal("List-Unsubscribe", got.Header("List-Unsubscribe"), "<"+o.ListUnsubscribe+">")
		equal("List-Unsubscribe-Post", got.Header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click")
	}
	for name, value := range o.Headers {
		equal(name, got.Header(name), value)
	}
	if len(got.Attachments) != len(o.Attachments) {
		t.Fatalf("%s: %d attachments, want %d", what, len(got.Attachments), len(o.Attachments))
	}
	for _, want := range o.Attachments {
		i := slices.IndexFunc(got.Attachments, func(a mailtest.Attachment) bool { return a.Name == want.Name })
		if i < 0 {
			t.Errorf("%s: no attachment %q", what, want.Name)
			continue
		}
		a := got.Attachments[i]
		equal(want.Name+": type", a.Type, want.Type)
		equal(want.Name+": content id", a.ContentID, want.ContentID)
		if !bytes.Equal(a.Data, want.Data) {
			t.Errorf("%s: %s has %d bytes that differ from the %d sent", what, want.Name, len(a.Data), len(want.Data))
		}
	}
}

// TestRecipients: of several recipients, that which the server does not know is in the receipt,
// and the others get the message.
func TestRecipients(t *testing.T) {
	for _, name := range []string{"Postfix", "OpenSMTPD"} {
		t.Run(name, func(t *testing.T) {
			s, k := find(t, name), newKey(t)
			tr, err := mail.SMTP{Servers: []mail.Server{s.config}, Connections: 1}.Transport()
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			m := mail.Message{From: "shop@example.org", To: []string{"ann@example.com", "gone@example.com"}, Cc: []string{"bob@example.com"}, Bcc: []string{"cy@example.com"}, Subject: "to many", Plain: "x"}
			o, receipt, err := send(t, tr, k, m)
			if err != nil {
				t.Fatal(err)
			}
			if len(receipt.Refused) != 1 || receipt.Refused[0].Address != "gone@example.com" || receipt.Refused[0].Reply.Code != 550 {
				t.Errorf("refused: %+v", receipt.Refused)
			}
			for _, user := range []string{"ann", "bob", "cy"} {
				if got := s.delivered(t, user, o.MessageID); bytes.Contains(got.Raw, []byte("Bcc:")) {
					t.Errorf("%s sees Bcc:\n%s", user, got.Raw)
				}
			}
			m.To, m.Cc, m.Bcc = []string{"gone@example.com"}, nil, nil
			_, _, err = send(t, tr, k, m)
			var failed *mail.Error
			if !errors.As(err, &failed) || failed.Fate != mail.Fail || failed.Phase != mail.PhaseRecipients {
				t.Errorf("to nobody: %v", err)
			}
		})
	}
}

// TestUTF8Sender: Postfix takes a sender whose local part is not ASCII; for OpenSMTPD, which has
// no SMTPUTF8, that is an error and not a changed address.
func TestUTF8Sender(t *testing.T) {
	for name, takes := range map[string]bool{"Postfix": true, "OpenSMTPD": false} {
		t.Run(name, func(t *testing.T) {
			s, k := find(t, name), newKey(t)
			tr, err := mail.SMTP{Servers: []mail.Server{s.config}}.Transport()
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			o, _, err := send(t, tr, k, mail.Message{From: "jürgen@example.org", To: []string{"ann@example.com"}, Subject: "Grüße", Plain: "x"})
			var failed *mail.Error
			switch {
			case !takes && (!errors.As(err, &failed) || failed.Fate != mail.Fail):
				t.Errorf("%v, want that the message fails", err)
			case takes && err != nil:
				t.Error(err)
			case takes:
				compare(t, "UTF-8 sender", o, s.delivered(t, "ann", o.MessageID))
			}
		})
	}
}
