package scheduler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/protocol"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// ownWrite marks the context of what the scheduler itself writes on jobs.
type ownWrite struct{ jobs *Spec }

func (s *Spec) own(ctx context.Context) context.Context {
	return context.WithValue(ctx, ownWrite{s}, true)
}

// Wanted returns what the effect on jobs is asked before a write: it has nothing to do with those
// of the scheduler. Generated code calls it.
func Wanted(s *Spec) func(ctx context.Context, c *core.Conn) (bool, error) {
	return func(ctx context.Context, _ *core.Conn) (bool, error) { return ctx.Value(ownWrite{s}) == nil, nil }
}

// Check returns what the effect on jobs runs: it refuses those that could not run, and computes
// their next instants. Generated code calls it.
func Check(s *Spec) func(ctx context.Context, c *core.Conn, changes []core.Change) error {
	return func(ctx context.Context, c *core.Conn, changes []core.Change) error {
		g := registryOf(c.DB(), s)
		_, planner, err := g.known()
		if err != nil {
			return err
		}
		jobs, befores := s.jobsOf(changes)
		if err := s.readCalendars(ctx, c, jobs); err != nil {
			return err
		}
		var planned []*Job
		var rows []any
		for i, ch := range changes {
			job, before := jobs[i], befores[i]
			again, err := g.checked(planner, job, before, ch.Before == nil)
			if err != nil {
				return s.violation(err)
			}
			if !again {
				continue
			}
			planned, rows = append(planned, job), append(rows, ch.After)
		}
		return s.replan(ctx, c, planner, planned, rows)
	}
}

// jobsOf returns the jobs that were written, and what they were before.
func (s *Spec) jobsOf(changes []core.Change) (jobs, befores []*Job) {
	for _, ch := range changes {
		job, before := s.JobOf(ch.After), &Job{}
		if ch.Before != nil {
			before = s.JobOf(ch.Before)
		}
		jobs, befores = append(jobs, job), append(befores, before)
	}
	return jobs, befores
}

// checked checks what is new about a job, and reports whether its next instant is to be computed.
func (g *registry) checked(p *planner, job, before *Job, added bool) (plan bool, err error) {
	if added || job.ActionType != before.ActionType || !bytes.Equal(job.ActionConfig, before.ActionConfig) {
		if err := g.check(job); err != nil {
			return false, err
		}
	}
	if err := oneOf("misfire", job.Misfire, misfireOnce, misfireSkip, misfireAll); err != nil {
		return false, err
	}
	if err := oneOf("overlap", job.Overlap, overlapSkip, overlapQueue, overlapAllow, overlapReplace); err != nil {
		return false, err
	}
	if !added && !job.replanned(before) {
		return false, nil
	}
	_, err = p.plan(job) // also of a job that is not enabled yet
	return true, err
}

// replanned reports whether what the next instant goes by has changed.
func (j *Job) replanned(before *Job) bool {
	return j.Schedule != before.Schedule || j.Zone != before.Zone || j.Enabled != before.Enabled || j.Jitter != before.Jitter ||
		j.Jitter != 0 && j.Name != before.Name || j.Calendar != before.Calendar ||
		!j.StartsAt.Equal(before.StartsAt) || !j.EndsAt.Equal(before.EndsAt) || !bytes.Equal(j.Exclude, before.Exclude)
}

// oneOf refuses a text that is none of some values; where it is empty, the first is meant.
func oneOf(field, is string, values ...string) error {
	if is == "" || slices.Contains(values, is) {
		return nil
	}
	return &fault{field, fmt.Errorf("is %q, and can be %s", is, strings.Join(values, ", "))}
}

// replan computes when jobs are due next, and writes that in the database and in their rows.
func (s *Spec) replan(ctx context.Context, c *core.Conn, p *planner, jobs []*Job, rows []any) error {
	if len(jobs) == 0 {
		return nil
	}
	now, err := c.Now(ctx)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		j.mended()
		err := p.replan(j, now)
		if err == nil {
			err = j.barren()
		}
		if err != nil {
			return s.violation(err)
		}
	}
	var g groups
	for _, j := range jobs {
		g.add(j.ID, j.arguments())
	}
	if _, err := g.exec(ctx, c, &s.Plan); err != nil {
		return err
	}
	for i, j := range jobs {
		args, places := j.arguments(), s.Rows.Fields(rows[i], nil)
		for _, set := range []struct {
			column string
			value  any
		}{{"next_run", args[protocol.ArgNext]}, {plannedColumn, j.Planned}, {plannedZoneColumn, j.PlannedZone}, {revisionColumn, j.Revision}, {"last_status", args[protocol.ArgStatus]}, {"error", args[protocol.ArgError]}} {
			column, ok := s.Columns[set.column]
			if !ok {
				continue
			}
			if err := core.Assign(places[column], set.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// barren refuses a job that can never have an instant.
func (j *Job) barren() error {
	switch {
	case !j.EndsAt.IsZero() && !j.EndsAt.After(j.StartsAt):
		return &fault{"ends_at", fmt.Errorf("is %s, and the job starts at %s", j.EndsAt.UTC().Format(time.RFC3339), j.StartsAt.UTC().Format(time.RFC3339))}
	case !j.Enabled || !j.NextRun.IsZero() || !j.EndsAt.IsZero():
	case len(j.Exclude) > 0 && j.calendar != nil:
		return &fault{"exclude", errors.New("leaves no instant of the schedule together with the calendar")}
	case len(j.Exclude) > 0:
		return &fault{"exclude", errors.New("leaves no instant of the schedule")}
	case j.calendar != nil:
		return &fault{"calendar", errors.New("leaves no instant of the schedule")}
	}
	return nil
}

// The columns that the behavior adds, as generated code names them.
const (
	plannedColumn     = "cron_schedule"
	plannedZoneColumn = "cron_zone"
	revisionColumn    = "cron_revision"
)

// violation is an error about a job as one about its row.
func (s *Spec) violation(err error) error {
	wrong, ok := errors.AsType[*fault](err)
	if !ok {
		return err
	}
	field := wrong.field
	if column, ok := s.Columns[field]; ok {
		field = s.Rows.Columns[column].Name
	}
	return &store.ValidationError{Datatype: s.Jobs, Violations: []store.Violation{{Field: field, Rule: "cron", Message: wrong.what()}}, Cause: wrong.err}
}
