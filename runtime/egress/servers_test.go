package egress_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/binary"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/egress"
)

// TestMain sets a proxy in the environment that nobody can reach: net/http reads it once,
// so it must be there before the first request.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		_ = os.Setenv(name, "http://127.0.0.1:1")
	}
	_ = os.Unsetenv("NO_PROXY")
	_ = os.Unsetenv("no_proxy")
	os.Exit(m.Run())
}

// patience bounds what should end by itself.
const patience = 20 * time.Second

// serve starts a server and returns its address.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// serveTLS starts a server for 127.0.0.1 and example.com, and returns its address and
// the pool that verifies it.
func serveTLS(t *testing.T, h http.HandlerFunc, change func(*httptest.Server)) (string, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if change != nil {
		change(s)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.Listener.Addr().String(), pool
}

// serveConn starts a server that speaks whatever fn makes of its connections.
func serveConn(t *testing.T, fn func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				fn(conn)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); running.Wait() })
	return l.Addr().String()
}

// serveText starts a server that reads the header of a request and answers with a text.
func serveText(t *testing.T, text string) string {
	t.Helper()
	return serveConn(t, func(conn net.Conn) {
		if readHeader(conn) {
			_, _ = io.WriteString(conn, text)
			_, _ = io.Copy(io.Discard, conn) // until the client closes
		}
	})
}

func readHeader(conn net.Conn) bool {
	var got bytes.Buffer
	b := make([]byte, 4096)
	for !bytes.Contains(got.Bytes(), []byte("\r\n\r\n")) {
		n, err := conn.Read(b)
		if err != nil {
			return false
		}
		got.Write(b[:n])
	}
	return true
}

// local returns a client that may reach a server of the test, and nothing else.
func local(t *testing.T, addr string, o egress.Options) *egress.Client {
	t.Helper()
	o.Allow = append(o.Allow, addr)
	return client(t, o)
}

// do makes a request whose context ends with patience.
func do(t *testing.T, c *egress.Client, r egress.Request) (*egress.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return c.Do(ctx, r)
}

func get(t *testing.T, c *egress.Client, url string) (*egress.Response, error) {
	t.Helper()
	return do(t, c, egress.Request{URL: url})
}

func mustGet(t *testing.T, c *egress.Client, url string) *egress.Response {
	t.Helper()
	res, err := get(t, c, url)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// names returns a resolver for which answer says what addresses a name has, at its
// nth resolution from 0. It speaks just enough of DNS (RFC 1035).
func names(t *testing.T, answer func(name string, nth int) []string) *net.Resolver {
	t.Helper()
	var mu sync.Mutex
	asked := map[string]int{}
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer ours.Close()
			for {
				query, err := readQuery(ours)
				if err != nil {
					return
				}
				name, kind := question(query)
				mu.Lock()
				key := name + string(rune(kind))
				nth := asked[key]
				asked[key]++
				mu.Unlock()
				if _, err := ours.Write(reply(query, kind, answer(name, nth))); err != nil {
					return
				}
			}
		}()
		return theirs, nil
	}}
}

// always is names for one name of everything.
func always(t *testing.T, addrs ...string) *net.Resolver {
	t.Helper()
	return names(t, func(string, int) []string { return addrs })
}

const (
	typeA    = 1
	typeAAAA = 28
)

func readQuery(r io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	query := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(r, query)
	return query, err
}

// question returns the name and the type that a query asks for.
func question(query []byte) (string, uint16) {
	var labels []string
	at := 12
	for query[at] != 0 {
		n := int(query[at])
		labels = append(labels, string(query[at+1:at+1+n]))
		at += 1 + n
	}
	return strings.Join(labels, "."), binary.BigEndian.Uint16(query[at+1:])
}

func reply(query []byte, kind uint16, addrs []string) []byte {
	end := 12
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 5
	out := append([]byte{0, 0}, query[:end]...)
	copy(out[4:], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}) // an answer, to one question
	count := 0
	for _, text := range addrs {
		addr := netip.MustParseAddr(text)
		if addr.Is4() != (kind == typeA) || kind != typeA && kind != typeAAAA {
			continue
		}
		raw := addr.AsSlice()
		out = append(out, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(len(raw)))
		out = append(out, raw...)
		count++
	}
	out[9] = byte(count)
	binary.BigEndian.PutUint16(out, uint16(len(out)-2))
	return out
}

// at puts the port of an address behind a host.
func at(host, addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return net.JoinHostPort(host, port)
}
