package queue

import (
	"fmt"
	"maps"
	"sync"
	"time"
)

// localQueue is one named queue in one process: what waits here to be run, and how
// much may run.
type localQueue struct {
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

func newLocalQueue(name string, limit int) *localQueue {
	return &localQueue{name: name, limit: limit, freed: make(chan struct{}, 1)}
}

const (
	maxBatch = 500
	// ahead is how much work is claimed before it can be run: enough for a
	// claim's round trip, and little to give back or to keep from others.
	ahead = 20 * time.Millisecond
)

// wanted is how many rows to claim now.
func (q *localQueue) wanted() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.paused {
		return 0
	}
	target := q.limit + q.prefetch()
	have := q.running + len(q.buffer)
	if len(q.buffer) > 0 && target-have < target/2 {
		return 0 // fewer, larger claims
	}
	return min(max(target-have, 0), maxBatch)
}

// prefetch is how many rows to have beyond those that run: none while handlers
// take their time.
func (q *localQueue) prefetch() int {
	if q.average == 0 || q.average >= ahead {
		return 0
	}
	return min(int(ahead/max(q.average, time.Microsecond))*q.limit, 2*maxBatch)
}

// add takes what was claimed, and returns what should begin at once.
func (q *localQueue) add(claims []*claim) (begin []*claim) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.buffer = append(q.buffer, claims...)
	for q.running < q.limit && len(q.buffer) > 0 && !q.closed {
		begin = append(begin, q.pop())
		q.running++
	}
	return begin
}

func (q *localQueue) pop() *claim {
	c := q.buffer[0]
	q.buffer[0] = nil
	q.buffer = q.buffer[1:]
	return c
}

// next ends one handler and begins another, if one waits.
func (q *localQueue) next(took time.Duration) *claim {
	q.mu.Lock()
	defer q.mu.Unlock()
	took = max(took, time.Microsecond)
	if q.average == 0 {
		q.average = took
	}
	q.average += (took - q.average) / 8
	q.signal()
	if len(q.buffer) > 0 && !q.closed {
		return q.pop()
	}
	q.running--
	return nil
}

func (q *localQueue) signal() {
	select {
	case q.freed <- struct{}{}:
	default:
	}
}

func (q *localQueue) setPaused(on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.paused != on {
		q.paused = on
		q.signal()
	}
}

func (q *localQueue) isPaused() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.paused
}

// close begins nothing more, and gives what has not begun.
func (q *localQueue) close() []*claim {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	rest := q.buffer
	q.buffer = nil
	return rest
}

// localQueues makes the local queues that the options ask for.
func localQueues(s *shape, opts *Options) ([]*localQueue, error) {
	if len(s.queues) == 0 {
		if len(opts.Queues) > 0 {
			return nil, fmt.Errorf("queue: %s has no named queues, and the options name some", s.name)
		}
		return []*localQueue{newLocalQueue("", opts.Concurrency)}, nil
	}
	rest := maps.Clone(opts.Queues)
	var locals []*localQueue
	for _, q := range s.queues {
		n, chosen := opts.Queues[q.Name]
		delete(rest, q.Name)
		if opts.Queues != nil && !chosen {
			continue
		}
		for _, or := range []int{q.Concurrency, opts.Concurrency} {
			if n == 0 {
				n = or
			}
		}
		locals = append(locals, newLocalQueue(q.Name, n))
	}
	for name := range rest {
		return nil, fmt.Errorf("queue: %s has no queue %q", s.name, name)
	}
	return locals, nil
}
