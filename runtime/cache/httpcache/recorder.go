package httpcache

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

// recorder keeps what a handler writes. What turns out not to be kept, by its
// header or its length, goes on to the client of the request that runs the
// handler: it passes. When that one is gone, it goes to no one.
type recorder struct {
	rules   *Rules
	passing chan struct{} // closed when it passes
	done    chan struct{} // closed when the handler has ended

	mu      sync.Mutex
	w       http.ResponseWriter
	header  http.Header
	began   bool // the handler was run
	left    bool // the request has been answered otherwise
	refused bool // it is not kept, and there is no one to pass it to
	status  int
	sent    http.Header // as it was when the status was written
	body    bytes.Buffer
	at      time.Time // when the page was made; zero: none was

	panicked any // of the handler; read when done is closed
}

var (
	errGone   = errors.New("httpcache: the client is gone, and the response is not one to be kept")
	errGoexit = errors.New("httpcache: the handler ended its goroutine without returning (runtime.Goexit)")
)

func newRecorder(w http.ResponseWriter, rules *Rules) *recorder {
	return &recorder{rules: rules, w: w, header: http.Header{}, passing: make(chan struct{}), done: make(chan struct{})}
}

// run runs the handler, in a goroutine of its own: it may outlast the load that
// it began as.
func (c *recorder) run(next http.Handler, r *http.Request) {
	returned := false
	defer close(c.done)
	defer func() {
		if c.panicked = recover(); c.panicked == nil && !returned {
			c.panicked = errGoexit
		}
	}()
	next.ServeHTTP(c, r)
	returned = true
}

func (c *recorder) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.began = true
}

// leave ends the request's part in it, unless the response passes.
func (c *recorder) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = true
}

// passes reports whether the response passes. After leave the answer stays.
func (c *recorder) passes() bool {
	select {
	case <-c.passing:
		return true
	default:
		return false
	}
}

// Header is the header that the handler fills in.
func (c *recorder) Header() http.Header { return c.header }

// WriteHeader ends the header. What it says decides whether the response passes.
func (c *recorder) WriteHeader(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeHeader(status)
}

func (c *recorder) writeHeader(status int) {
	if c.status != 0 || status < 200 {
		return
	}
	c.status, c.sent = status, c.header.Clone()
	if c.rules.keeps(status, c.sent) == 0 {
		c.pass()
	}
}

// Write keeps p, or passes it on.
func (c *recorder) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == 0 {
		c.sniff(p)
		c.writeHeader(http.StatusOK)
	}
	if !c.passes() && !c.refused && c.body.Len()+len(p) > c.rules.MaxBody {
		c.pass()
	}
	switch {
	case c.refused:
		return 0, errGone
	case c.passes():
		return c.w.Write(p)
	}
	return c.body.Write(p)
}

// sniff fills in the type of a body, where net/http would.
func (c *recorder) sniff(p []byte) {
	_, typed := c.header["Content-Type"]
	if !typed && len(values(c.header, "Content-Encoding")) == 0 {
		c.header.Set("Content-Type", http.DetectContentType(p))
	}
}

// Flush sends what passes. A page is kept whole: there it does nothing.
func (c *recorder) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.passes() {
		_ = http.NewResponseController(c.w).Flush() // where it cannot be done, it is written in the end
	}
}

// pass begins to pass the response to the client: first what was recorded.
func (c *recorder) pass() {
	if c.left {
		c.refused = true
		c.body = bytes.Buffer{}
		return
	}
	close(c.passing)
	c.send()
}

// send writes what was recorded to the client.
func (c *recorder) send() {
	h := c.w.Header()
	for name, values := range c.sent {
		h[name] = values
	}
	h.Set("Cache-Status", "modulagen; fwd=uri-miss")
	c.w.WriteHeader(c.status)
	_, _ = c.w.Write(c.body.Bytes()) // a client that is gone is no one's failure
	c.body = bytes.Buffer{}
}

// page is what was recorded, when the handler has ended, and whether it is kept.
func (c *recorder) page() (p Page, kept bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeHeader(http.StatusOK)
	if c.passes() || c.refused || hasTrailers(c.header) || !whole(c.sent, c.body.Len()) {
		return Page{}, false
	}
	c.at = time.Now().UTC()
	h := storedHeader(c.sent)
	if h.Get("Date") == "" { // Expires counts from it
		h.Set("Date", c.at.Format(http.TimeFormat))
	}
	return Page{Status: c.status, Header: h, Body: c.body.Bytes(), At: c.at}, true
}

// made reports whether a page is the one that was recorded.
func (c *recorder) made(p *Page) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.at.IsZero() && c.at.Equal(p.At)
}

// finish sends a response of a handler that has ended and is not kept, unless the
// client has it already.
func (c *recorder) finish() {
	c.mu.Lock()
	c.send()
	c.mu.Unlock()
	c.end()
}

// end ends a response that passes, when the handler has ended.
func (c *recorder) end() {
	if c.panicked != nil {
		panic(c.panicked)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeHeader(http.StatusOK)
	h := c.w.Header()
	for name, values := range c.header {
		if strings.HasPrefix(name, http.TrailerPrefix) || announced(c.sent, name) {
			h[name] = values
		}
	}
}

// announced reports whether a header is one of those that a response has announced
// as its trailers.
func announced(h http.Header, name string) bool {
	for _, line := range values(h, "Trailer") {
		for one := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(one), name) {
				return true
			}
		}
	}
	return false
}
