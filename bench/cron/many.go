package cron

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/hegner123/modulagen/bench/cron/generated"
	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/runtime/cron"
)

// What is asked for with 100,000 enabled jobs.
const (
	perSecond      = 10    // jobs that are due each second
	mostLate       = 100.0 // milliseconds, 99 of 100 runs
	mostStatements = 2.0   // a second, with nothing due
)

// many measures a table of many jobs, of which few are due, and then none.
func many(ctx context.Context, report *measure.Report) error {
	jobs, window := 100_000, 30
	if os.Getenv("BENCH_QUICK") != "" {
		jobs, window = 20_000, 5
	}
	report.Note("cron: %d enabled jobs in one process with default options; %d of them are due each second for %d s, then none for %d s; lateness is from the instant to the start of the action", jobs, perSecond, window, window)
	return onEach(ctx, report, func(ctx context.Context, p *place) (err error) {
		db, err := fresh(ctx, p.counted)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		m := &crowd{report: report, place: p, db: db, jobs: jobs, window: time.Duration(window) * time.Second}
		return m.run(ctx)
	})
}

// crowd is a table of many jobs.
type crowd struct {
	report *measure.Report
	place  *place
	db     *generated.DB
	jobs   int
	window time.Duration

	mu   sync.Mutex
	late []float64 // milliseconds
}

func (m *crowd) run(ctx context.Context) error {
	// The others are due at seconds of the day from which the window is hours away.
	due := perSecond * int(m.window/time.Second)
	away := time.Now().UTC().Add(2 * time.Hour)
	err := create(ctx, m.db, m.jobs-due, func(i int) generated.CronJobNew {
		return job(fmt.Sprint("other ", i), daily(away.Add(time.Duration(i%(20*3600))*time.Second)))
	})
	if err != nil {
		return err
	}
	if err := m.settle(ctx); err != nil {
		return err
	}
	return working(ctx, m.db, m.act, func(ctx context.Context) error {
		if err := m.lateness(ctx, due); err != nil {
			return err
		}
		return m.idle(ctx)
	})
}

// daily is the schedule of one second of the day.
func daily(at time.Time) string {
	return fmt.Sprintf("%d %d %d * * *", at.Second(), at.Minute(), at.Hour())
}

// settle has a server know how large the table is, as it would by itself in a minute.
func (m *crowd) settle(ctx context.Context) error {
	text := map[string]string{"sqlite": "ANALYZE", "postgres": "VACUUM ANALYZE cron_job", "mysql": "ANALYZE TABLE cron_job"}[m.place.kind]
	if m.place.kind == "mysql" { // it answers with rows
		var table, op, kind, message string
		return m.db.Store().Conn().Query(ctx, text, nil, []any{&table, &op, &kind, &message}, func() error { return nil })
	}
	_, err := m.db.Store().Conn().Exec(ctx, text, nil)
	return err
}

func (m *crowd) act(run *cron.Run) {
	late := float64(time.Since(run.Due).Microseconds()) / 1000
	m.mu.Lock()
	defer m.mu.Unlock()
	m.late = append(m.late, late)
}

// lateness adds the jobs that are due soon, and measures how late they are.
func (m *crowd) lateness(ctx context.Context, due int) error {
	first := time.Now().UTC().Truncate(time.Second).Add(5 * time.Second)
	err := create(ctx, m.db, due, func(i int) generated.CronJobNew {
		return job(fmt.Sprint("due ", i), daily(first.Add(time.Duration(i/perSecond)*time.Second)))
	})
	if err != nil {
		return err
	}
	if time.Now().After(first) {
		return errors.New("the jobs were added too late: the database is very slow")
	}
	before, err := processorTime()
	if err != nil {
		return err
	}
	if err := sleep(ctx, time.Until(first.Add(m.window+2*time.Second))); err != nil {
		return err
	}
	after, err := processorTime()
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.late) != due {
		return fmt.Errorf("%d of %d jobs ran within their window", len(m.late), due)
	}
	slices.Sort(m.late)
	name := fmt.Sprintf("%d jobs, lateness", m.jobs)
	kind := m.place.kind
	m.report.Note("cron: %s: lateness p50 %.1f ms, p99 %.1f ms, highest %.1f ms; %.1f %% of a core meanwhile", kind,
		m.late[due/2], m.late[due*99/100], m.late[due-1], 100*(after-before).Seconds()/(m.window+2*time.Second).Seconds())
	m.report.Add(measure.Compare(suite, name+" p99", kind, "ms", "limit", m.late[due*99/100], mostLate, onceTarget))
	return nil
}

// mostProcessor is what the look of each second may take, in percent of a core.
const mostProcessor = 5.0

// idle measures what a process takes in front of many jobs of which none is due.
func (m *crowd) idle(ctx context.Context) error {
	if err := sleep(ctx, time.Second); err != nil {
		return err
	}
	statements := m.place.statements
	if statements == nil {
		statements = func(context.Context) (int64, error) { return 0, nil }
	}
	start := time.Now()
	sent, err := statements(ctx)
	if err != nil {
		return err
	}
	before, err := processorTime()
	if err != nil {
		return err
	}
	if err := sleep(ctx, m.window); err != nil {
		return err
	}
	after, err := processorTime()
	if err != nil {
		return err
	}
	all, err := statements(ctx)
	if err != nil {
		return err
	}
	took := time.Since(start).Seconds()
	name, kind := fmt.Sprintf("%d jobs, none due", m.jobs), m.place.kind
	if m.place.statements != nil {
		m.report.Add(measure.Compare(suite, name+", statements", kind, "1/s", "limit", float64(all-sent)/took, mostStatements, onceTarget))
	}
	m.report.Add(measure.Compare(suite, name+", processor", kind, "%", "limit", 100*(after-before).Seconds()/took, mostProcessor, onceTarget))
	return nil
}
