package mail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
)

func TestParseURL(t *testing.T) {
	s, err := mail.ParseURL("smtp://shop%40example.com:p%40ss%20w:rd@smtp.example.com:2587/?connections=8&hello=me.example&timeout=30s")
	if err != nil {
		t.Fatal(err)
	}
	got := s.Servers[0]
	if got.Host != "smtp.example.com" || got.Port != 2587 || got.Username != "shop@example.com" || got.Password.Reveal() != "p@ss w:rd" ||
		got.TLS != mail.TLSRequired || s.Connections != 8 || s.Hello != "me.example" || s.Timeout != 30*time.Second {
		t.Errorf("%+v", s)
	}
	for text, want := range map[string]mail.TLS{
		"smtp://smtp.example.com": mail.TLSRequired, "smtps://smtp.example.com": mail.TLSImplicit,
		"smtp://[::1]:25?tls=none": mail.TLSNone, "smtp://localhost?tls=none": mail.TLSNone,
	} {
		if s, err := mail.ParseURL(text); err != nil || s.Servers[0].TLS != want {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
	for _, text := range []string{
		"", "smtp.example.com:587", "http://u:s3cret@h", "smtp://u:s3cret@h:port", "smtp://u:s3c%ret@h", "smtp://u:s3cret@",
		"smtp://u:s3cret@h:0", "smtp://u:s3cret@h/path", "smtp://u:s3cret@h?tsl=none", "smtp://u:s3cret@h?tls=maybe", "smtps://h?tls=none",
		"smtp://u:s3cret@h?tls=none", "smtp://u@h", "smtp://:s3cret@h", "smtp://u:s3cret@h?timeout=1", "smtp://u:s3cret@h?connections=-1",
		"smtp://u:s3cret@h?hello=a&hello=b", "smtp://u:s3cret@h/#x", "smtp://u:s3cret@a b", "smtp:u:s3cret@h", "smtp://u:s3\x00cret@h",
	} {
		if _, err := mail.ParseURL(text); err == nil || strings.Contains(err.Error(), "s3c") || !strings.HasPrefix(err.Error(), "mail: ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
