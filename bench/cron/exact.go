package cron

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql's "pgx"

	"github.com/hegner123/modulagen/bench/cron/generated"
	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/runtime/store"
)

const (
	processes = 3               // of each side
	killsFrom = 3 * time.Second // apart, at least
	killsOver = 2 * time.Second // and at most so much more
	patience  = time.Minute     // for the first second of a side
	grace     = 12 * time.Second
)

// exact measures whether each second has its run while processes are killed.
func exact(ctx context.Context, report *measure.Report) (err error) {
	server := os.Getenv("MODULAGEN_POSTGRES_DSN")
	if server == "" {
		report.Note("cron: no postgres: the figures of killed processes are missing")
		return nil
	}
	dsn, remove, err := database(ctx, server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "CREATE TABLE tick (side text NOT NULL, second bigint NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp())"); err != nil {
		return err
	}
	x := &exactness{report: report, db: db, dsn: dsn, seed: rand.Uint64(), window: 60}
	if os.Getenv("BENCH_QUICK") != "" {
		x.window = 20
	}
	return x.run(ctx)
}

// database makes one for this part.
func database(ctx context.Context, server string) (dsn string, remove func() error, err error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, errors.New("MODULAGEN_POSTGRES_DSN is no URL") // the error would show its password
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return "", nil, err
	}
	name := fmt.Sprintf("modulagen_bench_cron_%d", os.Getpid())
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, errors.Join(err, admin.Close())
	}
	u.Path = "/" + name
	return u.String(), func() error {
		_, err := admin.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		return errors.Join(err, admin.Close())
	}, nil
}

// exactness is a window of seconds, each of which has to have one run.
type exactness struct {
	report *measure.Report
	db     *sql.DB
	dsn    string
	seed   uint64
	window int   // seconds
	from   int64 // its first
}

func (x *exactness) run(ctx context.Context) error {
	x.report.Note("cron: a job each second for %d s in %d processes of each side, one of which is killed (SIGKILL) every %s to %s and started again; seed %d; all sides at the same time; runs have %s more to end", x.window, processes, killsFrom, killsFrom+killsOver, x.seed, grace)
	ours, err := x.jobs(ctx)
	if err != nil {
		return err
	}
	defer ours.Close()
	var fleets []*fleet
	defer func() {
		for _, f := range fleets {
			f.end()
		}
	}()
	for _, s := range sides {
		if s.needs != "" && os.Getenv(s.needs) == "" {
			x.report.Note("cron: no %s: the figures of %s are missing", s.needs, s.name)
			continue
		}
		if s.note != "" {
			x.report.Note("cron: %s: %s", s.name, s.note)
		}
		if s.prepare != nil {
			if err := s.prepare(ctx, x.dsn); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		f := &fleet{side: s, dsn: x.dsn, random: rand.New(rand.NewPCG(x.seed, 0))}
		fleets = append(fleets, f)
		if err := f.begin(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	if err := x.trouble(ctx, fleets); err != nil {
		return err
	}
	return x.compare(ctx, ours, fleets)
}

// jobs opens our database and adds the jobs of each second.
func (x *exactness) jobs(ctx context.Context) (*generated.DB, error) {
	db, err := generated.Open(ctx, x.dsn, generated.Options{})
	if err != nil {
		return nil, err
	}
	for _, name := range []string{oursName, oursInTx} {
		j := job(name, "* * * * * *")
		j.ActionConfig = store.Set(store.JSON(fmt.Sprintf(`{"action":%q}`, name)))
		j.Misfire, j.Overlap = store.Set(generated.CronJobMisfireAll), store.Set(generated.CronJobOverlapAllow)
		j.MaxAttempts = store.Set(int64(3))
		if _, err := db.CronJob.Create(ctx, j); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// trouble waits until all sides run, and then kills their processes during the window.
func (x *exactness) trouble(ctx context.Context, fleets []*fleet) error {
	for _, f := range fleets {
		if err := x.first(ctx, f.side.name); err != nil {
			return err
		}
	}
	x.from = time.Now().Unix() + 2
	end := time.Unix(x.from+int64(x.window), 0)
	failures := make([]error, len(fleets))
	var wg sync.WaitGroup
	for i, f := range fleets {
		wg.Go(func() { failures[i] = f.suffer(ctx, end) })
	}
	wg.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	return sleep(ctx, time.Until(end.Add(grace)))
}

// first waits for the first run of a side.
func (x *exactness) first(ctx context.Context, name string) error {
	for begun := time.Now(); time.Since(begun) < patience; {
		var any bool
		if err := x.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM tick WHERE side = $1)", name).Scan(&any); err != nil || any {
			return err
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s ran nothing within %s", name, patience)
}

// outcome is how many seconds of the window have no run, and more than one.
type outcome struct{ missing, doubled int }

// ticks counts what a side's runs wrote.
func (x *exactness) ticks(ctx context.Context, name string) (outcome, error) {
	var once, doubled int
	err := x.db.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE n = 1), count(*) FILTER (WHERE n > 1)
FROM (SELECT count(*) AS n FROM tick WHERE side = $1 AND second >= $2 AND second < $3 GROUP BY second) AS each`,
		name, x.from, x.from+int64(x.window)).Scan(&once, &doubled)
	return outcome{x.window - once - doubled, doubled}, err
}

// history counts the seconds of a job that have one run, and that one success.
func (x *exactness) history(ctx context.Context, db *generated.DB, name string) (int, error) {
	runs := generated.CronRunFields
	from := time.Unix(x.from, 0)
	q := generated.CronRunQuery{Where: store.And(runs.JobName.Eq(name), runs.DueAt.Gte(from), runs.DueAt.Lt(from.Add(time.Duration(x.window)*time.Second)))}
	seconds := map[int64]int{}
	for r, err := range db.CronRuns.All(ctx, q) {
		if err != nil {
			return 0, err
		}
		seconds[r.DueAt.Unix()]++
		if r.Status != generated.CronRunStatusSuccess {
			x.report.Note("cron: the run of %s for %s is %s: %s", name, r.DueAt.Format(time.TimeOnly), r.Status, r.Error.V)
			seconds[r.DueAt.Unix()]++ // not right
		}
	}
	once := 0
	for _, n := range seconds {
		if n == 1 {
			once++
		}
	}
	return once, nil
}

func (x *exactness) compare(ctx context.Context, db *generated.DB, fleets []*fleet) error {
	name := fmt.Sprintf("killed, %d s: ", x.window)
	for _, job := range []string{oursName, oursInTx} {
		once, err := x.history(ctx, db, job)
		if err != nil {
			return err
		}
		label := "once in history"
		if job == oursInTx {
			label += ", tx"
		}
		x.report.Add(measure.CompareRates(suite, name+label, "postgres", "s", "limit", float64(once), float64(x.window), onceTarget))
	}
	inTx, err := x.ticks(ctx, oursInTx)
	if err != nil {
		return err
	}
	ours, err := x.ticks(ctx, oursName)
	if err != nil {
		return err
	}
	for _, f := range fleets {
		theirs, err := x.ticks(ctx, f.side.name)
		if err != nil {
			return err
		}
		x.report.Note("cron: %s: %d seconds missing, %d doubled; %d kills", f.side.name, theirs.missing, theirs.doubled, f.kills)
		if f.side.name == oursName {
			x.report.Note("cron: %s: %d seconds missing, %d doubled", oursInTx, inTx.missing, inTx.doubled)
			continue
		}
		x.report.Add(measure.Compare(suite, name+"missing", "postgres", "s", f.side.name, float64(ours.missing), float64(theirs.missing), nil))
		x.report.Add(measure.Compare(suite, name+"doubled", "postgres", "s", f.side.name, float64(ours.doubled), float64(theirs.doubled), nil))
	}
	return nil
}
