package cache

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"

	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cache"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	_ "modernc.org/sqlite" // database/sql on the same engine
)

const (
	suite     = "cache"
	valueSize = 200
	keyCount  = 50_000
)

// trial is one run of the suite.
type trial struct {
	report  *measure.Report
	rounds  int
	calls   int // of one sample
	large   int // entries of the large table
	changes int // of which the staleness is measured
	path    string
	db      *generated.DB
	texts   *cache.Cache[[]byte] // without memory
	redis   *redis.Client
	keys    []string
	value   []byte
}

// Run measures every case.
func Run(ctx context.Context, _ string, report *measure.Report) (err error) {
	t := &trial{report: report, rounds: 5, calls: 20_000, large: 1_000_000, changes: 500}
	if os.Getenv("BENCH_QUICK") != "" {
		t.rounds, t.calls, t.large, t.changes = 3, 5_000, 100_000, 100
	}
	dir, err := os.MkdirTemp("", "modulagen-bench-cache")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := t.open(ctx, dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.db.Close(), t.redis.Close()) }()
	report.Note("cache: %d keys, %d-byte values, medians of %d samples of %d calls; Redis without persistence, SQLite in WAL with synchronous=normal and 64 MiB of page cache",
		keyCount, valueSize, t.rounds, t.calls)
	for _, step := range []func(context.Context) error{
		t.gets, t.selects, t.memory, t.mixed, t.sets, t.pipelines, t.stampede, t.invalidation, t.cleanup, t.postgres, t.staleness,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (t *trial) open(ctx context.Context, dir string) (err error) {
	address := os.Getenv("MODULAGEN_REDIS_ADDR")
	if address == "" {
		return errors.New("MODULAGEN_REDIS_ADDR is not set: run through scripts/services.sh --redis")
	}
	t.redis = redis.NewClient(&redis.Options{Addr: address, PoolSize: 64})
	if err := t.redis.Ping(ctx).Err(); err != nil {
		return err
	}
	t.path = filepath.Join(dir, "cache.db")
	if t.db, err = generated.Open(ctx, "sqlite:"+t.path+"?cache_kib=65536", generated.Options{}); err != nil {
		return err
	}
	t.texts = cache.New[[]byte](t.db.CacheEntry, cache.Options{Memory: -1, Codec: cache.Raw()})
	t.value = make([]byte, valueSize)
	for i := range t.value {
		t.value[i] = byte('a' + i%26)
	}
	for i := range keyCount {
		t.keys = append(t.keys, fmt.Sprintf("page:%08d", i))
	}
	return errors.Join(t.fill(ctx, t.texts), t.fillRedis(ctx))
}

func (t *trial) fill(ctx context.Context, c *cache.Cache[[]byte]) error {
	for at := 0; at < keyCount; at += 1000 {
		values := map[string][]byte{}
		for _, key := range t.keys[at : at+1000] {
			values[key] = t.value
		}
		if err := c.SetMany(ctx, values, time.Hour); err != nil {
			return err
		}
	}
	return nil
}

func (t *trial) fillRedis(ctx context.Context) error {
	_, err := t.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, key := range t.keys {
			p.Set(ctx, key, t.value, time.Hour)
		}
		return nil
	})
	return err
}

// call is one operation of a side, the i-th.
type call func(i int) error

// time returns microseconds for each call, from so many goroutines.
func (t *trial) time(goroutines, calls int, one call) measure.Sample {
	return func() (float64, error) {
		var next atomic.Int64
		var failed atomic.Pointer[error]
		var all sync.WaitGroup
		start := time.Now()
		for range goroutines {
			all.Go(func() {
				for {
					i := int(next.Add(1)) - 1
					if i >= calls {
						return
					}
					if err := one(i); err != nil {
						failed.Store(&err)
						return
					}
				}
			})
		}
		all.Wait()
		took := time.Since(start)
		if err := failed.Load(); err != nil {
			return 0, *err
		}
		return float64(took.Nanoseconds()) / 1000 / float64(calls), nil
	}
}

// spread visits keys in an order that is not theirs.
func (t *trial) key(i int) string { return t.keys[i*7919%keyCount] }

var errMiss = errors.New("a key was missing")

func (t *trial) get(ctx context.Context) call {
	return func(i int) error {
		if _, ok := t.texts.Get(ctx, t.key(i)); !ok {
			return errMiss
		}
		return nil
	}
}

func (t *trial) redisGet(ctx context.Context) call {
	return func(i int) error {
		_, err := t.redis.Get(ctx, t.key(i)).Bytes()
		return err
	}
}

func (t *trial) gets(ctx context.Context) error {
	for _, g := range []struct {
		n      int
		target float64
	}{{1, 6}, {16, 2}, {64, 2}} {
		ours, peer, err := measure.Alternate(measure.Rounds{Ours: t.rounds, Peer: t.rounds}, t.time(g.n, t.calls, t.get(ctx)), t.time(g.n, t.calls, t.redisGet(ctx)))
		if err != nil {
			return err
		}
		t.report.Add(measure.Compare(suite, fmt.Sprintf("get, memory off, %d goroutines", g.n), "sqlite", "µs", "go-redis GET", ours, peer, measure.Target(g.target)))
	}
	return nil
}

// selects compares with what a Get cannot do without: one SELECT.
func (t *trial) selects(ctx context.Context) error {
	plain, err := sql.Open("sqlite", "file:"+t.path+"?_pragma=journal_mode(wal)&_pragma=busy_timeout(5000)&_pragma=cache_size(-65536)")
	if err != nil {
		return err
	}
	defer plain.Close()
	const text = `SELECT value, expires_at FROM cache_entry WHERE "key" = ?`
	prepared, err := plain.PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	defer prepared.Close()
	viaSQL := func(i int) error {
		var value []byte
		var expires string
		return prepared.QueryRowContext(ctx, t.key(i)).Scan(&value, &expires)
	}
	conn := t.db.Store().Conn()
	viaStore := func(i int) error {
		var value []byte
		var expires string
		return conn.QueryRow(ctx, text, []any{t.key(i)}, []any{&value, &expires})
	}
	figures, err := measure.Rotate(t.rounds, t.time(1, t.calls, t.get(ctx)), t.time(1, t.calls, viaStore), t.time(1, t.calls, viaSQL))
	if err != nil {
		return err
	}
	t.report.Add(measure.Compare(suite, "get, memory off", "sqlite", "µs", "SELECT, same driver", figures[0], figures[1], measure.Target(1/1.3)))
	t.report.Add(measure.Compare(suite, "get, memory off", "sqlite", "µs", "SELECT, database/sql", figures[0], figures[2], nil))
	return nil
}

func (t *trial) memory(ctx context.Context) error {
	texts := cache.New[[]byte](t.db.CacheEntry, cache.Options{Memory: 256 << 20, MemoryFor: time.Hour, Codec: cache.Raw()})
	if err := t.fill(ctx, texts); err != nil {
		return err
	}
	bare := otter.Must(&otter.Options[string, []byte]{
		MaximumWeight: 256 << 20, Weigher: func(key string, v []byte) uint32 { return uint32(len(key) + len(v)) },
		ExpiryCalculator: otter.ExpiryWriting[string, []byte](time.Hour),
	})
	for _, key := range t.keys {
		bare.Set(key, t.value)
	}
	ours := func(i int) error {
		if _, ok := texts.Get(ctx, t.key(i)); !ok {
			return errMiss
		}
		return nil
	}
	peer := func(i int) error {
		if _, ok := bare.GetIfPresent(t.key(i)); !ok {
			return errMiss
		}
		return nil
	}
	for _, n := range []int{1, 16} {
		a, b, err := measure.Alternate(measure.Rounds{Ours: t.rounds, Peer: t.rounds}, t.time(n, 50*t.calls, ours), t.time(n, 50*t.calls, peer))
		if err != nil {
			return err
		}
		t.report.Add(measure.Compare(suite, fmt.Sprintf("get, in memory, %d goroutines", n), "memory", "µs", "otter", a, b, measure.Target(1/1.5)))
	}
	return nil
}

func (t *trial) postgres(ctx context.Context) error {
	dsn := os.Getenv("MODULAGEN_POSTGRES_DSN")
	if dsn == "" {
		t.report.Note("no PostgreSQL: its figures are missing")
		return nil
	}
	db, err := generated.Open(ctx, dsn, generated.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	texts := cache.New[[]byte](db.CacheEntry, cache.Options{Memory: -1, Codec: cache.Raw()})
	if err := t.fill(ctx, texts); err != nil {
		return err
	}
	get := func(i int) error {
		if _, ok := texts.Get(ctx, t.key(i)); !ok {
			return errMiss
		}
		return nil
	}
	for _, n := range []int{1, 16} {
		a, b, err := measure.Alternate(measure.Rounds{Ours: t.rounds, Peer: t.rounds}, t.time(n, t.calls, get), t.time(n, t.calls, t.redisGet(ctx)))
		if err != nil {
			return err
		}
		t.report.Add(measure.Compare(suite, fmt.Sprintf("get, memory off, %d goroutines", n), "postgres", "µs", "go-redis GET", a, b, nil))
	}
	return nil
}
