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
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// The limit of values holds when they are read, whoever wrote them.
func TestValuesOverTheLimitAreNotRead(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		ctx := t.Context()
		db := p.open(t)
		open := func(most int) *cache.Cache[string] {
			return cache.New[string](db.CacheEntry, cache.Options{Timeout: patience, Memory: -1, MaxValue: most, Compress: 100, Codec: cache.Raw()})
		}
		wide, narrow := open(1<<20), open(1000)
		must(t, wide.Set(ctx, "compressed", strings.Repeat("x", 1001), 0))
		must(t, wide.Set(ctx, "fits", strings.Repeat("x", 1000), 0))
		must(t, cache.New[string](db.CacheEntry, cache.Options{Memory: -1, Timeout: patience, Codec: cache.Raw()}).Set(ctx, "plain", strings.Repeat("x", 1001), 0))
		wantMiss(t, narrow, "compressed")
		wantMiss(t, narrow, "plain")
		wantValue(t, narrow, "fits", strings.Repeat("x", 1000))
		wantValue(t, wide, "plain", strings.Repeat("x", 1001))
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
	must(t, err)
	block := make([]byte, 1<<20)
	for ; n > 0; n -= int64(len(block)) {
		_, err := w.Write(block[:min(n, int64(len(block)))])
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

// A stored value that expands without bound is a miss, and takes no memory.
func TestBombsAreMisses(t *testing.T) {
	p := place{kind: "sqlite", dsn: "sqlite::memory:"}
	db := p.open(t)
	texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: patience, Memory: -1, Compress: 1, MaxValue: 1 << 20, Codec: cache.Raw()})
	whole, err := zstd.NewWriter(nil)
	must(t, err)
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
			wantMiss(t, texts, "k")
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
				t.Errorf("reading %d bytes allocated %d", len(value), grown)
			}
		})
	}
	putEntry(t, db, "k", few, "raw:string+zstd")
	wantValue(t, texts, "k", string(make([]byte, 1000)))
}

// Memory counts what values take, not what they take compressed.
func TestMemoryCountsWholeValues(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		p.clock = nil
		db := p.open(t)
		opts := cache.Options{Timeout: patience, Compress: 100, Codec: cache.Raw()}
		texts := cache.New[string](db.CacheEntry, opts)
		must(t, texts.Set(t.Context(), "k", strings.Repeat("x", 100_000), time.Hour))
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
	until(t, "memory to count 100,000 bytes "+when, func() bool { return c.Stats().MemoryBytes >= 100_000 })
}

// With takes fields of the user's own. Those of the cache itself are refused
// before anything is written.
func TestWithTakesNoFieldsOfTheCache(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		ctx := t.Context()
		db := p.open(t)
		texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: patience})
		must(t, texts.Set(ctx, "k", "v", 0))
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
			must(t, db.Tx(ctx, func(tx *generated.Tx) error {
				if err := texts.In(tx.CacheEntry).Set(ctx, "k", "w", 0, with); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("Set in a transaction with %+v gives %v", patch, err)
				}
				return nil
			}))
		}
		wantValue(t, texts, "k", "v")
		wantValue(t, cache.New[string](db.CacheEntry, plain), "k", "v")
		wantMiss(t, cache.New[string](db.CacheEntry, plain), "moved")
		wantMiss(t, cache.New[string](db.CacheEntry, plain), "new")
		must(t, texts.Set(ctx, "k", "w", 0, cache.With(generated.CacheEntryPatch{})))
	})
}

// putEntry writes an entry as a statement of a person's own does, in a format that the
// cache did not choose.
func putEntry(t *testing.T, db *generated.DB, key string, value []byte, format string) {
	t.Helper()
	row, err := db.CacheEntry.UpsertByKey(t.Context(), generated.CacheEntryNew{Key: key, Value: value})
	must(t, err)
	storetest.SetColumns(t, db.Store(), "cache_entry", map[string]any{"cache_format": format}, row.ID)
}
