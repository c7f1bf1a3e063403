package action

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/internal/near"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/egress/redact"
)

// Limits of a request.
const (
	maxHeaders    = 50
	maxExpect     = 1000             // bytes of expect.contains
	egressTimeout = 30 * time.Second // of egress.Options, where they say nothing
)

const idempotencyKey = "Idempotency-Key"

// methods are those that a request may have.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// httpConfig is the configuration of http.
type httpConfig struct {
	Method  string            `json:"method,omitempty"` // "": POST with a body, and GET without
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"` // a string is sent as it is, anything else as JSON
	Timeout *seconds          `json:"timeout,omitempty"`
	Expect  *expect           `json:"expect,omitempty"`
}

// expect is what an answer must be, beside its status or in place of it.
type expect struct {
	Status   []int  `json:"status,omitempty"` // empty: 200 to 299
	Contains string `json:"contains,omitempty"`
}

// seconds is a duration, which people write as 30 or as "30s".
type seconds time.Duration

// UnmarshalJSON reads a number of seconds, or a text of package time.
func (s *seconds) UnmarshalJSON(data []byte) error {
	var n float64
	if json.Unmarshal(data, &n) == nil && n < 1e6 && n > -1e6 {
		*s = seconds(n * float64(time.Second))
		return nil
	}
	var text string
	if json.Unmarshal(data, &text) == nil {
		if d, err := time.ParseDuration(text); err == nil {
			*s = seconds(d)
			return nil
		}
	}
	return errors.New(`a duration is a number of seconds, such as 30, or a text such as "30s" or "2m"`)
}

// Validate checks what does not need the client's options.
func (c *httpConfig) Validate() error {
	return errors.Join(c.checkMethod(), c.checkHeaders(), c.checkExpect())
}

func (c *httpConfig) checkMethod() error {
	switch {
	case c.Method == "":
		return nil
	case !slices.Contains(methods, c.Method):
		if name := near.Name(c.Method, methods); name != "" {
			return wrong("method", "is %q; is %s meant?", c.Method, name)
		}
		return wrong("method", "is %q; write one of %s", c.Method, strings.Join(methods, ", "))
	case c.hasBody() && (c.Method == http.MethodGet || c.Method == http.MethodHead):
		return wrong("body", "is there, and a %s has none; remove it, or write POST as the method", c.Method)
	}
	return nil
}

// checkHeaders checks the headers. No message has a value in it.
func (c *httpConfig) checkHeaders() error {
	if len(c.Headers) > maxHeaders {
		return wrong("headers", "has %d headers, and %d are permitted", len(c.Headers), maxHeaders)
	}
	var failed []error
	canonical := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if err := egress.CheckHeader(name, c.Headers[name]); err != nil {
			failed = append(failed, wrong("headers", "cannot be sent: %s", message(err)))
		}
		if key := http.CanonicalHeaderKey(name); canonical[key] {
			failed = append(failed, wrong("headers", "has %s twice; remove one", key))
		} else {
			canonical[key] = true
		}
	}
	return errors.Join(failed...)
}

func (c *httpConfig) checkExpect() error {
	if c.Expect == nil {
		return nil
	}
	for i, status := range c.Expect.Status {
		if status < 200 || status > 599 {
			return wrong(fmt.Sprintf("expect.status[%d]", i), "is %d, and a status is from 200 to 599", status)
		}
	}
	if len(c.Expect.Contains) > maxExpect {
		return wrong("expect.contains", "has %d bytes, and %d are permitted", len(c.Expect.Contains), maxExpect)
	}
	return nil
}

// checkTimeout bounds the timeout by that of the client.
func (c *httpConfig) checkTimeout(o egress.Options) error {
	most := o.Timeout
	if most == 0 {
		most = egressTimeout
	}
	if c.Timeout == nil {
		return nil
	}
	if d := time.Duration(*c.Timeout); d <= 0 || d > most {
		return wrong("timeout", "is %s, and must be more than 0 and at most %s, which is cron.Options.Egress.Timeout", d, most)
	}
	return nil
}

func (c *httpConfig) hasBody() bool {
	body := bytes.TrimSpace(c.Body)
	return len(body) > 0 && !bytes.Equal(body, []byte("null"))
}

// request makes the request of a run.
func (c *httpConfig) request(key string) (egress.Request, redact.Secrets) {
	r := egress.Request{Method: c.Method, URL: c.URL, Header: http.Header{}}
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set(idempotencyKey, key)
	if c.hasBody() {
		r.Body = c.Body
		contentType := "application/json"
		var text string
		if json.Unmarshal(c.Body, &text) == nil {
			r.Body, contentType = []byte(text), "text/plain; charset=utf-8"
		}
		r.Header.Set("Content-Type", contentType)
	}
	if r.Method == "" {
		r.Method = http.MethodGet
		if c.hasBody() {
			r.Method = http.MethodPost
		}
	}
	secrets := redact.URL(c.URL)
	for name, value := range c.Headers {
		r.Header.Set(name, value)
		secrets = append(secrets, redact.Header(http.CanonicalHeaderKey(name), value)...)
	}
	return r, secrets
}

// message is an error without the name of the package that it comes from.
func message(err error) string {
	text := err.Error()
	for _, prefix := range []string{"egress: invalid: ", "egress: refused: ", "egress: "} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			return rest
		}
	}
	return text
}
