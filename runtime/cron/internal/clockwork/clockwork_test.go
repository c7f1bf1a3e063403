// Package clockwork_test tests jobs of cron on every database.
package clockwork_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// TestMain has more tests run at once than there are processors: most wait for the next second.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "3"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for what should come at once. Only a failure takes that long: three processes
// with the race detector may be slow beside other tests.
const patience = 2 * time.Minute

// databases are those that every test runs on.
var databases = []string{"sqlite", "postgres", "mysql"}

// onEach runs a test on every database, with a fresh one each and a clock of the test's.
func onEach(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Parallel()
	for _, name := range databases {
		t.Run(name, func(t *testing.T) {
			dsn := fresh(t, name)
			t.Parallel()
			test(t, newFixture(t, dsn))
		})
	}
}

// onEachAlone is onEach for a test that measures its process, which others must not disturb.
func onEachAlone(t *testing.T, test func(t *testing.T, f *fixture)) {
	for _, name := range databases {
		t.Run(name, func(t *testing.T) { test(t, newFixture(t, fresh(t, name))) })
	}
}

// fresh returns the DSN of a database without tables.
func fresh(t *testing.T, name string) string {
	if name == "sqlite" {
		return "sqlite:" + filepath.Join(t.TempDir(), "clockwork.db")
	}
	return storetest.FreshDSN(t, name)
}

func newFixture(t *testing.T, dsn string) *fixture {
	f := &fixture{T: t, dsn: dsn, clock: &clock{now: noon}, changed: make(chan struct{}, 1)}
	f.db = f.open(generated.Options{MaxConns: 4, Now: f.clock.read})
	return f
}

// noon is when tests begin: a Thursday.
var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// clock is what time it is in a test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = to
}

func (c *clock) pass(d time.Duration) { c.set(c.read().Add(d)) }

// fixture is a database with jobs.
type fixture struct {
	*testing.T
	dsn   string
	db    *generated.DB
	clock *clock
	opts  cron.Options

	changed chan struct{} // gets a value when something happened that until may wait for
}

// wake has until ask again.
func (f *fixture) wake() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

func (f *fixture) open(o generated.Options) *generated.DB {
	f.Helper()
	db, err := generated.Open(f.Context(), f.dsn, o)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	return db
}

// must ends the test at an error.
func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

// drain fires what is due and runs it.
func (f *fixture) drain() {
	f.Helper()
	if err := f.db.Drain(f.Context(), generated.Workers{Cron: f.opts}); err != nil {
		f.Fatal(err)
	}
}

// record is an action that keeps the instants that it ran for.
type record struct {
	wake func() // called after a run

	mu  sync.Mutex
	due []string
	err error
}

func (r *record) action() cron.Action {
	return cron.Func(func(_ context.Context, run *cron.Run, _ struct{}) error {
		defer r.wake()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.due = append(r.due, run.Job+" "+run.Due.UTC().Format("02 15:04:05"))
		run.Printf("ran for %s", run.Due.UTC().Format(time.TimeOnly))
		return r.err
	})
}

// took returns the instants since it was called last.
func (r *record) took() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	due := r.due
	r.due = nil
	return due
}

// job is a row with the action record.
func job(name, schedule string, change ...func(*generated.CronJobNew)) generated.CronJobNew {
	n := generated.CronJobNew{Name: name, Schedule: schedule, ActionType: generated.CronJobActionTypePredefined, ActionConfig: store.Set(store.JSON(`{"action":"record"}`))}
	for _, c := range change {
		c(&n)
	}
	return n
}

// recording has the fixture's processes know the action record.
func (f *fixture) recording() *record {
	r := &record{wake: f.wake}
	f.opts.Actions = map[string]cron.Action{"record": r.action()}
	return r
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: %s, want %s", what, g, w)
	}
}

func TestFires(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		j := must(f.db.CronJob.Create(t.Context(), job("tick", "*/5 * * * *")))
		equal(t, "next after create", j.NextRun.V.UTC(), noon.Add(5*time.Minute))
		f.drain()
		equal(t, "before it is due", r.took(), []string(nil))
		f.clock.pass(5 * time.Minute)
		f.drain()
		f.drain()
		equal(t, "when it is due", r.took(), []string{"tick 26 12:05:00"})
		j = must(f.db.CronJob.Get(t.Context(), j.ID))
		equal(t, "job", fmt.Sprint(j.NextRun.V.UTC(), j.LastRun.V.UTC(), j.RunCount, j.LastStatus.V, j.Error.V), fmt.Sprint(noon.Add(10*time.Minute), noon.Add(5*time.Minute), 1, "success", ""))
		runs := must(f.db.CronJob.History(t.Context(), j.ID, 10))
		if len(runs) != 1 || runs[0].Status != "success" || runs[0].Output.V != "ran for 12:05:00" || runs[0].ClaimedBy.V == "" || runs[0].Attempts != 1 {
			t.Errorf("history %+v", runs)
		}
		r.err = errors.New("the disk is full")
		f.clock.pass(5 * time.Minute)
		f.drain()
		j = must(f.db.CronJob.Get(t.Context(), j.ID))
		equal(t, "a job that failed", fmt.Sprint(j.RunCount, j.LastStatus.V, j.Error.V, j.Failures), fmt.Sprint(2, "error", "the disk is full", 1))
	})
}
