package cache_test

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// The limit of values holds when they are read, whoever wrote them.
func TestValuesOverTheLimitAreNotRead(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		open := func(most int) *cache.Cache[string] {
			return cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Memory: -1, MaxValue: most, Compress: 100, Codec: cache.Raw()})
		}
		wide, narrow := open(1<<20), open(1000)
		cachefixture.Must(t, wide.Set(ctx, "compressed", strings.Repeat("x", 1001), 0))
		cachefixture.Must(t, wide.Set(ctx, "fits", strings.Repeat("x", 1000), 0))
		cachefixture.Must(t, cache.New[string](db.CacheEntry, cache.Options{Memory: -1, Timeout: cachefixture.Patience, Codec: cache.Raw()}).Set(ctx, "plain", strings.Repeat("x", 1001), 0))
		cachefixture.WantMiss(t, narrow, "compressed")
		cachefixture.WantMiss(t, narrow, "plain")
		cachefixture.WantValue(t, narrow, "fits", strings.Repeat("x", 1000))
		cachefixture.WantValue(t, wide, "plain", strings.Repeat("x", 1001))
		if s := narrow.Stats(); s.Undecodable != 2 || s.Errors != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// bomb is a few bytes that expand to n.
func bomb(t *testing.T, n int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b) // it does not know the size when it writes the header
	cachefixture.Must(t, err)
	block := make([]byte, 1<<20)
	for ; n > 0; n -= int64(len(block)) {
		_, err := w.Write(block[:min(n, int64(len(block)))])
		cachefixture.Must(t, err)
	}
	cachefixture.Must(t, w.Close())
	return b.Bytes()
}

// A stored value that expands without bound is a miss, and takes no memory.
func TestBombsAreMisses(t *testing.T) {
	p := cachefixture.Place{Kind: "sqlite", DSN: "sqlite::memory:"}
	db := p.Open(t)
	texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Memory: -1, Compress: 1, MaxValue: 1 << 20, Codec: cache.Raw()})
	whole, err := zstd.NewWriter(nil)
	cachefixture.Must(t, err)
	few := whole.EncodeAll(make([]byte, 1000), nil)
	for name, value := range map[string][]byte{
		"no size":    bomb(t, 64<<20),
		"too large":  whole.EncodeAll(make([]byte, 1<<20+1), nil),
		"two frames": append(bytes.Clone(few), whole.EncodeAll(make([]byte, 1<<20), nil)...),
		"no zstd":    []byte("text"),
		"cut":        few[:len(few)-3],
	} {
		t.Run(name, func(t *testing.T) {
			putEntry(t, db, "k", value, "raw:string+zstd")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			cachefixture.WantMiss(t, texts, "k")
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
				t.Errorf("reading %d bytes allocated %d", len(value), grown)
			}
		})
	}
	putEntry(t, db, "k", few, "raw:string+zstd")
	cachefixture.WantValue(t, texts, "k", string(make([]byte, 1000)))
}

// Memory counts what values take, not what they take compressed.
func TestMemoryCountsWholeValues(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		db := p.Open(t)
		opts := cache.Options{Timeout: cachefixture.Patience, Compress: 100, Codec: cache.Raw()}
		texts := cache.New[string](db.CacheEntry, opts)
		cachefixture.Must(t, texts.Set(t.Context(), "k", strings.Repeat("x", 100_000), time.Hour))
		wantWeight(t, texts, "after Set")
		read := cache.New[string](db.CacheEntry, opts)
		read.Get(t.Context(), "k")
		wantWeight(t, read, "after Get")
		many := cache.New[string](db.CacheEntry, opts)
		many.GetMany(t.Context(), []string{"k"})
		wantWeight(t, many, "after GetMany")
	})
}

func wantWeight(t *testing.T, c *cache.Cache[string], when string) {
	t.Helper()
	cachefixture.Until(t, "memory to count 100,000 bytes "+when, func() bool { return c.Stats().MemoryBytes >= 100_000 })
}

// With takes fields of the user's own. Those of the cache itself are refused
// before anything is written.
func TestWithTakesNoFieldsOfTheCache(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience})
		cachefixture.Must(t, texts.Set(ctx, "k", "v", 0))
		for _, patch := range []generated.CacheEntryPatch{
			{Key: store.Set("moved")},
			{Value: store.Set([]byte("other"))},
			{ExpiresAt: store.Set(time.Now().Add(time.Hour))},
			{CreatedAt: store.Set(time.Now())},
			{HitCount: store.Set[int64](7)},
			{Tags: store.Set("t")},
		} {
			with := cache.With(patch)
			if err := texts.Set(ctx, "k", "w", 0, with); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("Set with %+v gives %v", patch, err)
			}
			if err := texts.SetMany(ctx, map[string]string{"k": "w"}, 0, with); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("SetMany with %+v gives %v", patch, err)
			}
			if _, err := texts.Add(ctx, "new", "w", 0, with); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("Add with %+v gives %v", patch, err)
			}
			var n loads
			if _, err := texts.Fetch(ctx, "new", 0, n.gives("w"), with); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("Fetch with %+v gives %v", patch, err)
			}
			n.want(t, 0)
			cachefixture.Must(t, db.Tx(ctx, func(tx *generated.Tx) error {
				if err := texts.In(tx.CacheEntry).Set(ctx, "k", "w", 0, with); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("Set in a transaction with %+v gives %v", patch, err)
				}
				return nil
			}))
		}
		cachefixture.WantValue(t, texts, "k", "v")
		cachefixture.WantValue(t, cache.New[string](db.CacheEntry, cachefixture.Plain), "k", "v")
		cachefixture.WantMiss(t, cache.New[string](db.CacheEntry, cachefixture.Plain), "moved")
		cachefixture.WantMiss(t, cache.New[string](db.CacheEntry, cachefixture.Plain), "new")
		cachefixture.Must(t, texts.Set(ctx, "k", "w", 0, cache.With(generated.CacheEntryPatch{})))
	})
}

// putEntry writes an entry as a statement of a person's own does, in a format that the
// cache did not choose.
func putEntry(t *testing.T, db *generated.DB, key string, value []byte, format string) {
	t.Helper()
	row, err := db.CacheEntry.UpsertByKey(t.Context(), generated.CacheEntryNew{Key: key, Value: value})
	cachefixture.Must(t, err)
	storetest.SetColumns(t, db.Store(), "cache_entry", map[string]any{"cache_format": format}, row.ID)
}
