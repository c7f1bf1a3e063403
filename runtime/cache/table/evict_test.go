package table_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/table"
)

const boundEntries, boundBytes = 400, 120_000

func bounded(db *generated.DB) *cache.Cache[string] {
	return cache.New[string](backendSource{table.Bounded(db.CacheEntry.CacheBackend(), boundEntries, boundBytes)}, cachefixture.Plain)
}

// A table never grows to more than eleven tenths of its bounds, however quickly
// it is written, and is within them soon after the last write.
func TestBoundsHoldWhileWritten(t *testing.T) {
	for name, value := range map[string]string{"entries": "v", "bytes": strings.Repeat("x", 1000)} {
		t.Run(name, func(t *testing.T) {
			cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
				p.Clock = nil
				ctx := t.Context()
				texts := bounded(p.Open(t))
				watched := watchSize(t, texts)
				var writers sync.WaitGroup
				for w := range 8 {
					writers.Go(func() {
						for i := range 200 {
							key := fmt.Sprintf("%d:%d", w, i)
							if err := write(ctx, texts, key, value, i); err != nil {
								t.Error(err)
								return
							}
						}
					})
				}
				writers.Wait()
				entries, bytes := watched()
				// Entries of single writes that were let in at the same moment come on top.
				if most := int64(boundEntries*11/10 + 8); entries > most {
					t.Errorf("there were %d entries, at most %d are stated", entries, most)
				}
				if most := int64(boundBytes*11/10 + 8*1000); bytes > most {
					t.Errorf("there were %d bytes, at most %d are stated", bytes, most)
				}
				wantWithin(t, texts)
			})
		})
	}
}

// write writes an entry in one of the ways in which that can be done.
func write(ctx context.Context, texts *cache.Cache[string], key, value string, i int) error {
	var err error
	switch i % 4 {
	case 0:
		_, err = texts.Add(ctx, key, value, time.Hour)
	case 1:
		_, err = texts.Fetch(ctx, key, time.Hour, func(context.Context) (string, error) { return value, nil })
	default:
		err = texts.Set(ctx, key, value, time.Hour)
	}
	return err
}

// watchSize reads the size over and over until its result is asked for: the
// greatest that was seen.
func watchSize(t *testing.T, texts *cache.Cache[string]) (greatest func() (entries, bytes int64)) {
	t.Helper()
	stop, done := make(chan struct{}), make(chan struct{})
	var mostEntries, mostBytes int64
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			entries, bytes, err := texts.Size(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			mostEntries, mostBytes = max(mostEntries, entries), max(mostBytes, bytes)
		}
	}()
	return func() (int64, int64) {
		close(stop)
		<-done
		return mostEntries, mostBytes
	}
}

// wantWithin waits until the table is within its bounds without a further write.
func wantWithin(t *testing.T, texts *cache.Cache[string]) {
	t.Helper()
	cachefixture.Until(t, "the table to be within its bounds", func() bool {
		entries, bytes, err := texts.Size(t.Context())
		cachefixture.Must(t, err)
		return entries <= boundEntries && bytes <= boundBytes
	})
}

// One call may write more than the bounds; what is too much goes by itself.
func TestBoundsAfterOneLargeWrite(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		ctx := t.Context()
		db := p.Open(t)
		texts := bounded(db)
		values := map[string]string{}
		for i := range 3 * boundEntries {
			values[fmt.Sprint("k", i)] = "v"
		}
		cachefixture.Must(t, texts.SetMany(ctx, values, time.Hour))
		wantWithin(t, texts)
	})
}

// Where values only replace others, nothing is removed.
func TestBoundsKeepWhatIsReplaced(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		ctx := t.Context()
		texts := bounded(p.Open(t))
		values := map[string]string{}
		for i := range boundEntries {
			values[fmt.Sprint("k", i)] = "v"
		}
		for range 5 {
			cachefixture.Must(t, texts.SetMany(ctx, values, time.Hour))
		}
		if n, err := texts.Evict(ctx); n != 0 || err != nil {
			t.Errorf("Evict removed %d, %v", n, err)
		}
		if entries, _, err := texts.Size(ctx); entries != boundEntries || err != nil {
			t.Errorf("%d of %d entries are left, %v", entries, boundEntries, err)
		}
	})
}

// A process that starts finds what others have written before it.
func TestBoundsAfterARestart(t *testing.T) {
	cachefixture.OnEach(t, func(t *testing.T, p cachefixture.Place) {
		p.Clock = nil
		ctx := t.Context()
		unbounded := cache.New[string](p.Open(t).CacheEntry, cachefixture.Plain)
		values := map[string]string{}
		for i := range 2 * boundEntries {
			values[fmt.Sprint("k", i)] = "v"
		}
		cachefixture.Must(t, unbounded.SetMany(ctx, values, time.Hour))
		texts := bounded(p.Open(t))
		for i := range boundEntries / 20 { // the part that a process may write before it counts
			cachefixture.Must(t, texts.Set(ctx, fmt.Sprint("new", i), "v", time.Hour))
		}
		wantWithin(t, texts)
	})
}
