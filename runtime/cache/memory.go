package cache

import (
	"math"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/hegner123/modulagen/runtime/cache/backend"
)

// memory is the first tier: decoded values, bounded by the bytes that they take
// encoded.
type memory[V any] struct {
	byHash      *otter.Cache[uint64, *kept[V]]
	invalidator *backend.Invalidator
	joined      *backend.Memory // the invalidator holds it weakly
}

// kept is an entry in memory.
type kept[V any] struct {
	hits   backend.EntryHits // of its key
	value  V
	none   bool  // it is known that there is nothing
	until  int64 // it is read again then
	fresh  int64 // it is stale then
	weight uint32
}

// keptOverhead is what an entry takes beside its value, about.
const keptOverhead = 200

func newMemory[V any](bytes int64, invalidator *backend.Invalidator) *memory[V] {
	byHash := otter.Must(&otter.Options[uint64, *kept[V]]{
		MaximumWeight: uint64(bytes),
		Weigher:       func(_ uint64, e *kept[V]) uint32 { return e.weight },
	})
	m := &memory[V]{byHash: byHash, invalidator: invalidator}
	forget := func(hash uint64) { byHash.Invalidate(hash) }
	m.joined = &backend.Memory{Forget: forget, ForgetRemote: forget, ForgetAll: byHash.InvalidateAll, ForgetAllRemote: byHash.InvalidateAll}
	invalidator.Join(m.joined)
	return m
}

// get returns an entry that may still be used. Another key with the same hash is
// not one.
func (m *memory[V]) get(key string, hash uint64) *kept[V] {
	e, ok := m.byHash.GetIfPresent(hash)
	if !ok || e.hits.Key != key || m.invalidator.Clock() >= e.until {
		return nil
	}
	return e
}

// put keeps an entry for a span from now on, which is when it was about to be
// read or written: it must not outlive its row.
func (m *memory[V]) put(e *kept[V], hash uint64, now int64, span, fresh time.Duration, size int) {
	if span <= 0 {
		return
	}
	e.until, e.fresh = now+int64(span), math.MaxInt64
	if fresh != Forever {
		e.fresh = now + int64(fresh)
	}
	e.weight = uint32(min(size+len(e.hits.Key)+keptOverhead, math.MaxInt32))
	m.byHash.Set(hash, e)
}

func (m *memory[V]) forget(hash uint64) { m.byHash.Invalidate(hash) }

// bytes is about how much is kept.
func (m *memory[V]) bytes() (entries int, bytes int64) {
	return m.byHash.EstimatedSize(), int64(m.byHash.WeightedSize())
}
