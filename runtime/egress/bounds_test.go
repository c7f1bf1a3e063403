package egress_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/egress"
)

// Bounds that a test waits for: a long one where something has to happen before.
const (
	short = 50 * time.Millisecond
	long  = 500 * time.Millisecond
)

// endless writes until the client is gone.
func endless(w http.ResponseWriter) {
	for chunk := bytes.Repeat([]byte("x"), 32<<10); ; {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// closed returns an address at which nothing listens.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// wantTimeout reports an error that is no timeout by every way of asking, or of another
// step. During "" it may be of any: a slow machine is still connecting then.
func wantTimeout(t *testing.T, err error, during string) {
	t.Helper()
	var timeout net.Error
	if !errors.Is(err, egress.ErrTimeout) || !egress.Retryable(err) {
		t.Fatalf("%v, want ErrTimeout", err)
	}
	var e *egress.Error
	if !errors.As(err, &e) || !e.Timeout() || errors.As(err, &timeout) && !timeout.Timeout() {
		t.Errorf("%v does not say that it is a timeout", err)
	}
	if !strings.Contains(err.Error(), during) {
		t.Errorf("%v, want it while %s", err, during)
	}
}

func TestNoHeader(t *testing.T) {
	addr := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for during, o := range map[string]egress.Options{"waiting for the response": {HeaderTimeout: short}, "": {Timeout: short}} {
		res, err := get(t, local(t, addr, o), "http://"+addr+"/")
		if wantTimeout(t, err, during); res != nil {
			t.Errorf("%+v: a response: %+v", o, res)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	_, err := local(t, addr, egress.Options{}).Do(ctx, egress.Request{URL: "http://" + addr + "/"})
	if wantTimeout(t, err, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the error of the context too", err)
	}
}

func TestHeaderAfterTheDeadline(t *testing.T) {
	returned := make(chan struct{})
	addr := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		<-returned
		w.WriteHeader(http.StatusOK)
	})
	res, err := get(t, local(t, addr, egress.Options{Timeout: short}), "http://"+addr+"/")
	close(returned)
	if wantTimeout(t, err, ""); res != nil {
		t.Errorf("a response: %+v", res)
	}
}

// The status of an endpoint that trickles its body is there, beside the error.
func TestTrickle(t *testing.T) {
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for tick := time.NewTicker(time.Millisecond); ; {
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	})
	res, err := get(t, local(t, addr, egress.Options{Timeout: long}), "http://"+addr+"/")
	wantTimeout(t, err, "reading the response's body")
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v: it passes for the deadline of the caller", err)
	}
	if res == nil || res.Status != 200 || len(res.Body) == 0 || res.Truncated {
		t.Errorf("%+v", res)
	}
}

func TestSilentConnections(t *testing.T) {
	silent := serveConn(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	_, err := get(t, local(t, silent, egress.Options{TLSTimeout: short}), "https://"+silent+"/")
	wantTimeout(t, err, "connecting")

	mute := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, ours) }()
		return theirs, nil
	}}
	_, err = get(t, client(t, egress.Options{Resolver: mute, DialTimeout: short}), "https://hooks.example.com/")
	wantTimeout(t, err, "connecting")
}

// A server that does not read does not hold the client.
func TestRequestIsNotRead(t *testing.T) {
	done := make(chan struct{})
	addr := serveConn(t, func(net.Conn) { <-done })
	defer close(done)
	const large = 32 << 20 // more than the buffers of a connection take
	c := local(t, addr, egress.Options{Timeout: long, MaxRequestBody: large})
	_, err := do(t, c, egress.Request{Method: "POST", URL: "http://" + addr + "/", Body: make([]byte, large)})
	wantTimeout(t, err, "sending the request")
}

// A body without an end is cut, and the server learns that nobody reads on.
func TestEndlessBody(t *testing.T) {
	gone := make(chan struct{})
	addr := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(gone)
		endless(w)
	})
	res := mustGet(t, local(t, addr, egress.Options{}), "http://"+addr+"/")
	if len(res.Body) != 64<<10 || !res.Truncated || res.Status != 200 {
		t.Errorf("%d bytes, truncated: %v", len(res.Body), res.Truncated)
	}
	wait(t, gone, "the connection is still open")
}

func TestBodyLimit(t *testing.T) {
	addr := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", len(r.URL.RawQuery)))
	})
	c := local(t, addr, egress.Options{MaxResponseBody: 5})
	for _, n := range []int{0, 4, 5, 6} {
		res := mustGet(t, c, "http://"+addr+"/?"+strings.Repeat("x", n))
		if len(res.Body) != min(n, 5) || res.Truncated != (n > 5) {
			t.Errorf("%d bytes: %q, truncated: %v", n, res.Body, res.Truncated)
		}
	}
}

func TestLargeHeader(t *testing.T) {
	line := "X-Large: " + strings.Repeat("x", 1000) + "\r\n"
	for name, start := range map[string]string{"final": "HTTP/1.1 200 OK\r\n", "informational": "HTTP/1.1 103 Early Hints\r\n"} {
		addr := serveConn(t, func(conn net.Conn) {
			if !readHeader(conn) {
				return
			}
			_, _ = io.WriteString(conn, start)
			for range 10_000 {
				if _, err := io.WriteString(conn, line); err != nil {
					return
				}
			}
		})
		_, err := get(t, local(t, addr, egress.Options{}), "http://"+addr+"/")
		if !errors.Is(err, egress.ErrTooLarge) || !egress.Retryable(err) {
			t.Errorf("%s: %v, want ErrTooLarge", name, err)
		}
	}
}

func TestHeaderLimit(t *testing.T) {
	addr := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 4096)) })
	mustGet(t, local(t, addr, egress.Options{}), "http://"+addr+"/")
	_, err := get(t, local(t, addr, egress.Options{MaxResponseHeader: 1024}), "http://"+addr+"/")
	if !errors.Is(err, egress.ErrTooLarge) {
		t.Errorf("%v, want ErrTooLarge", err)
	}
}

func TestResetWithinTheBody(t *testing.T) {
	addr := serveConn(t, func(conn net.Conn) {
		if !readHeader(conn) {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		_ = conn.(*net.TCPConn).SetLinger(0) // Close sends a reset
	})
	_, err := get(t, local(t, addr, egress.Options{}), "http://"+addr+"/")
	if err == nil || !egress.Retryable(err) || errors.Is(err, egress.ErrTimeout) {
		t.Errorf("%v, want an error that is retryable", err)
	}
}

// A body that ends before its Content-Length is no body; what there is of it comes
// with the error.
func TestShortBody(t *testing.T) {
	addr := serveConn(t, func(conn net.Conn) {
		if readHeader(conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nhalf")
		}
	})
	res, err := get(t, local(t, addr, egress.Options{}), "http://"+addr+"/")
	if !errors.Is(err, io.ErrUnexpectedEOF) || !egress.Retryable(err) {
		t.Errorf("%v, want io.ErrUnexpectedEOF", err)
	}
	if res == nil || res.Status != 503 || string(res.Body) != "half" {
		t.Errorf("%+v", res)
	}
}

func TestSwitchingProtocols(t *testing.T) {
	addr := serveText(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nwhatever")
	if res := mustGet(t, local(t, addr, egress.Options{}), "http://"+addr+"/"); res.Status != 101 || len(res.Body) != 0 {
		t.Errorf("%+v", res)
	}
}

func TestNothingListens(t *testing.T) {
	addr := closed(t)
	_, err := get(t, local(t, addr, egress.Options{}), "http://"+addr+"/")
	if !errors.Is(err, syscall.ECONNREFUSED) || !egress.Retryable(err) {
		t.Errorf("%v, want a refused connection", err)
	}
}

func TestNoSuchHost(t *testing.T) {
	_, err := get(t, client(t, egress.Options{Resolver: always(t)}), "https://hooks.example.com/")
	var dns *net.DNSError
	if !errors.As(err, &dns) || !egress.Retryable(err) {
		t.Errorf("%v, want an error of DNS", err)
	}
}

// Requests to one host share MaxConnsPerHost connections and wait for one; of those,
// MaxIdlePerHost are kept.
func TestConnectionsAreBounded(t *testing.T) {
	const requests, conns = 6, 2
	var inside, most atomic.Int32
	arrived, release := make(chan struct{}, requests), make(chan struct{})
	addr, ended := serveCounted(t, func(http.ResponseWriter, *http.Request) {
		n := inside.Add(1)
		defer inside.Add(-1)
		for was := most.Load(); was < n && !most.CompareAndSwap(was, n); was = most.Load() {
		}
		arrived <- struct{}{}
		<-release
	})
	c := local(t, addr, egress.Options{MaxConnsPerHost: conns, MaxIdlePerHost: 1})
	results := make(chan error, requests)
	for range requests {
		go func() {
			_, err := c.Do(t.Context(), egress.Request{URL: "http://" + addr + "/"})
			results <- err
		}()
	}
	for range conns {
		<-arrived
	}
	close(release)
	for range requests {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := most.Load(); n != conns {
		t.Errorf("%d requests at once, want %d", n, conns)
	}
	wait(t, ended, "the second connection is kept")
}

// MaxIdle bounds what is kept for all hosts: the connection to the first goes.
func TestKeptConnectionsAreBounded(t *testing.T) {
	first, ended := serveCounted(t, ok)
	second := serve(t, ok)
	c := client(t, egress.Options{Allow: []string{first, second}, MaxIdle: 1})
	mustGet(t, c, "http://"+first+"/")
	mustGet(t, c, "http://"+second+"/")
	wait(t, ended, "the connection to the first host is kept")
}

func TestKeptConnectionsEnd(t *testing.T) {
	addr, ended := serveCounted(t, ok)
	mustGet(t, local(t, addr, egress.Options{IdleTimeout: short}), "http://"+addr+"/")
	wait(t, ended, "the connection is kept")
}

// serveCounted starts a server that says when a connection ends.
func serveCounted(t *testing.T, h http.HandlerFunc) (string, <-chan struct{}) {
	t.Helper()
	ended := make(chan struct{}, 100)
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			ended <- struct{}{}
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), ended
}

func wait(t *testing.T, done <-chan struct{}, otherwise string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Error(otherwise)
	}
}

// While all connections to a host hang, a request to it ends in time.
func TestWaitingForAConnection(t *testing.T) {
	arrived := make(chan struct{}, 1)
	addr := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	c := local(t, addr, egress.Options{MaxConnsPerHost: 1})
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := c.Do(ctx, egress.Request{URL: "http://" + addr + "/"})
		first <- err
	}()
	<-arrived
	soon, stop := context.WithTimeout(t.Context(), short)
	defer stop()
	_, err := c.Do(soon, egress.Request{URL: "http://" + addr + "/"})
	wantTimeout(t, err, "connecting")
	cancel()
	<-first
}

// What an endpoint sends in place of HTTP is quoted in errors, and neither long nor
// able to write to a terminal.
func TestHostileText(t *testing.T) {
	for _, text := range []string{
		"\x1b[31mred\r\n\r\n", "HTTP/1.1 \x1b[31m\r\n\r\n", strings.Repeat("x", 10_000) + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\x1b[31m" + strings.Repeat("y", 5000) + "\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: \x1b[31m\r\n\r\n",
	} {
		addr := serveText(t, text)
		_, err := get(t, local(t, addr, egress.Options{}), "http://"+addr+"/")
		if err == nil || !egress.Retryable(err) {
			t.Errorf("%.20q: %v", text, err)
			continue
		}
		if s := err.Error(); strings.ContainsAny(s, "\x1b\r\n") || len(s) > 600 {
			t.Errorf("%.20q: %q", text, s)
		}
	}
}

func TestErrorsArePrintable(t *testing.T) {
	err := &egress.Error{Method: "GET", Origin: "https://a", Err: errors.New("\x1b[31mred\r\n\u202e")}
	if s := err.Error(); s != "egress: GET https://a: \ufffd[31mred\ufffd\ufffd\ufffd" {
		t.Errorf("%q", s)
	}
}
