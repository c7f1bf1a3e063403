package cachetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/store"
)

// oddKeys are keys that a backend could mistake for another, or for a pattern.
var oddKeys = []string{
	"a", "a ", "A", "a\x00", "\xff", "a%", "a_", "a*", "a?[x]\\", "a'", "ä", "\U0010ffff", strings.Repeat("long", 3000), strings.Repeat("long", 3000) + "x",
}

func testEntries(t *testing.T, open Open, memory int64) {
	ctx := t.Context()
	c := texts(open(t), memory)
	for i, key := range oddKeys {
		want(t, c, key, "")
		must(t, c.Set(ctx, key, fmt.Sprint("v", i), time.Hour))
	}
	for i, key := range oddKeys {
		want(t, c, key, fmt.Sprint("v", i))
	}
	if many := c.GetMany(ctx, append(oddKeys[:len(oddKeys):len(oddKeys)], "none")); len(many) != len(oddKeys) || many["a*"] != "v7" {
		t.Errorf("%d of %d, a* holds %q", len(many), len(oddKeys), many["a*"])
	}
	if n, bytes, err := c.Size(ctx); n != int64(len(oddKeys)) || bytes < n || err != nil {
		t.Errorf("%d entries, %d bytes, %v", n, bytes, err)
	}
	must(t, c.Set(ctx, "A", "replaced", time.Hour))
	want(t, c, "A", "replaced")
	must(t, c.Delete(ctx, "a", "a*", "never there"))
	want(t, c, "a", "")
	want(t, c, "a*", "")
	want(t, c, "a?[x]\\", "v8")
	must(t, c.SetMany(ctx, map[string]string{"m1": "x", "m2": "y"}, 0))
	want(t, c, "m2", "y")
	if n, err := c.Clear(ctx); n != int64(len(oddKeys)) || err != nil { // two went, two came
		t.Errorf("cleared %d, %v", n, err)
	}
	want(t, c, oddKeys[len(oddKeys)-1], "")
	if n, bytes, err := c.Size(ctx); n != 0 || bytes != 0 || err != nil {
		t.Errorf("after Clear there are %d entries, %d bytes, %v", n, bytes, err)
	}
}

func testEnds(t *testing.T, open Open, memory int64) {
	ctx := t.Context()
	c := texts(open(t), memory)
	must(t, c.Set(ctx, "ever", "e", 0))
	must(t, c.Set(ctx, "short", "v", 20*time.Millisecond))
	until(t, "the end of an entry", func() bool { _, ok := c.Get(ctx, "short"); return !ok })
	for _, key := range []string{"short", "never there"} {
		if ok, err := c.Touch(ctx, key, time.Hour); ok || err != nil {
			t.Errorf("touched %s: %v, %v", key, ok, err)
		}
	}
	must(t, c.Set(ctx, "k", "v", time.Hour))
	want(t, c, "k", "v")
	if ok, err := c.Touch(ctx, "k", time.Millisecond); !ok || err != nil {
		t.Errorf("touched %v, %v", ok, err)
	}
	until(t, "the new end", func() bool { _, ok := c.Get(ctx, "k"); return !ok })
	want(t, c, "ever", "e")
}

func testAddAndCount(t *testing.T, open Open) {
	ctx := t.Context()
	source := open(t)
	c := texts(source, 0)
	counts := cache.New[int](source, cache.Options{Timeout: patience, Memory: -1})
	var won atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			ok, err := c.Add(ctx, "k", "v", time.Hour)
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
	if n, err := counts.Increment(ctx, "n", -50, 0); n != -10 || err != nil {
		t.Errorf("counted down to %d, %v", n, err)
	}
	if _, err := counts.Increment(ctx, "k", 1, 0); !errors.Is(err, cache.ErrNotNumber) {
		t.Errorf("a text is counted: %v", err)
	}
	want(t, c, "k", "v")
	must(t, c.Set(ctx, "short", "v", time.Millisecond))
	until(t, "the end of an entry, in whose place another is added", func() bool {
		ok, err := c.Add(ctx, "short", "new", time.Hour)
		must(t, err)
		return ok
	})
	want(t, c, "short", "new")
}

// testFinds asks the backend itself.
func testFinds(t *testing.T, open Open) {
	ctx := t.Context()
	b := open(t).CacheBackend()
	if b.InTx() || b.Invalidator() == nil || b.Limits().Name == "" {
		t.Error("the backend does not say what it is")
	}
	if _, err := b.Find(ctx, "k"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("finding nothing: %v", err)
	}
	must(t, b.Put(ctx, []*backend.Write{
		{Key: "k", Value: []byte("1\x00\xff"), Format: "x", Number: -7, Life: time.Hour, Fresh: time.Minute, Token: 1},
		{Key: "ever", Format: backend.FormatNone, Life: cache.Forever, Fresh: cache.Forever, Token: 2},
	}))
	e, err := b.Find(ctx, "k")
	if err != nil || string(e.Value) != "1\x00\xff" || e.Format != "x" || e.Number != -7 {
		t.Errorf("found %+v, %v", e, err)
	}
	if e.Life > time.Hour || e.Life < time.Hour/2 || e.Fresh > time.Minute || e.Fresh < 0 || e.Clock.IsZero() {
		t.Errorf("lives %s, fresh %s, at %s", e.Life, e.Fresh, e.Clock)
	}
	found := map[string]backend.Entry{}
	must(t, b.FindMany(ctx, []string{"ever", "k", "none"}, func(key string, e backend.Entry) { found[key] = e }))
	if len(found) != 2 || string(found["k"].Value) != "1\x00\xff" || found["ever"].Life != cache.Forever || found["ever"].Fresh != cache.Forever {
		t.Errorf("found %+v", found)
	}
	if err := b.FindMany(ctx, nil, func(string, backend.Entry) { t.Error("found something") }); err != nil {
		t.Error(err)
	}
	must(t, b.Remove(ctx, []string{"k"}))
	if _, err := b.Find(ctx, "k"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("finding what was removed: %v", err)
	}
}

// testTouches has the value of an entry replaced while its end is changed.
func testTouches(t *testing.T, open Open) {
	ctx := t.Context()
	b := open(t).CacheBackend()
	reseal := func(e *backend.Entry) ([]byte, error) { return append(e.Value, "+"...), nil }
	if ok, err := b.Touch(ctx, "k", time.Hour, time.Hour, reseal); ok || err != nil {
		t.Errorf("touched nothing: %v, %v", ok, err)
	}
	must(t, b.Put(ctx, []*backend.Write{{Key: "k", Value: []byte("v"), Format: "x", Life: time.Minute, Fresh: time.Minute, Token: 1}}))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if ok, err := b.Touch(ctx, "k", time.Hour, time.Hour, reseal); !ok || err != nil {
				t.Errorf("touched %v, %v", ok, err)
			}
		})
	}
	all.Wait()
	e, err := b.Find(ctx, "k")
	if err != nil || string(e.Value) != "v++++" || e.Life <= time.Minute {
		t.Errorf("holds %q for %s, %v", e.Value, e.Life, err)
	}
	broken := errors.New("broken")
	if ok, err := b.Touch(ctx, "k", time.Minute, time.Minute, func(*backend.Entry) ([]byte, error) { return nil, broken }); ok || !errors.Is(err, broken) {
		t.Errorf("touched %v, %v", ok, err)
	}
	if e, err := b.Find(ctx, "k"); err != nil || string(e.Value) != "v++++" || e.Life <= time.Minute {
		t.Errorf("after a failure it holds %q for %s, %v", e.Value, e.Life, err)
	}
}

// testClock wants a moment that is not far from this process's: services run on
// the same machine.
func testClock(t *testing.T, open Open) {
	now, err := open(t).CacheBackend().Now(t.Context())
	if d := time.Since(now); err != nil || d < -time.Minute || d > time.Minute {
		t.Errorf("now is %s, %s off, %v", now, d, err)
	}
}
