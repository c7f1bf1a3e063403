package cache_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/store"
)

// loads counts what it loads.
type loads struct{ n atomic.Int64 }

func (l *loads) gives(v string) cache.Load[string] {
	return func(context.Context) (string, error) {
		l.n.Add(1)
		return v, nil
	}
}

func (l *loads) fails(err error) cache.Load[string] {
	return func(context.Context) (string, error) {
		l.n.Add(1)
		return "", err
	}
}

func wantFetch(t *testing.T, c *cache.Cache[string], load cache.Load[string], want string, opts ...cache.Option) {
	t.Helper()
	if got, err := c.Fetch(t.Context(), "k", time.Minute, load, opts...); got != want || err != nil {
		t.Errorf("fetched %q, %v, want %q", got, err, want)
	}
}

func (l *loads) want(t *testing.T, n int64) {
	t.Helper()
	if got := l.n.Load(); got != n {
		t.Errorf("%d loads, want %d", got, n)
	}
}

// on is a value that a test waits for.
func on[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(20 * time.Second):
		t.Fatal("waited for too long")
	}
	return v
}

func TestFetchLoadsOnce(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil // leases renew themselves by the real one
		var n loads
		caches := []*cache.Cache[string]{}
		for range 4 { // as four processes
			caches = append(caches, cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience}))
		}
		started := make(chan struct{})
		release := make(chan struct{})
		load := func(context.Context) (string, error) {
			if n.n.Add(1) == 1 {
				close(started)
			}
			<-release
			return "v", nil
		}
		var wg sync.WaitGroup
		var asked atomic.Int64
		for i := range 200 {
			wg.Go(func() {
				asked.Add(1)
				if v, err := caches[i%4].Fetch(t.Context(), "k", time.Minute, load, cache.Tags("t")); v != "v" || err != nil {
					t.Errorf("got %q, %v", v, err)
				}
			})
		}
		on(t, started)
		cachefixture.Until(t, "everyone to ask", func() bool { return asked.Load() == 200 })
		close(release)
		wg.Wait()
		n.want(t, 1)
		total := int64(0)
		for _, c := range caches {
			total += c.Stats().Loads
		}
		if total != 1 {
			t.Errorf("the caches counted %d loads", total)
		}
	})
}

func TestFailedLoadIsNotKept(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		texts := cache.New[string](p.Open(t).CacheEntry, cachefixture.Plain)
		var n loads
		broken := errors.New("broken")
		started, release := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		fetch := func(load cache.Load[string]) {
			wg.Go(func() {
				if _, err := texts.Fetch(t.Context(), "k", time.Minute, load); !errors.Is(err, broken) {
					t.Errorf("a waiter got %v", err)
				}
			})
		}
		fetch(func(context.Context) (string, error) {
			n.n.Add(1)
			close(started)
			<-release
			return "half", broken
		})
		on(t, started)
		for range 5 {
			fetch(n.fails(errors.New("a second load")))
		}
		cachefixture.Until(t, "five to wait", func() bool { return cache.Waiting(texts, "k") == 6 })
		close(release)
		wg.Wait()
		n.want(t, 1)
		cachefixture.WantMiss(t, texts, "k")
		wantFetch(t, texts, n.gives("v"), "v")
		n.want(t, 2)
		if s := texts.Stats(); s.Loads != 2 || s.LoadErrors != 1 || s.LoadTime <= 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// What came while the load ran wins over what it loaded.
func TestInvalidationWinsOverARunningLoad(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		mine := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience})
		other := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience})
		for name, change := range map[string]func(context.Context, *cache.Cache[string]) error{
			"delete": func(ctx context.Context, c *cache.Cache[string]) error { return c.Delete(ctx, "k") },
			"tag": func(ctx context.Context, c *cache.Cache[string]) error {
				n, err := c.InvalidateTags(ctx, "t")
				if n != 1 {
					t.Errorf("%d entries had the tag", n)
				}
				return err
			},
			"prefix": func(ctx context.Context, c *cache.Cache[string]) error {
				_, err := c.InvalidatePrefix(ctx, "k")
				return err
			},
			"clear": func(ctx context.Context, c *cache.Cache[string]) error { _, err := c.Clear(ctx); return err },
		} {
			for from, by := range map[string]*cache.Cache[string]{"here": mine, "elsewhere": other} {
				for _, before := range []string{"nothing", "a stale value"} {
					t.Run(fmt.Sprint(name, " ", from, " after ", before), func(t *testing.T) {
						ctx := t.Context()
						cachefixture.Must(t, mine.Delete(ctx, "k"))
						if before != "nothing" {
							cachefixture.Must(t, mine.Set(ctx, "k", "old", 1, cache.Tags("t", "u")))
						}
						var n loads
						wantFetch(t, mine, func(ctx context.Context) (string, error) {
							n.n.Add(1)
							return "outdated", change(ctx, by)
						}, "outdated", cache.Tags("t"))
						wantFetch(t, mine, n.gives("new"), "new")
						n.want(t, 2)
						cachefixture.WantValue(t, other, "k", "new")
					})
				}
			}
		}
		t.Run("set", func(t *testing.T) {
			ctx := t.Context()
			cachefixture.Must(t, mine.Delete(ctx, "k"))
			wantFetch(t, mine, func(ctx context.Context) (string, error) { return "loaded", mine.Set(ctx, "k", "set", 0) }, "loaded")
			cachefixture.WantValue(t, mine, "k", "set")
			if s := mine.Stats(); s.Discarded == 0 {
				t.Error("the loaded value was not counted as discarded")
			}
		})
	})
}

func TestLoadsThatMisbehave(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		ctx := t.Context()
		texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, Memory: -1, LoadTimeout: 300 * time.Millisecond, Lease: 100 * time.Millisecond})
		var n loads
		_, err := texts.Fetch(ctx, "k", 0, func(context.Context) (string, error) { panic(store.ErrBusy) })
		var panicked *cache.PanicError
		if !errors.As(err, &panicked) || len(panicked.Stack) == 0 || !errors.Is(err, store.ErrBusy) {
			t.Errorf("a panic gives %v", err)
		}
		_, err = texts.Fetch(ctx, "k", 0, func(context.Context) (string, error) { runtime.Goexit(); return "", nil })
		if err == nil {
			t.Error("a load that ended its goroutine gave a value")
		}
		_, err = texts.Fetch(ctx, "k", 0, func(ctx context.Context) (string, error) { return texts.Fetch(ctx, "k", 0, n.gives("inner")) })
		if !errors.Is(err, cache.ErrRecursive) {
			t.Errorf("a load of its own key gives %v", err)
		}
		v, err := texts.Fetch(ctx, "outer", 0, func(ctx context.Context) (string, error) { return texts.Fetch(ctx, "inner", 0, n.gives("v")) })
		if v != "v" || err != nil {
			t.Errorf("a load of another key gives %q, %v", v, err)
		}
		forever := make(chan struct{})
		defer close(forever)
		_, err = texts.Fetch(ctx, "k", 0, func(context.Context) (string, error) { <-forever; return "", nil })
		if !errors.Is(err, cache.ErrLoadTimeout) {
			t.Errorf("a load that blocks gives %v", err)
		}
		wantFetch(t, texts, n.gives("after all"), "after all") // no one is kept waiting by it

		// Who leaves does not take the load along; the last one does.
		cachefixture.Must(t, texts.Delete(ctx, "k"))
		started, ended := make(chan struct{}), make(chan struct{})
		gone, leave := context.WithCancel(ctx)
		result := make(chan error, 1)
		go func() {
			_, err := texts.Fetch(gone, "k", 0, func(ctx context.Context) (string, error) {
				close(started)
				<-ctx.Done()
				close(ended)
				return "", ctx.Err()
			})
			result <- err
		}()
		on(t, started)
		leave()
		if err := on(t, result); !errors.Is(err, context.Canceled) {
			t.Errorf("who left got %v", err)
		}
		on(t, ended)
	})
}

// A process that is killed between load and store leaves a lease: another one
// loads when it has ended.
func TestLeaseOfADeadProcess(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		ctx := t.Context()
		db := p.Open(t)
		rows := db.CacheEntry.CacheBackend()
		had, fresh, err := rows.Lease(ctx, &backend.Write{Key: "k", Tags: []string{"t"}, Token: 7}, 400*time.Millisecond)
		if !had || !fresh || err != nil {
			t.Fatalf("leased %v, %v, %v", had, fresh, err)
		}
		texts := cache.New[string](db.CacheEntry, cachefixture.Plain)
		cachefixture.WantMiss(t, texts, "k")
		if had, _, err := rows.Lease(ctx, &backend.Write{Key: "k", Token: 8}, time.Minute); had || err != nil {
			t.Errorf("a second lease: %v, %v", had, err)
		}
		if ok, err := rows.RenewLease(ctx, "k", 7, 400*time.Millisecond); !ok || err != nil {
			t.Errorf("renewing: %v, %v", ok, err)
		}
		if ok, err := rows.RenewLease(ctx, "k", 8, time.Minute); ok || err != nil {
			t.Errorf("renewing what another has: %v, %v", ok, err)
		}
		var n loads
		start := time.Now()
		wantFetch(t, texts, n.gives("v"), "v")
		n.want(t, 1)
		if took := time.Since(start); took < 300*time.Millisecond || took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
		if ok, err := rows.Fill(ctx, &backend.Write{Key: "k", Token: 7, Format: "json", Value: []byte(`"late"`), Life: time.Hour, Fresh: time.Hour}); ok || err != nil {
			t.Errorf("the dead process came back and wrote: %v, %v", ok, err)
		}
		cachefixture.WantValue(t, texts, "k", "v")
	})
}

func TestLongLoadsKeepTheirLease(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		opts := cache.Options{Timeout: cachefixture.Patience, Memory: -1, Lease: 500 * time.Millisecond}
		mine, other := cache.New[string](p.Open(t).CacheEntry, opts), cache.New[string](p.Open(t).CacheEntry, opts)
		var n loads
		waits := make(chan struct{})
		wantFetch(t, mine, func(context.Context) (string, error) {
			go func() {
				defer close(waits)
				wantFetch(t, other, n.gives("theirs"), "mine")
			}()
			time.Sleep(1200 * time.Millisecond) // two leases: the load itself, not a wait for something
			return "mine", nil
		}, "mine")
		on(t, waits)
		n.want(t, 0)
	})
}

func TestNegativeEntries(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		for name, memory := range map[string]int64{"table": -1, "memory": 0} {
			t.Run(name, func(t *testing.T) {
				texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: -1, Memory: memory, NegativeTTL: 10 * time.Second, Prefix: name})
				var n loads
				fetch := func(want error) {
					t.Helper()
					if _, err := texts.Fetch(t.Context(), "k", time.Minute, n.fails(fmt.Errorf("no such page: %w", cache.ErrNone)), cache.Tags("t")); !errors.Is(err, want) {
						t.Errorf("got %v", err)
					}
				}
				fetch(cache.ErrNone)
				fetch(cache.ErrNone)
				fetch(cache.ErrNone)
				n.want(t, 1)
				cachefixture.WantMiss(t, texts, "k")
				p.Clock.Add(11 * time.Second)
				fetch(cache.ErrNone)
				n.want(t, 2)
				if gone, err := texts.InvalidateTags(t.Context(), "t"); gone != 1 || err != nil {
					t.Errorf("invalidated %d, %v", gone, err)
				}
				wantFetch(t, texts, n.gives("now there"), "now there")
				if s := texts.Stats(); s.LoadErrors != 0 {
					t.Errorf("%d failed loads", s.LoadErrors)
				}
				cachefixture.Must(t, texts.Delete(t.Context(), "k"))
				fetch(cache.ErrNone)
				if ok, err := texts.Add(t.Context(), "k", "added", 0); !ok || err != nil {
					t.Errorf("Add in place of nothing: %v, %v", ok, err)
				}
			})
		}
	})
}

func TestStaleValues(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: -1, StaleFor: 10 * time.Second, StaleIfError: time.Hour})
		var n loads
		broken := errors.New("broken")
		wantFetch(t, texts, n.gives("one"), "one")
		p.Clock.Add(65 * time.Second)
		cachefixture.WantMiss(t, texts, "k") // Get gives no stale values
		release := make(chan struct{})
		wantFetch(t, texts, func(ctx context.Context) (string, error) { <-release; return n.gives("two")(ctx) }, "one")
		wantFetch(t, texts, n.gives("three"), "one")
		close(release)
		cachefixture.Until(t, "the value that is loaded in the background", func() bool { v, ok := texts.Get(ctx, "k"); return ok && v == "two" })
		n.want(t, 2)
		p.Clock.Add(time.Minute + time.Minute)
		wantFetch(t, texts, n.fails(broken), "two") // the load fails, the value is stale
		n.want(t, 3)
		wantFetch(t, texts, n.gives("three"), "three") // beyond StaleFor it is waited for
		p.Clock.Add(2 * time.Hour)
		if _, err := texts.Fetch(ctx, "k", time.Minute, n.fails(broken)); !errors.Is(err, broken) {
			t.Errorf("beyond StaleIfError: %v", err)
		}
		if s := texts.Stats(); s.StaleHits != 3 {
			t.Errorf("%d stale hits", s.StaleHits)
		}
	})
}

// A program whose StaleIfError is shorter than that of the program which wrote an entry
// does not return it for longer than its own.
func TestStaleIfErrorOfAnother(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx, db := t.Context(), p.Open(t)
		long := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: -1, Memory: -1, StaleIfError: time.Hour})
		short := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: -1, Memory: -1, StaleIfError: time.Minute})
		broken := errors.New("broken")
		var n loads
		wantFetch(t, long, n.gives("one"), "one") // for a minute
		p.Clock.Add(90 * time.Second)
		wantFetch(t, short, n.fails(broken), "one")
		p.Clock.Add(time.Minute)
		if v, err := short.Fetch(ctx, "k", time.Minute, n.fails(broken)); !errors.Is(err, broken) {
			t.Errorf("a minute beyond its end: %q, %v", v, err)
		}
		wantFetch(t, long, n.fails(broken), "one")
	})
}

func TestRefreshAhead(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		for name, memory := range map[string]int64{"table": -1, "memory": 0} {
			t.Run(name, func(t *testing.T) {
				texts := cache.New[string](p.Open(t).CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: -1, Memory: memory, MemoryFor: time.Hour, RefreshAhead: 0.2, Prefix: name})
				var n loads
				wantFetch(t, texts, n.gives("one"), "one")
				p.Clock.Add(47 * time.Second)
				wantFetch(t, texts, n.gives("early"), "one")
				n.want(t, 1)
				p.Clock.Add(2 * time.Second)
				wantFetch(t, texts, n.gives("two"), "one")
				cachefixture.Until(t, "the next value", func() bool { v, _ := texts.Get(t.Context(), "k"); return v == "two" })
				n.want(t, 2)
				p.Clock.Add(47 * time.Second)
				wantFetch(t, texts, n.gives("three"), "two")
				n.want(t, 2)
			})
		}
	})
}

func TestJitter(t *testing.T) {
	p := cachefixture.Place{Kind: "sqlite", DSN: "sqlite::memory:", Clock: cachefixture.NewClock()}
	db := p.Open(t)
	texts := cache.New[string](db.CacheEntry, cache.Options{Timeout: cachefixture.Patience, Jitter: 0.5})
	seen := map[time.Time]bool{}
	for i := range 50 {
		key := fmt.Sprint(i)
		cachefixture.Must(t, texts.Set(t.Context(), key, "v", time.Hour))
		row, err := db.CacheEntry.GetByKey(t.Context(), key)
		cachefixture.Must(t, err)
		left := row.ExpiresAt.V.Sub(p.Clock.Now())
		if left > time.Hour || left < 30*time.Minute-time.Microsecond {
			t.Errorf("it lives for %s", left)
		}
		seen[row.ExpiresAt.V] = true
	}
	if len(seen) < 40 {
		t.Errorf("only %d different ends", len(seen))
	}
}
