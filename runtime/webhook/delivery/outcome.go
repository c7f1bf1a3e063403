package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/webhook/protocol"
)

// schedule is how long a delivery waits after each failed attempt; the last one repeats.
var schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
}

// backoff is the schedule with a jitter that only lengthens it: an endpoint that asked for a
// pause by Retry-After must not be asked again before.
func backoff(n int) time.Duration {
	d := schedule[min(max(n, 1), len(schedule))-1]
	return d + rand.N(d/5)
}

// outcome is what becomes of a delivery after an attempt.
type outcome struct {
	err   error         // nil: it was delivered
	final bool          // it is not tried again
	gone  bool          // the endpoint asked not to be called again
	delay time.Duration // until the next attempt, where it is not final
}

// settled returns the outcome as the queue takes it.
func (o outcome) settled() error {
	if o.final {
		return queue.Discard(o.err)
	}
	return queue.RetryAfter(o.delay, o.err)
}

// judge says what becomes of a delivery.
func (w *worker) judge(m *outgoing, res *egress.Response, err error, attempt int) outcome {
	if err != nil {
		return outcome{err: errors.New("webhook: " + m.secrets.In(err.Error())), final: !egress.Retryable(err), delay: w.delay(attempt, 0)}
	}
	o := outcome{err: fmt.Errorf("webhook: the endpoint answered %d %s", res.Status, http.StatusText(res.Status))}
	switch {
	case res.Status >= 200 && res.Status < 300:
		return outcome{}
	case res.Status == http.StatusGone:
		o.final, o.gone = true, true
	case res.Status == http.StatusTooManyRequests, res.Status == http.StatusRequestTimeout, res.Status >= 500:
		o.delay = w.delay(attempt, egress.RetryAfter(res.Header.Get("Retry-After"), w.db.Clock()))
	default:
		o.final = true
	}
	return o
}

// delay is the greater of the schedule's and what the endpoint asked for.
func (w *worker) delay(attempt int, asked time.Duration) time.Duration {
	next := w.opts.Backoff
	if next == nil {
		next = backoff
	}
	return max(next(attempt), min(asked, w.opts.MaxRetryAfter))
}

// describe fills in what the endpoint answered, as the log keeps it.
func (w *worker) describe(a *Attempt, m *outgoing, res *egress.Response, failed error) {
	if failed != nil {
		a.Error = printable(failed.Error(), protocol.MaxError)
	}
	if res == nil {
		return
	}
	if res.Status >= 100 { // less is no status of HTTP, and the log has none
		a.Status = int64(res.Status)
	}
	redacted := m.secrets.In
	if res.Truncated {
		redacted = m.secrets.InCut
	}
	a.ResponseBody = printable(redacted(string(res.Body)), protocol.MaxResponse)
	a.ResponseHeaders = m.headers(res.Header)
}

// headers returns a response's headers as JSON, without cookies.
func (m *outgoing) headers(h http.Header) []byte {
	out, size := map[string]string{}, 0
	for _, name := range sortedKeys(h) {
		value := printable(m.secrets.In(strings.Join(h[name], ", ")), 1000)
		if name == "Set-Cookie" || size+len(name)+len(value) > protocol.MaxShownHeaders {
			continue
		}
		out[printable(name, 200)], size = value, size+len(name)+len(value)
	}
	text, err := json.Marshal(out)
	if err != nil { // texts alone are in it
		return nil
	}
	return text
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
