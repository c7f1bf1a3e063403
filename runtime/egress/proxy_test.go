package egress_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/egress"
)

// through returns options by which requests go through a proxy, which resolves names:
// the client never does.
func through(t *testing.T, proxy string) egress.Options {
	t.Helper()
	u, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	return egress.Options{
		Proxy: u, PlainHTTP: true, Allow: []string{u.Host},
		Resolver: names(t, func(name string, _ int) []string {
			t.Errorf("%s was resolved", name)
			return nil
		}),
	}
}

func TestProxy(t *testing.T) {
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.RequestURI+" "+r.Header.Get("Proxy-Authorization"))
	})
	res := mustGet(t, client(t, through(t, "http://me:pass@"+addr)), "http://hooks.example.com/x")
	if got, want := string(res.Body), "http://hooks.example.com/x Basic bWU6cGFzcw=="; got != want || res.Remote.String() != addr {
		t.Errorf("%q of %s, want %q", got, res.Remote, want)
	}
}

// The proxy's own address is judged, by the address alone: it has whatever port it has.
func TestProxyIsJudged(t *testing.T) {
	addr := serve(t, never(t))
	o := through(t, "http://"+addr)
	o.Allow = nil
	_, err := get(t, client(t, o), "http://hooks.example.com/")
	var refused *egress.RefusedError
	if !errors.As(err, &refused) || refused.Address != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("%v, want the proxy refused", err)
	}
}

// What stands in a URL is judged although the proxy connects to it.
func TestURLsBehindAProxyAreJudged(t *testing.T) {
	addr := serve(t, never(t))
	o := through(t, "http://"+addr)
	o.Allow = append(o.Allow, "10.0.0.0/8")
	c := client(t, o)
	for _, u := range []string{
		"http://169.254.169.254/", "http://[::1]/", "http://localhost/", "http://metadata.google.internal/", "http://hooks.example.com:22/",
		"https://hooks.internal/", "https://192.168.0.1/",
	} {
		if _, err := get(t, c, u); !errors.Is(err, egress.ErrRefused) {
			t.Errorf("%s: %v, want a refusal", u, err)
		}
	}
}

func TestProxyByConnect(t *testing.T) {
	addr, pool := serveTLS(t, ok, nil)
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != "example.com:443" {
			t.Errorf("%s %s", r.Method, r.Host)
		}
		tunnel(t, w, addr)
	})
	o := through(t, "http://"+proxy)
	o.RootCAs = pool
	if res := mustGet(t, client(t, o), "https://example.com/"); string(res.Body) != "ok" || res.Remote.String() != proxy {
		t.Errorf("%+v", res)
	}
}

// tunnel connects a client to addr until both are done.
func tunnel(t *testing.T, w http.ResponseWriter, addr string) {
	t.Helper()
	there, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		_, _ = io.Copy(there, here)
		_ = there.Close()
	}()
	_, _ = io.Copy(here, there)
	_ = here.Close()
}

// A SOCKS proxy (RFC 1928) is given the name too.
func TestSOCKS(t *testing.T) {
	asked := make(chan string, 1)
	proxy := serveConn(t, func(conn net.Conn) {
		b := make([]byte, 300)
		_, _ = io.ReadFull(conn, b[:3]) // version, one method: none
		_, _ = conn.Write([]byte{5, 0})
		_, _ = io.ReadFull(conn, b[:5]) // version, connect, 0, a name, its length
		n, _ := io.ReadFull(conn, b[:int(b[4])+2])
		asked <- string(b[:n-2])
		_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		if readHeader(conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	res := mustGet(t, client(t, through(t, "socks5://"+proxy)), "http://hooks.example.com/")
	if name := <-asked; name != "hooks.example.com" || string(res.Body) != "ok" {
		t.Errorf("%q: %+v", name, res)
	}
}

func TestProxyMistakes(t *testing.T) {
	for _, text := range []string{"ftp://S3CRET@a.example.com", "a.example.com:3128", "http://", "http://S3CRET@:3128", "//a.example.com"} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = egress.New(egress.Options{Proxy: u})
		if !errors.Is(err, egress.ErrInvalid) || strings.Contains(err.Error(), "S3CRET") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
