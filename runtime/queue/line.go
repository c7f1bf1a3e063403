package queue

import (
	"sync"
	"time"
)

// line is one named queue in one process: what waits here to be run, and how
// much may run.
type line struct {
	name  string
	limit int

	mu      sync.Mutex
	running int
	buffer  []*claim
	closed  bool
	paused  bool
	average time.Duration // of recent handlers; 0: not known
	freed   chan struct{} // that there may be room
}

func newLine(name string, limit int) *line {
	return &line{name: name, limit: limit, freed: make(chan struct{}, 1)}
}

const (
	maxBatch = 500
	// ahead is how much work is claimed before it can be run: enough for a
	// claim's round trip, and little to give back or to keep from others.
	ahead = 20 * time.Millisecond
)

// wanted is how many rows to claim now.
func (l *line) wanted() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.paused {
		return 0
	}
	target := l.limit + l.prefetch()
	have := l.running + len(l.buffer)
	if len(l.buffer) > 0 && target-have < target/2 {
		return 0 // fewer, larger claims
	}
	return min(max(target-have, 0), maxBatch)
}

// prefetch is how many rows to have beyond those that run: none while handlers
// take their time.
func (l *line) prefetch() int {
	if l.average == 0 || l.average >= ahead {
		return 0
	}
	return min(int(ahead/max(l.average, time.Microsecond))*l.limit, 2*maxBatch)
}

// add gives the line what was claimed, and takes back what should begin at once.
func (l *line) add(claims []*claim) (begin []*claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buffer = append(l.buffer, claims...)
	for l.running < l.limit && len(l.buffer) > 0 && !l.closed {
		begin = append(begin, l.pop())
		l.running++
	}
	return begin
}

func (l *line) pop() *claim {
	c := l.buffer[0]
	l.buffer[0] = nil
	l.buffer = l.buffer[1:]
	return c
}

// next ends one handler and begins another, if one waits.
func (l *line) next(took time.Duration) *claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	took = max(took, time.Microsecond)
	if l.average == 0 {
		l.average = took
	}
	l.average += (took - l.average) / 8
	l.signal()
	if len(l.buffer) > 0 && !l.closed {
		return l.pop()
	}
	l.running--
	return nil
}

func (l *line) signal() {
	select {
	case l.freed <- struct{}{}:
	default:
	}
}

func (l *line) pause(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paused != on {
		l.paused = on
		l.signal()
	}
}

func (l *line) isPaused() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.paused
}

// close begins nothing more, and gives what has not begun.
func (l *line) close() []*claim {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	rest := l.buffer
	l.buffer = nil
	return rest
}
