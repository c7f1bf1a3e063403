package cache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

type page struct {
	Title string
	Views int
	Tags  []string
}

func TestSetGetDelete(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		for name, opts := range map[string]cache.Options{"table": cachefixture.Plain, "memory": {Timeout: cachefixture.Patience, Jitter: -1}} {
			t.Run(name, func(t *testing.T) {
				ctx := t.Context()
				pages := cache.New[page](p.Open(t).CacheEntry, opts)
				if _, ok := pages.Get(ctx, "a"); ok {
					t.Error("an empty cache has a value")
				}
				cachefixture.Must(t, pages.Set(ctx, "a", page{Title: "Hé \x00 \u2028", Views: 3, Tags: []string{"x"}}, time.Hour))
				got, ok := pages.Get(ctx, "a")
				if !ok || got.Title != "Hé \x00 \u2028" || got.Views != 3 || !slices.Equal(got.Tags, []string{"x"}) {
					t.Errorf("got %+v, %v", got, ok)
				}
				cachefixture.Must(t, pages.Set(ctx, "a", page{Title: "two"}, 0))
				if got, _ := pages.Get(ctx, "a"); got.Title != "two" {
					t.Errorf("after a second Set: %+v", got)
				}
				cachefixture.Must(t, pages.Delete(ctx, "a", "never there"))
				cachefixture.WantMiss(t, pages, "a")
				cachefixture.Must(t, pages.SetMany(ctx, map[string]page{"b": {Title: "B"}, "c": {Title: "C"}}, time.Minute))
				many := pages.GetMany(ctx, []string{"a", "b", "b", "c", ""})
				if len(many) != 2 || many["b"].Title != "B" || many["c"].Title != "C" {
					t.Errorf("many: %v", many)
				}
			})
		}
	})
}

func TestTimeToLive(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		for name, opts := range map[string]cache.Options{"table": cachefixture.Plain, "memory": {Timeout: cachefixture.Patience, Jitter: -1}} {
			t.Run(name, func(t *testing.T) {
				ctx := t.Context()
				opts.Prefix = name + ":"
				texts := cache.New[string](p.Open(t).CacheEntry, opts)
				cachefixture.Must(t, texts.Set(ctx, "minute", "m", time.Minute))
				cachefixture.Must(t, texts.Set(ctx, "ever", "e", 0))
				cachefixture.Must(t, texts.Set(ctx, "century", "c", 100*365*24*time.Hour))
				cachefixture.Must(t, texts.Set(ctx, "moment", "x", 1))
				if err := texts.Set(ctx, "negative", "n", -time.Second); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("a negative time to live gives %v", err)
				}
				cachefixture.WantValue(t, texts, "minute", "m")
				p.Clock.Add(59 * time.Second)
				cachefixture.WantValue(t, texts, "minute", "m")
				if ok, err := texts.Touch(ctx, "minute", time.Hour); !ok || err != nil {
					t.Errorf("Touch gives %v, %v", ok, err)
				}
				p.Clock.Add(2 * time.Second)
				cachefixture.WantValue(t, texts, "minute", "m")
				cachefixture.WantMiss(t, texts, "moment")
				p.Clock.Add(time.Hour)
				cachefixture.WantMiss(t, texts, "minute")
				if ok, err := texts.Touch(ctx, "minute", time.Hour); ok || err != nil {
					t.Errorf("Touch of what has expired gives %v, %v", ok, err)
				}
				p.Clock.Add(50 * 365 * 24 * time.Hour)
				cachefixture.WantValue(t, texts, "century", "c")
				cachefixture.WantValue(t, texts, "ever", "e")
				p.Clock.Add(51 * 365 * 24 * time.Hour)
				cachefixture.WantMiss(t, texts, "century")
				cachefixture.WantValue(t, texts, "ever", "e")
			})
		}
	})
}

// A clock that steps back makes nothing vanish, and nothing live longer in
// memory than MemoryFor of the new time.
func TestClockStepsBack(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		texts := cache.New[string](p.Open(t).CacheEntry, cachefixture.Plain)
		cachefixture.Must(t, texts.Set(t.Context(), "k", "v", time.Minute))
		p.Clock.Add(-time.Hour)
		cachefixture.WantValue(t, texts, "k", "v")
		cachefixture.Must(t, texts.Set(t.Context(), "k", "w", time.Minute))
		cachefixture.WantValue(t, texts, "k", "w")
		p.Clock.Add(2 * time.Minute)
		cachefixture.WantMiss(t, texts, "k")
	})
}

func TestAdd(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: -1})
		add := func(value string, want bool) {
			t.Helper()
			if ok, err := texts.Add(ctx, "k", value, time.Minute, cache.Tags("t")); ok != want || err != nil {
				t.Errorf("Add of %s gives %v, %v", value, ok, err)
			}
		}
		add("one", true)
		add("two", false)
		cachefixture.WantValue(t, texts, "k", "one")
		p.Clock.Add(time.Hour)
		add("three", true)
		cachefixture.WantValue(t, texts, "k", "three")
		if n, err := texts.InvalidateTags(ctx, "t"); n != 1 || err != nil {
			t.Errorf("invalidated %d, %v", n, err)
		}
		add("four", true)

		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 20 {
			wg.Go(func() {
				ok, err := texts.Add(ctx, "race", "x", time.Minute)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if ok {
					won++
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d of 20 were the first", won)
		}
	})
}

func TestIncrement(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		counts := cache.New[int](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: -1})
		inc := func(key string, delta, want int64) {
			t.Helper()
			if n, err := counts.Increment(ctx, key, delta, time.Minute); n != want || err != nil {
				t.Errorf("%s + %d = %d, %v, want %d", key, delta, n, err, want)
			}
		}
		inc("k", 5, 5)
		inc("k", -7, -2)
		cachefixture.WantValue(t, counts, "k", -2)
		p.Clock.Add(59 * time.Second)
		inc("k", 1, -1)
		p.Clock.Add(2 * time.Second) // the time to live is that of the first
		inc("k", 1, 1)
		cachefixture.Must(t, counts.Set(ctx, "set", 40, 0))
		inc("set", 2, 42)
		cachefixture.WantValue(t, counts, "set", 42)
		texts := cache.New[string](db.CacheEntry, cachefixture.Plain)
		cachefixture.Must(t, texts.Set(ctx, "text", "x", 0))
		if _, err := counts.Increment(ctx, "text", 1, 0); !errors.Is(err, cache.ErrNotNumber) {
			t.Errorf("a text gives %v", err)
		}
		cachefixture.WantValue(t, texts, "text", "x")
		inc("most", 1<<62, 1<<62)
		if n, err := counts.Increment(ctx, "most", 1<<62, 0); err == nil {
			t.Errorf("past the greatest number: %d", n)
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 5 {
					if _, err := counts.Increment(ctx, "many", 1, 0); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		cachefixture.WantValue(t, counts, "many", 40)
	})
}

func TestTags(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: -1})
		set := func(key string, tags ...string) {
			t.Helper()
			cachefixture.Must(t, texts.Set(ctx, key, key, time.Hour, cache.Tags(tags...)))
		}
		remove := func(want int64, tags ...string) {
			t.Helper()
			if n, err := texts.InvalidateTags(ctx, tags...); n != want || err != nil {
				t.Errorf("%q removed %d, %v, want %d", tags, n, err, want)
			}
		}
		set("a", "x", "y", "x")
		set("b", "xy", "x%", "X", "x ")
		set("c")
		remove(0, "%", "_", "x_", "z")
		remove(1, "x")
		cachefixture.WantMiss(t, texts, "a")
		cachefixture.WantValue(t, texts, "b", "b")
		remove(1, "X", "xy")
		set("b", "one")
		set("b", "two") // a new value has its own tags only
		remove(0, "one")
		set("b") // or none
		remove(0, "two")
		set("b", "two")
		remove(1, "two")
		odd := []string{strings.Repeat("long", 3000), "nul\x00", "\xff\xfe", "quote'\"`\\", "comma,a", "percent%_"}
		for i, tag := range odd {
			set(fmt.Sprint("odd", i), tag, "all")
		}
		for _, tag := range odd {
			remove(1, tag)
		}
		remove(0, "all")
		for _, tags := range [][]string{{""}, slices.Repeat([]string{"t"}, 101)} {
			if err := texts.Set(ctx, "k", "v", 0, cache.Tags(tags...)); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("tags %.20q give %v", tags, err)
			}
			if _, err := texts.InvalidateTags(ctx, tags...); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("invalidating %.20q gives %v", tags, err)
			}
		}
		values := map[string]string{}
		for i := range 2500 {
			values[fmt.Sprint("many", i)] = "v"
		}
		cachefixture.Must(t, texts.SetMany(ctx, values, 0, cache.Tags("many")))
		remove(2500, "many")
		cachefixture.WantMiss(t, texts, "many7")
	})
}

// Keys are any bytes but none.
func TestOddKeys(t *testing.T) {
	long := strings.Repeat("k", 10_000)
	keys := []string{
		"a", "a ", "A", "ä", "a%", "a_", "a'", `a"`, "a`", `a\`, "a\n", "a\x00", "a\x00b", "\xff", "\xff\xff", "a\xff", long, long + "x", long[1:],
		strings.Repeat("ü", 255), strings.Repeat("ü", 256), "a~sha256:0", "a~", "日本語", "\U0010ffff", "\ufffd", "null", "1", " ",
	}
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		for name, opts := range map[string]cache.Options{"table": cachefixture.Plain, "memory": {Timeout: cachefixture.Patience, Jitter: -1}} {
			t.Run(name, func(t *testing.T) {
				opts.Prefix = name
				texts := cache.New[string](p.Open(t).CacheEntry, opts)
				for i, key := range keys {
					cachefixture.Must(t, texts.Set(ctx, key, fmt.Sprint(i), time.Hour))
				}
				for i, key := range keys {
					cachefixture.WantValue(t, texts, key, fmt.Sprint(i))
				}
				if many := texts.GetMany(ctx, keys); len(many) != len(keys) {
					t.Errorf("%d of %d keys", len(many), len(keys))
				}
				cachefixture.Must(t, texts.Delete(ctx, keys...))
				for _, key := range keys {
					cachefixture.WantMiss(t, texts, key)
				}
				if err := texts.Set(ctx, "", "v", 0); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("the empty key gives %v", err)
				}
				cachefixture.WantMiss(t, texts, "")
				if err := texts.Delete(ctx, ""); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("deleting the empty key gives %v", err)
				}
			})
		}
	})
}

func TestPrefix(t *testing.T) {
	long := strings.Repeat("long", 1000)
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: -1})
		other := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: -1, Prefix: "other:"})
		cachefixture.Must(t, other.Set(ctx, "a", "v", 0))
		for _, test := range []struct {
			prefix  string
			in, out []string
		}{
			{"a%", []string{"a%", "a%b"}, []string{"ab", "a", "A%"}},
			{"a_", []string{"a_", "a_1"}, []string{"ab1"}},
			{"é", []string{"é", "éa"}, []string{"e", "è"}},
			{"\U0010ffff", []string{"\U0010ffff", "\U0010ffff1"}, []string{"z"}},
			{long[:50], []string{long, long[:60], long + "x"}, []string{"lon", long[:49]}},
			{long, []string{long, long + "x"}, []string{long[:100]}},
			{"n\x00", []string{"n\x00", "n\x00x"}, []string{"n", "na"}},
			{"a€"[:3], []string{"a€"[:3] + "x", "a€1"}, []string{"b"}},
			{"\ud7ff", []string{"\ud7ff", "\ud7ffz"}, []string{"\ue000"}},
		} {
			for _, key := range append(slices.Clone(test.in), test.out...) {
				cachefixture.Must(t, texts.Set(ctx, key, "v", 0))
			}
			if _, err := texts.InvalidatePrefix(ctx, test.prefix); err != nil {
				t.Fatal(err)
			}
			for _, key := range test.in {
				cachefixture.WantMiss(t, texts, key)
			}
			for _, key := range test.out {
				cachefixture.WantValue(t, texts, key, "v")
			}
		}
		if _, err := texts.InvalidatePrefix(ctx, ""); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("the empty prefix gives %v", err)
		}
		cachefixture.WantValue(t, other, "a", "v")
		cachefixture.WantValue(t, texts, "other:a", "v")
		if n, err := other.Clear(ctx); n != 1 || err != nil {
			t.Errorf("clearing what has the prefix removed %d, %v", n, err)
		}
		cachefixture.Must(t, texts.Set(ctx, "one more", "v", 0))
		if _, err := texts.Clear(ctx); err != nil {
			t.Fatal(err)
		}
		if n, bytes, err := texts.Size(ctx); n != 0 || bytes != 0 || err != nil {
			t.Errorf("after Clear there are %d entries, %d bytes, %v", n, bytes, err)
		}
		cachefixture.WantMiss(t, texts, "one more")
	})
}

func TestCleanup(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		texts := cache.New[string](p.Open(t).CacheEntry, cachefixture.Plain)
		values := map[string]string{}
		for i := range 2300 {
			values[fmt.Sprint("k", i)] = "v"
		}
		cachefixture.Must(t, texts.SetMany(ctx, values, time.Minute, cache.Tags("t")))
		cachefixture.Must(t, texts.Set(ctx, "later", "v", time.Hour))
		cachefixture.Must(t, texts.Set(ctx, "ever", "v", 0))
		if n, err := texts.CleanupExpired(ctx); n != 0 || err != nil {
			t.Errorf("removed %d, %v before anything expired", n, err)
		}
		p.Clock.Add(2 * time.Minute)
		if n, err := texts.CleanupExpired(ctx); n != 2300 || err != nil {
			t.Errorf("removed %d, %v", n, err)
		}
		if s := texts.Stats(); s.Expired != 2300 {
			t.Errorf("counted %d", s.Expired)
		}
		cachefixture.WantValue(t, texts, "later", "v")
		cachefixture.WantValue(t, texts, "ever", "v")
		var tags int64
		if err := p.Open(t).Store().Conn().QueryRow(ctx, "SELECT count(*) FROM cache_entry_tags", nil, []any{&tags}); tags != 0 || err != nil {
			t.Errorf("%d tags are left, %v", tags, err)
		}
	})
}

// What is used is counted in memory, and written in batches.
func TestHitsAreFlushed(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		for name, opts := range map[string]cache.Options{"table": cachefixture.Plain, "memory": {Timeout: cachefixture.Patience, Jitter: -1}} {
			t.Run(name, func(t *testing.T) {
				ctx := t.Context()
				db := p.Open(t)
				opts.Prefix = name
				texts := cache.New[string](db.CacheEntry, opts)
				cachefixture.Must(t, texts.Set(ctx, "k", "v", time.Hour))
				p.Clock.Add(time.Minute)
				for range 5 {
					cachefixture.WantValue(t, texts, "k", "v")
				}
				row, err := db.CacheEntry.GetByKey(ctx, name+"k")
				cachefixture.Must(t, err)
				if row.HitCount != 0 {
					t.Errorf("%d hits were written by a read", row.HitCount)
				}
				cachefixture.Must(t, texts.Flush(ctx))
				row, err = db.CacheEntry.GetByKey(ctx, name+"k")
				cachefixture.Must(t, err)
				if row.HitCount != 5 || !row.CacheUsedAt.Equal(p.Clock.Now()) {
					t.Errorf("%d hits, used at %s", row.HitCount, row.CacheUsedAt)
				}
				cachefixture.WantValue(t, texts, "k", "v")
				cachefixture.Must(t, texts.Flush(ctx))
				cachefixture.Must(t, texts.Flush(ctx))
				if row, _ = db.CacheEntry.GetByKey(ctx, name+"k"); row.HitCount != 6 {
					t.Errorf("%d hits after one more", row.HitCount)
				}
				if s := texts.Stats(); s.MemoryHits+s.BackendHits != 6 || s.Misses != 0 || s.HitRate() != 1 {
					t.Errorf("stats %+v", s)
				}
			})
		}
	})
}

func TestTransactions(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: -1})
		cachefixture.Must(t, texts.Set(ctx, "k", "old", time.Hour, cache.Tags("t")))
		cachefixture.WantValue(t, texts, "k", "old")
		undone := errors.New("undone")
		change := func(end error) error {
			return db.Tx(ctx, func(tx *generated.Tx) error {
				in := texts.In(tx.CacheEntry)
				cachefixture.Must(t, in.Set(ctx, "k", "new", time.Hour))
				cachefixture.Must(t, in.Set(ctx, "k2", "new", time.Hour))
				cachefixture.WantValue(t, in, "k", "new")
				if many := in.GetMany(ctx, []string{"k", "k2"}); len(many) != 2 {
					t.Errorf("the transaction sees %v", many)
				}
				if n, err := in.Increment(ctx, "n", 2, 0); n != 2 || err != nil {
					t.Errorf("counts %d, %v", n, err)
				}
				if _, err := in.Increment(ctx, "k", 2, 0); !errors.Is(err, cache.ErrNotNumber) {
					t.Errorf("counting a text gives %v", err)
				}
				v, err := in.Fetch(ctx, "f", 0, func(context.Context) (string, error) { return "loaded", nil })
				if v != "loaded" || err != nil {
					t.Errorf("fetched %q, %v", v, err)
				}
				cachefixture.WantValue(t, in, "f", "loaded")
				cachefixture.WantValue(t, texts, "k", "old") // from memory
				return end
			})
		}
		if err := change(undone); !errors.Is(err, undone) {
			t.Fatal(err)
		}
		cachefixture.WantValue(t, texts, "k", "old")
		cachefixture.WantMiss(t, texts, "k2")
		cachefixture.WantMiss(t, texts, "f")
		cachefixture.Must(t, change(nil))
		hits := texts.Stats().MemoryHits
		cachefixture.WantValue(t, texts, "k", "new")
		if texts.Stats().MemoryHits != hits+1 {
			t.Error("memory did not take at the commit what the transaction set")
		}
		cachefixture.WantValue(t, texts, "f", "loaded")
		cachefixture.Must(t, db.Tx(ctx, func(tx *generated.Tx) error { return texts.In(tx.CacheEntry).Delete(ctx, "k") }))
		cachefixture.WantMiss(t, texts, "k")
		other := p.Open(t)
		cachefixture.Must(t, other.Tx(ctx, func(tx *generated.Tx) error {
			if err := texts.In(tx.CacheEntry).Set(ctx, "k", "v", 0); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("a transaction of another database gives %v", err)
			}
			return nil
		}))
	})
}
