// Package cachefixture is what tests of caches share: new databases of each kind, which a
// test opens as several processes do, a clock, and what is asked of caches.
package cachefixture

import (
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cache"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// Patience is the time limit of reads in tests: machines that run them are busy.
const Patience = 20 * time.Second

// Plain are the options of a cache without memory, whose entries end when they
// are set to.
var Plain = cache.Options{Timeout: Patience, Memory: -1, Jitter: -1}

// Remembering are the options of a cache whose entries stay in memory.
var Remembering = cache.Options{Timeout: Patience, Jitter: -1, MemoryFor: 24 * time.Hour}

// Clock is a test's time.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock returns a clock that stands still.
func NewClock() *Clock { return &Clock{t: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)} }

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Add moves the clock on.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// Place is a database that a test can open several times, as several processes do.
type Place struct {
	Kind, DSN string
	Clock     *Clock
}

// Open opens the database until the test ends.
func (p Place) Open(t testing.TB) *generated.DB {
	t.Helper()
	opts := generated.Options{}
	if p.Clock != nil {
		opts.Now = p.Clock.Now
	}
	db, err := generated.Open(t.Context(), p.DSN, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// OnEach runs a test on every database.
func OnEach(t *testing.T, test func(t *testing.T, p Place)) {
	for _, kind := range Kinds {
		t.Run(kind, func(t *testing.T) {
			p := FreshPlace(t, kind)
			p.Clock = NewClock()
			test(t, p)
		})
	}
}

// Kinds are the databases.
var Kinds = []string{"sqlite", "postgres", "mysql"}

// FreshPlace is a new, empty database of a kind, by its own clock.
func FreshPlace(t *testing.T, kind string) Place {
	t.Helper()
	if kind == "sqlite" {
		return Place{Kind: kind, DSN: "sqlite:" + filepath.Join(t.TempDir(), "cache.db")}
	}
	return Place{Kind: kind, DSN: storetest.FreshDSN(t, kind)}
}

// Must ends a test that an error came out of.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Until asks again and again; it is for what another goroutine does soon.
func Until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("waited too long for: %s", what)
		}
	}
}

// WantValue wants a value under a key.
func WantValue[V comparable](t testing.TB, c *cache.Cache[V], key string, want V) {
	t.Helper()
	if got, ok := c.Get(t.Context(), key); !ok || got != want {
		t.Errorf("%q holds %v, %v, want %v", key, got, ok, want)
	}
}

// WantMiss wants nothing under a key.
func WantMiss[V any](t testing.TB, c *cache.Cache[V], key string) {
	t.Helper()
	if got, ok := c.Get(t.Context(), key); ok {
		t.Errorf("%q holds %v, want nothing", key, got)
	}
}

// InMemory reports whether memory holds something of a key, if only that there is
// nothing. It reads the entry, which may be in memory from then on.
func InMemory[V any](t testing.TB, c *cache.Cache[V], key string) bool {
	t.Helper()
	hits := c.Stats().MemoryHits
	c.Get(t.Context(), key)
	return c.Stats().MemoryHits == hits+1
}

// WantMemory wants an entry to be in memory, or not.
func WantMemory(t *testing.T, c *cache.Cache[string], key string, want bool) {
	t.Helper()
	hits := c.Stats().MemoryHits
	if _, ok := c.Get(t.Context(), key); !ok {
		t.Errorf("%q is gone", key)
	}
	if got := c.Stats().MemoryHits == hits+1; got != want {
		t.Errorf("%q is in memory: %v, want %v", key, got, want)
	}
}

// Remember puts keys into the table and into memory.
func Remember(t *testing.T, c *cache.Cache[string], keys ...string) {
	t.Helper()
	for _, key := range keys {
		Must(t, c.Set(t.Context(), key, "v", 0))
		WantMemory(t, c, key, true)
	}
}
