package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"

	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/runtime/cache"
)

// mixed is 95 reads to 5 writes of keys as they are asked for in the world: few of
// them often.
func (t *trial) mixed(ctx context.Context) error {
	texts := cache.New[[]byte](t.db.CacheEntry, cache.Options{Memory: 256 << 20, Codec: cache.Raw()})
	bare := otter.Must(&otter.Options[string, []byte]{
		MaximumWeight: 256 << 20, Weigher: func(key string, v []byte) uint32 { return uint32(len(key) + len(v)) },
	})
	for _, key := range t.keys {
		bare.Set(key, t.value)
	}
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 1, keyCount-1)
	order := make([]string, 1<<16)
	for i := range order {
		order[i] = t.keys[zipf.Uint64()]
	}
	side := func(get func(key string) error, set func(key string) error) call {
		return func(i int) error {
			key := order[i%len(order)]
			if i%20 == 0 {
				return set(key)
			}
			return get(key)
		}
	}
	ours := side(func(key string) error {
		if _, ok := texts.Get(ctx, key); !ok {
			return errMiss
		}
		return nil
	}, func(key string) error { return texts.Set(ctx, key, t.value, time.Hour) })
	server := side(func(key string) error { return t.redis.Get(ctx, key).Err() },
		func(key string) error { return t.redis.Set(ctx, key, t.value, time.Hour).Err() })
	memory := side(func(key string) error {
		if _, ok := bare.GetIfPresent(key); !ok {
			return errMiss
		}
		return nil
	}, func(key string) error { bare.Set(key, t.value); return nil })
	figures, err := measure.Rotate(t.rounds, t.time(16, 5*t.calls, ours), t.time(16, 5*t.calls, server), t.time(16, 5*t.calls, memory))
	if err != nil {
		return err
	}
	t.report.Add(measure.Compare(suite, "95/5 Zipf, 16 goroutines", "sqlite", "µs", "go-redis", figures[0], figures[1], nil))
	t.report.Add(measure.Compare(suite, "95/5 Zipf, 16 goroutines", "sqlite", "µs", "otter alone", figures[0], figures[2], nil))
	return nil
}

func rate(micros float64) float64 { return 1e6 / micros }

func (t *trial) sets(ctx context.Context) error {
	ours := func(i int) error { return t.texts.Set(ctx, t.key(i), t.value, time.Hour) }
	peer := func(i int) error { return t.redis.Set(ctx, t.key(i), t.value, time.Hour).Err() }
	for _, n := range []int{16, 64} {
		a, b, err := measure.Alternate(measure.Rounds{Ours: t.rounds, Peer: t.rounds}, t.time(n, 2*t.calls, ours), t.time(n, 2*t.calls, peer))
		if err != nil {
			return err
		}
		t.report.Add(measure.CompareRates(suite, fmt.Sprintf("set, %d goroutines", n), "sqlite", "/s", "go-redis SET", rate(a), rate(b), measure.Target(1)))
	}
	return nil
}

func (t *trial) pipelines(ctx context.Context) error {
	const batch = 100
	keys := func(i int) []string {
		at := i * batch % keyCount
		return t.keys[at : at+batch]
	}
	ours := func(i int) error {
		values := make(map[string][]byte, batch)
		for _, key := range keys(i) {
			values[key] = t.value
		}
		return t.texts.SetMany(ctx, values, time.Hour)
	}
	peer := func(i int) error {
		_, err := t.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, key := range keys(i) {
				p.Set(ctx, key, t.value, time.Hour)
			}
			return nil
		})
		return err
	}
	a, b, err := measure.Alternate(measure.Rounds{Ours: t.rounds, Peer: t.rounds}, t.time(1, t.calls/20, ours), t.time(1, t.calls/20, peer))
	if err != nil {
		return err
	}
	t.report.Add(measure.CompareRates(suite, "set 100 at once, 1 goroutine", "sqlite", "sets/s", "redis pipeline", batch*rate(a), batch*rate(b), nil))
	return nil
}
