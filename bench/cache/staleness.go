package cache

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cache"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
)

// staleLoads are what else both processes do while staleness is measured.
var staleLoads = []struct {
	name    string
	callers int           // goroutines; half of them write, half of them read
	pause   time.Duration // between two calls of one of them
}{
	{"idle", 0, 0},
	{"16 callers, 1 ms apart", 16, time.Millisecond},
	{"128 callers at once", 128, 0},
}

// staleness measures how long a second process returns an old value from memory
// after a write of the first has returned. There is no peer beside it: the figure
// stands in the documentation.
func (t *trial) staleness(ctx context.Context) error {
	for _, place := range []struct{ kind, dsn string }{
		{"sqlite", "sqlite:" + filepath.Join(filepath.Dir(t.path), "stale.db")},
		{"postgres", os.Getenv("MODULAGEN_POSTGRES_DSN")},
		{"mysql", os.Getenv("MODULAGEN_MYSQL_DSN")},
	} {
		if place.dsn == "" {
			t.report.Note("no %s: its staleness is missing", place.kind)
			continue
		}
		for i := range staleLoads {
			if err := t.stale(ctx, place.kind, place.dsn, i); err != nil {
				return fmt.Errorf("staleness on %s: %w", place.kind, err)
			}
		}
	}
	return nil
}

func (t *trial) stale(ctx context.Context, kind, dsn string, which int) error {
	var sides [2]*cache.Cache[string]
	for i := range sides {
		db, err := generated.Open(ctx, dsn, generated.Options{})
		if err != nil {
			return err
		}
		defer db.Close()
		sides[i] = cache.New[string](db.CacheEntry, cache.Options{Timeout: 10 * time.Second})
	}
	load := staleLoads[which]
	name := "staleness of another process, " + load.name
	stop := keepBusy(ctx, load.callers, load.pause, sides[:])
	defer stop()
	waits := make([]time.Duration, 0, t.changes)
	for i := range t.changes {
		wait, err := oneChange(ctx, sides[0], sides[1], strconv.Itoa(i))
		if err != nil {
			return err
		}
		waits = append(waits, wait)
	}
	slices.Sort(waits)
	for _, p := range []struct {
		name  string
		share float64
	}{{"p50", 0.5}, {"p99", 0.99}} {
		at := waits[int(p.share*float64(len(waits)-1))]
		t.report.Add(measure.Compare(suite, name+", "+p.name, kind, "ms", "none", float64(at.Microseconds())/1000, 0, nil))
	}
	return nil
}

// oneChange writes on one side, and waits until the other returns the new value.
func oneChange(ctx context.Context, from, to *cache.Cache[string], value string) (time.Duration, error) {
	const key = "stale:changed"
	for range 2 { // the second time from memory
		to.Get(ctx, key)
	}
	if err := from.Set(ctx, key, value, time.Hour); err != nil {
		return 0, err
	}
	start := time.Now()
	for {
		if v, _ := to.Get(ctx, key); v == value {
			return time.Since(start), nil
		}
		if time.Since(start) > time.Minute {
			return 0, fmt.Errorf("the change number %s was not seen within a minute", value)
		}
		time.Sleep(200 * time.Microsecond)
	}
}

// keepBusy has both sides write and read other entries until stop is called.
func keepBusy(ctx context.Context, callers int, pause time.Duration, sides []*cache.Cache[string]) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	for n := range callers {
		side := sides[n%len(sides)]
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				key := fmt.Sprintf("stale:%d:%d", n, i%1000)
				if n < callers/2 {
					_ = side.Set(ctx, key, "value", time.Hour) // its end is ctx's
				} else {
					side.Get(ctx, key)
				}
				time.Sleep(pause)
			}
		})
	}
	return func() {
		cancel()
		all.Wait()
	}
}
