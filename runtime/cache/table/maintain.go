package table

import (
	"context"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
)

const (
	maintainEvery = time.Minute
	maintainStop  = 5 * time.Second // for the last flush
)

// Maintain keeps tables of caches small until stop is called: it removes what
// has expired and what is over the bounds, at once and every minute. stop waits
// for the batch that runs, and writes the hits that were counted. The generated
// Run calls it.
func Maintain(db *core.DB, caches ...*Spec) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, spec := range caches {
		t := tableOf(db.Conn(), spec)
		all.Go(func() {
			tick := time.NewTicker(maintainEvery)
			defer tick.Stop()
			for {
				t.maintain(ctx)
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	return func() {
		cancel()
		all.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), maintainStop)
		defer cancel()
		for _, spec := range caches {
			_ = tableOf(db.Conn(), spec).shared.invalidator.Hits.Flush(ctx) // hits are no promise
		}
	}
}

// maintain does what is due. What fails is tried again the next time; a cache
// that cannot be tidied still works.
func (t *table) maintain(ctx context.Context) {
	_, _ = t.Expire(ctx)
	_, _ = t.Evict(ctx)
	_ = t.pruneChanges(ctx)
}
