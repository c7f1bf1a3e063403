package cache

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/backend"
)

// Set writes a value under a key, for a time to live: 0 is Options.TTL. It
// replaces all of an entry that is there, its tags and the user's own fields
// too. The value belongs to the cache then: it may be returned to others from
// memory.
func (c *Cache[V]) Set(ctx context.Context, key string, value V, ttl time.Duration, opts ...Option) error {
	k, _, err := c.key(key)
	if err != nil {
		return err
	}
	s, err := settingOf(opts, c.limits)
	if err != nil {
		return err
	}
	w, err := c.prepare(ctx, k, value, ttl, s)
	if err != nil {
		return err
	}
	c.stats.sets.Add(1)
	return c.b.Put(ctx, []*backend.Write{w})
}

// SetMany writes values under keys: all, or none.
func (c *Cache[V]) SetMany(ctx context.Context, values map[string]V, ttl time.Duration, opts ...Option) error {
	if c.wrong != nil || len(values) == 0 {
		return c.wrong
	}
	s, err := settingOf(opts, c.limits)
	if err != nil {
		return err
	}
	writes := make([]*backend.Write, 0, len(values))
	for key, value := range values {
		k, _, err := c.key(key)
		if err != nil {
			return err
		}
		w, err := c.prepare(ctx, k, value, ttl, s)
		if err != nil {
			return err
		}
		writes = append(writes, w)
	}
	c.stats.sets.Add(int64(len(writes)))
	return c.b.Put(ctx, writes)
}

// prepare makes what the backend is to write.
func (c *Cache[V]) prepare(ctx context.Context, key string, value V, ttl time.Duration, s setting) (*backend.Write, error) {
	w := &backend.Write{Key: key, Tags: s.tags, Token: token(), Patch: s.patch}
	var err error
	if w.Life, w.Fresh, w.Slack, err = c.life(ttl); err != nil {
		return nil, err
	}
	until, err := c.until(ctx, w.Life)
	if err != nil {
		return nil, err
	}
	size, err := c.pack.pack(value, w, until)
	if err != nil {
		return nil, err
	}
	if c.memory != nil && c.root.listening(ctx) {
		hash, now := backend.Hash(key), c.invalidator.Clock()
		w.Keep = func() {
			c.memory.put(&kept[V]{hits: backend.EntryHits{Key: key, Total: &c.stats.memoryHits}, value: value}, hash, now, min(w.Fresh-w.Slack, c.opts.MemoryFor), w.Fresh-w.Slack, size)
		}
	}
	return w, nil
}

// Add writes a value unless there is one under the key that has not expired, and
// reports whether it did.
func (c *Cache[V]) Add(ctx context.Context, key string, value V, ttl time.Duration, opts ...Option) (bool, error) {
	k, _, err := c.key(key)
	if err != nil {
		return false, err
	}
	s, err := settingOf(opts, c.limits)
	if err != nil {
		return false, err
	}
	w, err := c.prepare(ctx, k, value, ttl, s)
	if err != nil {
		return false, err
	}
	added, err := c.b.Add(ctx, w)
	if added {
		c.stats.sets.Add(1)
	}
	return added, err
}

// Increment adds delta to the whole number under a key and returns the sum; where
// there is none, it makes one that lives for ttl. ErrNotNumber when the entry is
// something else. Two that do it at once both count. An entry is a whole number
// when Increment made it, or Set in a cache of int, int64 and the like.
func (c *Cache[V]) Increment(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	k, _, err := c.key(key)
	if err != nil {
		return 0, err
	}
	if len(c.pack.keys) > 0 {
		return 0, invalidf("a counter cannot be encrypted")
	}
	w := &backend.Write{Key: k, Format: backend.FormatInt, Number: delta, Token: token()}
	if w.Life, _, w.Slack, err = c.life(ttl); err != nil {
		return 0, err
	}
	w.Fresh = w.Life
	return c.b.Count(ctx, w)
}

// Touch lets an entry that has not expired live for ttl from now on, and reports
// whether there was one.
func (c *Cache[V]) Touch(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	k, _, err := c.key(key)
	if err != nil {
		return false, err
	}
	life, fresh, _, err := c.life(ttl)
	if err != nil {
		return false, err
	}
	reseal, err := c.resealer(ctx, k, life)
	if err != nil {
		return false, err
	}
	touched, err := c.b.Touch(ctx, k, life, fresh, reseal)
	if reseal != nil && unsealed(err) {
		c.refuse(ctx, "", err)
		return false, nil
	}
	return touched, err
}

// Delete removes what is under keys. A load of one that is running is not kept.
func (c *Cache[V]) Delete(ctx context.Context, keys ...string) error {
	stored := make([]string, 0, len(keys))
	for _, key := range keys {
		k, _, err := c.key(key)
		if err != nil {
			return err
		}
		stored = append(stored, k)
	}
	if len(stored) == 0 {
		return c.wrong
	}
	return c.b.Remove(ctx, stored)
}

// InvalidateTags removes the entries that have any of the tags, and returns their
// number. Loads with such a tag that are running are not kept. Outside a
// transaction it works in batches: another process may see some of the entries
// while it runs, and none when it has returned.
func (c *Cache[V]) InvalidateTags(ctx context.Context, tags ...string) (int64, error) {
	if c.wrong != nil {
		return 0, c.wrong
	}
	stored, err := storedTags(tags, c.limits.Tag)
	if err != nil || len(stored) == 0 {
		return 0, err
	}
	return c.b.RemoveTags(ctx, stored)
}

// InvalidatePrefix removes the entries whose keys start with prefix, in batches,
// and returns their number. Of keys that are too long to be kept as they are, more
// than those may go, and so may others when prefix ends within a character.
func (c *Cache[V]) InvalidatePrefix(ctx context.Context, prefix string) (int64, error) {
	if c.wrong != nil {
		return 0, c.wrong
	}
	if prefix == "" {
		return 0, invalidf("the prefix is empty; Clear removes everything")
	}
	return c.removePrefix(ctx, c.opts.Prefix+prefix)
}

func (c *Cache[V]) removePrefix(ctx context.Context, prefix string) (total int64, err error) {
	for _, s := range backend.PrefixRanges(prefix, c.limits.Key) {
		n, err := c.b.RemoveRange(ctx, s.From, s.To)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Clear removes every entry of the table, or, of a cache with a prefix, those
// with the prefix; in batches. It returns their number.
func (c *Cache[V]) Clear(ctx context.Context) (int64, error) {
	if c.wrong != nil {
		return 0, c.wrong
	}
	if c.opts.Prefix != "" {
		return c.removePrefix(ctx, c.opts.Prefix)
	}
	return c.b.Clear(ctx)
}

// CleanupExpired removes what has expired from the table, in small batches, and
// returns the number. The generated Run does it now and then.
func (c *Cache[V]) CleanupExpired(ctx context.Context) (int64, error) {
	if c.wrong != nil {
		return 0, c.wrong
	}
	return c.b.Expire(ctx)
}

// Evict counts the table's entries and, when they are over its bounds, removes
// those that were used least recently. It happens by itself as entries are
// written; this does it now. It returns their number.
func (c *Cache[V]) Evict(ctx context.Context) (int64, error) {
	if c.wrong != nil {
		return 0, c.wrong
	}
	return c.b.Evict(ctx)
}

// Flush writes the hits that were counted in memory. It happens some seconds
// after them by itself, and when Run ends.
func (c *Cache[V]) Flush(ctx context.Context) error { return c.invalidator.Hits.Flush(ctx) }
