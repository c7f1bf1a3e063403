// Package httpcache keeps responses of an http.Handler in a cache.
//
//	pages := cache.New[httpcache.Page](db.CacheEntry, cache.Options{Prefix: "http:"})
//	site = httpcache.New(pages, httpcache.Rules{TTL: time.Minute})(site)
//
// It answers GET requests and runs the handler once however many ask for a page
// at the same time. What it keeps follows from the rules and from the headers of
// RFC 9111 for a shared cache, on the safe side. Every line of a header counts:
//
//   - a request with a body, or with Authorization, Cookie, Range, Upgrade, If-Match
//     or If-Unmodified-Since (empty or not), or with Cache-Control: no-store, goes
//     straight to the handler; one with no-cache, max-age=0 or Pragma: no-cache has
//     the page made again;
//   - a response is kept when its status is one of Rules.Statuses, it is whole and
//     no longer than Rules.MaxBody, sets no cookie, has no trailers, varies by no
//     header but those of Rules.Vary (one with a Content-Encoding varies by
//     Accept-Encoding), is no event stream, and says no-store, private or no-cache
//     neither in Cache-Control nor in a header for caches in front of the origin
//     (CDN-Cache-Control, Surrogate-Control and the like);
//   - it is kept for its s-maxage, else its max-age, else until it Expires, else for
//     Rules.TTL, less its Age; the shortest where several are stated.
//
// What a handler writes after its client has left is not kept: such a handler
// stops anywhere. A response that is not kept goes to the client as it is written,
// and those who wait for the same page are not held up by it.
//
// A page that is kept is marked by Age and Cache-Status (RFC 9211), and answers
// If-None-Match with 304 when it has an ETag.
package httpcache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
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
	// Vary are the request headers of which each value has pages of its own. With
	// Authorization or Cookie among them, each client has its own pages.
	Vary []string
	// Statuses are kept; nil means 200 alone. 206 and 304 never are.
	Statuses []int
	// MaxBody bounds the bytes of a body that is kept; 0 means 1 MiB.
	MaxBody int
	// Tags returns the tags of a request's page; nil: none.
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
	rules.Vary = slices.Compact(vary)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked := rules.asks(r)
			if asked == asksOwner {
				next.ServeHTTP(w, r)
				return
			}
			s := &serving{pages: pages, rules: &rules, next: next, w: w, r: r}
			s.serve(asked)
		})
	}
}

// key distinguishes pages: host, path, sorted query, the headers of Vary, and
// whether the connection is encrypted. Who asks is kept as a hash: keys are read
// by people.
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
		value := strings.Join(values(r.Header, name), "\n ")
		if slices.Contains(credentials, name) {
			sum := sha256.Sum256([]byte(value))
			value = hex.EncodeToString(sum[:])
		}
		b.WriteString("\n" + name + ": " + value)
	}
	if r.TLS != nil {
		b.WriteString("\nhttps")
	}
	return b.String()
}

// serving answers one request.
type serving struct {
	pages *cache.Cache[Page]
	rules *Rules
	next  http.Handler
	w     http.ResponseWriter
	r     *http.Request
	rec   *recorder
}

// errPassing is of a response that is not kept: it is for one request alone.
var errPassing = errors.New("httpcache: the response is not kept")

func (s *serving) serve(asked asks) {
	key, opts := s.rules.key(s.r), []cache.Option{cache.Lives(s.lives)}
	if s.rules.Tags != nil {
		opts = append(opts, cache.Tags(s.rules.Tags(s.r)...))
	}
	if asked == asksAnew {
		opts = append(opts, cache.Reload())
	}
	page, err := s.fetch(key, opts)
	if err == nil && asked == asksPage && !s.rec.passes() && s.outlived(&page) {
		page, err = s.fetch(key, append(opts, cache.Reload()))
	}
	var panicked *cache.PanicError
	switch {
	case s.rec.passes(): // it goes, or went, to the client as it is written
		<-s.rec.done
		s.rec.end()
	case err == nil && !s.rec.made(&page):
		s.answer(&page, "hit")
	case err == nil && asked == asksAnew:
		s.answer(&page, "fwd=request; stored")
	case err == nil:
		s.answer(&page, "fwd=uri-miss; stored")
	case s.r.Context().Err() != nil: // the client is gone
	case s.rec.began && errors.As(err, &panicked):
		panic(panicked.Value) // as without a cache: net/http knows what to do
	case s.rec.began && errors.Is(err, errPassing):
		s.rec.finish()
	default:
		s.next.ServeHTTP(s.w, s.r)
	}
}

// lives is the time to live of a page. Fetch asks it of those alone that record
// has found to be kept.
func (s *serving) lives(p Page) time.Duration { return s.rules.keeps(p.Status, p.Header) }

// outlived reports whether a page is stale and may not be used so, whatever the
// cache's StaleFor and StaleIfError allow.
func (s *serving) outlived(p *Page) bool {
	return mustRevalidate(p.Header) && !s.rec.made(p) && time.Since(p.At) > s.lives(*p)
}

// fetch finds the page, or has the handler make it.
func (s *serving) fetch(key string, opts []cache.Option) (Page, error) {
	rec := newRecorder(s.w, s.rules)
	s.rec = rec
	page, err := s.pages.Fetch(s.r.Context(), key, time.Minute, func(ctx context.Context) (Page, error) {
		return s.record(ctx, rec)
	}, opts...)
	rec.leave() // from here on the handler, if it still runs and does not pass, writes to no one
	return page, err
}

// record runs the handler, and returns what it wrote when it is to be kept. When
// it is not, record returns at once, and the handler goes on for its own client.
// A handler whose context ends may stop half way, and record does not wait for it.
func (s *serving) record(ctx context.Context, rec *recorder) (Page, error) {
	own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	r := s.r.Clone(own)
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Range"} {
		r.Header.Del(name) // it is asked for the page, whatever the client has of it
	}
	rec.begin()
	go rec.run(s.next, r)
	select {
	case <-rec.done:
		defer cancel(nil)
	case <-rec.passing:
		context.AfterFunc(s.r.Context(), func() { cancel(context.Cause(s.r.Context())) })
		return Page{}, errPassing
	case <-ctx.Done():
		cancel(context.Cause(ctx))
		return Page{}, context.Cause(ctx)
	}
	if rec.panicked != nil {
		panic(rec.panicked)
	}
	page, kept := rec.page()
	if !kept {
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
		h.Set("Age", strconv.Itoa(int((age(p.Header) + max(0, time.Since(p.At))).Seconds())))
	}
	if tag := p.Header.Get("ETag"); tag != "" && matches(values(s.r.Header, "If-None-Match"), tag) {
		h.Del("Content-Length")
		s.w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(p.Body)))
	s.w.WriteHeader(p.Status)
	_, _ = s.w.Write(p.Body) // a client that is gone is no one's failure
}

// matches compares entity tags weakly, as If-None-Match does.
func matches(asked []string, tag string) bool {
	for _, line := range asked {
		for one := range strings.SplitSeq(line, ",") {
			one = strings.TrimSpace(one)
			if one == "*" || one != "" && strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}
