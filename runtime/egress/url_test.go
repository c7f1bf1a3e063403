package egress_test

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/egress"
)

func TestCheckURL(t *testing.T) {
	for _, c := range []struct {
		url  string
		is   error
		want string
	}{
		{"https://hooks.example.com/orders?a=1", nil, ""},
		{"HTTPS://Hooks.Example.COM./", nil, ""},
		{"https://hooks.example.com:443", nil, ""},
		{"https://hooks.example.com:80/", nil, ""},
		{"https://8.8.8.8/", nil, ""},
		{"https://[2606:4700::1111]/", nil, ""},
		{"https://[::ffff:8.8.8.8]/", nil, ""},
		{"https://xn--mnchen-3ya.example/", nil, ""},
		{"https://a_b.example.com/", nil, ""},
		{"https://1and1.com/", nil, ""},
		{"https://hooks.0xyz/", nil, ""},

		{"", egress.ErrInvalid, "empty"},
		{"hooks.example.com/x", egress.ErrInvalid, "begin with https://"},
		{"//hooks.example.com/x", egress.ErrInvalid, "begin with https://"},
		{"ftp://hooks.example.com/", egress.ErrInvalid, "begin with https://"},
		{"file:///etc/passwd", egress.ErrInvalid, "begin with https://"},
		{"https:hooks.example.com", egress.ErrInvalid, "has no host"},
		{"https:///path", egress.ErrInvalid, "has no host"},
		{"https://:443/", egress.ErrInvalid, "the host is empty"},
		{"https://./", egress.ErrInvalid, "the host is empty"},
		{"https://a..example.com/", egress.ErrInvalid, "empty part"},
		{"https://hooks.example.com../", egress.ErrInvalid, "empty part"},
		{"https://user@hooks.example.com/", egress.ErrInvalid, "a user before the host"},
		{"https://@hooks.example.com/", egress.ErrInvalid, "a user before the host"},
		{"https://hooks.example.com/#x", egress.ErrInvalid, "fragment"},
		{"https://hooks.example.com/#", egress.ErrInvalid, "fragment"},
		{"https://hooks.example.com/a b", egress.ErrInvalid, "byte 28 of the URL; write %20"},
		{"https://hooks.example.com/?a b", egress.ErrInvalid, "space"},
		{"https://hooks.example.com/\r\nHost: x", egress.ErrInvalid, "write %0D"},
		{"https://hooks.example.com\\@10.0.0.1/", egress.ErrInvalid, "backslash"},
		{"https://bücher.example/", egress.ErrInvalid, "punycode"},
		{"https://127。0。0。1/", egress.ErrInvalid, "not ASCII"},
		{"https://%6c%6f%63alhost/", egress.ErrInvalid, "cannot be parsed"},
		{"https://%e3%80%82/", egress.ErrInvalid, "punycode"},
		{"https://hooks.example.com:/", egress.ErrInvalid, "the port is not a number"},
		{"https://hooks.example.com:0/", egress.ErrInvalid, "the port is not a number"},
		{"https://hooks.example.com:0443/", egress.ErrInvalid, "the port is not a number"},
		{"https://hooks.example.com:99999/", egress.ErrInvalid, "the port is not a number"},
		{"https://hooks.example.com:x/", egress.ErrInvalid, "cannot be parsed"},
		{"https://fe80::1/", egress.ErrInvalid, ""},
		{"https://[127.0.0.1]/", egress.ErrInvalid, ""},
		{"https://[hooks.example.com]/", egress.ErrInvalid, ""},
		{"https://[fe80::1%25eth0]/", egress.ErrInvalid, "zone"},
		{"https://" + strings.Repeat("a", 9000), egress.ErrInvalid, "at most 8192"},

		{"https://0177.0.0.1/", egress.ErrInvalid, "ends in a number"},
		{"https://2130706433/", egress.ErrInvalid, "ends in a number"},
		{"https://0x7f000001/", egress.ErrInvalid, "ends in a number"},
		{"https://0x7f.1/", egress.ErrInvalid, "ends in a number"},
		{"https://0X7F.1/", egress.ErrInvalid, "ends in a number"},
		{"https://1.0x/", egress.ErrInvalid, "ends in a number"},
		{"https://0/", egress.ErrInvalid, "ends in a number"},
		{"https://127.1/", egress.ErrInvalid, "ends in a number"},
		{"https://127.0.0.01/", egress.ErrInvalid, "ends in a number"},
		{"https://256.256.256.256/", egress.ErrInvalid, "ends in a number"},
		{"https://a.example.1/", egress.ErrInvalid, "ends in a number"},

		{"https://127.0.0.1/", egress.ErrRefused, "loopback"},
		{"https://127.0.0.1./", egress.ErrRefused, "loopback"},
		{"https://10.0.0.1:8080/", egress.ErrRefused, `"10.0.0.1:8080" into Options.Allow`},
		{"https://169.254.169.254/", egress.ErrRefused, "cloud metadata"},
		{"https://[::1]/", egress.ErrRefused, "loopback"},
		{"https://[::]/", egress.ErrRefused, "unspecified"},
		{"https://[::ffff:127.0.0.1]/", egress.ErrRefused, "loopback"},
		{"https://[64:ff9b::a00:1]/", egress.ErrRefused, "private"},
		{"https://[fd00::1]/", egress.ErrRefused, `"[fd00::1]:443" into Options.Allow`},
		{"https://localhost/", egress.ErrRefused, "loopback"},
		{"https://LOCALHOST./", egress.ErrRefused, "loopback"},
		{"https://a.localhost/", egress.ErrRefused, "loopback"},
		{"https://printer.local/", egress.ErrRefused, "local link"},
		{"https://metadata.google.internal/", egress.ErrRefused, "private networks"},
		{"https://router.home.arpa/", egress.ErrRefused, "home networks"},
		{"https://intranet/", egress.ErrRefused, "without a dot"},
		{"http://hooks.example.com/", egress.ErrRefused, "use https"},
		{"http://hooks.example.com:443/", egress.ErrRefused, "use https"},
		{"http://8.8.8.8/", egress.ErrRefused, "use https"},
		{"https://hooks.example.com:8443/", egress.ErrRefused, "port 8443 is not one of 80, 443"},
		{"https://8.8.8.8:22/", egress.ErrRefused, "port 22"},
	} {
		err := egress.CheckURL(c.url, egress.Options{})
		if !errors.Is(err, c.is) {
			t.Errorf("%q: %v, want %v", c.url, err, c.is)
		}
		if err != nil && !containsAll(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.url, err, c.want)
		}
	}
}

// containsAll reports whether the text has the words of each part, whose order in the
// message is free: "byte 28 of the URL; write %20".
func containsAll(text, want string) bool {
	for part := range strings.SplitSeq(want, " of the URL; ") {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

func TestCheckURLWithOptions(t *testing.T) {
	lists := func(allow ...string) egress.Options { return egress.Options{Allow: allow} }
	for _, c := range []struct {
		url string
		o   egress.Options
		is  error
	}{
		{"http://127.0.0.1:8080/", lists("127.0.0.1:8080"), nil},
		{"http://127.0.0.1:8081/", lists("127.0.0.1:8080"), egress.ErrRefused},
		{"http://localhost:8080/", lists("127.0.0.1:8080"), nil}, // the address decides
		{"http://localhost:8081/", lists("127.0.0.1:8080"), egress.ErrRefused},
		{"http://hooks:8080/", lists("hooks"), nil},
		{"http://hooks.internal/", lists("*.internal"), nil},
		{"http://hooks.internal/", lists("other.internal"), egress.ErrRefused},
		{"http://a.example.com/", egress.Options{PlainHTTP: true}, nil},
		{"http://a.example.com:8080/", egress.Options{PlainHTTP: true}, egress.ErrRefused},
		{"https://a.example.com:8443/", egress.Options{Ports: []int{8443}}, nil},
		{"https://a.example.com/", egress.Options{Ports: []int{8443}}, egress.ErrRefused},
		{"https://a.example.com/", egress.Options{Ports: []int{}}, egress.ErrRefused},
		{"http://169.254.169.254:1/", egress.Options{DangerouslyAllowAnyAddress: true}, nil},
		{"http://user@localhost/", egress.Options{DangerouslyAllowAnyAddress: true}, egress.ErrInvalid},
		{"https://a.example.com/", lists("nonsense:nonsense"), egress.ErrInvalid},
		{"https://a.example.com/", egress.Options{Timeout: -1}, egress.ErrInvalid},
	} {
		if err := egress.CheckURL(c.url, c.o); !errors.Is(err, c.is) || c.is == nil && err != nil {
			t.Errorf("%q with %+v: %v, want %v", c.url, c.o, err, c.is)
		}
	}
}

// Whatever a URL's host is, when it passes CheckURL and some resolver would read it as
// an address, that address is permitted at dial time.
func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{
		"127.0.0.1", "127.0.0.1.", "0177.0.0.1", "2130706433", "0x7f.1", "0", "127.1", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1%25eth0]",
		"8.8.8.8", "a.example.com", "10.0.0.1:80", "a@10.0.0.1", "x.0x7f", "[64:ff9b::a00:1]", "a.com\\@127.0.0.1", "127.0.0.1%2f", "1.2.3.4#@a.com",
	} {
		f.Add(s)
	}
	c, err := egress.New(egress.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, raw := range []string{s, "https://" + s, "https://" + s + "/path"} {
			if c.CheckURL(raw) != nil {
				continue
			}
			for _, addr := range readings(egress.Host(raw)) {
				if err := c.Judge(raw, addr); err != nil {
					t.Errorf("%q passes, and %s is refused: %v", raw, addr, err)
				}
			}
		}
	})
}

// readings are the addresses that resolvers read a host as without asking DNS.
func readings(host string) []netip.Addr {
	var all []netip.Addr
	if addr, err := netip.ParseAddr(host); err == nil {
		all = append(all, addr)
	}
	if addr, ok := inetAton(host); ok {
		all = append(all, addr)
	}
	return all
}

// inetAton reads one to four numbers in decimal, octal or hexadecimal, of which the
// last fills the remaining bytes, as inet_aton of C libraries does.
func inetAton(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var value uint64
	for i, part := range parts {
		n, err := parseC(part)
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		if err != nil || n >= 1<<bits {
			return netip.Addr{}, false
		}
		value = value<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true
}

func parseC(s string) (uint64, error) {
	s = strings.ToLower(s)
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		return strconv.ParseUint(hex, 16, 64)
	}
	if len(s) > 1 && s[0] == '0' {
		return strconv.ParseUint(s, 8, 64)
	}
	return strconv.ParseUint(s, 10, 64)
}

func TestReadings(t *testing.T) {
	for host, want := range map[string]string{"2130706433": "127.0.0.1", "0x7f.1": "127.0.0.1", "0177.0.0.1": "127.0.0.1", "10.1": "10.0.0.1"} {
		if got := readings(host); len(got) != 1 || got[0].String() != want {
			t.Errorf("%s is read as %v, want %s", host, got, want)
		}
	}
}
