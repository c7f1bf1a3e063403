package cachetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/store"
)

// testFetch has many callers in several processes ask for one value at once.
func testFetch(t *testing.T, open Open) {
	ctx := t.Context()
	var caches []*cache.Cache[string]
	for range 4 {
		caches = append(caches, texts(open(t), 0))
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
}

// testFetchOvertaken changes an entry while it is loaded: the change wins.
func testFetchOvertaken(t *testing.T, open Open) {
	ctx := t.Context()
	mine, theirs, third := texts(open(t), 0), texts(open(t), 0), texts(open(t), 0)
	for name, change := range map[string]func(key string) error{
		"delete": func(key string) error { return theirs.Delete(ctx, key) },
		"tag":    func(string) error { _, err := theirs.InvalidateTags(ctx, "t"); return err },
		"clear":  func(string) error { _, err := theirs.Clear(ctx); return err },
		"prefix": func(key string) error { _, err := theirs.InvalidatePrefix(ctx, key); return err },
		"set":    func(key string) error { return theirs.Set(ctx, key, "set", time.Hour) },
	} {
		key := "k-" + name
		v, err := mine.Fetch(ctx, key, time.Hour, func(context.Context) (string, error) { return "outdated", change(key) }, cache.Tags("t"))
		if v != "outdated" || err != nil {
			t.Errorf("%s: got %q, %v", name, v, err)
		}
		if got, _ := third.Get(ctx, key); got == "outdated" {
			t.Errorf("%s: what was loaded before it is kept", name)
		}
	}
}

func testFetchNothing(t *testing.T, open Open) {
	ctx := t.Context()
	c := cache.New[string](open(t), cache.Options{Timeout: patience, NegativeTTL: time.Hour, StaleIfError: time.Hour, Jitter: -1})
	loads := 0
	for range 2 {
		_, err := c.Fetch(ctx, "nothing", 0, func(context.Context) (string, error) { loads++; return "", cache.ErrNone })
		if !errors.Is(err, cache.ErrNone) {
			t.Errorf("got %v", err)
		}
	}
	if loads != 1 {
		t.Errorf("it was loaded %d times", loads)
	}
	broken := errors.New("broken")
	if _, err := c.Fetch(ctx, "fails", 0, func(context.Context) (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	must(t, c.Set(ctx, "stale", "old", time.Millisecond))
	until(t, "the end of a value's time", func() bool { _, ok := c.Get(ctx, "stale"); return !ok })
	if v, err := c.Fetch(ctx, "stale", time.Hour, func(context.Context) (string, error) { return "", broken }); v != "old" || err != nil {
		t.Errorf("a stale value: %q, %v", v, err)
	}
}

// testOtherProcesses changes what another process keeps in memory.
func testOtherProcesses(t *testing.T, open Open) {
	ctx := t.Context()
	mine := cache.New[string](open(t), cache.Options{Timeout: patience, MemoryFor: time.Hour, Jitter: -1})
	theirs := texts(open(t), 0)
	for name, change := range map[string]func() error{
		"set":    func() error { return theirs.Set(ctx, "k", "new", 0) },
		"many":   func() error { return theirs.SetMany(ctx, map[string]string{"k": "new", "l": "new"}, 0) },
		"delete": func() error { return theirs.Delete(ctx, "k") },
		"tag":    func() error { _, err := theirs.InvalidateTags(ctx, "t"); return err },
		"prefix": func() error { _, err := theirs.InvalidatePrefix(ctx, "k"); return err },
		"clear":  func() error { _, err := theirs.Clear(ctx); return err },
		"touch":  func() error { _, err := theirs.Touch(ctx, "k", time.Millisecond); return err },
	} {
		must(t, mine.Set(ctx, "k", "old", 0, cache.Tags("t")))
		want(t, mine, "k", "old")
		must(t, change())
		until(t, name, func() bool { v, _ := mine.Get(ctx, "k"); return v != "old" })
	}
}

// testLeases lets one load at a time run.
func testLeases(t *testing.T, open Open) {
	ctx := t.Context()
	b := open(t).CacheBackend()
	lease := func(key string, token int64, wantHad, wantFresh bool) {
		t.Helper()
		had, fresh, err := b.Lease(ctx, &backend.Write{Key: key, Token: token}, time.Hour)
		if had != wantHad || fresh != wantFresh || err != nil {
			t.Errorf("lease of %s by %d: %v, %v, %v", key, token, had, fresh, err)
		}
	}
	renew := func(key string, token int64, want bool) {
		t.Helper()
		if ok, err := b.RenewLease(ctx, key, token, time.Hour); ok != want || err != nil {
			t.Errorf("renewed %s by %d: %v, %v", key, token, ok, err)
		}
	}
	fill := func(key string, token int64, want bool) {
		t.Helper()
		w := &backend.Write{Key: key, Value: fmt.Append(nil, token), Format: "x", Life: time.Hour, Fresh: time.Hour, Token: token}
		if ok, err := b.Fill(ctx, w); ok != want || err != nil {
			t.Errorf("filled %s by %d: %v, %v", key, token, ok, err)
		}
	}
	lease("k", 1, true, true)
	lease("k", 2, false, false)
	if e, err := b.Find(ctx, "k"); err != nil || e.Format != backend.FormatLease {
		t.Errorf("while it is loaded there is %+v, %v", e, err)
	}
	renew("k", 1, true)
	renew("k", 2, false)
	fill("k", 2, false)
	fill("k", 1, true)
	renew("k", 1, false)
	lease("k", 3, true, false) // of an entry that has a value
	must(t, b.ReleaseLease(ctx, "k", 4))
	renew("k", 3, true)
	must(t, b.ReleaseLease(ctx, "k", 3))
	lease("k", 5, true, false)
	must(t, b.Remove(ctx, []string{"k"}))
	fill("k", 5, false)
	lease("l", 6, true, true)
	must(t, b.ReleaseLease(ctx, "l", 6))
	until(t, "an entry without a value to be gone or leased again", func() bool {
		had, _, err := b.Lease(ctx, &backend.Write{Key: "l", Token: 7}, time.Millisecond)
		must(t, err)
		return had
	})
	until(t, "a lease to end", func() bool {
		had, _, err := b.Lease(ctx, &backend.Write{Key: "l", Token: 8}, time.Hour)
		must(t, err)
		return had
	})
	fill("l", 7, false)
	fill("l", 8, true)
	if e, err := b.Find(ctx, "l"); err != nil || string(e.Value) != "8" {
		t.Errorf("found %q, %v", e.Value, err)
	}
	if _, err := b.Find(ctx, "k"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("what was removed is back: %v", err)
	}
}
