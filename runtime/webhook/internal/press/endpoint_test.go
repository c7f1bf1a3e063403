package press_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/webhook/internal/press/generated"
)

// raw answers each connection with bytes, which may be no HTTP, and returns its URL.
func (f *fixture) raw(reply func(w io.Writer, request string)) string {
	f.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	f.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				q, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				var sent bytes.Buffer
				if err := q.Write(&sent); err != nil { // reads the body
					return
				}
				reply(c, sent.String())
				_, _ = io.Copy(io.Discard, c) // until the client has closed it
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// reply answers with a text, and closes the connection's body with it.
func reply(text string) func(io.Writer, string) {
	return func(w io.Writer, _ string) { io.WriteString(w, text) }
}

func answerOf(status, headers, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, headers, len(body), body)
}

// TestHostileEndpoints: whatever is answered, the attempt ends in time, is judged, and has
// its row in the log.
func TestHostileEndpoints(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		bomb := new(bytes.Buffer)
		z := gzip.NewWriter(bomb)
		must(z.Write(make([]byte, 10<<20)))
		z.Close()
		type want struct {
			state  string // "": failed
			status int64  // in the log; 0: none
			reason string
		}
		cases := []struct {
			name  string
			reply func(io.Writer, string)
			want
		}{
			{"status 099", reply(answerOf("099 Odd", "", "")), want{"", 0, "answered 99"}},
			{"status 000", reply(answerOf("000 Odd", "", "")), want{"", 0, "answered 0"}},
			{"status 999", reply(answerOf("999 Odd", "", "")), want{"", 999, "answered 999"}},
			{"status 101", reply("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), want{"", 101, "answered 101"}},
			{"no HTTP", reply("SSH-2.0-OpenSSH_9.6\r\n"), want{"", 0, "malformed"}},
			{"text that is none", reply(answerOf("400 Bad", "X-A: a\xff\xfe\xed\xa0\x80\r\nX-B: \\u0000 \\ud800 \"\r\n", "\xff\x00\\u0000\\ud800\xed\xa0\x80")), want{"", 400, "answered 400"}},
			{"names that collide", reply(answerOf("400 Bad", "x-a: 1\r\nX-A: 2\r\nX-a: 3\r\nset-cookie: s=secret\r\nSET-COOKIE: s=secret\r\n", "")), want{"", 400, "answered 400"}},
			{"long headers", reply(answerOf("400 Bad", "X-"+strings.Repeat("a", 5000)+": "+strings.Repeat("é", 10_000)+"\r\n", "")), want{"", 400, "answered 400"}},
			{"many headers", func(w io.Writer, _ string) {
				var b strings.Builder
				for i := range 1000 {
					fmt.Fprintf(&b, "X-%d: %d\r\n", i, i)
				}
				io.WriteString(w, answerOf("200 OK", b.String(), ""))
			}, want{"delivered", 200, ""}},
			{"endless headers", func(w io.Writer, _ string) {
				io.WriteString(w, "HTTP/1.1 200 OK\r\n")
				for range 10 {
					if _, err := io.WriteString(w, "X-A: "+strings.Repeat("a", 1<<20)+"\r\n"); err != nil {
						return
					}
				}
			}, want{"", 0, "header"}},
			{"a gzip bomb", reply(answerOf("200 OK", "Content-Encoding: gzip\r\n", bomb.String())), want{"delivered", 200, ""}},
			{"an endless body", func(w io.Writer, _ string) {
				io.WriteString(w, "HTTP/1.1 200 OK\r\n\r\n")
				for {
					if _, err := io.WriteString(w, strings.Repeat("a", 1<<16)); err != nil {
						return
					}
				}
			}, want{"delivered", 200, ""}},
			{"a reset within the body", func(w io.Writer, _ string) {
				io.WriteString(w, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
				w.(*net.TCPConn).SetLinger(0)
				w.(*net.TCPConn).Close()
			}, want{"", 200, ""}},
			{"nothing", reply(""), want{"", 0, "timeout"}},
			{"a trickle", func(w io.Writer, _ string) {
				io.WriteString(w, "HTTP/1.1 200 OK\r\n\r\n")
				for {
					if _, err := io.WriteString(w, "a"); err != nil {
						return
					}
					<-time.After(100 * time.Millisecond)
				}
			}, want{"", 200, "timeout"}},
		}
		ids := make([]generated.FetchRequestID, len(cases))
		for i, c := range cases {
			ids[i] = f.hook("create", generated.FetchRequestNew{Name: c.name, URL: f.raw(c.reply), RetryCount: store.Int(0), Timeout: store.Int(1)}).ID
		}
		f.deliver(options(t))
		f.article("one")
		for i, c := range cases {
			row := f.ended(f.only(ids[i]).ID)
			log := f.log(row.ID)
			if c.state == "" {
				c.state = "failed"
			}
			if len(log) != 1 {
				t.Errorf("%s: %d rows in the log, of %+v", c.name, len(log), row)
				continue
			}
			l := log[0]
			if string(row.Status) != c.state || l.ResponseStatus.V != c.status || l.ResponseStatus.Valid != (c.status != 0) || !strings.Contains(l.Error.V, c.reason) || (row.Status == "failed") != l.Error.Valid {
				t.Errorf("%s: %s, %v, %q; want %+v", c.name, row.Status, l.ResponseStatus, l.Error.V, c.want)
			}
			if kept := l.ResponseBody.V + string(l.ResponseHeaders.V) + l.Error.V; !utf8.ValidString(kept) || strings.Contains(kept, "secret") || len(kept) > 40<<10 {
				t.Errorf("%s: the log has %d bytes: %.200q", c.name, len(kept), kept)
			}
		}
	})
}

// TestEchoes: an endpoint that answers with what it was sent, escaped or cut, and has secrets in
// its URL and in templates.
func TestEchoes(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		const token = `to/ken"&<4711-abcdef`
		var logged lockedBuffer
		o := options(t)
		o.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		echo := func(w io.Writer, request string) {
			body := request + `{"a": "to\/ken\"&<4711-abcdef", "b": "to/ken\"\u0026\u003c4711-abcdef"} to/ken&#34;&amp;&lt;4711-abcdef`
			body += strings.Repeat(".", 16<<10-len(body)-12) + token // cut within it
			io.WriteString(w, answerOf("400 Bad", "X-Echo: "+token+"\r\n", body))
		}
		key := must(f.db.FetchRequests.Create(t.Context(), generated.FetchRequestNew{Name: "key", URL: example}))
		secret := must(f.db.FetchRequests.RotateSecret(t.Context(), key.ID, 0))
		for _, n := range []generated.FetchRequestNew{
			{Headers: store.Set(store.JSON(`{"Authorization": "Bearer to/ken\"&<4711-abcdef"}`))},
			{Headers: store.Set(store.JSON(`{"Authorization": "Bearer to/ken\"&<4711-abcdef", "X-Row": "template-token {{.Title}}"}`))},
			{Headers: store.Set(store.JSON(`{"X-Key": "to/ken\"&<4711-abcdef"}`)), URL: "/services/T0B0-url-secret-path?key=url-secret-query"},
			{Headers: store.Set(store.JSON(`{"X-Key": "to/ken\"&<4711-abcdef"}`)), URL: "/services/T0B0-url-secret-path?title={{.Title}}"},
		} {
			n.Name, n.URL, n.RetryCount = "echo", f.raw(echo)+n.URL, store.Int(0)
			f.hook("create", n)
		}
		f.deliver(o)
		f.article("title-4711")
		for _, d := range f.deliveries() {
			row := f.ended(d.ID)
			log := f.log(d.ID)
			if len(log) != 1 || log[0].ResponseStatus.V != 400 {
				t.Fatalf("got %+v", log)
			}
			logs := logged.String()
			for where, kept := range map[string]string{
				"body": log[0].ResponseBody.V, "headers": string(log[0].ResponseHeaders.V), "error": log[0].Error.V + row.Error.V, "slog": logs,
			} {
				for _, s := range []string{"4711-abc", "to/ken", `to\/ken`, "template-token", "url-secret", secret.Reveal()} {
					if i := strings.Index(kept, s); i >= 0 {
						t.Errorf("request %d: %s has %s: %.100q", d.FetchRequestID, where, s, kept[max(0, i-20):])
					}
				}
			}
		}
	})
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
