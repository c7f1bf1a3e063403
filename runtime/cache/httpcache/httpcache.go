// Package httpcache keeps responses of an http.Handler in a cache.
//
//	pages := cache.New[httpcache.Page](db.CacheEntry, cache.Options{Prefix: "http:"})
//	site = httpcache.New(pages, httpcache.Rules{TTL: time.Minute})(site)
//
// It answers GET requests and runs the handler once however many ask for a page
// at the same time. What it keeps follows from the rules and from the headers of
// RFC 9111, on the safe side:
//
//   - a request with Authorization, Cookie, Range or Upgrade, or with
//     Cache-Control: no-store, goes straight to the handler; one with no-cache or
//     max-age=0 has the page made again;
//   - a response is kept when its status is one of Rules.Statuses, it sets no
//     cookie, does not say no-store, private or no-cache, is no longer than
//     Rules.MaxBody, and varies by no header but those of Rules.Vary;
//   - it is kept for its s-maxage, else its max-age, else for Rules.TTL.
//
// A page that is kept is told by Age and Cache-Status (RFC 9211), and answers
// If-None-Match with 304 when it has an ETag.
package httpcache

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/cache"
)

// Page is a response that is kept.
type Page struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
	At     time.Time   `json:"at"` // when it was made
}

// Rules say what is kept. The zero value keeps what says itself for how long.
type Rules struct {
	// TTL is how long a response is kept that does not say; 0: it is not.
	TTL time.Duration
	// MaxTTL bounds what responses say; 0 means a day.
	MaxTTL time.Duration
	// Vary are the request headers of which each value has pages of its own.
	Vary []string
	// Statuses are kept; nil means 200 alone.
	Statuses []int
	// MaxBody bounds the bytes of a body that is kept; 0 means 1 MiB.
	MaxBody int
	// Tags gives the tags of a request's page; nil: none.
	Tags func(*http.Request) []string
	// Skip, where it is true, sends a request to the handler; nil: none.
	Skip func(*http.Request) bool
}

// New makes a middleware that keeps pages in a cache.
func New(pages *cache.Cache[Page], rules Rules) func(http.Handler) http.Handler {
	if rules.MaxTTL == 0 {
		rules.MaxTTL = 24 * time.Hour
	}
	if rules.MaxBody == 0 {
		rules.MaxBody = 1 << 20
	}
	if rules.Statuses == nil {
		rules.Statuses = []int{http.StatusOK}
	}
	vary := make([]string, len(rules.Vary))
	for i, name := range rules.Vary {
		vary[i] = http.CanonicalHeaderKey(name)
	}
	slices.Sort(vary)
	rules.Vary = vary
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !rules.takes(r) {
				next.ServeHTTP(w, r)
				return
			}
			s := &serving{pages: pages, rules: &rules, next: next, w: w, r: r}
			s.serve()
		})
	}
}

// takes tells whether a request may be answered with a page that is kept.
func (rules *Rules) takes(r *http.Request) bool {
	if r.Method != http.MethodGet || rules.Skip != nil && rules.Skip(r) {
		return false
	}
	for _, name := range []string{"Authorization", "Cookie", "Range", "Upgrade"} {
		if r.Header.Get(name) != "" && !slices.Contains(rules.Vary, name) {
			return false
		}
	}
	_, never := directives(r.Header)["no-store"]
	return !never
}

// directives reads Cache-Control.
func directives(h http.Header) map[string]string {
	out := map[string]string{}
	for _, line := range h.Values("Cache-Control") {
		for part := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			out[strings.ToLower(name)] = strings.Trim(value, `"`)
		}
	}
	return out
}

// key tells pages apart: host, path, sorted query and the headers of Vary.
func (rules *Rules) key(r *http.Request) string {
	var b strings.Builder
	b.WriteString(strings.ToLower(r.Host))
	b.WriteString(r.URL.EscapedPath())
	if query, err := url.ParseQuery(r.URL.RawQuery); err != nil {
		b.WriteString("?" + r.URL.RawQuery)
	} else if len(query) > 0 {
		b.WriteString("?" + query.Encode())
	}
	for _, name := range rules.Vary {
		b.WriteString("\n" + name + ": " + strings.Join(r.Header.Values(name), ", "))
	}
	return b.String()
}

// lives is how long a response is kept; 0: it is not.
func (rules *Rules) lives(p *Page) time.Duration {
	if !slices.Contains(rules.Statuses, p.Status) || len(p.Header.Values("Set-Cookie")) > 0 {
		return 0
	}
	for _, line := range p.Header.Values("Vary") {
		for name := range strings.SplitSeq(line, ",") {
			if !slices.Contains(rules.Vary, http.CanonicalHeaderKey(strings.TrimSpace(name))) {
				return 0
			}
		}
	}
	said := directives(p.Header)
	for _, never := range []string{"no-store", "private", "no-cache"} {
		if _, ok := said[never]; ok {
			return 0
		}
	}
	for _, name := range []string{"s-maxage", "max-age"} {
		if text, ok := said[name]; ok {
			n, err := strconv.ParseInt(text, 10, 32)
			if err != nil || n <= 0 {
				return 0
			}
			return min(time.Duration(n)*time.Second, rules.MaxTTL)
		}
	}
	return min(rules.TTL, rules.MaxTTL)
}

// serving answers one request.
type serving struct {
	pages *cache.Cache[Page]
	rules *Rules
	next  http.Handler
	w     http.ResponseWriter
	r     *http.Request
}

// errPassing is of a response that is not kept: it is for one request alone.
var errPassing = errors.New("httpcache: the response is not kept")

func (s *serving) serve() {
	key := s.rules.key(s.r)
	var opts []cache.Option
	if s.rules.Tags != nil {
		opts = append(opts, cache.Tags(s.rules.Tags(s.r)...))
	}
	said := directives(s.r.Header)
	if _, again := said["no-cache"]; again || said["max-age"] == "0" {
		s.anew(key, opts)
		return
	}
	opts = append(opts, cache.Lives(func(p Page) time.Duration { return s.rules.lives(&p) }))
	rec := &recorder{header: http.Header{}, limit: s.rules.MaxBody, w: s.w}
	page, err := s.pages.Fetch(s.r.Context(), key, time.Minute, func(ctx context.Context) (Page, error) {
		return s.record(ctx, rec)
	}, opts...)
	mine := rec.leave() // from here on the handler, if it still runs, writes to no one
	var panicked *cache.PanicError
	switch {
	case err == nil && !mine:
		s.answer(&page, "hit")
	case err == nil:
		s.answer(&page, "fwd=uri-miss; stored")
	case s.r.Context().Err() != nil: // the client is gone
	case mine && errors.As(err, &panicked):
		panic(panicked.Value) // as without a cache: net/http knows what to do
	case mine && errors.Is(err, errPassing):
		rec.finish()
	default:
		s.next.ServeHTTP(s.w, s.r)
	}
}

// anew makes a page again for a request that asks for it.
func (s *serving) anew(key string, opts []cache.Option) {
	rec := &recorder{header: http.Header{}, limit: s.rules.MaxBody, w: s.w}
	page, err := s.record(s.r.Context(), rec)
	if err != nil {
		rec.leave()
		rec.finish()
		return
	}
	_ = s.pages.Set(s.r.Context(), key, page, s.rules.lives(&page), opts...) // the page is made, kept or not
	s.answer(&page, "fwd=request; stored")
}

// record runs the handler. It is asked for the whole page, whatever part of it
// the client wants.
func (s *serving) record(ctx context.Context, rec *recorder) (Page, error) {
	rec.begin()
	r := s.r.Clone(ctx)
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range"} {
		r.Header.Del(name)
	}
	s.next.ServeHTTP(rec, r)
	page, kept := rec.page()
	if !kept || s.rules.lives(&page) == 0 {
		return page, errPassing
	}
	return page, nil
}

// answer writes a page.
func (s *serving) answer(p *Page, how string) {
	h := s.w.Header()
	for name, values := range p.Header {
		h[name] = slices.Clone(values)
	}
	h.Set("Cache-Status", "modulagen; "+how)
	if how == "hit" {
		h.Set("Age", strconv.Itoa(max(0, int(time.Since(p.At).Seconds()))))
	}
	if tag := p.Header.Get("ETag"); tag != "" && matches(s.r.Header.Get("If-None-Match"), tag) {
		h.Del("Content-Length")
		s.w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(p.Body)))
	s.w.WriteHeader(p.Status)
	_, _ = s.w.Write(p.Body) // a client that is gone is no one's failure
}

// matches compares entity tags weakly, as If-None-Match does.
func matches(asked, tag string) bool {
	for one := range strings.SplitSeq(asked, ",") {
		one = strings.TrimSpace(one)
		if one == "*" || one != "" && strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// recorder keeps what a handler writes. What is longer than the limit goes on to
// the client of the request that runs it, while that one is there.
type recorder struct {
	mu     sync.Mutex
	w      http.ResponseWriter
	header http.Header
	limit  int

	began  bool
	left   bool // the request has ended
	spills bool // the body is over the limit
	status int
	sent   http.Header // as it was when the status was written
	body   bytes.Buffer
}

var errGone = errors.New("httpcache: the client is gone, and the response is too long to be kept")

func (c *recorder) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.began = true
}

// leave ends the request's part in it, and tells whether its handler was run.
func (c *recorder) leave() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = true
	return c.began
}

func (c *recorder) Header() http.Header { return c.header }

func (c *recorder) WriteHeader(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeHeader(status)
}

func (c *recorder) writeHeader(status int) {
	if c.status == 0 && status >= 200 {
		c.status, c.sent = status, c.header.Clone()
	}
}

func (c *recorder) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == 0 {
		if c.header.Get("Content-Type") == "" {
			c.header.Set("Content-Type", http.DetectContentType(p))
		}
		c.writeHeader(http.StatusOK)
	}
	if !c.spills && c.body.Len()+len(p) <= c.limit {
		return c.body.Write(p)
	}
	if c.left {
		return 0, errGone
	}
	if !c.spills {
		c.spills = true
		c.pass()
	}
	return c.w.Write(p)
}

// Flush does nothing: a page is kept whole.
func (c *recorder) Flush() {}

// pass gives the client what was recorded.
func (c *recorder) pass() {
	h := c.w.Header()
	for name, values := range c.sent {
		h[name] = values
	}
	h.Set("Cache-Status", "modulagen; fwd=uri-miss")
	c.w.WriteHeader(c.status)
	_, _ = c.w.Write(c.body.Bytes()) // a client that is gone is no one's failure
}

// page is what was recorded; not kept when it was too long.
func (c *recorder) page() (p Page, kept bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writeHeader(http.StatusOK)
	return Page{Status: c.status, Header: c.sent, Body: c.body.Bytes(), At: time.Now().UTC()}, !c.spills
}

// finish gives the client a response that is not kept, unless it has it already.
func (c *recorder) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.spills {
		c.pass()
	}
}
