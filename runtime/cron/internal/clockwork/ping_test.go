package clockwork_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/store"
)

// The monitor of a job is requested once for each run that has ended, whoever has performed it: a worker,
// or the transaction in which it was due. A monitor that hangs keeps no run under way.
func TestPings(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		var mu sync.Mutex
		var paths []string
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			paths = append(paths, r.URL.Path)
		}))
		t.Cleanup(server.Close)
		f.recording()
		f.opts.Actions["panics"] = panicking()
		f.opts.Egress = egress.Options{Allow: []string{strings.TrimPrefix(server.URL, "http://")}}
		f.drain() // so that this process knows its actions
		ping := func(n *generated.CronJobNew) { n.PingURL = store.Set(server.URL + "/" + n.Name) }
		must(f.db.CronJob.CreateMany(t.Context(), []generated.CronJobNew{
			job("worker", "*/5 * * * *", ping),
			job("panics", "*/5 * * * *", ping, func(n *generated.CronJobNew) { n.ActionConfig = store.Set(store.JSON(`{"action":"panics"}`)) }),
			job("transaction", "*/5 * * * *", ping, func(n *generated.CronJobNew) {
				n.ActionType, n.ActionConfig = "job", store.Set(store.JSON(`{"queue":"job_queue","kind":"import_data","payload":{"csv_path":"x"}}`))
			}),
		}))
		f.clock.pass(5 * time.Minute)
		f.drain()
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(paths)
		equal(t, "requests", paths, "[/panics/fail /transaction /worker]")
	})
}

func panicking() cron.Action { return cron.Func(panics) }

// A backfill of a job whose runs replace one another takes place all the same.
func TestBackfillBesideReplace(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		j := must(f.db.CronJob.Create(t.Context(), job("hourly", "0 * * * *", overlap("replace"))))
		equal(t, "backfilled", must(f.db.CronJob.Backfill(t.Context(), j.ID, noon.Add(-6*time.Hour), noon)), 6)
		f.clock.pass(time.Hour)
		for range 20 {
			f.drain()
			f.clock.pass(10 * time.Second)
		}
		equal(t, "runs", len(r.took()), 7)
	})
}

// An edit between an instant and when its jitter has it run does not lose the instant.
func TestEditWithinJitter(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		j := must(f.db.CronJob.Create(t.Context(), job("nightly", "0 13 * * *", func(n *generated.CronJobNew) { n.Jitter = store.Set[int64](3600) })))
		f.clock.pass(time.Hour + time.Second)
		edited := must(f.db.CronJob.Update(t.Context(), j.ID, generated.CronJobPatch{Exclude: store.Set(store.JSON(`["12-25"]`))}))
		equal(t, "next", edited.NextRun.V.UTC(), j.NextRun.V.UTC())
	})
}

// Jobs that the database refuses to fire keep no other from being fired, however many there are.
func TestRefusedByDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		if !strings.HasPrefix(f.dsn, "sqlite") {
			return // the trigger is written for it; what happens then is the same code
		}
		r := f.recording()
		for i := range 4 {
			must(f.db.CronJob.Create(t.Context(), job(fmt.Sprint("bad ", i), "*/5 * * * *")))
			must(f.db.CronJob.Create(t.Context(), job(fmt.Sprint("good ", i), "*/6 * * * *")))
		}
		f.exec("CREATE TRIGGER refuses BEFORE INSERT ON cron_runs WHEN NEW.job_name LIKE 'bad%' BEGIN SELECT RAISE(ABORT, 'no'); END")
		f.clock.pass(6 * time.Minute)
		f.drain()
		equal(t, "runs", len(r.took()), 4)
	})
}

// Another Drain of the process, with other actions, leaves those of the first as they are.
func TestDrainBesideRun(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.start()
		j := must(r.db.CronJob.Create(t.Context(), job("yearly", "0 0 1 1 *")))
		must(r.db.CronJob.RunNow(t.Context(), j.ID))
		r.wait("RunNow")
		if err := r.db.Drain(t.Context(), generated.Workers{Cron: cron.Options{}}); err != nil {
			t.Fatal(err)
		}
		run := func() error { _, err := r.db.CronJob.RunNow(t.Context(), j.ID); return err }
		f.until("the run before has ended", func() bool { return !errors.Is(run(), cron.ErrRunning) })
		r.wait("RunNow after Drain")
	})
}

func panics(context.Context, *cron.Run, struct{}) error { panic("no") }
