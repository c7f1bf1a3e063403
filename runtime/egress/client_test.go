package egress_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/egress"
)

func TestDo(t *testing.T) {
	got := make(chan *http.Request, 1)
	body := make(chan []byte, 1)
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- r
		body <- b
		w.Header().Set("X-Answer", "yes")
		w.Header().Add("Set-Cookie", "a=b")
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte("thanks"))
	})
	c := local(t, addr, egress.Options{})
	res, err := do(t, c, egress.Request{
		Method: "POST", URL: "http://" + addr + "/a%2Fb?c=d&e", Body: []byte("\x00body\xff"),
		Header: http.Header{"webhook-id": {"msg_1"}, "X-Two": {"1", "2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if res.Status != 202 || string(res.Body) != "thanks" || res.Truncated || res.Header.Get("X-Answer") != "yes" || res.Proto != "HTTP/1.1" {
		t.Errorf("%+v", res)
	}
	if res.Remote.String() != addr || res.Duration <= 0 {
		t.Errorf("remote %s, duration %s", res.Remote, res.Duration)
	}
	r := <-got
	if r.Method != "POST" || r.RequestURI != "/a%2Fb?c=d&e" || r.Host != addr || string(<-body) != "\x00body\xff" || r.ContentLength != 6 {
		t.Errorf("%s %s of %s, %d bytes", r.Method, r.RequestURI, r.Host, r.ContentLength)
	}
	for name, want := range map[string]string{
		"Webhook-Id": "msg_1", "X-Two": "1,2", "User-Agent": "modulagen-egress", "Accept-Encoding": "identity",
		"Content-Type": "", "Cookie": "", "Referer": "",
	} {
		if got := strings.Join(r.Header[name], ","); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	mustGet(t, c, "http://"+addr+"/")
	if r = <-got; r.Header.Get("Cookie") != "" {
		t.Error("a cookie is kept")
	}
}

func TestHeadersOfTheCaller(t *testing.T) {
	got := make(chan http.Header, 1)
	addr := serve(t, func(_ http.ResponseWriter, r *http.Request) { got <- r.Header })
	c := local(t, addr, egress.Options{UserAgent: "shop/1"})
	mustGet(t, c, "http://"+addr+"/")
	if h := <-got; h.Get("User-Agent") != "shop/1" {
		t.Errorf("%q", h)
	}
	header := http.Header{"user-agent": {"own/1"}, "Accept-Encoding": {"gzip"}}
	if _, err := do(t, c, egress.Request{URL: "http://" + addr + "/", Header: header}); err != nil {
		t.Fatal(err)
	}
	if h := <-got; len(h["User-Agent"]) != 1 || h.Get("User-Agent") != "own/1" || h.Get("Accept-Encoding") != "gzip" {
		t.Errorf("%q", h)
	}
	if len(header) != 2 {
		t.Errorf("the caller's header was changed: %q", header)
	}
}

func TestCompressedBodiesAreNotInflated(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 10<<20))
	_ = z.Close()
	addr := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	res := mustGet(t, local(t, addr, egress.Options{}), "http://"+addr+"/")
	if !bytes.Equal(res.Body, bomb.Bytes()) || res.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%d bytes, of %d that were sent", len(res.Body), bomb.Len())
	}
}

func TestTLS(t *testing.T) {
	addr, pool := serveTLS(t, ok, nil)
	c := local(t, addr, egress.Options{RootCAs: pool, Resolver: always(t, "127.0.0.1")})
	mustGet(t, c, "https://"+addr+"/")
	mustGet(t, c, "https://"+at("example.com", addr)+"/")

	_, err := get(t, c, "https://"+at("example.org", addr)+"/")
	var wrongName x509.HostnameError
	if !errors.As(err, &wrongName) || !egress.Retryable(err) {
		t.Errorf("%v, want a wrong name", err)
	}
	_, err = get(t, local(t, addr, egress.Options{}), "https://"+addr+"/")
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		t.Errorf("%v, want an unknown authority", err)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	addr, pool := serveTLS(t, never(t), func(s *httptest.Server) {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	})
	if _, err := get(t, local(t, addr, egress.Options{RootCAs: pool}), "https://"+addr+"/"); err == nil {
		t.Error("TLS 1.1 was spoken")
	}
}

func TestHTTP2(t *testing.T) {
	addr, pool := serveTLS(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			for range 100 {
				w.Header().Add("X-Large", strings.Repeat("x", 1000))
			}
		case "/long":
			w.Header().Set("X-Long", strings.Repeat("x", 100<<10))
		case "/endless":
			endless(w)
		default:
			_, _ = w.Write([]byte(r.Proto))
		}
	}, func(s *httptest.Server) { s.EnableHTTP2 = true })
	c := local(t, addr, egress.Options{RootCAs: pool})
	for range 2 {
		if res := mustGet(t, c, "https://"+addr+"/"); res.Proto != "HTTP/2.0" || string(res.Body) != "HTTP/2.0" || res.Remote.String() != addr {
			t.Errorf("%+v", res)
		}
	}
	if res := mustGet(t, c, "https://"+addr+"/endless"); len(res.Body) != 64<<10 || !res.Truncated {
		t.Errorf("%d bytes, truncated: %v", len(res.Body), res.Truncated)
	}
	if _, err := get(t, c, "https://"+addr+"/large"); !errors.Is(err, egress.ErrTooLarge) {
		t.Errorf("%v, want ErrTooLarge", err)
	}
	if _, err := get(t, c, "https://"+addr+"/long"); err == nil || !egress.Retryable(err) {
		t.Errorf("%v, want an error", err)
	}
}

// Connections are kept and used again, until Close.
func TestConnectionsAreKept(t *testing.T) {
	from := make(chan string, 1)
	addr := serve(t, func(_ http.ResponseWriter, r *http.Request) { from <- r.RemoteAddr })
	c := local(t, addr, egress.Options{})
	remote := func() string {
		mustGet(t, c, "http://"+addr+"/")
		return <-from
	}
	first := remote()
	if again := remote(); again != first {
		t.Errorf("a new connection, %s after %s", again, first)
	}
	c.Close()
	if again := remote(); again == first {
		t.Error("the connection is kept by Close")
	}
}

func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	addr := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := local(t, addr, egress.Options{}).Do(ctx, egress.Request{URL: "http://" + addr + "/"})
	if !errors.Is(err, context.Canceled) || errors.Is(err, egress.ErrTimeout) || !egress.Retryable(err) {
		t.Errorf("%v", err)
	}
}

func TestOptionsMistakes(t *testing.T) {
	for name, o := range map[string]egress.Options{
		"Timeout": {Timeout: -1}, "DialTimeout": {DialTimeout: -1}, "TLSTimeout": {TLSTimeout: -1},
		"HeaderTimeout": {HeaderTimeout: -1}, "IdleTimeout": {IdleTimeout: -1},
		"MaxRequestBody": {MaxRequestBody: -1}, "MaxResponseHeader": {MaxResponseHeader: -1}, "MaxResponseBody": {MaxResponseBody: -1},
		"MaxConnsPerHost": {MaxConnsPerHost: -1}, "MaxIdlePerHost": {MaxIdlePerHost: -1}, "MaxIdle": {MaxIdle: -1},
		"Ports has 0": {Ports: []int{0}}, "Ports has 65536": {Ports: []int{65536}}, "User-Agent": {UserAgent: "a\r\nb"},
	} {
		if _, err := egress.New(o); !errors.Is(err, egress.ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
