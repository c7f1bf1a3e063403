package table

import (
	"sync"
	"time"
)

// clockOffset is by how much another clock differs from this process's.
type clockOffset struct {
	mu     sync.Mutex
	asked  time.Time // zero: never
	offset time.Duration
}

const clockKept = time.Minute

// now returns the moment by the other clock, which ask reads.
func (c *clockOffset) now(ask func() (time.Time, error)) (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	start := time.Now()
	if c.asked.IsZero() || start.Sub(c.asked) > clockKept {
		there, err := ask()
		if err != nil {
			return there, err
		}
		end := time.Now()
		c.asked, c.offset = end, there.Sub(start.Add(end.Sub(start)/2))
		start = end
	}
	return start.Add(c.offset), nil
}
