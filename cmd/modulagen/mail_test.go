package main

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	smtp "github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
)

// mailRun runs the command and returns its code and everything that it printed.
func mailRun(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := run(t.Context(), append([]string{"mail", "test"}, args...), streams{in: strings.NewReader(""), out: &out, err: &out})
	return code, out.String()
}

func TestMailTest(t *testing.T) {
	srv := mailtest.NewServer(t, mailtest.Options{TLS: smtp.TLSNone, Users: map[string]string{"shop@example.com": "s3cret"}, Mechanisms: []string{"CRAM-MD5"}})
	t.Setenv("MAIL_URL", fmt.Sprintf("smtp://shop%%40example.com:s3cret@127.0.0.1:%d?tls=none", srv.Config().Port))
	code, out := mailRun(t, "--to", "Ann <ann@example.com>")
	m := srv.Wait(t, 1)[0]
	if code != exitOK || m.From != "shop@example.com" || m.To[0] != "ann@example.com" || m.Date.IsZero() {
		t.Errorf("code %d, %s, arrived %+v", code, out, m)
	}
	for _, want := range []string{"connect, greeting      ok\n", "TLS, certificate       left out\n", "AUTH                   ok\n", "accepted it for ann@example.com: 2.0.0"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

// TestMailTestFails has each situation that people meet when they set up mail: the step, and what
// to do.
func TestMailTestFails(t *testing.T) {
	users := map[string]string{"shop@example.com": "right"}
	refuse := func(name mailtest.Name, code int) func(mailtest.Step) error {
		return func(s mailtest.Step) error {
			if s.Name == name {
				return mailtest.Refuse(code, "5.7.1", "not here")
			}
			return nil
		}
	}
	plain := mailtest.Options{TLS: smtp.TLSNone}
	with := func(change func(*mailtest.Options)) *mailtest.Options {
		o := plain
		change(&o)
		return &o
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := closed.Addr().String()
	closed.Close()
	for name, test := range map[string]struct {
		server *mailtest.Options
		url    string
		step   string
		hint   string
	}{
		"no such name":       {nil, "smtp://nowhere.invalid", "connect", ""},
		"a refused port":     {nil, "smtp://" + refused, "connect", "check Port"},
		"no TLS":             {&plain, "smtp://127.0.0.1:%d", "TLS", "port 465"},
		"implicit on 587":    {&mailtest.Options{}, "smtps://127.0.0.1:%d", "TLS", "STARTTLS"},
		"unknown authority":  {&mailtest.Options{}, "smtp://127.0.0.1:%d", "TLS", "RootCAs"},
		"another name":       {&mailtest.Options{Certificate: named}, "smtp://127.0.0.1:%d", "TLS", "another name"},
		"expired":            {&mailtest.Options{Certificate: expired}, "smtp://127.0.0.1:%d", "TLS", "expired"},
		"wrong password":     {with(func(o *mailtest.Options) { o.Users, o.Mechanisms = users, []string{"CRAM-MD5"} }), "smtp://shop%%40example.com:s3cret@127.0.0.1:%d?tls=none", "AUTH", "check Username and Password"},
		"no AUTH":            {&plain, "smtp://u:s3cret@127.0.0.1:%d?tls=none", "AUTH", "leave out Username"},
		"only OAuth":         {with(func(o *mailtest.Options) { o.Users, o.Mechanisms = users, []string{"XOAUTH2"} }), "smtp://u:s3cret@127.0.0.1:%d?tls=none", "AUTH", "OAuth"},
		"AUTH is missing":    {with(func(o *mailtest.Options) { o.Users = users }), "smtp://127.0.0.1:%d?tls=none", "sender", "set Username and Password"},
		"a refused sender":   {with(func(o *mailtest.Options) { o.Answer = refuse(mailtest.Sender, 553) }), "smtp://127.0.0.1:%d?tls=none", "sender", "with this From"},
		"a refused address":  {with(func(o *mailtest.Options) { o.Answer = refuse(mailtest.Recipient, 550) }), "smtp://127.0.0.1:%d?tls=none", "recipient", "may not exist"},
		"a refused host":     {with(func(o *mailtest.Options) { o.Answer = refuse(mailtest.Connect, 554) }), "smtp://127.0.0.1:%d?tls=none", "connect", "block lists"},
		"a refused message":  {with(func(o *mailtest.Options) { o.Answer = refuse(mailtest.Data, 554) }), "smtp://127.0.0.1:%d?tls=none", "answer", ""},
		"a filtered port":    {with(func(o *mailtest.Options) { o.Answer = func(mailtest.Step) error { return mailtest.Hang } }), "smtp://127.0.0.1:%d?tls=none&timeout=20ms", "connect", "firewall"},
		"an answer too late": {with(func(o *mailtest.Options) { o.Answer = dropped }), "smtp://127.0.0.1:%d?tls=none", "answer", ""},
	} {
		t.Run(name, func(t *testing.T) {
			address := test.url
			if test.server != nil {
				address = fmt.Sprintf(test.url, mailtest.NewServer(t, *test.server).Config().Port)
			}
			code, out := mailRun(t, "--to", "ann@example.com", "--from", "shop@example.com", "--url", address)
			failed := ""
			for line := range strings.Lines(out) {
				if strings.HasSuffix(line, "  failed\n") {
					failed = line
				}
			}
			if code != exitFinding || !strings.HasPrefix(failed, test.step) || !strings.Contains(out, test.hint) || strings.Contains(out, "s3cret") {
				t.Errorf("code %d, want step %q and hint %q:\n%s", code, test.step, test.hint, out)
			}
		})
	}
}

func named(c *x509.Certificate)   { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} }
func expired(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }

func dropped(s mailtest.Step) error {
	if s.Name == mailtest.Stored {
		return mailtest.Drop
	}
	return nil
}

func TestMailTestUsage(t *testing.T) {
	t.Setenv("MAIL_URL", "")
	for want, args := range map[string][]string{
		"no server":        {"--to", "ann@example.com"},
		"--to is":          {"--url", "smtp://h", "--from", "a@example.com"},
		"--from is":        {"--url", "smtp://h", "--to", "a@example.com"},
		"cannot be parsed": {"--url", "smtp://u:s3cret@h:x", "--to", "a@example.com", "--from", "a@example.com"},
		"unknown command":  {"more"},
	} {
		code, out := mailRun(t, args...)
		if code != exitUsage || !strings.Contains(out, want) || strings.Contains(out, "s3cret") {
			t.Errorf("%q: code %d, %s", args, code, out)
		}
	}
}
