package table

import (
	"errors"
	"testing"
	"time"
)

// Another clock is asked once a minute.
func TestClockOffset(t *testing.T) {
	var c clockOffset
	asked := 0
	ahead := func() (time.Time, error) { asked++; return time.Now().Add(time.Hour), nil }
	away := errors.New("away")
	if _, err := c.now(func() (time.Time, error) { return time.Time{}, away }); !errors.Is(err, away) {
		t.Errorf("a clock that cannot be read gives %v", err)
	}
	for range 3 {
		now, err := c.now(ahead)
		if off := time.Until(now) - time.Hour; err != nil || off < -time.Minute || off > time.Minute {
			t.Errorf("off by %s, %v", off, err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	c.asked = c.asked.Add(-2 * clockKept)
	if _, err := c.now(ahead); err != nil || asked != 2 {
		t.Errorf("asked %d times, %v", asked, err)
	}
}
