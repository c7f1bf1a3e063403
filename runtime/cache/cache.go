package cache

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Cache keeps values of one type under keys. Make one for each type and keep it;
// it is safe for concurrent use.
type Cache[V any] struct {
	*common[V]
	b     backend.Backend
	tx    bool
	wrong error // of the options, or of In
}

// common is what a cache and its copies in transactions share.
type common[V any] struct {
	root        *Cache[V]
	opts        Options
	limits      backend.Limits
	invalidator *backend.Invalidator
	pack        packer
	memory      *memory[V] // nil: none
	flights     flights[V]
	stats       counters
	logged      atomic.Int64 // when the last failure was logged
	followed    atomic.Bool
}

// Source is what New takes: a table of generated code whose datatype has a
// `cache:` section, of a database or of a transaction, or a cache server.
type Source interface{ CacheBackend() backend.Backend }

// New makes a cache in a table of generated code, db.CacheEntry, or on another
// backend. It reads nothing. Options that cannot be make every method fail; see
// Err. So does a V that holds a row with a secret, unless Options.Codec keeps the secret,
// which JSON leaves out and Gob does not, and Options.Keys encrypt it.
func New[V any](source Source, opts Options) *Cache[V] {
	b := source.CacheBackend()
	c := &Cache[V]{b: b, tx: b.InTx()}
	c.common = &common[V]{root: c, limits: b.Limits(), invalidator: b.Invalidator()}
	c.opts, c.wrong = opts.withDefaults()
	c.opts.Keys = nil // printing a cache shows what it keeps
	if c.wrong != nil {
		return c
	}
	c.pack = newPacker(reflect.TypeFor[V](), c.opts.Codec)
	c.pack.compress, c.pack.json = c.opts.Compress, c.limits.JSON
	c.pack.limit = cmp.Or(c.opts.MaxValue, c.limits.Value)
	if c.limits.Value > 0 {
		c.pack.limit = min(c.pack.limit, c.limits.Value)
	}
	c.pack.table = c.limits.Name
	if c.pack.keys, c.wrong = newSealers(opts.Keys); c.wrong != nil {
		return c
	}
	if c.wrong = secretsKept(reflect.TypeFor[V](), c.pack.isJSON, len(opts.Keys) > 0); c.wrong != nil {
		return c
	}
	c.pack.counts = c.pack.whole && c.pack.isJSON && len(c.pack.keys) == 0
	c.flights.init(c.invalidator)
	if c.opts.Memory > 0 {
		c.memory = newMemory[V](c.opts.Memory, c.invalidator)
	}
	return c
}

// secretsKept refuses values with secrets of rows, which memory and the backend would keep
// differently, or the backend in plain text.
func secretsKept(t reflect.Type, asJSON, encrypted bool) error {
	name, bare := core.SecretIn(t)
	if !bare {
		return nil
	}
	const own = "or cache a struct of your own without it"
	if asJSON {
		return invalidf("%s holds %s, which is secret, and JSON leaves it out: memory would return it and the backend would not; set Options.Codec to Gob() and Options.Keys, %s", t, name, own)
	}
	if !encrypted {
		return invalidf("%s holds %s, which is secret: set Options.Keys, which encrypt it, %s", t, name, own)
	}
	return nil
}

// In is the cache in a transaction: In(tx.CacheEntry). What it writes is seen by
// it at once, and by others when the transaction has committed. It reads the
// table, not memory, and a database error ends the transaction.
func (c *Cache[V]) In(source Source) *Cache[V] {
	in := &Cache[V]{common: c.common, b: source.CacheBackend(), wrong: c.wrong}
	in.tx = in.b.InTx()
	if in.b.Invalidator() != c.invalidator && in.wrong == nil {
		in.wrong = invalidf("In takes the table of the cache, %s, in a transaction of its database, not %s", c.limits.Name, in.b.Limits().Name)
	}
	return in
}

// Err returns what is wrong with the options; nil when nothing is.
func (c *Cache[V]) Err() error { return c.wrong }

// key returns a key in its stored form.
func (c *Cache[V]) key(key string) (string, uint64, error) {
	if c.wrong != nil {
		return "", 0, c.wrong
	}
	if key == "" {
		return "", 0, invalidf("the key is empty")
	}
	if c.opts.Prefix != "" {
		key = c.opts.Prefix + key
	}
	key = backend.StoredKey(key, c.limits.Key)
	return key, backend.Hash(key), nil
}

// Get returns the value under a key; false when there is none that has not
// expired, when it is known that there is nothing, and when the backend failed
// or took too long, which is counted and logged.
func (c *Cache[V]) Get(ctx context.Context, key string) (V, bool) {
	k, hash, err := c.key(key)
	if err != nil {
		c.failed(ctx, err)
		var none V
		return none, false
	}
	if e := c.remembered(k, hash); e != nil {
		return e.value, !e.none
	}
	f := c.read(ctx, k, hash)
	if f.state == isFresh {
		return f.value, true
	}
	var none V
	return none, false
}

// remembered looks into memory.
func (c *Cache[V]) remembered(key string, hash uint64) *kept[V] {
	if c.memory == nil || c.tx {
		return nil
	}
	e := c.memory.get(key, hash)
	if e != nil {
		c.invalidator.Hits.Hit(&e.hits, hash)
	}
	return e
}

// state is what a reading found.
type state uint8

const (
	isMissing state = iota
	isFresh
	isStale
	isNone   // it is known that there is nothing
	isBroken // the backend failed
)

// reading is what was found under a key.
type reading[V any] struct {
	state state
	value V
	fresh time.Duration // until it is stale; below zero since
	size  int           // bytes of the value, encoded
}

// read looks into the backend, and keeps in memory what it finds.
func (c *Cache[V]) read(ctx context.Context, key string, hash uint64) reading[V] {
	listening := c.listening(ctx)
	epoch, now := c.invalidator.Epoch(hash), c.invalidator.Clock()
	e, err := c.find(ctx, key)
	if err != nil {
		c.stats.misses.Add(1)
		if errors.Is(err, store.ErrNotFound) {
			return reading[V]{}
		}
		c.failed(ctx, err)
		return reading[V]{state: isBroken}
	}
	f := c.understand(ctx, key, &e)
	switch f.state {
	case isFresh, isNone:
		c.stats.hits.Add(1)
		c.invalidator.Hits.Read(key, hash)
		if listening {
			c.keep(&kept[V]{hits: backend.EntryHits{Key: key, Total: &c.stats.memoryHits}, value: f.value, none: f.state == isNone}, hash, epoch, now, e.Fresh, f.size)
		}
	default:
		c.stats.misses.Add(1)
	}
	return f
}

// find reads an entry within the time that a read may take.
func (c *Cache[V]) find(ctx context.Context, key string) (backend.Entry, error) {
	if c.tx {
		return c.b.Find(ctx, key)
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	return c.b.Find(ctx, key)
}

// understand makes a value of an entry.
func (c *Cache[V]) understand(ctx context.Context, key string, e *backend.Entry) (f reading[V]) {
	f.fresh = e.Fresh
	switch {
	case e.Format == backend.FormatLease || e.Life <= 0:
		return f
	case e.Format == backend.FormatNone && c.pack.isNone(key, e):
		f.state = isNone
		return f
	}
	var err error
	if f.size, err = c.pack.unpack(key, e, &f.value); err != nil {
		c.refuse(ctx, e.Format, err)
		return reading[V]{}
	}
	f.state = isFresh
	if e.Fresh <= 0 {
		f.state = isStale
	}
	return f
}

// refuse counts and logs a value that cannot be taken.
func (c *Cache[V]) refuse(ctx context.Context, format string, err error) {
	c.stats.undecodable.Add(1)
	if len(c.pack.keys) > 0 && unsealed(err) {
		c.stats.unsealed.Add(1)
	}
	c.log(ctx, "a value does not decode and is a miss", "format", format, "error", err)
}

// listening reports whether what is read may be kept in memory.
func (c *Cache[V]) listening(ctx context.Context) bool {
	return c.memory != nil && !c.tx && c.follows(ctx)
}

// follows makes sure that changes of other processes are read: until then
// nothing is kept in memory.
func (c *Cache[V]) follows(ctx context.Context) bool {
	if c.followed.Load() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	if !c.invalidator.Follow(ctx, c.root.b) {
		return false
	}
	c.followed.Store(true)
	return true
}

// keep puts an entry into memory that was read or written under an epoch.
func (c *Cache[V]) keep(e *kept[V], hash, epoch uint64, now int64, fresh time.Duration, size int) {
	c.memory.put(e, hash, now, min(fresh, c.opts.MemoryFor), fresh, size)
	if c.invalidator.Epoch(hash) != epoch {
		c.memory.forget(hash)
	}
}

// GetMany returns the values under those of the keys that have one.
func (c *Cache[V]) GetMany(ctx context.Context, keys []string) map[string]V {
	out := make(map[string]V, len(keys))
	type missing struct {
		key         string
		hash, epoch uint64
	}
	absent := map[string]missing{}
	ask := make([]string, 0, len(keys))
	for _, key := range keys {
		k, hash, err := c.key(key)
		if err != nil {
			c.failed(ctx, err)
			continue
		}
		if e := c.remembered(k, hash); e != nil {
			if !e.none {
				out[key] = e.value
			}
		} else if _, twice := absent[k]; !twice {
			absent[k] = missing{key, hash, c.invalidator.Epoch(hash)}
			ask = append(ask, k)
		}
	}
	if len(ask) == 0 {
		return out
	}
	listening := c.listening(ctx)
	found, now := 0, c.invalidator.Clock()
	within := ctx
	if !c.tx {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, c.opts.Timeout)
		defer cancel()
	}
	err := c.b.FindMany(within, ask, func(k string, e backend.Entry) {
		m := absent[k]
		f := c.understand(ctx, k, &e)
		if f.state != isFresh {
			return
		}
		found++
		out[m.key] = f.value
		c.invalidator.Hits.Read(k, m.hash)
		if listening {
			c.keep(&kept[V]{hits: backend.EntryHits{Key: k, Total: &c.stats.memoryHits}, value: f.value}, m.hash, m.epoch, now, e.Fresh, f.size)
		}
	})
	if err != nil {
		c.failed(ctx, err)
	}
	c.stats.hits.Add(int64(found))
	c.stats.misses.Add(int64(len(ask) - found))
	return out
}

// life resolves a time to live: how long an entry is kept, how long it is fresh,
// and by how much both may be cut.
func (c *Cache[V]) life(ttl time.Duration) (life, fresh, slack time.Duration, err error) {
	if ttl < 0 {
		return 0, 0, 0, errNegative(ttl)
	}
	ttl = cmp.Or(ttl, c.opts.TTL)
	if ttl == 0 || ttl > farthest {
		ttl = Forever
	}
	if c.limits.MaxAge > 0 {
		ttl = min(ttl, c.limits.MaxAge)
	}
	if ttl == Forever {
		return Forever, Forever, 0, nil
	}
	ttl = max(ttl, time.Microsecond)
	life = ttl + max(c.opts.StaleFor, c.opts.StaleIfError)
	if c.limits.MaxAge > 0 {
		life = max(ttl, min(life, c.limits.MaxAge))
	}
	return life, ttl, time.Duration(c.opts.Jitter * float64(ttl)), nil
}

func errNegative(ttl time.Duration) error {
	return invalidf("the time to live is negative: %s", ttl)
}

// token distinguishes writes. It is never zero.
func token() int64 { return rand.Int64() | 1 }

// failed counts and logs an error of the backend that is not given to anyone.
func (c *Cache[V]) failed(ctx context.Context, err error) {
	c.stats.errors.Add(1)
	c.log(ctx, "the backend failed", "error", err)
}

// log writes one line a second at most: a database that is away fails each read.
func (c *Cache[V]) log(ctx context.Context, what string, args ...any) {
	now := time.Now().UnixNano()
	last := c.logged.Load()
	if now-last < int64(time.Second) || !c.logged.CompareAndSwap(last, now) || c.wrong != nil {
		return
	}
	c.opts.Logger.WarnContext(ctx, "cache: "+what, append([]any{"cache", c.limits.Name}, args...)...)
}
