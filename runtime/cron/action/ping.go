package action

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/egress/redact"
)

// maxPing is how many bytes of a run's output are sent with a ping, as much as healthchecks.io keeps
// in its smallest plan.
const maxPing = 10_000

// pingTries is how often a ping is sent at most: one that is lost is an alarm.
const pingTries = 2

// Pings notify outside monitors, such as healthchecks.io, of how runs ended.
type Pings struct{ client *egress.Client }

// Pinger returns what pings through a client.
func Pinger(client *egress.Client) *Pings { return &Pings{client} }

// Ping notifies a monitor that a run has ended, and how:
//
//	the URL                                     success            failure
//	with status=up in its query (Uptime Kuma)   GET it             GET it with status=down
//	with state=complete (Cronitor)              GET it             GET it with state=fail
//	any other (healthchecks.io)                 POST the output    POST the output to its path + /fail
//
// The rest of the query stays. A ping that may not have arrived is sent once more. An error has nothing of the
// URL but its host; the caller logs it, and the run stays what it is.
func (p *Pings) Ping(ctx context.Context, rawURL string, ok bool, output string) error {
	req, err := pingRequest(rawURL, ok, output)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		res, err := p.client.Do(ctx, req)
		retry := egress.Retryable(err)
		if err == nil {
			if res.Status >= 200 && res.Status < 300 {
				return nil
			}
			retry = retried(res.Status)
			err = fmt.Errorf("the monitor answered %d %s", res.Status, http.StatusText(res.Status))
		}
		if try == pingTries || !retry || ctx.Err() != nil {
			return fmt.Errorf("cron: ping: %s", redact.URL(rawURL).In(err.Error()))
		}
	}
}

// states are the parameters by which monitors take the outcome, and their values.
var states = []struct{ name, success, failure string }{
	{"status", "up", "down"},
	{"state", "complete", "fail"},
}

func pingRequest(raw string, ok bool, output string) (egress.Request, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return egress.Request{}, errors.New("cron: ping: the URL is malformed") // the error of package url repeats it
	}
	u.Fragment = ""
	req := egress.Request{Header: http.Header{"User-Agent": {userAgent}}}
	query := u.Query()
	for _, s := range states {
		if query.Get(s.name) != s.success {
			continue
		}
		if !ok {
			query.Set(s.name, s.failure)
			u.RawQuery = query.Encode()
		}
		req.URL = u.String()
		return req, nil
	}
	if !ok {
		u = u.JoinPath("fail")
	}
	req.Method, req.URL, req.Body = http.MethodPost, u.String(), []byte(printable(output, maxPing))
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	return req, nil
}
