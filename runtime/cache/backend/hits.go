package backend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A read is never a write: how often entries were used is counted in memory and
// written in batches.
const (
	flushEvery = 10 * time.Second // after the first use that is not written
	flushBatch = 500              // entries of one write
	maxCounted = 100_000          // entries that are counted between two flushes; the others are not
)

// HitCounter counts the hits of entries, until that is flushed. An Invalidator has
// one.
type HitCounter struct {
	write  func(context.Context, []KeyHits) error
	shards [16]hitShard
	due    atomic.Bool // a flush is coming
	flush  sync.Mutex  // held while one runs
}

type hitShard struct {
	mu   sync.Mutex
	hits map[string]int64 // of entries that were read from the backend
	kept []*EntryHits     // entries in memory that were hit since the last flush
	_    [16]byte         // a cache line for each
}

// EntryHits counts the hits of one entry that is kept in memory.
type EntryHits struct {
	Key   string
	Total *atomic.Int64 // of the cache that keeps it; Collect adds to it

	hits atomic.Int64
}

func newHitCounter(write func(context.Context, []KeyHits) error) *HitCounter {
	u := &HitCounter{write: write}
	for i := range u.shards {
		u.shards[i].hits = map[string]int64{}
	}
	return u
}

// Read counts one hit of an entry that was read from the backend.
func (u *HitCounter) Read(key string, hash uint64) {
	u.add(key, hash, 1)
	u.soon()
}

func (u *HitCounter) add(key string, hash uint64, hits int64) {
	s := &u.shards[hash>>60]
	s.mu.Lock()
	if n, ok := s.hits[key]; ok || len(s.hits) < maxCounted/len(u.shards) {
		s.hits[key] = n + hits
	}
	s.mu.Unlock()
}

// Hit counts one hit of an entry in memory.
func (u *HitCounter) Hit(e *EntryHits, hash uint64) {
	if e.hits.Add(1) > 1 {
		return // it waits for the flush already
	}
	s := &u.shards[hash>>60]
	s.mu.Lock()
	s.kept = append(s.kept, e)
	s.mu.Unlock()
	u.soon()
}

// soon has a flush come, if none does.
func (u *HitCounter) soon() {
	if u.due.Load() || !u.due.CompareAndSwap(false, true) {
		return
	}
	time.AfterFunc(flushEvery, func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushEvery)
		defer cancel()
		_ = u.Flush(ctx) // what could not be written waits for the next use
	})
}

// Flush writes what was counted. What could not be written waits for the next time.
// The end of ctx does not break a write off: it could have been done all the same,
// and would be done again.
func (u *HitCounter) Flush(ctx context.Context) error {
	u.flush.Lock()
	defer u.flush.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushEvery)
	defer cancel()
	u.due.Store(false)
	var failed error
	for batch := range slices.Chunk(u.take(), flushBatch) {
		if err := u.write(ctx, batch); err != nil {
			failed = errors.Join(failed, err)
			u.giveBack(batch)
		}
	}
	return failed
}

func (u *HitCounter) giveBack(batch []KeyHits) {
	for _, one := range batch {
		u.add(one.Key, Hash(one.Key), one.Hits)
	}
}

// Collect adds up the hits of entries in memory.
func (u *HitCounter) Collect() {
	for i := range u.shards {
		s := &u.shards[i]
		s.mu.Lock()
		for _, e := range s.kept {
			n := e.hits.Swap(0)
			e.Total.Add(n)
			s.hits[e.Key] += n
		}
		s.kept = nil
		s.mu.Unlock()
	}
}

// take returns what was counted, in the order of the keys, and forgets it: two
// processes that flush at once lock rows in one order.
func (u *HitCounter) take() []KeyHits {
	u.Collect()
	var out []KeyHits
	for i := range u.shards {
		s := &u.shards[i]
		s.mu.Lock()
		for key, n := range s.hits {
			out = append(out, KeyHits{key, n})
		}
		clear(s.hits)
		s.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b KeyHits) int { return strings.Compare(a.Key, b.Key) })
	return out
}
