// Package redact masks what a request has that is secret, in what its endpoint answered and in
// errors: what a log keeps, and shows to people.
package redact

import (
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
)

// Lengths from which a value counts as a secret: shorter ones would be found everywhere. A
// part of a path has to be longer: words stand there as well.
const (
	leastSecret  = 8
	leastSegment = 16
)

// masked stands where a secret would.
const masked = "***"

// plainHeaders are headers whose values say nothing that is secret.
var plainHeaders = []string{"Accept", "Accept-Language", "Content-Type", "User-Agent"}

// Secrets are texts that no log may have.
type Secrets []string

// Header returns a header's value, and what stands behind its scheme. name is in its canonical
// form.
func Header(name, value string) Secrets {
	if slices.Contains(plainHeaders, name) {
		return nil
	}
	_, credentials, _ := strings.Cut(value, " ")
	return escaped(atLeast(leastSecret, value, credentials))
}

// URL returns what an endpoint may keep secret in its URL.
func URL(text string) Secrets {
	u, err := url.Parse(text)
	if err != nil {
		return nil // it is not sent
	}
	out := atLeast(leastSecret, u.RequestURI(), u.EscapedPath(), u.Path, u.RawQuery)
	for _, values := range u.Query() {
		out = append(out, atLeast(leastSecret, values...)...)
	}
	return escaped(append(out, atLeast(leastSegment, strings.Split(u.Path, "/")...)...))
}

// escaped returns the texts as they are sent, and as endpoints escape what they echo.
func escaped(list []string) (out Secrets) {
	for _, s := range list {
		plain := inJSON(s, false)
		for _, as := range [...]string{s, plain, inJSON(s, true), strings.ReplaceAll(plain, "/", `\/`), html.EscapeString(s), url.QueryEscape(s)} {
			if !slices.Contains(out, as) {
				out = append(out, as)
			}
		}
	}
	return out
}

func atLeast(n int, list ...string) (out []string) {
	for _, s := range list {
		if len(s) >= n {
			out = append(out, s)
		}
	}
	return out
}

// In masks secrets in what an endpoint answered, or an error has of it.
func (s Secrets) In(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, masked)
	}
	return text
}

// InCut is In of a text that goes on, perhaps in the middle of a secret.
func (s Secrets) InCut(text string) string {
	text = s.In(text)
	for _, secret := range s {
		for n := len(secret) - 1; n >= leastSecret/2; n-- {
			if rest, ok := strings.CutSuffix(text, secret[:n]); ok {
				return rest + masked
			}
		}
	}
	return text
}

// inJSON returns a text as it stands in JSON, with or without what HTML would read escaped.
func inJSON(s string, forHTML bool) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(forHTML)
	if err := e.Encode(s); err != nil { // texts have none
		return s
	}
	return b.String()[1 : b.Len()-len("\"\n")]
}
