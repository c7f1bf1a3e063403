// Package cachetest is the conformance suite of backend.Backend: one set of tests
// that every backend passes, whatever keeps the entries. A backend's own test is a
// call of Run:
//
//	func TestBackend(t *testing.T) {
//		cachetest.Run(t, func(t *testing.T) cachetest.Open {
//			place := fresh(t)
//			return func(t testing.TB) cache.Source { return place.open(t) }
//		})
//	}
//
// Times to live pass by the backend's own clock, of which the suite knows nothing:
// what it waits for, it asks for again and again.
package cachetest

import (
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cache"
)

// Open opens one place as another process would, each time that it is called. What
// it opens is closed when the test ends.
type Open func(t testing.TB) cache.Source

// Run holds a backend to what backend.Backend promises. fresh makes a new, empty
// place for entries.
func Run(t *testing.T, fresh func(t *testing.T) Open) {
	for _, s := range suite {
		t.Run(s.name, func(t *testing.T) { s.run(t, fresh(t)) })
	}
}

var suite = []struct {
	name string
	run  func(*testing.T, Open)
}{
	{"Entries", func(t *testing.T, open Open) { testEntries(t, open, -1) }},
	{"EntriesInMemory", func(t *testing.T, open Open) { testEntries(t, open, 0) }},
	{"Ends", func(t *testing.T, open Open) { testEnds(t, open, -1) }},
	{"EndsInMemory", func(t *testing.T, open Open) { testEnds(t, open, 0) }},
	{"AddAndCount", testAddAndCount},
	{"Tags", testTags},
	{"ManyTagged", testManyTagged},
	{"Ranges", testRanges},
	{"Fetch", testFetch},
	{"FetchOvertaken", testFetchOvertaken},
	{"FetchNothing", testFetchNothing},
	{"OtherProcesses", testOtherProcesses},
	{"Finds", testFinds},
	{"Leases", testLeases},
	{"Touches", testTouches},
	{"Clock", testClock},
	{"Secrets", testSecrets},
}

// patience is the time limit of reads: machines that run tests are busy.
const patience = 20 * time.Second

func texts(source cache.Source, memory int64) *cache.Cache[string] {
	return cache.New[string](source, cache.Options{Timeout: patience, Memory: memory, Jitter: -1})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, c *cache.Cache[string], key, value string) {
	t.Helper()
	if got, ok := c.Get(t.Context(), key); ok != (value != "") || got != value {
		t.Errorf("%q holds %q, %v, want %q", key, got, ok, value)
	}
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ticks := time.NewTicker(time.Millisecond)
	defer ticks.Stop()
	for end := time.Now().Add(patience); !ok(); <-ticks.C {
		if time.Now().After(end) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}
