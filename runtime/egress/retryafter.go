package egress

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// RetryAfter reads the value of a Retry-After header, a number of seconds or a date, as how long
// to wait from now; 0 where there is none, or it is neither. The caller bounds it.
func RetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) { // then it is the greatest
		return time.Duration(min(seconds, maxSeconds)) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil || !at.After(now) {
		return 0
	}
	return at.Sub(now)
}

// maxSeconds is more than any bound, and no overflow.
const maxSeconds = 10 * 365 * 24 * 3600
