package webhook

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"time"
)

const defaultReplays = 100_000

// MemoryReplays is a [ReplayChecker] in the memory of one process: it knows nothing of
// messages that other processes handled, or this one before it was restarted.
type MemoryReplays struct {
	limit int

	mu      sync.Mutex
	entries map[replayKey]*replayEntry
	done    replayHeap // the handled ones, that which expires first at the top
}

type replayKey struct{ sender, id string }

// A replayEntry is a message that is in progress, or that was handled.
type replayEntry struct {
	key   replayKey
	until time.Time
	done  bool
}

// NewMemoryReplays returns a MemoryReplays that remembers up to limit messages; 0 means
// 100,000, which takes some 20 MB. When it is full, it forgets the message that would
// expire first. The limit should be above what arrives within twice the tolerance: a
// message that is forgotten earlier can be replayed. Messages in progress count, and are
// never forgotten: when there are no others, Claim returns an error.
func NewMemoryReplays(limit int) *MemoryReplays {
	if limit <= 0 {
		limit = defaultReplays
	}
	return &MemoryReplays{limit: limit, entries: map[replayKey]*replayEntry{}}
}

var errReplaysFull = errors.New("webhook: as many messages are in progress as NewMemoryReplays was told to remember; give it a higher limit")

// Claim implements ReplayChecker.
func (m *MemoryReplays) Claim(_ context.Context, sender, id string, until time.Time) (ReplayClaim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for len(m.done) > 0 && !now.Before(m.done[0].until) {
		m.forgetFirst()
	}
	key := replayKey{sender, id}
	if e, ok := m.entries[key]; ok {
		if e.done {
			return nil, ErrDuplicate
		}
		return nil, ErrInProgress
	}
	if len(m.entries) >= m.limit {
		if len(m.done) == 0 {
			return nil, errReplaysFull
		}
		m.forgetFirst()
	}
	e := &replayEntry{key: key, until: until}
	m.entries[key] = e
	return &memoryClaim{replays: m, entry: e}, nil
}

func (m *MemoryReplays) forgetFirst() {
	e := heap.Pop(&m.done).(*replayEntry)
	delete(m.entries, e.key)
}

type memoryClaim struct {
	replays *MemoryReplays
	entry   *replayEntry // nil when it is settled
}

// Done implements ReplayClaim.
func (c *memoryClaim) Done(context.Context) error {
	return c.settle(func(m *MemoryReplays, e *replayEntry) {
		e.done = true
		heap.Push(&m.done, e)
	})
}

// Release implements ReplayClaim.
func (c *memoryClaim) Release(context.Context) error {
	return c.settle(func(m *MemoryReplays, e *replayEntry) { delete(m.entries, e.key) })
}

var errClaimSettled = errors.New("webhook: the claim of a message is settled twice")

func (c *memoryClaim) settle(end func(*MemoryReplays, *replayEntry)) error {
	c.replays.mu.Lock()
	defer c.replays.mu.Unlock()
	if c.entry == nil {
		return errClaimSettled
	}
	end(c.replays, c.entry)
	c.entry = nil
	return nil
}

// replayHeap implements heap.Interface.
type replayHeap []*replayEntry

func (h replayHeap) Len() int           { return len(h) }
func (h replayHeap) Less(i, j int) bool { return h[i].until.Before(h[j].until) }
func (h replayHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *replayHeap) Push(x any)        { *h = append(*h, x.(*replayEntry)) }

func (h *replayHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}
