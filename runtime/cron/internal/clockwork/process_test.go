package clockwork_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/internal/netfault"
	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// onEachLive runs a test on every database, by the database's own clock.
func onEachLive(t *testing.T, test func(t *testing.T, f *fixture)) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.clock = nil
		f.db = f.open(generated.Options{MaxConns: 4})
		test(t, f)
	})
}

// spans keeps when actions of a job ran.
type spans struct {
	wake   func() // called when a run has begun or ended
	mu     sync.Mutex
	now    map[string]int
	most   map[string]int
	began  map[string][]time.Time // instants of runs that began
	causes map[string][]error     // of those whose contexts ended
}

func newSpans(wake func()) *spans {
	return &spans{wake: wake, now: map[string]int{}, most: map[string]int{}, began: map[string][]time.Time{}, causes: map[string][]error{}}
}

func (s *spans) action(long time.Duration) cron.Action {
	return cron.Func(func(ctx context.Context, r *cron.Run, _ struct{}) error {
		s.mu.Lock()
		s.now[r.Job]++
		s.most[r.Job] = max(s.most[r.Job], s.now[r.Job])
		s.began[r.Job] = append(s.began[r.Job], r.Due)
		s.mu.Unlock()
		s.wake()
		defer s.wake()
		timer := time.NewTimer(long)
		defer timer.Stop()
		var err error
		select {
		case <-timer.C:
		case <-ctx.Done():
			err = ctx.Err()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.now[r.Job]--
		if err != nil {
			s.causes[r.Job] = append(s.causes[r.Job], context.Cause(ctx))
		}
		return err
	})
}

// Runs that take longer than the time between two instants, over three processes.
func TestOverlapLive(t *testing.T) {
	onEachLive(t, func(t *testing.T, f *fixture) {
		s := newSpans(f.wake)
		f.opts.Actions = map[string]cron.Action{"span": s.action(1300 * time.Millisecond)}
		f.opts.Queue = queue.Options{Concurrency: 8, Poll: 50 * time.Millisecond}
		for _, name := range []string{"skip", "queue", "allow", "replace"} {
			must(f.db.CronJob.Create(t.Context(), job(name, "* * * * * *", acting("span"), overlap(generated.CronJobOverlap(name)), misfire(generated.CronJobMisfireAll))))
		}
		var stops []func() error
		for range 3 {
			_, _, stop := f.process(f.opts)
			stops = append(stops, stop)
		}
		f.until("three have run one after the other", func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.began["queue"]) >= 3 && len(s.began["allow"]) >= 4 && len(s.causes["replace"]) >= 1 && len(s.began["replace"]) >= 2 && len(s.began["skip"]) >= 2
		})
		f.exec("UPDATE cron_job SET enabled = NOT enabled")
		f.until("all have ended", func() bool { return f.runs(0, "pending", "running") == 0 })
		for _, stop := range stops {
			if err := stop(); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		for _, name := range []string{"skip", "queue", "replace"} {
			if s.most[name] != 1 {
				t.Errorf("%d runs of %s at once", s.most[name], name)
			}
		}
		if s.most["allow"] < 2 {
			t.Errorf("%d runs of allow at once", s.most["allow"])
		}
		if !slices.IsSortedFunc(s.began["queue"], time.Time.Compare) {
			t.Errorf("the order of queue: %v", s.began["queue"])
		}
		for _, cause := range s.causes["replace"] {
			if !errors.Is(cause, queue.ErrCancelled) {
				t.Errorf("the context of a run that was replaced: %v", cause)
			}
		}
	})
}

// dkron#349, quartz#145: the run of a process that was lost is under way by its lease, and not for ever.
func TestFieldOverlapAfterCrash(t *testing.T) {
	onEachLive(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		j := must(f.db.CronJob.Create(t.Context(), job("tick", "* * * * * *")))
		run := must(f.db.CronJob.RunNow(t.Context(), j.ID))
		// A process claimed the run, and was killed.
		f.exec(fmt.Sprintf("UPDATE cron_runs SET status = 'running', claimed_by = 'lost', attempts = 1, queue_epoch = 1, queue_lease = created_at WHERE id = %d", run))
		f.opts.Queue.Lease = 400 * time.Millisecond
		f.process(f.opts)
		f.until("it runs again", func() bool { return len(r.took()) > 0 })
		lost := must(f.db.CronRuns.Get(t.Context(), run))
		equal(t, "the run that was lost", fmt.Sprint(lost.Status, " ", lost.Error.V), "error the worker that ran this was lost")
	})
}

// A process ends while an action hangs, others wait, and jobs are due: within its limits, and nothing is lost.
func TestStop(t *testing.T) {
	hanging := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		hanging <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	onEachLive(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		f.opts.Egress = egress.Options{Allow: []string{"127.0.0.1"}}
		f.opts.Queue = queue.Options{StopTimeout: 200 * time.Millisecond, Lease: time.Second, Concurrency: 2, Poll: 50 * time.Millisecond}
		f.drain() // so that this process knows what may be requested
		for i := range 10 {
			must(f.db.CronJob.Create(t.Context(), job(fmt.Sprintf("tick %d", i), "* * * * * *", overlap("queue"), misfire("all"))))
		}
		must(f.db.CronJob.Create(t.Context(), job("hangs", "* * * * * *", overlap("queue"), func(n *generated.CronJobNew) {
			n.ActionType, n.ActionConfig = "http", store.Set(store.JSON(`{"method":"GET","url":"`+server.URL+`"}`))
		})))
		before := runtime.NumGoroutine()
		db, _, stop := f.process(f.opts)
		f.until("some run", func() bool { return len(r.took()) > 0 && len(hanging) > 0 })
		begun := time.Now()
		if err := stop(); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took > 15*time.Second {
			t.Errorf("it took %s to stop", took)
		}
		f.until("goroutines end", func() bool { return runtime.NumGoroutine() <= before+200 })
		f.exec("UPDATE cron_job SET enabled = NOT enabled")
		f.exec("UPDATE cron_runs SET status = 'cancelled' WHERE action_type = 'http'")
		f.process(f.opts)
		f.until("all have ended", func() bool { return f.runs(0, "pending", "running") == 0 })
		equal(t, "runs that failed", f.runs(0, "error"), 0)
	})
}

// The connection breaks while jobs are fired and runs settled: each instant has one run, none is lost.
func TestDatabaseFails(t *testing.T) {
	onEachLive(t, func(t *testing.T, f *fixture) {
		if strings.HasPrefix(f.dsn, "sqlite") {
			return // has no network
		}
		r := f.recording()
		j := must(f.db.CronJob.Create(t.Context(), job("tick", "* * * * * *", misfire("all"), overlap("allow"))))
		proxy, dsn := netfault.DSN(t, f.dsn)
		f.dsn = dsn
		must(f.db.Chore.Create(t.Context(), generated.ChoreNew{What: "chore", Expr: "* * * * * *", Kind: "predefined", Config: store.Set(store.JSON(`{"action":"record"}`))}))
		f.opts.Queue = queue.Options{Lease: time.Second, Poll: 50 * time.Millisecond}
		_, log, _ := f.process(f.opts)
		f.until("both queues have begun", func() bool {
			chores := must(f.db.ChoreLog.Count(t.Context(), generated.ChoreLogFields.State.Eq("done"), 1))
			return chores > 0 && f.runs(j.ID, "success") > 0
		})
		for n := range 3 {
			f.until("it runs", func() bool { return f.runs(j.ID, "success") > n })
			logged := len(log.String())
			proxy.Refuse()
			proxy.Reset()
			f.until("the outage is noticed", func() bool { return strings.Contains(log.String()[logged:], "level=ERROR") })
			proxy.Heal()
		}
		f.until("it runs", func() bool { return f.runs(j.ID, "success") > 4 })
		f.exec("UPDATE cron_job SET enabled = NOT enabled")
		f.until("all have ended", func() bool { return f.runs(0, "pending", "running") == 0 })
		var last time.Time
		for _, run := range must(f.db.CronJob.History(t.Context(), j.ID, 1000)) {
			if !last.IsZero() && last.Sub(run.DueAt) != time.Second {
				t.Errorf("runs for %s and %s", run.DueAt, last)
			}
			last = run.DueAt
		}
		seen := map[string]bool{}
		for _, due := range r.took() {
			if seen[due] {
				t.Errorf("the action ran twice for %s", due)
			}
			seen[due] = true
		}
	})
}
