package cache_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/store"
)

// Rows of generated code come with their secrets from memory and from the table, or not at all.
func TestRowsWithSecrets(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx, db := t.Context(), p.Open(t)
		err := cache.New[generated.CronJob](db.CacheEntry, cachefixture.Remembering).Set(ctx, "k", generated.CronJob{}, 0)
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "generated.CronJob holds CronJob.PingURL, which is secret, and JSON leaves it out") {
			t.Errorf("a row with a secret: %v", err)
		}
		if err := cache.New[generated.JobQueue](db.CacheEntry, cachefixture.Remembering).Err(); err != nil {
			t.Errorf("a row without: %v", err)
		}
		opts := cachefixture.Remembering
		opts.Codec, opts.Keys = cache.Gob(), secret
		jobs := cache.New[*generated.CronJob](db.CacheEntry, opts)
		opts.Memory = -1
		fromTable := cache.New[*generated.CronJob](db.CacheEntry, opts)
		row := &generated.CronJob{ID: 7, Name: "nightly", PingURL: store.Some("https://example.com/ping")}
		cachefixture.Must(t, jobs.Set(ctx, "k", row, time.Hour))
		for what, c := range map[string]*cache.Cache[*generated.CronJob]{"memory": jobs, "the table": fromTable} {
			got, ok := c.Get(ctx, "k")
			if !ok || got.ID != row.ID || got.Name != row.Name || got.PingURL != row.PingURL {
				t.Errorf("from %s, %v: %+v", what, ok, got)
			}
		}
		entry, err := db.CacheEntry.GetByKey(ctx, "k")
		cachefixture.Must(t, err)
		if strings.Contains(string(entry.Value), "example.com") {
			t.Error("the secret stands in the table")
		}
	})
}
