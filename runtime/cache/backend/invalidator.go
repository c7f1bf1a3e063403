package backend

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
	"weak"
)

// Invalidator is what the caches of one process on one table share: who keeps what in
// memory, what was changed, and how entries were used. A backend has one.
type Invalidator struct {
	// Now, where it is set, is the clock by which entries in memory end, in
	// nanoseconds; nil: this process's, which never steps.
	Now func() int64
	// Origin is this process among those that notify each other of changes.
	Origin int64
	// Hits counts how entries are used.
	Hits *HitCounter

	epochs [1024]atomic.Uint64 // by hash: how often something of that kind was forgotten

	mu        sync.Mutex
	memories  []weak.Pointer[Memory]
	following bool
	beginning bool // someone is about to follow

	evicted, expired atomic.Int64
}

// Memory is what one cache keeps in memory, or is about to, without its type. The
// invalidator holds it weakly: a cache that no one has any more takes it along.
type Memory struct {
	Forget, ForgetRemote       func(hash uint64) // of what this process has changed, and of what another one has
	ForgetAll, ForgetAllRemote func()
}

// NewInvalidator returns an Invalidator. write records the hits of entries.
func NewInvalidator(write func(context.Context, []KeyHits) error) *Invalidator {
	return &Invalidator{Origin: int64(rand.Uint64() >> 1), Hits: newHitCounter(write)}
}

// began is when the clock of entries in memory starts.
var began = time.Now()

// Clock returns the moment by the clock of entries in memory, in nanoseconds.
func (h *Invalidator) Clock() int64 {
	if h.Now != nil {
		return h.Now()
	}
	return int64(time.Since(began))
}

// Join has m forget what is changed, until no one else refers to it.
func (h *Invalidator) Join(m *Memory) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.memories = append(h.memories, weak.Make(m))
}

func (h *Invalidator) each(fn func(*Memory)) {
	h.mu.Lock()
	kept := h.memories[:0]
	all := make([]*Memory, 0, len(h.memories))
	for _, w := range h.memories {
		if m := w.Value(); m != nil {
			kept, all = append(kept, w), append(all, m)
		}
	}
	clear(h.memories[len(kept):])
	h.memories = kept
	h.mu.Unlock()
	for _, m := range all {
		fn(m)
	}
}

func (h *Invalidator) epochOf(hash uint64) *atomic.Uint64 {
	return &h.epochs[hash%uint64(len(h.epochs))]
}

// Epoch changes whenever the entry with a hash, or one like it, is forgotten.
// What was read or written under an epoch may be kept in memory only while the
// epoch is the same.
func (h *Invalidator) Epoch(hash uint64) uint64 { return h.epochOf(hash).Load() }

// Forget removes entries from the memory of every cache: something else is
// committed now. The epoch is raised first, so that what was read before and is
// kept after is found out.
func (h *Invalidator) Forget(hashes []uint64) {
	h.raise(hashes)
	h.each(func(m *Memory) {
		for _, hash := range hashes {
			m.Forget(hash)
		}
	})
}

// ForgetRemote is Forget for what another process has changed: it was committed some
// time ago, and what this process has begun since then may be from before it.
func (h *Invalidator) ForgetRemote(hashes []uint64) {
	h.raise(hashes)
	h.each(func(m *Memory) {
		for _, hash := range hashes {
			m.ForgetRemote(hash)
		}
	})
}

func (h *Invalidator) raise(hashes []uint64) {
	var raised [len(h.epochs) / 64]uint64
	for _, hash := range hashes {
		at := hash % uint64(len(h.epochs))
		if bit := uint64(1) << (at % 64); raised[at/64]&bit == 0 {
			raised[at/64] |= bit
			h.epochs[at].Add(1)
		}
	}
}

// ForgetAll empties the memory of every cache.
func (h *Invalidator) ForgetAll() {
	h.raiseAll()
	h.each(func(m *Memory) { m.ForgetAll() })
}

// ForgetAllRemote is ForgetAll for changes of other processes, also of those that may
// have been missed.
func (h *Invalidator) ForgetAllRemote() {
	h.raiseAll()
	h.each(func(m *Memory) { m.ForgetAllRemote() })
}

func (h *Invalidator) raiseAll() {
	for i := range h.epochs {
		h.epochs[i].Add(1)
	}
}

// Begin is called before writes are sent, and remembers how things stand.
func (h *Invalidator) Begin(writes []*Write) {
	for _, w := range writes {
		w.hash = Hash(w.Key)
		w.epoch = h.Epoch(w.hash)
	}
}

// Commit is called when writes have been committed: what was in memory is
// forgotten, and the last write of each key is kept unless another was committed
// since Begin. Of two that pass here at once, the earlier one may be kept for a
// moment and is then found out by its epoch.
func (h *Invalidator) Commit(writes []*Write) {
	h.Forget(hashesOf(writes))
	last := make(map[uint64]*Write, len(writes))
	for _, w := range writes {
		last[w.hash] = w
	}
	for _, w := range last {
		if w.Keep == nil || h.Epoch(w.hash) != w.epoch+1 {
			continue
		}
		w.Keep()
		if h.Epoch(w.hash) != w.epoch+1 {
			h.each(func(m *Memory) { m.Forget(w.hash) })
		}
	}
}

func hashesOf(writes []*Write) []uint64 {
	hashes := make([]uint64, len(writes))
	for i, w := range writes {
		hashes[i] = w.hash
	}
	return hashes
}

// Gone counts entries that Expire and Evict removed.
func (h *Invalidator) Gone(expired, evicted int64) {
	h.expired.Add(expired)
	h.evicted.Add(evicted)
}

// Removed returns how many entries Expire and Evict have removed.
func (h *Invalidator) Removed() (expired, evicted int64) {
	return h.expired.Load(), h.evicted.Load()
}

// Follow makes sure that the invalidator follows what other processes change, and
// reports whether it does: until then nothing may be kept in memory. A caller that
// comes while another one begins to follow does not wait: where the backend is
// away, all would in turn.
func (h *Invalidator) Follow(ctx context.Context, b Backend) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.following || h.beginning {
		return h.following
	}
	h.beginning = true
	h.mu.Unlock()
	following := b.Follow(ctx) == nil
	h.mu.Lock()
	h.beginning, h.following = false, following
	return following
}
