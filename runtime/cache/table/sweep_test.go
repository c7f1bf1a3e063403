package table_test

import (
	"testing"
	"time"

	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/table"
)

// What is removed without a cache's type is removed as by its methods: other processes forget it too.
func TestSweepAndInvalidate(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db, other := p.Open(t), p.Open(t)
		opts := cache.Options{Timeout: cachefixture.Patience, Jitter: -1}
		mine, theirs := cache.New[string](db.CacheEntry, opts), cache.New[string](other.CacheEntry, opts)
		long := "a tag that is longer than the column of tags: "
		for range 300 {
			long += "x"
		}
		cachefixture.Must(t, mine.Set(ctx, "short", "v", time.Minute))
		cachefixture.Must(t, mine.Set(ctx, "tagged", "v", time.Hour, cache.Tags(long)))
		cachefixture.Must(t, mine.Set(ctx, "other", "v", time.Hour, cache.Tags("b")))
		cachefixture.Must(t, mine.Set(ctx, "kept", "v", time.Hour, cache.Tags("c")))
		for _, key := range []string{"short", "tagged", "other", "kept"} {
			cachefixture.WantValue(t, theirs, key, "v")
		}
		conn, spec := db.Store().Conn(), table.SpecOf(db.CacheEntry.CacheBackend())
		n, err := table.Invalidate(ctx, conn, spec, []string{long, "b", "none"})
		if err != nil || n != 2 {
			t.Errorf("removed %d by tags, %v", n, err)
		}
		for _, key := range []string{"tagged", "other"} {
			cachefixture.Until(t, "another process forgets "+key, func() bool {
				_, ok := theirs.Get(ctx, key)
				return !ok
			})
		}
		p.Clock.Add(2 * time.Minute)
		if n, err = table.Sweep(ctx, conn, spec); err != nil || n != 1 {
			t.Errorf("removed %d that had expired, %v", n, err)
		}
		cachefixture.WantValue(t, mine, "kept", "v")
	})
}
