package clockwork_test

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// Jobs of one instant with configurations that are as large as can be, and with runs of them that wait: all are
// fired, and the process does not hold the configurations of the runs that wait besides.
func TestLargeConfigurations(t *testing.T) {
	const jobs, instants, size, batch = 600, 3, 60 << 10, 500
	onEachAlone(t, func(t *testing.T, f *fixture) {
		f.opts.Actions = map[string]cron.Action{"large": cron.Func(func(context.Context, *cron.Run, struct {
			Fill string `json:"fill"`
		},
		) error {
			return nil
		})}
		fill := store.JSON(`{"action":"large","fill":"` + strings.Repeat("x", size) + `"}`)
		for from := 0; from < jobs; from += 100 {
			var list []generated.CronJobNew
			for i := range 100 {
				list = append(list, job(fmt.Sprint("large ", from+i), "0 * * * *", overlap("queue"), func(n *generated.CronJobNew) { n.ActionConfig = store.Set(fill) }))
			}
			must(f.db.CronJob.CreateMany(t.Context(), list))
		}
		for range instants {
			f.clock.pass(time.Hour)
			if peak := f.peak(f.fire); peak > batch*size*5/2 {
				t.Errorf("the heap has grown by %d MiB, and the jobs of a transaction have %d MiB of configurations", peak>>20, batch*size>>20)
			}
		}
		runs := 0
		for run, err := range f.db.CronRuns.All(t.Context(), generated.CronRunQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			if len(run.ActionConfig.V) >= size {
				runs++
			}
		}
		equal(t, "runs with their configurations", runs, jobs*instants)
	})
}

// peak returns by how much the heap grows at most while a function runs, garbage included.
func (f *fixture) peak(fn func()) uint64 {
	f.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(25))
	runtime.GC()
	before := heap()
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		peak := before
		for {
			select {
			case <-tick.C:
				peak = max(peak, heap())
			case <-stop:
				most <- peak - before
				return
			}
		}
	}()
	fn()
	close(stop)
	return <-most
}

// heap returns how many bytes objects take up.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
