package delivery

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/webhook"
)

// tenYears is as long as RetryAfter returns, in seconds.
const tenYears = 10 * 365 * 24 * 3600

// FuzzRetryAfter holds that a header never makes a delivery wait less than the schedule, or
// longer than the bound, and that what RFC 9110 permits is read as it is meant.
func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, s := range []string{
		"", "0", "5", " 120 ", "-1", "+5", "1e9", "0x10", "1_000", "31536000", "18446744073709551615", strings.Repeat("9", 400),
		"Thu, 26 Nov 2026 12:00:05 GMT", "Thursday, 26-Nov-26 12:00:05 GMT", "Thu Nov 26 12:00:05 2026", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "soon",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		asked := egress.RetryAfter(value, now)
		if asked < 0 {
			t.Fatalf("%q is %s", value, asked)
		}
		trimmed := strings.TrimSpace(value)
		digits := trimmed != "" && strings.Trim(trimmed, "0123456789") == ""
		seconds, err := strconv.ParseFloat(trimmed, 64)
		at, dateErr := http.ParseTime(trimmed)
		switch {
		case digits && (err != nil || seconds > tenYears):
			if asked != tenYears*time.Second {
				t.Errorf("%q is %s", value, asked)
			}
		case digits:
			if asked != time.Duration(seconds)*time.Second {
				t.Errorf("%q is %s", value, asked)
			}
		case dateErr == nil:
			if asked != max(at.Sub(now), 0) {
				t.Errorf("%q is %s", value, asked)
			}
		case asked != 0:
			t.Errorf("%q is %s", value, asked)
		}
		for n := range 9 {
			least := schedule[min(max(n, 1), len(schedule))-1]
			w := &worker{opts: webhook.OptionsOf(webhook.Options{})}
			if d := w.delay(n, asked); d < least || d > max(least+least/5, w.opts.MaxRetryAfter) || asked <= w.opts.MaxRetryAfter && d < asked {
				t.Errorf("%q after attempt %d: %s, and %s was asked for", value, n, d, asked)
			}
		}
	})
}

// TestBackoff: jitter only lengthens, and no number of attempts is out of the schedule.
func TestBackoff(t *testing.T) {
	for _, n := range []int{math.MinInt, 0, 1, 7, 8, math.MaxInt} {
		for range 1000 {
			if d, least := backoff(n), schedule[min(max(n, 1), len(schedule))-1]; d < least || d >= least+least/5 {
				t.Fatalf("after attempt %d: %s", n, d)
			}
		}
	}
}
