package cache

import (
	"context"
	"sync/atomic"
	"time"
)

// counters are what a cache has done since it was made.
type counters struct {
	memoryHits, hits, stale, misses, undecodable, unsealed, errors, sets atomic.Int64
	loads, loadErrors, loadNanos, discarded                              atomic.Int64
}

// Stats are what a cache of this process has done since it was made.
type Stats struct {
	MemoryHits  int64 // found in memory
	BackendHits int64 // found in the backend
	StaleHits   int64 // of Fetch: returned although the time to live had ended
	Misses      int64 // found nowhere
	Undecodable int64 // of them: there was a value that does not decode
	Unsealed    int64 // of those, in an encrypted cache: it was not encrypted, or not for where it stands
	Errors      int64 // failures of the backend that became misses
	Sets        int64 // values written by Set, SetMany and Add

	Loads      int64         // calls of a load
	LoadErrors int64         // of them that failed
	LoadTime   time.Duration // of all of them
	Discarded  int64         // loaded values that were invalidated meanwhile

	// Of the whole table, by this process:
	Expired int64 // entries that were removed because their time was over
	Evicted int64 // entries that were removed because there were too many

	MemoryEntries, MemoryBytes int64 // in memory now, about
}

// HitRate is the share of reads that found a value, from 0 to 1.
func (s Stats) HitRate() float64 {
	hits := s.MemoryHits + s.BackendHits + s.StaleHits
	if hits+s.Misses == 0 {
		return 0
	}
	return float64(hits) / float64(hits+s.Misses)
}

// Stats returns what the cache has done. It reads memory alone.
func (c *Cache[V]) Stats() Stats {
	c.invalidator.Hits.Collect()
	n := &c.stats
	s := Stats{
		MemoryHits: n.memoryHits.Load(), BackendHits: n.hits.Load(), StaleHits: n.stale.Load(), Misses: n.misses.Load(),
		Undecodable: n.undecodable.Load(), Unsealed: n.unsealed.Load(), Errors: n.errors.Load(), Sets: n.sets.Load(),
		Loads: n.loads.Load(), LoadErrors: n.loadErrors.Load(), LoadTime: time.Duration(n.loadNanos.Load()), Discarded: n.discarded.Load(),
	}
	s.Expired, s.Evicted = c.invalidator.Removed()
	if c.memory != nil {
		entries, bytes := c.memory.bytes()
		s.MemoryEntries, s.MemoryBytes = int64(entries), bytes
	}
	return s
}

// Size asks the backend for the number of entries and the bytes of their keys
// and values. In a database it reads the whole table.
func (c *Cache[V]) Size(ctx context.Context) (entries, bytes int64, err error) {
	if c.wrong != nil {
		return 0, 0, c.wrong
	}
	return c.b.Size(ctx)
}
