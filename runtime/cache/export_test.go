package cache

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// Waiting is how many wait for the flight of a key.
func Waiting[V any](c *Cache[V], key string) int {
	_, hash, _ := c.key(key)
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	if f := c.flights.byHash[hash]; f != nil {
		return f.waiters
	}
	return 0
}

// Alike gives two keys of 16 characters with the same hash: two first words, and
// a second one that makes up for the difference and is readable.
func Alike() (string, string) {
	mixed := func(first string) uint64 {
		const a, b = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
		return fold(uint64(16)^a^binary.LittleEndian.Uint64([]byte(first)), b)
	}
	const first, second = "aaaaaaaa", "bbbbbbbb"
	for i := range 1_000_000 {
		other := fmt.Sprintf("%08d", i)
		difference := mixed(first) ^ mixed(other)
		match := string(binary.LittleEndian.AppendUint64(nil, binary.LittleEndian.Uint64([]byte(second))^difference))
		if plainASCII(match) {
			return first + second, other + match
		}
	}
	return "", ""
}

// ChangeReader reads what other processes have changed when a test says so.
type ChangeReader = changeReader

// ReadByHand returns a change reader in place of the one that a cache on b would
// start by itself.
func ReadByHand(b Backend) *ChangeReader {
	t := b.(*table)
	t.shared.invalidator.mu.Lock()
	defer t.shared.invalidator.mu.Unlock()
	t.shared.invalidator.following = true
	return t.changeReader()
}

// Begin is what Follow does first.
func (r *changeReader) Begin(ctx context.Context) error { return r.begin(ctx) }

// Read is one look.
func (r *changeReader) Read(ctx context.Context) error { return r.read(ctx) }

// Gaps is the number of missing rows that are waited for.
func (r *changeReader) Gaps() int { return len(r.gaps.all) }

// Last is the greatest id that was read.
func (r *changeReader) Last() int64 { return r.last }

// SetWall says when, by the wall clock, reading last went well.
func (r *changeReader) SetWall(ago time.Duration) { r.wall = r.wall.Add(-ago) }

// SpecOf returns what generated code says of the cache that b is.
func SpecOf(b Backend) *Spec { return b.(*table).spec }

// InMemory reports whether memory holds something of a key, if only that there is
// nothing.
func InMemory[V any](c *Cache[V], key string) bool {
	stored, hash, _ := c.key(key)
	return c.memory.get(stored, hash) != nil
}
