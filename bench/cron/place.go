package cron

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hegner123/modulagen/bench/cron/generated"
	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"    // mysql://
	_ "github.com/hegner123/modulagen/runtime/store/postgres" // postgres://
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"   // sqlite:
)

//go:generate go run github.com/hegner123/modulagen/cmd/modulagen generate

// onceTarget is the target of figures that are compared with a limit.
var onceTarget = measure.Target(1)

// place is a database.
type place struct {
	kind, dsn  string
	counted    string                                   // the DSN whose statements are counted: on the way, what is sent takes longer
	statements func(ctx context.Context) (int64, error) // so far; nil where they cannot be counted
	close      func() error
}

// onEach measures a part on every database that there is.
func onEach(ctx context.Context, report *measure.Report, part func(ctx context.Context, p *place) error) (err error) {
	dir, err := os.MkdirTemp("", "bench-cron-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, p := range []*place{
		{kind: "sqlite", dsn: "sqlite:" + filepath.Join(dir, "cron.db")},
		{kind: "postgres", dsn: os.Getenv("MODULAGEN_POSTGRES_DSN")},
		{kind: "mysql", dsn: os.Getenv("MODULAGEN_MYSQL_DSN")},
	} {
		if p.dsn == "" {
			report.Note("cron: no %s: its figures are missing", p.kind)
			continue
		}
		if err := p.count(); err != nil {
			return err
		}
		if err := errors.Join(part(ctx, p), p.close()); err != nil {
			return fmt.Errorf("%s: %w", p.kind, err)
		}
	}
	return nil
}

// count has statements counted: on the wire of PostgreSQL, by the server of MySQL.
func (p *place) count() error {
	p.counted, p.close = p.dsn, func() error { return nil }
	switch p.kind {
	case "postgres":
		counter, through, err := measure.CountStatements(p.dsn)
		if err != nil {
			return err
		}
		p.counted, p.close = through, counter.Close
		p.statements = func(context.Context) (int64, error) { return counter.Count(), nil }
	case "mysql":
		u, err := url.Parse(p.dsn)
		if err != nil {
			return errors.New("MODULAGEN_MYSQL_DSN is no URL") // the error would show its password
		}
		counter, err := measure.CountQuestions(measure.NativeMySQL(u))
		if err != nil {
			return err
		}
		p.statements, p.close = counter.Count, counter.Close
	}
	return nil
}

// fresh opens the database without jobs and runs.
func fresh(ctx context.Context, dsn string) (*generated.DB, error) {
	db, err := generated.Open(ctx, dsn, generated.Options{})
	if err != nil {
		return nil, err
	}
	for _, table := range []string{"cron_runs", "cron_job"} {
		if _, err := db.Store().Conn().Exec(ctx, "DROP TABLE "+table, nil); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return generated.Open(ctx, dsn, generated.Options{})
}

// action is the name of the action of all jobs.
const action = "bench"

// job is a job that performs it.
func job(name, schedule string) generated.CronJobNew {
	return generated.CronJobNew{
		Name: name, Schedule: schedule, ActionType: generated.CronJobActionTypePredefined,
		ActionConfig: store.Set(store.JSON(`{"action":"` + action + `"}`)),
	}
}

// create adds jobs.
func create(ctx context.Context, db *generated.DB, n int, job func(i int) generated.CronJobNew) error {
	const chunk = 1000
	for from := 0; from < n; from += chunk {
		jobs := make([]generated.CronJobNew, min(chunk, n-from))
		for i := range jobs {
			jobs[i] = job(from + i)
		}
		if _, err := db.CronJob.CreateMany(ctx, jobs); err != nil {
			return err
		}
	}
	return nil
}

// working has a process fire and work jobs while a function runs.
func working(ctx context.Context, db *generated.DB, act func(run *cron.Run), while func(ctx context.Context) error) error {
	actions := map[string]cron.Action{action: cron.Func(func(_ context.Context, run *cron.Run, _ struct{}) error { act(run); return nil })}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan error, 1)
	go func() {
		err := db.Run(ctx, generated.Workers{Cron: cron.Options{Actions: actions}})
		cancel(errors.Join(err, errors.New("the worker ended")))
		done <- err
	}()
	err := while(ctx)
	if err != nil {
		err = errors.Join(err, context.Cause(ctx))
	}
	cancel(nil)
	return errors.Join(err, <-done)
}

// processorTime is what this process took so far.
func processorTime() (time.Duration, error) {
	var usage syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), err
}

// sleep waits, but for the end of a context.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
