package scheduler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/schedule"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// RunNow adds a run of a job for now, and returns its id. Generated code calls it.
func RunNow(ctx context.Context, c *core.Conn, s *Spec, id int64) (int64, error) {
	var row *RunRow
	err := c.InTx(ctx, func(c *core.Conn) error {
		j, err := s.locked(ctx, c, id)
		if err != nil {
			return err
		}
		if err := registryOf(c.DB(), s).check(j); err != nil {
			return s.violation(err)
		}
		now, err := c.Now(ctx)
		if err != nil {
			return err
		}
		live, err := s.liveOf(ctx, c, []int64{id})
		if err != nil {
			return err
		}
		held, err := s.hold(ctx, c, []*Job{j}, live)
		if err != nil {
			return err
		}
		if len(held) == 0 {
			return fmt.Errorf("cron: a run of %q is ending at this moment: %w", j.Name, store.ErrBusy)
		}
		row, err = s.runNow(ctx, c, j, now, live[id])
		return err
	})
	if err != nil {
		return 0, err
	}
	return row.ID, nil
}

// runNow adds a run of a locked job.
func (s *Spec) runNow(ctx context.Context, c *core.Conn, j *Job, now time.Time, live []*RunRow) (*RunRow, error) {
	row := j.run(now, cron.Manual)
	d := &decision{job: j}
	d.add(row, live)
	if len(d.runs) == 0 {
		return nil, fmt.Errorf("%w: %s of %s, run %d", cron.ErrRunning, j.Name, s.Jobs, live[0].ID)
	}
	if err := s.cancelAll(ctx, c, d.cancel); err != nil {
		return nil, err
	}
	there, err := s.between(ctx, c, j.ID, now, now.Add(time.Second))
	if err != nil {
		return nil, err
	}
	for there[row.Due.UnixMicro()] {
		row.Due = row.Due.Add(time.Microsecond)
	}
	if err := s.Enqueue(ctx, c, d.runs); err != nil {
		return nil, err
	}
	return row, s.count(ctx, c, j, now, 1)
}

// count has a job show that runs were added beside its schedule.
func (s *Spec) count(ctx context.Context, c *core.Conn, j *Job, now time.Time, runs int) error {
	set := core.Assignments{
		{Column: s.Columns["last_run"], Value: now},
		{Column: s.Columns["last_status"], Value: running},
		{Column: s.Columns["run_count"], Value: j.RunCount + int64(runs)},
	}
	return core.Bind(c, s.Rows).Update(s.own(ctx), j.ID, set, s.Rows.Row())
}

// locked reads a job that no other transaction changes until this one ends.
func (s *Spec) locked(ctx context.Context, c *core.Conn, id int64) (*Job, error) {
	row := s.Rows.Row()
	if err := core.Bind(c, s.Rows).GetLocked(ctx, id, row); err != nil {
		return nil, err
	}
	return s.JobOf(row), nil
}

// Pause disables a job. Generated code calls it.
func Pause(ctx context.Context, c *core.Conn, s *Spec, id int64) error {
	return s.enable(ctx, c, id, false)
}

// Resume enables a job, from now on. Generated code calls it.
func Resume(ctx context.Context, c *core.Conn, s *Spec, id int64) error {
	return s.enable(ctx, c, id, true)
}

// enable changes whether a job runs; the effect on jobs plans it. One that had failed too often
// starts anew.
func (s *Spec) enable(ctx context.Context, c *core.Conn, id int64, enabled bool) error {
	set := core.Assignments{{Column: s.Columns["enabled"], Value: enabled}}
	if failures, ok := s.Columns["failures"]; ok && enabled {
		set = append(set, core.Assignment{Column: failures, Value: int64(0)})
	}
	return core.Bind(c, s.Rows).Update(ctx, id, set, s.Rows.Row())
}

// maxNext is how many instants Next returns at most, and for how many Backfill adds runs.
const maxNext = 1000

// Next returns when a job is due next. Generated code calls it.
func Next(ctx context.Context, c *core.Conn, s *Spec, id int64, n int) ([]time.Time, error) {
	j, plan, err := s.planned(ctx, c, id)
	if err != nil || !j.Enabled {
		return nil, err
	}
	if j.outdated() { // SQL has changed the days, and no process has planned the job since
		now, err := c.Now(ctx)
		if err != nil {
			return nil, err
		}
		if j.NextRun.IsZero() || j.NextRun.After(now) || j.excludedSince(plan, plan.Due(j.NextRun)) { // others are fired
			j.NextRun = j.nextAgain(plan, now)
		}
	}
	if j.NextRun.IsZero() {
		return nil, nil
	}
	var out []time.Time
	at := j.NextRun
	for due := plan.Due(at); len(out) < min(n, maxNext) && !at.IsZero(); due, at = plan.Next(due) {
		out = append(out, at.UTC())
	}
	return out, nil
}

// planned reads a job and its plan.
func (s *Spec) planned(ctx context.Context, c *core.Conn, id int64) (*Job, *schedule.Plan, error) {
	row := s.Rows.Row()
	if err := core.Bind(c, s.Rows).Get(ctx, id, row); err != nil {
		return nil, nil, err
	}
	_, planner, err := registryOf(c.DB(), s).known()
	if err != nil {
		return nil, nil, err
	}
	j := s.JobOf(row)
	if err := s.readCalendars(ctx, c, []*Job{j}); err != nil {
		return nil, nil, err
	}
	plan, err := planner.plan(j)
	if err != nil {
		return nil, nil, s.violation(err)
	}
	return j, plan, nil
}

// Backfill adds runs for the instants of a span in the past, but for those that have one.
// Generated code calls it.
func Backfill(ctx context.Context, c *core.Conn, s *Spec, id int64, from, before time.Time) (added int, err error) {
	err = c.InTx(ctx, func(c *core.Conn) error {
		added = 0
		if _, err := s.locked(ctx, c, id); err != nil {
			return err
		}
		j, plan, err := s.planned(ctx, c, id)
		if err != nil {
			return err
		}
		instants, err := s.missing(ctx, c, j, plan, from, before)
		if err != nil {
			return err
		}
		var runs []*RunRow
		for _, at := range instants {
			r := j.run(at, cron.Backfilled)
			r.Waits = true
			runs = append(runs, r)
		}
		if added = len(runs); added == 0 {
			return nil
		}
		now, err := c.Now(ctx)
		if err == nil {
			err = s.enqueue(ctx, c, runs)
		}
		if err != nil {
			return err
		}
		return s.count(ctx, c, j, now, added)
	})
	return added, err
}

// missing returns the instants of a span that have no run.
func (s *Spec) missing(ctx context.Context, c *core.Conn, j *Job, plan *schedule.Plan, from, before time.Time) ([]time.Time, error) {
	now, err := c.Now(ctx)
	if err != nil {
		return nil, err
	}
	if !from.Before(before) {
		return nil, fmt.Errorf("%w: a backfill from %s ends before it begins, at %s", store.ErrInvalid, from.Format(time.RFC3339), before.Format(time.RFC3339))
	}
	if before.After(now) {
		return nil, fmt.Errorf("%w: the span of a backfill is from %s to %s, and must be in the past", store.ErrInvalid, from.Format(time.RFC3339), before.Format(time.RFC3339))
	}
	var instants []time.Time
	for due, _ := plan.Next(from.Add(-time.Microsecond)); !due.IsZero() && due.Before(before); due, _ = plan.Next(due) {
		if len(instants) == maxNext {
			return nil, fmt.Errorf("%w: %q has more than %d instants between %s and %s: backfill a shorter span", store.ErrInvalid, j.Name, maxNext, from.Format(time.RFC3339), before.Format(time.RFC3339))
		}
		instants = append(instants, due)
	}
	there, err := s.between(ctx, c, j.ID, from, before)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(instants, func(at time.Time) bool { return there[at.UnixMicro()] }), nil
}
