package action

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/egress/redact"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// userAgent is what requests of jobs say they are.
const userAgent = "modulagen-cron"

// maxShown is how many bytes of an answer stand in the run's output.
const maxShown = 8 << 10

// maxRetryAfter bounds how long an endpoint can have its next attempt wait.
const maxRetryAfter = 6 * time.Hour

// httpAction requests a URL.
type httpAction struct {
	db      *core.DB
	client  *egress.Client
	options egress.Options
}

// Check returns what is wrong with a request. Where its name leads is judged when it is sent.
func (a *httpAction) Check(config store.JSON) error {
	_, err := a.decode(config)
	return err
}

func (a *httpAction) decode(config store.JSON) (httpConfig, error) {
	c, err := cron.Decode[httpConfig](config)
	if err != nil {
		return c, err
	}
	if err := a.client.CheckURL(c.URL); err != nil {
		return c, &cron.ConfigError{Path: "url", Problem: "cannot be requested: " + message(err), Local: errors.Is(err, egress.ErrRefused)}
	}
	return c, c.checkTimeout(a.options)
}

// Run sends the request, and writes the start of the answer to the output.
func (a *httpAction) Run(ctx context.Context, r *cron.Run) error {
	c, err := a.decode(r.Config)
	if err != nil {
		return queue.Discard(err)
	}
	if c.Timeout != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*c.Timeout))
		defer cancel()
	}
	req, secrets := c.request(key(a.db, r))
	res, err := a.client.Do(ctx, req)
	if res != nil {
		show(r, res, secrets)
	}
	return a.judge(c, res, err, secrets)
}

// show writes an answer to the output.
func show(r *cron.Run, res *egress.Response, secrets redact.Secrets) {
	r.Printf("%d %s\n", res.Status, http.StatusText(res.Status))
	body := secrets.In(string(res.Body))
	if res.Truncated {
		body = secrets.InCut(string(res.Body))
	}
	shown := printable(body, maxShown)
	r.Printf("%s", shown)
	if res.Truncated || len(shown) < len(body) {
		r.Printf("\n...")
	}
}

// judge says what becomes of the run.
func (a *httpAction) judge(c httpConfig, res *egress.Response, err error, secrets redact.Secrets) error {
	if err != nil {
		failed := fmt.Errorf("cron: %s", secrets.In(err.Error()))
		if !egress.Retryable(err) {
			return queue.Discard(failed)
		}
		return failed
	}
	if !c.expected(res.Status) {
		failed := fmt.Errorf("cron: the endpoint answered %d %s", res.Status, http.StatusText(res.Status))
		if !retried(res.Status) {
			return queue.Discard(failed)
		}
		asked := min(egress.RetryAfter(res.Header.Get("Retry-After"), time.Now()), maxRetryAfter)
		if asked > 0 {
			return queue.RetryAfter(asked, failed)
		}
		return failed
	}
	if c.Expect != nil && c.Expect.Contains != "" && !bytes.Contains(res.Body, []byte(c.Expect.Contains)) {
		return fmt.Errorf("cron: the answer does not contain what expect.contains says, in its first %d bytes", len(res.Body))
	}
	return nil
}

func (c *httpConfig) expected(status int) bool {
	if c.Expect != nil && len(c.Expect.Status) > 0 {
		return slices.Contains(c.Expect.Status, status)
	}
	return status >= 200 && status < 300
}

// retried reports whether another attempt may be answered otherwise.
func retried(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

// key is the same for all attempts of a run, and for no other run: of another job, another instant,
// or another project that requests the same endpoint.
func key(db *core.DB, r *cron.Run) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%d\n%d\n%d\n%s", db.Name(), r.ID, r.JobID, r.Due.UnixMicro(), r.Config)
	return "cron-" + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// printable makes a text one that every database keeps, of at most so many bytes.
func printable(text string, most int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	if len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
