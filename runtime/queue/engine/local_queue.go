package engine

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
)

// localQueue is one named queue in one process: it buffers claims that wait for a
// place, and knows how many handlers may run.
type localQueue struct {
	name  string
	limit int
	bytes int64 // that the claims may take

	mu      sync.Mutex
	running int
	buffer  []*claim
	closed  bool
	paused  bool
	average time.Duration // how long recent handlers ran; 0: not known
	size    int64         // how large recent rows were, in bytes
	freed   chan struct{} // signals that there may be room
}

// newLocalQueue returns a local queue with so many places, whose claims may take so much
// memory. Of rows whose size is not known yet it claims few.
func newLocalQueue(name string, limit int, bytes int64) *localQueue {
	return &localQueue{name: name, limit: limit, bytes: bytes, size: max(bytes/firstClaim, 1), freed: make(chan struct{}, 1)}
}

const (
	maxBatch = 500
	// maxPrefetch is how many claims wait for a place at most.
	maxPrefetch = 2 * maxBatch
	// firstClaim is how many rows are claimed at first, at most.
	firstClaim = 4
	// ahead is how much work is claimed before it can run: enough for the round trip
	// of a claim, and little to release at a stop or to keep from other processes.
	ahead = 20 * time.Millisecond
)

// wanted returns how many rows to claim now.
func (q *localQueue) wanted() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.paused {
		return 0
	}
	target := min(q.limit+q.prefetch(), max(1, int(q.bytes/q.size)))
	have := q.running + len(q.buffer)
	if len(q.buffer) > 0 && target-have < target/2 {
		return 0 // claim less often, and more at once
	}
	return min(max(target-have, 0), maxBatch)
}

// prefetch returns how many rows to claim beyond those that run: as many as handlers are
// likely to finish within ahead.
func (q *localQueue) prefetch() int {
	if q.average == 0 {
		return 0
	}
	return min(int(ahead*time.Duration(q.limit)/max(q.average, time.Microsecond)), maxPrefetch)
}

// add buffers claims, and returns those to start at once.
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

// measure takes in the size of rows that were claimed. A larger one counts at once.
func (q *localQueue) measure(size int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	size = max(size, 1)
	q.size = max(size, q.size+(size-q.size)/4)
}

func (q *localQueue) pop() *claim {
	c := q.buffer[0]
	q.buffer[0] = nil
	q.buffer = q.buffer[1:]
	return c
}

// next frees the place of a handler that took so long, and returns the claim to start
// in it; nil if none waits.
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

// close stops the queue from starting claims, and returns those that have not started.
func (q *localQueue) close() []*claim {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	rest := q.buffer
	q.buffer = nil
	return rest
}

// localQueues returns the local queues that the options select.
func localQueues(s *shape, opts *queue.Options) ([]*localQueue, error) {
	if len(s.queues) == 0 {
		if len(opts.Queues) > 0 {
			return nil, fmt.Errorf("queue: %s has no named queues, and the options name some", s.name)
		}
		return []*localQueue{newLocalQueue("", opts.Concurrency, opts.ClaimBytes)}, nil
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
		locals = append(locals, newLocalQueue(q.Name, n, opts.ClaimBytes))
	}
	for name := range rest {
		return nil, fmt.Errorf("queue: %s has no queue %q", s.name, name)
	}
	return locals, nil
}
