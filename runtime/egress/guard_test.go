package egress_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/egress"
)

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }

func never(t *testing.T) http.HandlerFunc {
	return func(http.ResponseWriter, *http.Request) { t.Error("the server was reached") }
}

// A name that leads to a refused address is refused when it is dialed, over every
// kind of address, and the error says which.
func TestNamesAreJudgedAtDial(t *testing.T) {
	for _, addr := range []string{
		"127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "192.168.1.1", "224.0.0.1",
		"::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1",
	} {
		c := client(t, egress.Options{Resolver: always(t, addr)})
		_, err := get(t, c, "https://hooks.example.com/")
		var refused *egress.RefusedError
		if !errors.As(err, &refused) {
			// A machine without IPv6 has no address to dial.
			if !netip.MustParseAddr(addr).Is4() && strings.Contains(err.Error(), "no suitable address") {
				continue
			}
			t.Errorf("%s: %v, want a refusal", addr, err)
			continue
		}
		if refused.Host != "hooks.example.com" || refused.Address.Unmap() != netip.MustParseAddr(addr).Unmap() || refused.Reason == "" {
			t.Errorf("%s: %+v", addr, refused)
		}
		if egress.Retryable(err) {
			t.Errorf("%s: the refusal is retryable", addr)
		}
	}
}

// An entry that permits every port of a network leaves it to the dial whether a name
// may have one.
func TestPortAndSchemeAreJudgedAtDial(t *testing.T) {
	entry := egress.Options{Allow: []string{"10.0.0.0/8"}}
	c := client(t, entry)
	for _, v := range []struct{ url, public, private string }{
		{"https://hooks.example.com/", "", ""},
		{"https://hooks.example.com:6379/", "port 6379", ""},
		{"http://hooks.example.com/", "not encrypted", ""},
	} {
		if err := c.CheckURL(v.url); err != nil {
			t.Errorf("%s: %v before its name is resolved", v.url, err)
		}
		for addr, want := range map[string]string{"8.8.8.8": v.public, "10.1.2.3": v.private} {
			err := c.Judge(v.url, netip.MustParseAddr(addr))
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s at %s: %v, want %q", v.url, addr, err, want)
			}
		}
	}
}

// A connection is judged with the port and the scheme that it is made with.
func TestDialKnowsPortAndScheme(t *testing.T) {
	egress.LoopbackIsPublic(t)
	addr := serve(t, never(t))
	_, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	for want, o := range map[string]egress.Options{
		"not encrypted": {Ports: []int{n}},
		"port " + port:  {},
	} {
		o.Allow = []string{"10.0.0.0/8"} // leaves it to the dial
		o.Resolver = always(t, "127.0.0.1")
		c := client(t, o)
		_, err := get(t, c, "http://"+at("hooks.example.com", addr)+"/")
		if !errors.Is(err, egress.ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// The first answer of DNS is a public address and the second is not: the second
// request is refused, although the first one's URL and name were fine.
func TestRebinding(t *testing.T) {
	egress.LoopbackIsPublic(t)
	addr := serve(t, ok)
	_, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	resolver := names(t, func(_ string, nth int) []string { return [][]string{{"127.0.0.1"}, {"127.128.0.1"}}[min(nth, 1)] })
	c := client(t, egress.Options{Resolver: resolver, PlainHTTP: true, Ports: []int{n}})
	url := "http://" + at("hooks.example.com", addr) + "/"
	mustGet(t, c, url)
	c.Close() // a kept connection would not resolve the name again
	_, err := get(t, c, url)
	var refused *egress.RefusedError
	if !errors.As(err, &refused) || refused.Address != netip.MustParseAddr("127.128.0.1") {
		t.Fatalf("%v, want 127.128.0.1 refused", err)
	}
}

// A host with a refused address and a permitted one is reached by the permitted one,
// of the same family and of another (Happy Eyeballs).
func TestOneAddressOfSeveral(t *testing.T) {
	addr := serve(t, ok)
	for _, addrs := range [][]string{{"127.0.0.2", "127.0.0.1"}, {"127.0.0.1", "127.0.0.2"}, {"fd00::1", "127.0.0.1"}, {"::1", "127.0.0.1"}} {
		c := local(t, addr, egress.Options{Resolver: always(t, addrs...)})
		res := mustGet(t, c, "http://"+at("hooks.example.com", addr)+"/")
		if res.Remote.String() != addr {
			t.Errorf("%v: reached %s", addrs, res.Remote)
		}
	}
}

// The permitted address of a host does not answer, and its other one is refused: the
// first may come back, so that it is no final refusal.
func TestRefusedBesideUnreachable(t *testing.T) {
	addr := closed(t)
	for _, addrs := range [][]string{{"127.0.0.2", "127.0.0.1"}, {"127.0.0.1", "127.0.0.2"}} {
		c := local(t, addr, egress.Options{Resolver: always(t, addrs...)})
		_, err := get(t, c, "http://"+at("hooks.example.com", addr)+"/")
		if err == nil || errors.Is(err, egress.ErrRefused) || !egress.Retryable(err) {
			t.Errorf("%v: %v, want an error that is retryable", addrs, err)
		}
	}
}

func TestNameEntries(t *testing.T) {
	addr := serve(t, ok)
	c := client(t, egress.Options{
		Allow: []string{at("hooks.internal", addr)},
		Resolver: names(t, func(name string, _ int) []string {
			return map[string][]string{"hooks.internal": {"127.0.0.1"}, "hooks.example.com": {"127.0.0.1"}}[name]
		}),
	})
	mustGet(t, c, "http://"+at("hooks.internal", addr)+"/")
	if _, err := get(t, c, "https://hooks.example.com/"); !errors.Is(err, egress.ErrRefused) {
		t.Errorf("%v: the entry of a name permits its address under another", err)
	}
}

// The entry of a name permits what it leads to, but not the metadata of the cloud.
func TestNameEntriesAndMetadata(t *testing.T) {
	for _, addr := range []string{"169.254.169.254", "100.100.100.200"} {
		c := client(t, egress.Options{Allow: []string{"hooks.internal"}, Resolver: always(t, addr)})
		if _, err := get(t, c, "http://hooks.internal/"); !errors.Is(err, egress.ErrRefused) {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	const metadata = "http://169.254.169.254/latest/meta-data/"
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, metadata, http.StatusFound) })
	res := mustGet(t, local(t, addr, egress.Options{}), "http://"+addr+"/")
	if res.Status != http.StatusFound || res.Header.Get("Location") != metadata {
		t.Errorf("%d to %q", res.Status, res.Header.Get("Location"))
	}
}

// net/http asks the environment for every host but those of loopback, so the request is to
// a name.
func TestProxyOfTheEnvironmentIsIgnored(t *testing.T) {
	addr := serve(t, ok)
	c := local(t, addr, egress.Options{Resolver: always(t, "127.0.0.1")})
	if res := mustGet(t, c, "http://"+at("hooks.example.com", addr)+"/"); string(res.Body) != "ok" {
		t.Errorf("%q", res.Body)
	}
}

func TestGuardOff(t *testing.T) {
	addr := serve(t, ok)
	c := client(t, egress.Options{DangerouslyAllowAnyAddress: true})
	mustGet(t, c, "http://"+addr+"/")
	if _, err := get(t, client(t, egress.Options{}), "http://"+addr+"/"); !errors.Is(err, egress.ErrRefused) {
		t.Errorf("%v, want a refusal by the zero Options", err)
	}
}

// Refused or invalid requests send nothing.
func TestNothingIsSent(t *testing.T) {
	addr := serve(t, never(t))
	c := local(t, addr, egress.Options{MaxRequestBody: 3})
	for name, r := range map[string]egress.Request{
		"header":    {Header: http.Header{"X": {"a\r\nb"}}},
		"host":      {Header: http.Header{"Host": {"a"}}},
		"body":      {Method: "POST", Body: []byte("four")},
		"method":    {Method: "post"},
		"no token":  {Method: "GET / HTTP/1.1\r\nX:"},
		"CONNECT":   {Method: "CONNECT"},
		"TRACE":     {Method: "TRACE"},
		"other URL": {URL: "http://" + at("127.0.0.2", addr) + "/"},
	} {
		if r.URL == "" {
			r.URL = "http://" + addr + "/"
		}
		_, err := do(t, c, r)
		if !errors.Is(err, egress.ErrInvalid) && !errors.Is(err, egress.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
		if egress.Retryable(err) {
			t.Errorf("%s: retryable", name)
		}
		if errors.Is(err, egress.ErrTooLarge) != (name == "body") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestContextHasEnded(t *testing.T) {
	addr := serve(t, never(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := local(t, addr, egress.Options{}).Do(ctx, egress.Request{URL: "http://" + addr + "/"})
	if !errors.Is(err, context.Canceled) || errors.Is(err, egress.ErrTimeout) {
		t.Errorf("%v, want the context's error", err)
	}
}
