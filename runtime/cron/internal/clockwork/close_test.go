package clockwork_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// A program closes its database while its workers fire jobs and runs are under way: Run returns, nothing of the
// process is left, and the next process finishes what it had begun, for each instant once.
func TestCloseWhileRunning(t *testing.T) {
	onEachLive(t, func(t *testing.T, f *fixture) {
		begun := make(chan struct{}, 1000)
		f.opts.Actions = map[string]cron.Action{"record": cron.Func(func(ctx context.Context, _ *cron.Run, _ struct{}) error {
			begun <- struct{}{}
			<-ctx.Done()
			return context.Cause(ctx)
		})}
		f.opts.Queue = queue.Options{StopTimeout: 100 * time.Millisecond, Lease: time.Second, Concurrency: 3}
		var ids []generated.CronJobID
		for i := range 5 {
			ids = append(ids, must(f.db.CronJob.Create(t.Context(), job(fmt.Sprint("tick ", i), "* * * * * *", overlap("allow"), misfire("all"),
				func(n *generated.CronJobNew) { n.MaxAttempts = store.Set[int64](100) }))).ID)
		}
		ended := make(chan error, 1)
		var db *generated.DB
		pprof.Do(t.Context(), pprof.Labels("process", t.Name()), func(ctx context.Context) {
			db = f.open(generated.Options{MaxConns: 6})
			go func() { ended <- db.Run(ctx, generated.Workers{Cron: &f.opts}) }()
		})
		for range f.opts.Queue.Concurrency {
			<-begun
		}
		if !strings.Contains(f.goroutines(t.Name()), "scheduler.(*loop).run") {
			t.Error("the goroutines of the process are not found")
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		select {
		case err := <-ended:
			if !errors.Is(err, store.ErrClosed) {
				t.Errorf("Run returned %v", err)
			}
		case <-time.After(patience):
			t.Fatal("Run does not return")
		}
		f.withoutGoroutines(t.Name())

		f.exec("UPDATE cron_job SET enabled = NOT enabled")
		r := f.recording()
		f.process(f.opts)
		f.until("all have ended", func() bool { return f.runs(0, "pending", "running") == 0 })
		equal(t, "runs that failed or were cancelled", f.runs(0, "error", "cancelled"), 0)
		times := map[string]int{}
		for _, ran := range r.took() {
			times[ran]++
		}
		for i, id := range ids {
			due := f.fired(id)
			if len(due) == 0 {
				t.Errorf("tick %d: no run", i)
			}
			for n, at := range due {
				if n > 0 && at.Sub(due[n-1]) != time.Second {
					t.Errorf("tick %d: runs for %s and %s", i, due[n-1], at)
				}
				if ran := fmt.Sprintf("tick %d %s", i, at.UTC().Format("02 15:04:05")); times[ran] != 1 {
					t.Errorf("%s: ended %d times", ran, times[ran])
				}
			}
		}
	})
}

// withoutGoroutines waits until none of the goroutines of a process exists. Most ended when the database was
// closed; those of connections end when their sockets are.
func (f *fixture) withoutGoroutines(process string) {
	f.Helper()
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		stacks := f.goroutines(process)
		if stacks == "" {
			return
		}
		if time.Now().After(end) {
			f.Fatalf("goroutines are left:\n%s", stacks)
		}
	}
}

// goroutines returns the stacks of the goroutines that have a process's label.
func (f *fixture) goroutines(process string) string {
	f.Helper()
	var all bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		f.Fatal(err)
	}
	var own []string
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(stack, fmt.Sprintf("{%q:%q}", "process", process)) {
			own = append(own, stack)
		}
	}
	return strings.Join(own, "\n\n")
}
