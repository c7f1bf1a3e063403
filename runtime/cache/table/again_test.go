package table_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
)

// What is loaded after a transaction has removed entries, and before it commits, is not there after the commit, in any
// process; it stays where the transaction is undone, or wrote entries after the removal. On SQLite no load gets its
// lease meanwhile, and keeps nothing.
func TestLoadedBeforeTheCommit(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		db, other := p.Open(t), p.Open(t)
		opts := cache.Options{Jitter: -1}
		mine, theirs := cache.New[string](db.CacheEntry, opts), cache.New[string](other.CacheEntry, opts)
		errUndone := errors.New("undone")
		for _, c := range []struct {
			name   string
			remove func(*cache.Cache[string]) error
			end    error
			stays  bool
		}{
			{"by tags", func(in *cache.Cache[string]) error { _, err := in.InvalidateTags(ctx, "none", "t"); return err }, nil, false},
			{"by its start", func(in *cache.Cache[string]) error { _, err := in.InvalidatePrefix(ctx, "key "); return err }, nil, false},
			{"by its key", func(in *cache.Cache[string]) error { return in.Delete(ctx, "key by its key") }, nil, false},
			{"undone", func(in *cache.Cache[string]) error { _, err := in.InvalidateTags(ctx, "t"); return err }, errUndone, true},
			{"and written", func(in *cache.Cache[string]) error {
				if _, err := in.InvalidateTags(ctx, "t"); err != nil {
					return err
				}
				return in.Set(ctx, "own", "v", time.Hour, cache.Tags("t"))
			}, nil, true},
			{"written and removed", func(in *cache.Cache[string]) error {
				if err := in.Set(ctx, "own", "v", time.Hour, cache.Tags("t")); err != nil {
					return err
				}
				_, err := in.InvalidateTags(ctx, "t")
				return err
			}, nil, false},
		} {
			key := "key " + c.name
			err := db.Tx(ctx, func(tx *generated.Tx) error {
				if err := c.remove(mine.In(tx.CacheEntry)); err != nil || tx.Conn().OneWriter() {
					return errors.Join(err, c.end)
				}
				_, err := theirs.Fetch(ctx, key, time.Hour, func(context.Context) (string, error) { return "old", nil }, cache.Tags("t"))
				return errors.Join(err, c.end)
			})
			if !errors.Is(err, c.end) || (err == nil) != (c.end == nil) {
				t.Fatalf("%s: %v", c.name, err)
			}
			loaded := !db.Store().Conn().OneWriter()
			if _, ok := mine.Get(ctx, key); ok != (c.stays && loaded) {
				t.Errorf("%s: found %v", c.name, ok)
			}
			if !c.stays {
				cachefixture.Until(t, "another process forgets what was removed "+c.name, func() bool { _, ok := theirs.Get(ctx, key); return !ok })
			}
			_, own := mine.Get(ctx, "own")
			if want := c.name == "and written"; own != want {
				t.Errorf("%s: its own entry is found: %v", c.name, own)
			}
		}
	})
}
