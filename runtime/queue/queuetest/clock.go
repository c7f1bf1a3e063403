package queuetest

import (
	"sync"
	"time"
)

// Clock is a clock that moves when a test says so. Its Now is for
// generated.Options.Now, which the database's statements then go by as well. A
// Clock is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock gives a clock that stands at start, or where that is zero, at the
// present; in UTC and whole microseconds, as databases keep it.
func NewClock(start time.Time) *Clock {
	if start.IsZero() {
		start = time.Now()
	}
	return &Clock{now: start.UTC().Truncate(time.Microsecond)}
}

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d, which may be negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
