package mail_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
)

const password = "Tr0ub4dor&3 ü"

func withUser(s mail.SMTP) mail.SMTP {
	s.Servers[0].Username, s.Servers[0].Password = "shop", mail.NewSecret(password)
	return s
}

func TestCertificates(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*x509.Certificate)
		roots  bool
		hint   string
	}{
		"of another name":         {func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} }, true, "for another name"},
		"expired":                 {func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, true, "expired"},
		"of an unknown authority": {nil, false, "RootCAs"},
	} {
		for _, mode := range []mail.TLS{mail.TLSRequired, mail.TLSImplicit} {
			t.Run(fmt.Sprint(name, mode), func(t *testing.T) {
				srv := mailtest.NewServer(t, mailtest.Options{TLS: mode, Certificate: test.change, Users: map[string]string{"shop": password}})
				s := withUser(srv.SMTP())
				if !test.roots {
					s.Servers[0].RootCAs = nil
				}
				_, err, begun := send(t, transport(t, s), envelope())
				check(t, name, err, outcome{mail.PhaseTLS, mail.Hold, 0})
				if begun != 0 || !strings.Contains(err.Hint, test.hint) {
					t.Errorf("hint %q, begin %d times", err.Hint, begun)
				}
			})
		}
	}
}

// liar is a server on loopback that answers each line as a function says, and keeps what it heard.
func liar(t *testing.T, greeting string, answer func(line string) string) (mail.Server, func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var heard strings.Builder
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, greeting+"\r\n")
			r := bufio.NewReader(c)
			for {
				line, err := r.ReadString('\n')
				heard.WriteString(line)
				if err != nil {
					break
				}
				io.WriteString(c, answer(strings.TrimSpace(line))+"\r\n")
			}
			c.Close()
		}
	}()
	a := l.Addr().(*net.TCPAddr)
	return mail.Server{Host: "127.0.0.1", Port: a.Port}, func() string {
		l.Close()
		<-done
		return heard.String()
	}
}

// TestNoTLS has servers that offer no STARTTLS, or offer it and do not mean it. They see no
// password and no message.
func TestNoTLS(t *testing.T) {
	for name, test := range map[string]struct {
		ehlo, start string
		code        int
	}{
		"stripped":  {"250-x\r\n250-XXXXXXXA\r\n250 AUTH PLAIN LOGIN", "502 unknown", 0},
		"refused":   {"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN", "454 4.7.0 TLS not available", 454},
		"lied":      {"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN", "220 go\r\n250-x\r\n250 AUTH PLAIN LOGIN", 0},
		"plaintext": {"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN", "220 go", 0},
	} {
		t.Run(name, func(t *testing.T) {
			server, heard := liar(t, "220 x", func(line string) string {
				switch {
				case strings.HasPrefix(line, "EHLO"):
					return test.ehlo
				case line == "STARTTLS":
					return test.start
				case strings.HasPrefix(line, "AUTH"):
					return "235 ok"
				}
				return "250 ok"
			})
			s := withUser(mail.SMTP{Servers: []mail.Server{server}, Timeout: 5 * time.Second})
			tr := transport(t, s)
			_, err, begun := send(t, tr, envelope())
			check(t, name, err, outcome{mail.PhaseTLS, mail.Hold, test.code})
			if err.Hint == "" && test.code == 0 || begun != 0 {
				t.Errorf("hint %q, begin %d times", err.Hint, begun)
			}
			if got := heard(); strings.Contains(got, "AUTH") || strings.Contains(got, "MAIL") {
				t.Errorf("the server heard %q", got)
			}
		})
	}
}

// TestInjection has a server, or someone on the way, that sends answers before the handshake for
// the time after it. The handshake itself succeeds.
func TestInjection(t *testing.T) {
	srv := mailtest.NewServer(t, mailtest.Options{})
	s := srv.SMTP()
	s.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &injecting{Conn: c}, err
	}
	_, err, begun := send(t, transport(t, s), envelope())
	check(t, "injection", err, outcome{mail.PhaseTLS, mail.Hold, 0})
	if begun != 0 || !strings.Contains(err.Error(), "between its answer to STARTTLS and TLS") {
		t.Errorf("%v, begin %d times", err, begun)
	}
}

type injecting struct {
	net.Conn
	done bool
}

func (c *injecting) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.done && strings.HasPrefix(string(p[:n]), "220 ") && strings.Contains(string(p[:n]), "TLS") {
		c.done = true
		n += copy(p[n:], "250 injected\r\n")
	}
	return n, err
}

func TestAuth(t *testing.T) {
	token := func(context.Context) (string, error) { return password, nil }
	for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"} {
		t.Run(mechanism, func(t *testing.T) {
			srv := mailtest.NewServer(t, mailtest.Options{Users: map[string]string{"shop": password}, Mechanisms: []string{mechanism}})
			s := withUser(srv.SMTP())
			if mechanism == "XOAUTH2" {
				s.Servers[0].Password, s.Servers[0].Token = mail.Secret{}, token
			}
			if _, err, _ := send(t, transport(t, s), envelope()); err != nil {
				t.Fatal(err)
			}
			if m := srv.Wait(t, 1)[0]; m.User != "shop" || !m.TLS {
				t.Errorf("it arrived from %q, TLS %t", m.User, m.TLS)
			}
			s.Servers[0].Username = "other"
			_, err, begun := send(t, transport(t, s), envelope())
			check(t, mechanism, err, outcome{mail.PhaseAuth, mail.Hold, 535})
			if begun != 0 || !strings.Contains(err.Hint, "Username") {
				t.Errorf("begin %d times, hint %q", begun, err.Hint)
			}
		})
	}
}

func TestAuthThatIsNotOffered(t *testing.T) {
	for name, test := range map[string]struct {
		offered []string
		change  func(*mail.Server)
	}{
		"none":           {[]string{}, func(*mail.Server) {}},
		"others":         {[]string{"XOAUTH2"}, func(*mail.Server) {}},
		"not allowed":    {[]string{"PLAIN", "LOGIN"}, func(s *mail.Server) { s.Mechanisms = []string{"SCRAM-SHA-256"} }},
		"a token fails":  {[]string{"XOAUTH2"}, func(s *mail.Server) { s.Password, s.Token = mail.Secret{}, noToken }},
		"no OAuth there": {[]string{"PLAIN"}, func(s *mail.Server) { s.Password, s.Token = mail.Secret{}, noToken }},
	} {
		t.Run(name, func(t *testing.T) {
			srv := mailtest.NewServer(t, mailtest.Options{Users: map[string]string{"shop": password}, Mechanisms: test.offered})
			s := withUser(srv.SMTP())
			test.change(&s.Servers[0])
			_, err, _ := send(t, transport(t, s), envelope())
			check(t, name, err, outcome{mail.PhaseAuth, mail.Hold, 0})
		})
	}
}

func noToken(context.Context) (string, error) { return "", errors.New("the consent was withdrawn") }

// TestPasswordWithoutTLS has a server on loopback, without TLS, that offers what would show the
// password, and then what would not.
func TestPasswordWithoutTLS(t *testing.T) {
	srv := mailtest.NewServer(t, mailtest.Options{TLS: mail.TLSNone, Users: map[string]string{"shop": password}, Mechanisms: []string{"PLAIN", "LOGIN"}})
	_, err, _ := send(t, transport(t, withUser(srv.SMTP())), envelope())
	check(t, "PLAIN", err, outcome{mail.PhaseAuth, mail.Hold, 0})
	srv = mailtest.NewServer(t, mailtest.Options{TLS: mail.TLSNone, Users: map[string]string{"shop": password}, Mechanisms: []string{"PLAIN", "CRAM-MD5"}})
	if _, err, _ := send(t, transport(t, withUser(srv.SMTP())), envelope()); err != nil {
		t.Error(err)
	}
}

// TestSecretsAreNotShown has a server that repeats the credentials in its answer.
func TestSecretsAreNotShown(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte("\x00shop\x00" + password))
	srv := mailtest.NewServer(t, mailtest.Options{Users: map[string]string{"shop": password}, Answer: func(s mailtest.Step) error {
		if s.Name == mailtest.Auth {
			return mailtest.Refuse(535, "5.7.8", "not "+password+" or "+encoded)
		}
		return nil
	}})
	s := withUser(srv.SMTP())
	tr := transport(t, s)
	_, err, _ := send(t, tr, envelope())
	check(t, "AUTH", err, outcome{mail.PhaseAuth, mail.Hold, 535})
	data, problem := json.Marshal(map[string]any{"p": s.Servers[0].Password, "e": err.Error()})
	if problem != nil {
		t.Fatal(problem)
	}
	texts := []string{string(data), err.Reply.Text}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts = append(texts, fmt.Sprintf(verb, s), fmt.Sprintf(verb, tr), fmt.Sprintf(verb, err), fmt.Sprintf(verb, mail.Options{SMTP: s}))
	}
	for _, text := range texts {
		for _, secret := range []string{password, "Tr0ub4dor", encoded, fmt.Sprintf("%x", password)} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %q", secret, text)
			}
		}
	}
}

func TestConfigurations(t *testing.T) {
	good := mail.Server{Host: "smtp.example.com"}
	for want, s := range map[string]mail.SMTP{
		"no servers":                    {},
		"the port belongs in Port":      {Servers: []mail.Server{{Host: "smtp.example.com:587"}}},
		"Host is \"\"":                  {Servers: []mail.Server{{}}},
		"Host is \"a b\"":               {Servers: []mail.Server{{Host: "a b"}}},
		"Port is 70000":                 {Servers: []mail.Server{{Host: "a", Port: 70000}}},
		"Connections is -1":             {Servers: []mail.Server{good}, Connections: -1},
		"without Password or Token":     {Servers: []mail.Server{{Host: "a", Username: "u"}}},
		"without Username":              {Servers: []mail.Server{{Host: "a", Password: mail.NewSecret(password)}}},
		"both Password and Token":       {Servers: []mail.Server{{Host: "a", Username: "u", Password: mail.NewSecret(password), Token: noToken}}},
		"not sent without TLS":          {Servers: []mail.Server{{Host: "a", Username: "u", Password: mail.NewSecret(password), TLS: mail.TLSNone}}},
		"Mechanisms has \"NTLM\"":       {Servers: []mail.Server{{Host: "a", Username: "u", Password: mail.NewSecret(password), Mechanisms: []string{"NTLM"}}}},
		"Hello is":                      {Servers: []mail.Server{good}, Hello: "a\r\nMAIL"},
		"cannot be negative":            {Servers: []mail.Server{good}, Timeout: -1},
		"server 2 (b): Weight is -1":    {Servers: []mail.Server{good, {Host: "b", Weight: -1}}},
		"server 1 (c): TLS is 7, which": {Servers: []mail.Server{{Host: "c", TLS: 7}}},
	} {
		_, err := s.Transport()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), password) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
	tr, err := mail.SMTP{Servers: []mail.Server{good}}.Transport()
	if err != nil || tr.Close() != nil {
		t.Error(err)
	}
	// The zero value asks for STARTTLS, so that nothing is sent in clear by mistake.
	if !slices.Contains([]mail.TLS{mail.TLSRequired}, mail.Server{}.TLS) {
		t.Error("the zero value of TLS is not TLSRequired")
	}
}
