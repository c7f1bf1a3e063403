package cron

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/bench/cron/generated"
	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// fireWithin is how many seconds 10,000 jobs of one instant may take.
const fireWithin = 3.0

// atOnce measures jobs that are all due at one instant: until each has run and that is recorded.
func atOnce(ctx context.Context, report *measure.Report) error {
	jobs, rounds := 10_000, 3
	if os.Getenv("BENCH_QUICK") != "" {
		rounds = 1
	}
	report.Note("cron: %d jobs of one instant that do nothing, one process with default options, %d round(s), median; one UPDATE sets next_run of all to an instant ahead; it ends when each has a run with status success, and last_status success", jobs, rounds)
	return onEach(ctx, report, func(ctx context.Context, p *place) (err error) {
		db, err := fresh(ctx, p.dsn)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		err = create(ctx, db, jobs, func(i int) generated.CronJobNew { return job(fmt.Sprint("job ", i), "0 0 1 1 *") })
		if err != nil {
			return err
		}
		f := &firing{db: db, kind: p.kind, jobs: jobs}
		var seconds float64
		err = working(ctx, db, func(*cron.Run) { f.ran.Add(1) }, func(ctx context.Context) error {
			medians, err := measure.Rotate(rounds, func() (float64, error) { return f.round(ctx) })
			if err == nil {
				seconds = medians[0]
			}
			return err
		})
		if err != nil {
			return err
		}
		target := onceTarget
		if p.kind == "mysql" { // asked of the others
			target = nil
		}
		report.Add(measure.Compare(suite, fmt.Sprintf("%d jobs of one instant", jobs), p.kind, "s", "limit", seconds, fireWithin, target))
		return nil
	})
}

// firing is jobs of one instant.
type firing struct {
	db   *generated.DB
	kind string
	jobs int
	ran  atomic.Int64
}

// round returns the seconds from an instant until all of it is recorded.
func (f *firing) round(ctx context.Context) (float64, error) {
	due := time.Now().Add(3 * time.Second).Truncate(time.Second)
	f.ran.Store(0)
	if err := f.planAll(ctx, due); err != nil {
		return 0, err
	}
	if err := sleep(ctx, time.Until(due)-100*time.Millisecond); err != nil {
		return 0, err
	}
	if time.Now().After(due) {
		return 0, errors.New("the jobs were planned too late: the database is very slow")
	}
	for f.ran.Load() < int64(f.jobs) {
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return 0, err
		}
	}
	for {
		recorded, err := f.recorded(ctx, due)
		if err != nil || recorded {
			return time.Since(due).Seconds(), err
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// planAll sets when all jobs are due next.
func (f *firing) planAll(ctx context.Context, due time.Time) error {
	at := any(due.UTC())
	placeholder := "?"
	switch f.kind {
	case "sqlite":
		at = core.FormatTime(due)
	case "postgres":
		placeholder = "$1"
	}
	_, err := f.db.Store().Conn().Exec(ctx, "UPDATE cron_job SET next_run = "+placeholder, []any{at})
	return err
}

// recorded reports whether each job has its run, and shows how that ended.
func (f *firing) recorded(ctx context.Context, due time.Time) (bool, error) {
	runs, jobs := generated.CronRunFields, generated.CronJobFields
	n, err := f.db.CronRuns.Count(ctx, store.And(runs.DueAt.Eq(due), runs.Status.Eq(generated.CronRunStatusSuccess)), 2*f.jobs)
	if err != nil || n < f.jobs {
		return false, err
	}
	n, err = f.db.CronJob.Count(ctx, store.And(jobs.LastRun.Gte(due), jobs.LastStatus.Eq(generated.CronJobLastStatusSuccess)), 2*f.jobs)
	return n == f.jobs, err
}
