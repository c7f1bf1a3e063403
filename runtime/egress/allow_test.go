package egress_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/egress"
)

func client(t *testing.T, o egress.Options) *egress.Client {
	t.Helper()
	c, err := egress.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestAllow(t *testing.T) {
	for _, c := range []struct {
		allow, url, addr string
		permitted        bool
	}{
		{"10.1.2.3", "https://a.example.com/", "10.1.2.3", true},
		{"10.1.2.3", "http://a.example.com:8080/", "10.1.2.3", true},
		{"10.1.2.3", "https://a.example.com/", "10.1.2.4", false},
		{"10.1.2.3", "https://a.example.com/", "::ffff:10.1.2.3", true},
		{"10.1.2.3", "https://a.example.com/", "64:ff9b::10.1.2.3", false},
		{"10.1.2.3", "https://a.example.com/", "::ffff:10.1.2.3%eth0", false},
		{"::ffff:10.1.2.3", "https://a.example.com/", "10.1.2.3", true},
		{"10.1.2.3:8080", "https://a.example.com:8080/", "10.1.2.3", true},
		{"10.1.2.3:8080", "https://a.example.com:8081/", "10.1.2.3", false},
		{"10.0.0.0/8", "http://a.example.com:9/", "10.200.0.1", true},
		{"10.0.0.0/8", "http://a.example.com/", "8.8.8.8", false},
		{"10.0.0.0/8:8443", "https://a.example.com:8443/", "10.9.9.9", true},
		{"10.0.0.0/8:8443", "https://a.example.com/", "10.9.9.9", false},
		{"fd00::1", "https://a.example.com/", "fd00::1", true},
		{"[fd00::1]:443", "https://a.example.com/", "fd00::1", true},
		{"[fd00::1]:443", "https://a.example.com:80/", "fd00::1", false},
		{"[fd00::/8]", "https://a.example.com/", "fd12::1", true},
		{"[fd00::/8]:443", "https://a.example.com/", "fd12::1", true},
		{"fe80::/10", "https://a.example.com/", "fe80::1", true},
		{"fe80::/10", "https://a.example.com/", "fe80::1%eth0", false},
		{"169.254.169.254", "http://a.example.com/", "169.254.169.254", true},
		{"8.8.8.0/24:53", "http://a.example.com:53/", "8.8.8.8", true},

		{"hooks.internal", "http://hooks.internal:8080/", "10.1.2.3", true},
		{"Hooks.Internal.", "http://hooks.internal/", "127.0.0.1", true},
		{"hooks.internal", "http://HOOKS.internal./", "127.0.0.1", true},
		{"hooks.internal", "http://x.hooks.internal/", "127.0.0.1", false},
		{"hooks.internal", "http://xhooks.internal/", "127.0.0.1", false},
		{"hooks.internal:8443", "https://hooks.internal:8443/", "10.1.2.3", true},
		{"hooks.internal:8443", "https://hooks.internal/", "10.1.2.3", false},
		{"hooks.internal", "https://hooks.internal/", "169.254.169.254", false},
		{"hooks.internal", "https://hooks.internal/", "64:ff9b::169.254.169.254", false},
		{"hooks.internal", "https://hooks.internal/", "2002:a9fe:a9fe::1", false},
		{"hooks.internal", "https://hooks.internal/", "fd00:ec2::254", false},
		{"hooks.internal", "https://hooks.internal/", "fd00:ec2::253", true},
		{"hooks.internal", "https://hooks.internal/", "100.100.100.200", false},
		{"hooks.internal", "https://hooks.internal/", "168.63.129.16", false},
		{"hooks.internal", "https://hooks.internal/", "fe80::1", false},
		{"*.svc.internal", "https://a.svc.internal/", "10.1.2.3", true},
		{"*.svc.internal", "https://a.b.svc.internal/", "10.1.2.3", true},
		{"*.svc.internal", "https://svc.internal/", "10.1.2.3", false},
		{"*.svc.internal", "https://asvc.internal/", "10.1.2.3", false},
		{"*.svc.internal:8443", "https://a.svc.internal:8443/", "10.1.2.3", true},
		{"localhost", "http://localhost:3000/", "::1", true},
	} {
		err := client(t, egress.Options{Allow: []string{c.allow}}).Judge(c.url, netip.MustParseAddr(c.addr))
		if (err == nil) != c.permitted || err != nil && !errors.Is(err, egress.ErrRefused) {
			t.Errorf("%q, %s at %s: %v, want permitted %v", c.allow, c.url, c.addr, err, c.permitted)
		}
	}
}

func TestAllowMistakes(t *testing.T) {
	for entry, want := range map[string]string{
		"":                           "the host is empty",
		"*":                          "no letter, digit",
		"*.":                         "the host is empty",
		"a.*.internal":               "no letter, digit",
		"https://hooks.internal/":    "it is a URL; write its host",
		"hooks.internal/path":        "it is no network",
		"hooks.internal:":            "no port behind the colon",
		"hooks.internal:0":           "a number from 1 to 65535",
		"hooks.internal:65536":       "a number from 1 to 65535",
		"hooks.internal:https":       "a number from 1 to 65535",
		"10.1.2.3/8":                 "write 10.0.0.0/8",
		"10.0.0.0/33":                "it is no network",
		"10.1":                       "ends in a number",
		"2130706433":                 "ends in a number",
		"0x7f.1":                     "ends in a number",
		"0177.0.0.1":                 "ends in a number",
		"[10.1.2.3":                  "[fd00::1]:443",
		"[fd00::1]443":               "[fd00::1]:443",
		"[fd00::1]:":                 "[fd00::1]:443",
		"[hooks.internal]:443":       "what stands in [ ]",
		"fd00::/8:443":               "[fd00::/8]:443",
		"fe80::1%eth0":               "a zone is never permitted",
		"::ffff:10.0.0.0/104":        "in its own form",
		"höoks.internal":             "punycode",
		"hooks..internal":            "an empty part",
		"-hooks.internal":            "hyphen",
		"hooks internal":             "no letter, digit",
		strings.Repeat("a", 64):      "more than 63 bytes",
		strings.Repeat("a.", 130):    "longer than the 253 bytes",
		"hooks.internal\n10.0.0.0/8": "it is no network",
	} {
		_, err := egress.New(egress.Options{Allow: []string{entry}})
		if !errors.Is(err, egress.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", entry, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: the message has two lines", err)
		}
	}
}
