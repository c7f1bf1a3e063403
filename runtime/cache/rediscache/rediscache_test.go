package rediscache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/rediscache"
	"github.com/hegner123/modulagen/runtime/store"
)

// patience is the time limit of reads in tests: machines that run them are busy.
const patience = 20 * time.Second

// place is a prefix of its own on the test server, which several processes share.
type place struct {
	address, prefix string
}

func here(t testing.TB) place {
	t.Helper()
	p := place{os.Getenv("MODULAGEN_REDIS_ADDR"), fmt.Sprintf("test[%x]*:", rand.Uint64())}
	if p.address == "" {
		why := "!!! NO REDIS: MODULAGEN_REDIS_ADDR is not set; run the tests through scripts/services.sh --redis !!!"
		if os.Getenv("MODULAGEN_REQUIRE_SERVICES") == "1" {
			t.Fatal(why)
		}
		fmt.Fprintln(os.Stderr, why)
		t.Skip(why)
	}
	return p
}

// open is one process.
func (p place) open(t testing.TB) *rediscache.Source {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: p.address})
	t.Cleanup(func() { client.Close() })
	return rediscache.New(client, rediscache.Options{Prefix: p.prefix})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, c *cache.Cache[string], key, value string) {
	t.Helper()
	if got, ok := c.Get(t.Context(), key); ok != (value != "") || got != value {
		t.Errorf("%q holds %q, %v, want %q", key, got, ok, value)
	}
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

func TestEntries(t *testing.T) {
	for name, memory := range map[string]int64{"server": -1, "memory": 0} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			texts := cache.New[string](here(t).open(t), cache.Options{Timeout: patience, Memory: memory})
			long := strings.Repeat("long", 3000)
			keys := []string{"a", "a ", "a\x00", "\xff", "a%", "a*", "a?[x]\\", "ä", long, long + "x"}
			for i, key := range keys {
				want(t, texts, key, "")
				must(t, texts.Set(ctx, key, fmt.Sprint("v", i), time.Hour))
			}
			for i, key := range keys {
				want(t, texts, key, fmt.Sprint("v", i))
			}
			if many := texts.GetMany(ctx, append(keys, "none")); len(many) != len(keys) {
				t.Errorf("%d of %d", len(many), len(keys))
			}
			if n, _, err := texts.Size(ctx); n != int64(len(keys)) || err != nil {
				t.Errorf("%d entries, %v", n, err)
			}
			must(t, texts.Delete(ctx, "a", "a*"))
			want(t, texts, "a", "")
			want(t, texts, "a?[x]\\", "v6")
			must(t, texts.SetMany(ctx, map[string]string{"m1": "x", "m2": "y"}, 0, cache.Tags("many")))
			want(t, texts, "m2", "y")
			if n, err := texts.InvalidatePrefix(ctx, "m"); n != 2 || err != nil {
				t.Errorf("removed %d, %v", n, err)
			}
			want(t, texts, "m2", "")
			if n, err := texts.Clear(ctx); n != int64(len(keys)-2) || err != nil {
				t.Errorf("cleared %d, %v", n, err)
			}
			want(t, texts, long, "")
			must(t, texts.Set(ctx, "short", "v", 20*time.Millisecond))
			until(t, "the end of an entry", func() bool { _, ok := texts.Get(ctx, "short"); return !ok })
			if ok, err := texts.Touch(ctx, "never there", time.Hour); ok || err != nil {
				t.Errorf("touched %v, %v", ok, err)
			}
			must(t, texts.Set(ctx, "k", "v", time.Hour))
			if ok, err := texts.Touch(ctx, "k", time.Millisecond); !ok || err != nil {
				t.Errorf("touched %v, %v", ok, err)
			}
			until(t, "the new end", func() bool { _, ok := texts.Get(ctx, "k"); return !ok })
			if err := texts.Set(ctx, "k", "v", 0, cache.With(1)); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("fields of one's own give %v", err)
			}
		})
	}
}

func TestAddAndCount(t *testing.T) {
	ctx := t.Context()
	source := here(t).open(t)
	texts := cache.New[string](source, cache.Options{Timeout: patience})
	var won atomic.Int64
	var all sync.WaitGroup
	counts := cache.New[int](source, cache.Options{Timeout: patience, Memory: -1})
	for range 20 {
		all.Go(func() {
			ok, err := texts.Add(ctx, "k", "v", time.Hour)
			if err != nil {
				t.Error(err)
			}
			if ok {
				won.Add(1)
			}
			if _, err := counts.Increment(ctx, "n", 2, time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := won.Load(); n != 1 {
		t.Errorf("%d were first", n)
	}
	if n, ok := counts.Get(ctx, "n"); n != 40 || !ok {
		t.Errorf("counted %d, %v", n, ok)
	}
	if _, err := counts.Increment(ctx, "k", 1, 0); !errors.Is(err, cache.ErrNotNumber) {
		t.Errorf("a text gives %v", err)
	}
}

func TestTags(t *testing.T) {
	ctx := t.Context()
	texts := cache.New[string](here(t).open(t), cache.Options{Timeout: patience})
	remove := func(want int64, tags ...string) {
		t.Helper()
		if n, err := texts.InvalidateTags(ctx, tags...); n != want || err != nil {
			t.Errorf("%q removed %d, %v, want %d", tags, n, err, want)
		}
	}
	must(t, texts.Set(ctx, "a", "v", time.Hour, cache.Tags("x", "y")))
	must(t, texts.Set(ctx, "b", "v", 0, cache.Tags("xy", "x%")))
	remove(0, "%", "z")
	remove(1, "x")
	want(t, texts, "a", "")
	want(t, texts, "b", "v")
	must(t, texts.Set(ctx, "b", "v", time.Hour, cache.Tags("other")))
	remove(0, "xy") // a new value has its own tags only
	remove(1, "other")
	values := map[string]string{}
	for i := range 1200 {
		values[fmt.Sprint(i)] = "v"
	}
	must(t, texts.SetMany(ctx, values, time.Hour, cache.Tags("many")))
	remove(1200, "many")
}

func TestFetch(t *testing.T) {
	ctx := t.Context()
	p := here(t)
	caches := []*cache.Cache[string]{}
	for range 4 {
		caches = append(caches, cache.New[string](p.open(t), cache.Options{Timeout: patience, NegativeTTL: time.Hour, StaleIfError: time.Hour}))
	}
	var loads atomic.Int64
	release := make(chan struct{})
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			v, err := caches[i%4].Fetch(ctx, "k", time.Hour, func(context.Context) (string, error) { loads.Add(1); <-release; return "v", nil }, cache.Tags("t"))
			if v != "v" || err != nil {
				t.Errorf("got %q, %v", v, err)
			}
		})
	}
	until(t, "a load", func() bool { return loads.Load() > 0 })
	close(release)
	all.Wait()
	if n := loads.Load(); n != 1 {
		t.Errorf("%d loads", n)
	}
	for name, change := range map[string]func(c *cache.Cache[string]) error{
		"delete": func(c *cache.Cache[string]) error { return c.Delete(ctx, "k2") },
		"tag":    func(c *cache.Cache[string]) error { _, err := c.InvalidateTags(ctx, "t2"); return err },
		"clear":  func(c *cache.Cache[string]) error { _, err := c.Clear(ctx); return err },
		"set":    func(c *cache.Cache[string]) error { return c.Set(ctx, "k2", "set", time.Hour) },
	} {
		must(t, caches[0].Delete(ctx, "k2"))
		v, err := caches[0].Fetch(ctx, "k2", time.Hour, func(context.Context) (string, error) { return "outdated", change(caches[1]) }, cache.Tags("t2"))
		if v != "outdated" || err != nil {
			t.Errorf("%s: got %q, %v", name, v, err)
		}
		if got, _ := caches[2].Get(ctx, "k2"); got == "outdated" {
			t.Errorf("%s: what was loaded before it is kept", name)
		}
	}
	n := 0
	for range 2 {
		if _, err := caches[3].Fetch(ctx, "nothing", 0, func(context.Context) (string, error) { n++; return "", cache.ErrNone }); !errors.Is(err, cache.ErrNone) {
			t.Errorf("got %v", err)
		}
	}
	if n != 1 {
		t.Errorf("it was asked %d times for nothing", n)
	}
	broken := errors.New("broken")
	if _, err := caches[3].Fetch(ctx, "fails", 0, func(context.Context) (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	must(t, caches[3].Set(ctx, "stale", "old", time.Millisecond))
	until(t, "the end of a value's time", func() bool {
		_, ok := caches[3].Get(ctx, "stale")
		return !ok
	})
	v, err := caches[3].Fetch(ctx, "stale", time.Hour, func(context.Context) (string, error) { return "", broken })
	if v != "old" || err != nil {
		t.Errorf("a stale value: %q, %v", v, err)
	}
}

func TestMemoryOfOtherProcesses(t *testing.T) {
	ctx := t.Context()
	p := here(t)
	mine, other := cache.New[string](p.open(t), cache.Options{Timeout: patience, MemoryFor: time.Hour}), cache.New[string](p.open(t), cache.Options{Timeout: patience})
	for name, change := range map[string]func() error{
		"set":    func() error { return other.Set(ctx, "k", "new", 0) },
		"delete": func() error { return other.Delete(ctx, "k") },
		"tag":    func() error { _, err := other.InvalidateTags(ctx, "t"); return err },
	} {
		must(t, mine.Set(ctx, "k", "old", 0, cache.Tags("t")))
		want(t, mine, "k", "old")
		must(t, change())
		until(t, name, func() bool { v, _ := mine.Get(ctx, "k"); return v != "old" })
	}
}

func TestServerIsAway(t *testing.T) {
	ctx := t.Context()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialTimeout: 100 * time.Millisecond})
	defer client.Close()
	texts := cache.New[string](rediscache.New(client, rediscache.Options{}), cache.Options{Timeout: patience})
	want(t, texts, "k", "")
	if v, err := texts.Fetch(ctx, "k", 0, func(context.Context) (string, error) { return "loaded", nil }); v != "loaded" || err != nil {
		t.Errorf("fetched %q, %v", v, err)
	}
	if err := texts.Set(ctx, "k", "v", 0); err == nil {
		t.Error("Set says nothing")
	}
	if s := texts.Stats(); s.Errors == 0 {
		t.Error("no failure was counted")
	}
}
