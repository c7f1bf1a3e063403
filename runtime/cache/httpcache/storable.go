package httpcache

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// asks is what a request wants of a cache.
type asks int

const (
	asksPage  asks = iota // a page that is kept will do
	asksAnew              // the page is to be made again, and kept
	asksOwner             // it goes to the handler, and nothing is kept
)

// asks decides by the request. On the safe side: a header that makes a response
// one client's own counts by being there, even if it is empty.
func (rules *Rules) asks(r *http.Request) asks {
	if r.Method != http.MethodGet || hasBody(r) || rules.Skip != nil && rules.Skip(r) {
		return asksOwner
	}
	for _, name := range []string{"Range", "Upgrade", "If-Match", "If-Unmodified-Since"} {
		if len(values(r.Header, name)) > 0 {
			return asksOwner
		}
	}
	for _, name := range credentials {
		if len(values(r.Header, name)) > 0 && !slices.Contains(rules.Vary, name) {
			return asksOwner
		}
	}
	said := directivesOf(r.Header, "Cache-Control")
	age, aged := said.span("max-age")
	switch {
	case said.has("no-store"):
		return asksOwner
	case said.has("no-cache"), aged && age == 0:
		return asksAnew
	case len(said) == 0 && directivesOf(r.Header, "Pragma").has("no-cache"):
		return asksAnew
	}
	return asksPage
}

// credentials are the request headers that say who asks.
var credentials = []string{"Authorization", "Cookie", "Proxy-Authorization"}

// hasBody reports whether a request has a body, or may have: the page would depend
// on it, and it cannot be read twice.
func hasBody(r *http.Request) bool { return r.ContentLength != 0 || len(r.TransferEncoding) > 0 }

// notStored are the headers of a response that concern its connection alone, and
// what RFC 9111 section 3.1 wants left out.
var notStored = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	"Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
}

// storedHeader returns the headers of a response that a page keeps, by canonical
// names.
func storedHeader(sent http.Header) http.Header {
	out := make(http.Header, len(sent))
	for name, v := range sent {
		name = http.CanonicalHeaderKey(name)
		out[name] = append(out[name], v...)
	}
	drop := slices.Clone(notStored)
	for _, line := range out["Connection"] {
		drop = append(drop, strings.Split(line, ",")...)
	}
	for _, name := range drop {
		out.Del(strings.TrimSpace(name))
	}
	return out
}

// keeps is how long a response may be kept, by its status and its headers; zero:
// it may not.
func (rules *Rules) keeps(status int, h http.Header) time.Duration {
	if !rules.storable(status, h) {
		return 0
	}
	span := rules.fresh(h)
	for _, name := range targeted(h) {
		if stated, ok := shared(directivesOf(h, name)); ok {
			span = min(span, stated)
		}
	}
	return min(max(0, span-age(h)), rules.MaxTTL)
}

// storable reports whether anything in a response says that it is not for everyone,
// or not whole.
func (rules *Rules) storable(status int, h http.Header) bool {
	if !slices.Contains(rules.Statuses, status) || status < 200 || status == http.StatusPartialContent || status == http.StatusNotModified {
		return false
	}
	for _, name := range []string{"Set-Cookie", "Set-Cookie2", "Content-Range", "Trailer", "Authentication-Info"} {
		if len(values(h, name)) > 0 {
			return false
		}
	}
	if hasTrailers(h) || !rules.varies(h) {
		return false
	}
	for _, line := range values(h, "Content-Type") {
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(line)), "text/event-stream") {
			return false // it does not end
		}
	}
	for _, name := range append(targeted(h), "Cache-Control") {
		if directivesOf(h, name).has("no-store", "private", "no-cache") {
			return false
		}
	}
	return !directivesOf(h, "Pragma").has("no-cache") && !slices.Contains(values(h, "X-Accel-Expires"), "0")
}

// varies reports whether the rules name every header that a response varies by. One
// that is encoded varies by what the client accepts, said or not.
func (rules *Rules) varies(h http.Header) bool {
	names := values(h, "Vary")
	if len(values(h, "Content-Encoding")) > 0 {
		names = append(names, "Accept-Encoding")
	}
	for _, line := range names {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if name != "" && !slices.Contains(rules.Vary, name) {
				return false
			}
		}
	}
	return true
}

// targeted are the headers of a response that speak to caches in front of the
// origin (RFC 9213, and what came before it). They may forbid and shorten, and
// allow nothing that Cache-Control does not.
func targeted(h http.Header) []string {
	var out []string
	for name := range h {
		lower := strings.ToLower(name)
		if strings.HasSuffix(lower, "-cache-control") || lower == "surrogate-control" || lower == "edge-control" {
			out = append(out, name)
		}
	}
	return out
}

// shared is how long directives let a shared cache keep a response.
func shared(said directives) (time.Duration, bool) {
	for _, name := range []string{"s-maxage", "max-age"} {
		if span, ok := said.span(name); ok {
			return span, true
		}
	}
	return 0, false
}

// fresh is how long a response is fresh from when it was made on: by its s-maxage,
// its max-age, its Expires, or the rules.
func (rules *Rules) fresh(h http.Header) time.Duration {
	if span, ok := shared(directivesOf(h, "Cache-Control")); ok {
		return span
	}
	ends := values(h, "Expires")
	if len(ends) == 0 {
		return rules.TTL
	}
	made := time.Now()
	for i, text := range values(h, "Date") {
		date, err := http.ParseTime(text)
		if err != nil {
			return 0
		}
		if i == 0 || date.After(made) {
			made = date
		}
	}
	var span time.Duration
	for i, text := range ends {
		end, err := http.ParseTime(text)
		if err != nil {
			return 0 // "Expires: 0" and the like
		}
		if left := end.Sub(made); i == 0 || left < span {
			span = left
		}
	}
	return max(0, span)
}

// age is how old a response was when the handler passed it on: one that asks
// another server may get it from a cache.
func age(h http.Header) time.Duration {
	var age time.Duration
	for _, text := range values(h, "Age") {
		age = max(age, delta(strings.TrimSpace(text)))
	}
	return age
}

// mustRevalidate reports whether a response may not be used when it is stale.
func mustRevalidate(h http.Header) bool {
	return directivesOf(h, "Cache-Control").has("must-revalidate", "proxy-revalidate", "s-maxage")
}

// hasTrailers reports whether a handler has set trailers that it had not announced.
func hasTrailers(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

// whole reports whether a body is as long as its header says.
func whole(h http.Header, body int) bool {
	for _, text := range values(h, "Content-Length") {
		if n, err := strconv.Atoi(strings.TrimSpace(text)); err != nil || n != body {
			return false
		}
	}
	return true
}
