package clockwork_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// journal is a log that tests read.
type journal struct {
	wake func() // called after a line

	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	defer j.wake()
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// process runs workers of cron on a connection of its own, as a process would, until the test ends
// or stop is called. Its clock is the test's.
func (f *fixture) process(o cron.Options) (db *generated.DB, log *journal, stop func() error) {
	f.Helper()
	log = &journal{wake: f.wake}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db = f.open(generated.Options{MaxConns: 6, Now: f.now(), Logger: logger})
	o.Logger, o.Queue.Logger = logger, logger
	f.watch(db)
	ctx, cancel := context.WithCancel(f.Context())
	ended := make(chan error, 1)
	go func() { ended <- db.Run(ctx, generated.Workers{Cron: &o}) }()
	stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return errors.New("the process did not end")
		}
	})
	f.Cleanup(func() {
		if err := stop(); err != nil && !errors.Is(err, context.Canceled) {
			f.Error(err)
		}
	})
	return db, log, stop
}

// now is the clock that processes have: the test's, or that of the database.
func (f *fixture) now() func() time.Time {
	if f.clock == nil {
		return nil
	}
	return f.clock.read
}

// watch wakes the test when a process announces a run that was added or has ended.
func (f *fixture) watch(db *generated.DB) {
	for _, topic := range []string{"cron_runs", "cron_runs/ended", "chore_log/ended"} {
		news := db.Store().Listen(topic)
		ctx, stop := context.WithCancel(f.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case <-news.C:
					f.wake()
				case <-ctx.Done():
					return
				}
			}
		}()
		f.Cleanup(func() { stop(); <-done; news.Stop() })
	}
}

// unannounced is how long until waits for what no process announces: a next instant that was planned.
const unannounced = 100 * time.Millisecond

// until waits for a condition. It is asked when something has happened: an action ran, a process wrote to its
// log, or announced a run.
func (f *fixture) until(what string, is func() bool) {
	f.Helper()
	end, tick := time.NewTimer(patience), time.NewTicker(unannounced)
	defer end.Stop()
	defer tick.Stop()
	for !is() {
		select {
		case <-f.changed:
		case <-tick.C:
		case <-end.C:
			f.Fatalf("it did not come so far within %s: %s", patience, what)
		}
	}
}

// exec runs SQL as an operator would.
func (f *fixture) exec(sql string) {
	f.Helper()
	if _, err := f.db.Store().Conn().Exec(f.Context(), sql, nil); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) job(id generated.CronJobID) *generated.CronJob {
	f.Helper()
	return must(f.db.CronJob.Get(f.Context(), id))
}

// runs returns the number of runs of a job, or of all with 0, that are in one of some states.
func (f *fixture) runs(id generated.CronJobID, states ...generated.CronRunStatus) int {
	f.Helper()
	fields := generated.CronRunFields
	cond := fields.Status.In(states...)
	if id != 0 {
		cond = store.And(cond, fields.JobID.Eq(id))
	}
	return must(f.db.CronRuns.Count(f.Context(), cond, 1_000_000))
}

// A schedule that SQL changes takes effect in a process that runs, although the next instant was far
// away.
func TestSQLTakesEffect(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		j := must(f.db.CronJob.Create(t.Context(), job("yearly", "0 0 1 1 *")))
		f.process(f.opts)
		f.exec("UPDATE cron_job SET schedule = '* * * * *'")
		f.until("planned", func() bool { return f.job(j.ID).NextRun.V.Equal(noon.Add(time.Minute)) })
		f.clock.pass(time.Minute)
		f.until("ran", func() bool { return len(r.took()) > 0 })
		f.exec("UPDATE cron_job SET enabled = " + map[bool]string{true: "0", false: "FALSE"}[strings.HasPrefix(f.dsn, "sqlite")])
		f.until("disabled", func() bool { return !f.job(j.ID).NextRun.Valid })
	})
}

// steady-queue#54, solid_queue#638: several schedulers at one tick. Each job has one run, and nothing
// is said of those that came second.
func TestFieldTwoSchedulersOneTick(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		const jobs = 200
		var list []generated.CronJobNew
		for i := range jobs {
			list = append(list, job(fmt.Sprintf("tick %d", i), "* * * * *"))
		}
		must(f.db.CronJob.CreateMany(t.Context(), list))
		_, first, _ := f.process(f.opts)
		_, second, _ := f.process(f.opts)
		for tick := range 3 {
			f.clock.pass(time.Minute)
			f.until("all have run", func() bool { return f.runs(0, "success") == (tick+1)*jobs })
		}
		equal(t, "runs", f.runs(0, "success", "error", "cancelled", "pending", "running"), 3*jobs)
		equal(t, "actions", len(r.took()), 3*jobs)
		for _, log := range []string{first.String(), second.String()} {
			if strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") || strings.Contains(log, "another row has this key") {
				t.Errorf("there is something in the log:\n%s", log)
			}
		}
	})
}

// An instant that has a run, which SQL moves a job back to, is quiet: no second run, no error.
func TestFieldDuplicateInstant(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		var list []generated.CronJobNew
		for i := range 20 {
			list = append(list, job(fmt.Sprintf("tick %d", i), "* * * * *", misfire(generated.CronJobMisfireAll)))
		}
		ids := must(f.db.CronJob.CreateMany(t.Context(), list))
		_, log, _ := f.process(f.opts)
		f.clock.pass(time.Minute)
		f.until("all have run", func() bool { return f.runs(0, "success") == 20 })
		first := f.job(ids[0])
		was := must(f.db.CronRuns.First(t.Context(), generated.CronRunQuery{})).DueAt
		must(f.db.CronJob.Update(t.Context(), first.ID, generated.CronJobPatch{NextRun: store.Set(was)}))
		f.until("moved on", func() bool { return f.job(first.ID).NextRun.V.Equal(noon.Add(2 * time.Minute)) })
		equal(t, "status", fmt.Sprint(f.job(first.ID).LastStatus.V, f.job(first.ID).Error.V), "success")
		f.clock.pass(time.Minute)
		f.until("all have run again", func() bool { return f.runs(0, "success") == 40 })
		equal(t, "actions", len(r.took()), 40)
		if text := log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "level=WARN") {
			t.Errorf("there is something in the log:\n%s", text)
		}
	})
}
