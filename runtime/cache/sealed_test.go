package cache_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

var secret = []cache.Key{{ID: "k1", Secret: []byte("0123456789abcdef")}}

func encrypted[V any](source cache.Source) *cache.Cache[V] {
	return cache.New[V](source, cache.Options{Timeout: cachefixture.Patience, Memory: -1, Jitter: -1, Keys: secret, NegativeTTL: time.Hour})
}

// wantRefused wants a miss that is counted.
func wantRefused[V any](t *testing.T, c *cache.Cache[V], key, what string) {
	t.Helper()
	before := c.Stats()
	if v, ok := c.Get(t.Context(), key); ok {
		t.Errorf("%s: got %v", what, v)
	}
	if s := c.Stats(); s.Undecodable != before.Undecodable+1 || s.Unsealed != before.Unsealed+1 {
		t.Errorf("%s: %d are counted as undecodable and %d as unsealed, want one more than %d and %d", what, s.Undecodable, s.Unsealed, before.Undecodable, before.Unsealed)
	}
}

// An encrypted cache takes nothing that was not encrypted for where it stands.
func TestEncryptedCacheTakesNothingElse(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		texts, counts := encrypted[string](db.CacheEntry), encrypted[int](db.CacheEntry)
		cachefixture.Must(t, cache.New[string](db.CacheEntry, cachefixture.Plain).Set(ctx, "plain", "v", time.Hour))
		wantRefused(t, texts, "plain", "a value in plain text")
		cachefixture.Must(t, cache.New[int](db.CacheEntry, cachefixture.Plain).Set(ctx, "count", 7, time.Hour))
		wantRefused(t, counts, "count", "a counter")
		wantRefused(t, texts, "count", "a counter")

		cachefixture.Must(t, texts.Set(ctx, "k", "v", time.Hour))
		row, err := db.CacheEntry.GetByKey(ctx, "k")
		cachefixture.Must(t, err)
		change := func(what string, columns map[string]any) {
			t.Helper()
			storetest.SetColumns(t, db.Store(), "cache_entry", columns, row.ID)
			wantRefused(t, texts, "k", what)
			back := map[string]any{"value": row.Value, "cache_format": row.CacheFormat, "expires_at": row.ExpiresAt.V}
			storetest.SetColumns(t, db.Store(), "cache_entry", back, row.ID)
			cachefixture.WantValue(t, texts, "k", "v")
		}
		change("a later end", map[string]any{"expires_at": row.ExpiresAt.V.Add(time.Minute)})
		change("no end", map[string]any{"expires_at": nil})
		change("another format", map[string]any{"cache_format": "json:string+zstd+aes:k1"})
		change("a format without encryption", map[string]any{"cache_format": "json:string"})
		change("another value", map[string]any{"value": []byte(`"v"`)})
		putEntry(t, db, "moved", row.Value, row.CacheFormat)
		_, err = db.CacheEntry.UpsertByKey(ctx, generated.CacheEntryNew{Key: "moved", Value: row.Value, ExpiresAt: store.Set(row.ExpiresAt.V)})
		cachefixture.Must(t, err)
		wantRefused(t, texts, "moved", "a value of another key")
		_, err = db.CacheEntry.Update(ctx, row.ID, generated.CacheEntryPatch{ExpiresAt: store.Set(row.ExpiresAt.V.Add(-time.Minute))})
		cachefixture.Must(t, err)
		cachefixture.WantValue(t, texts, "k", "v") // an earlier end is no one's gain
	})
}

// That there is nothing is sealed as values are.
func TestEncryptedNothing(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		texts := encrypted[string](db.CacheEntry)
		loads := 0
		fetch := func(key string, want int) {
			t.Helper()
			_, err := texts.Fetch(ctx, key, time.Hour, func(context.Context) (string, error) { loads++; return "", cache.ErrNone })
			if !errors.Is(err, cache.ErrNone) || loads != want {
				t.Errorf("%v after %d loads, want %d", err, loads, want)
			}
		}
		fetch("k", 1)
		fetch("k", 1)
		if ok, err := texts.Touch(ctx, "k", 3*time.Hour); !ok || err != nil {
			t.Errorf("Touch: %v, %v", ok, err)
		}
		p.Clock.Add(2 * time.Hour)
		fetch("k", 1)
		row, err := db.CacheEntry.GetByKey(ctx, "k")
		cachefixture.Must(t, err)
		_, err = db.CacheEntry.Update(ctx, row.ID, generated.CacheEntryPatch{Value: store.Set([]byte("json:string"))})
		cachefixture.Must(t, err)
		fetch("k", 2)
	})
}

// Touch seals anew; it does not bring back what has ended.
func TestTouchEncrypted(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db := p.Open(t)
		texts := encrypted[string](db.CacheEntry)
		cachefixture.Must(t, texts.Set(ctx, "k", "v", time.Hour, cache.Tags("t")))
		touch := func(key string, ttl time.Duration, want bool) {
			t.Helper()
			if ok, err := texts.Touch(ctx, key, ttl); ok != want || err != nil {
				t.Errorf("Touch of %s gives %v, %v, want %v", key, ok, err, want)
			}
		}
		touch("k", 3*time.Hour, true)
		p.Clock.Add(2 * time.Hour)
		cachefixture.WantValue(t, texts, "k", "v")
		touch("k", 0, true)
		p.Clock.Add(200 * time.Hour)
		cachefixture.WantValue(t, texts, "k", "v")
		cachefixture.Must(t, db.Tx(ctx, func(tx *generated.Tx) error {
			_, err := texts.In(tx.CacheEntry).Touch(ctx, "k", time.Hour)
			return err
		}))
		cachefixture.WantValue(t, texts, "k", "v")
		row, err := db.CacheEntry.GetByKey(ctx, "k")
		cachefixture.Must(t, err)
		if n, err := texts.InvalidateTags(ctx, "t"); n != 1 || err != nil {
			t.Errorf("its tag removed %d, %v", n, err)
		}
		putEntry(t, db, "k", row.Value, row.CacheFormat)
		p.Clock.Add(2 * time.Hour)
		touch("k", time.Hour, false) // its seal has ended
		wantRefused(t, texts, "k", "a value that has ended")
		cachefixture.Must(t, cache.New[string](db.CacheEntry, cachefixture.Plain).Set(ctx, "plain", "v", time.Hour))
		touch("plain", time.Hour, false)
		touch("never there", time.Hour, false)
	})
}

// The moment of a seal is the database's own.
func TestEncryptedByTheDatabasesClock(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		ctx := t.Context()
		db := p.Open(t)
		texts := encrypted[string](db.CacheEntry)
		cachefixture.Must(t, texts.Set(ctx, "k", "v", time.Hour))
		cachefixture.WantValue(t, texts, "k", "v")
		if ok, err := texts.Touch(ctx, "k", 2*time.Hour); !ok || err != nil {
			t.Errorf("Touch gives %v, %v", ok, err)
		}
		cachefixture.WantValue(t, texts, "k", "v")
		cachefixture.Must(t, texts.Set(ctx, "ever", "v", 0))
		cachefixture.WantValue(t, texts, "ever", "v")
		row, err := db.CacheEntry.GetByKey(ctx, "k")
		cachefixture.Must(t, err)
		_, err = db.CacheEntry.Update(ctx, row.ID, generated.CacheEntryPatch{ExpiresAt: store.Set(row.ExpiresAt.V.Add(time.Minute))})
		cachefixture.Must(t, err)
		wantRefused(t, texts, "k", "a later end")
	})
}
