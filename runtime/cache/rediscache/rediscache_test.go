package rediscache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/cachetest"
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

func TestBackend(t *testing.T) {
	cachetest.Run(t, func(t *testing.T) cachetest.Open {
		p := here(t)
		return func(t testing.TB) cache.Source { return p.open(t) }
	})
}

// Entries in Redis have no fields of one's own.
func TestNoFields(t *testing.T) {
	texts := cache.New[string](here(t).open(t), cache.Options{Timeout: patience})
	if err := texts.Set(t.Context(), "k", "v", 0, cache.With(1)); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("fields of one's own: %v", err)
	}
}

func TestServerIsAway(t *testing.T) {
	ctx := t.Context()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialTimeout: 100 * time.Millisecond})
	defer client.Close()
	texts := cache.New[string](rediscache.New(client, rediscache.Options{}), cache.Options{Timeout: patience})
	if got, ok := texts.Get(ctx, "k"); ok {
		t.Errorf("k holds %q", got)
	}
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
