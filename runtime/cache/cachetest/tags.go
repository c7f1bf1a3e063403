package cachetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/backend"
)

func testTags(t *testing.T, open Open) {
	ctx := t.Context()
	c := texts(open(t), 0)
	set := func(key string, tags ...string) {
		t.Helper()
		must(t, c.Set(ctx, key, key, time.Hour, cache.Tags(tags...)))
	}
	remove := func(want int64, tags ...string) {
		t.Helper()
		if n, err := c.InvalidateTags(ctx, tags...); n != want || err != nil {
			t.Errorf("%q removed %d, %v, want %d", tags, n, err, want)
		}
	}
	set("a", "x", "y", "x")
	set("b", "xy", "x%", "X", "x ")
	set("c")
	remove(0, "%", "_", "*", "z")
	remove(1, "x")
	want(t, c, "a", "")
	want(t, c, "b", "b")
	remove(1, "X", "xy")
	set("b", "one")
	set("b", "two") // a new value has its own tags only
	remove(0, "one")
	set("b") // or none
	remove(0, "two")
	want(t, c, "b", "b")
	odd := []string{strings.Repeat("long", 3000), "nul\x00", "\xff\xfe", "quote'\"`\\", "comma,a", "percent%_"}
	for i, tag := range odd {
		set(fmt.Sprint("odd", i), tag, "all")
	}
	for _, tag := range odd {
		remove(1, tag)
	}
	remove(0, "all")
	want(t, c, "c", "c")
}

// testManyTagged removes more entries by a tag than one step does. Some of them
// are being loaded again, with the same tag, and must not stand for two.
func testManyTagged(t *testing.T, open Open) {
	ctx := t.Context()
	source := open(t)
	c := texts(source, -1)
	const many = 1200
	values := map[string]string{}
	for i := range many {
		values[fmt.Sprintf("k%04d", i)] = "v"
	}
	must(t, c.SetMany(ctx, values, time.Hour, cache.Tags("many")))
	b := source.CacheBackend()
	for i := range 10 {
		w := &backend.Write{Key: fmt.Sprintf("k%04d", i), Tags: []string{"many"}, Token: int64(i + 1)}
		if had, fresh, err := b.Lease(ctx, w, time.Hour); !had || fresh || err != nil {
			t.Fatalf("lease: %v, %v, %v", had, fresh, err)
		}
	}
	if n, err := c.InvalidateTags(ctx, "many"); n != many || err != nil {
		t.Errorf("removed %d of %d, %v", n, many, err)
	}
	if n, _, err := c.Size(ctx); n != 0 || err != nil {
		t.Errorf("%d are left, %v", n, err)
	}
}

func testRanges(t *testing.T, open Open) {
	ctx := t.Context()
	source := open(t)
	c := texts(source, 0)
	other := cache.New[string](source, cache.Options{Timeout: patience, Prefix: "other:"})
	in, out := []string{"p", "p1", "p%", "p\xff", "p" + strings.Repeat("long", 1000)}, []string{"o", "q", "P", "P1"}
	for _, key := range append(in[:len(in):len(in)], out...) {
		must(t, c.Set(ctx, key, "v", time.Hour))
	}
	must(t, other.Set(ctx, "p1", "v", time.Hour))
	if n, err := c.InvalidatePrefix(ctx, "p"); n != int64(len(in)) || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	for _, key := range in {
		want(t, c, key, "")
	}
	for _, key := range out {
		want(t, c, key, "v")
	}
	if n, err := other.Clear(ctx); n != 1 || err != nil { // a cache with a prefix has what begins with it
		t.Errorf("cleared %d, %v", n, err)
	}
	want(t, c, "q", "v")
}
