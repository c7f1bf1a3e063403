package scheduler

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/runtime/cron/protocol"
	"github.com/hegner123/modulagen/runtime/internal/columntext"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Report returns what the effect on runs runs: the job shows how its last run ended. Generated
// code calls it.
func Report(s *Spec) func(ctx context.Context, c *core.Conn, changes []core.Change) error {
	return func(ctx context.Context, c *core.Conn, changes []core.Change) error {
		var ended []*RunRow
		for _, ch := range changes {
			r := s.RunOf(ch.After)
			if r.Job != 0 && s.States.ended(r.Status) && (ch.Before == nil || !s.States.ended(s.RunOf(ch.Before).Status)) {
				ended = append(ended, r)
			}
		}
		if len(ended) == 0 {
			return nil
		}
		// By job: two of these transactions seldom wait for one another, and one is tried again then.
		slices.SortFunc(ended, func(a, b *RunRow) int { return cmp.Or(cmp.Compare(a.Job, b.Job), cmp.Compare(a.ID, b.ID)) })
		return s.report(ctx, c, ended)
	}
}

// ended reports whether a run with a status has ended.
func (s States) ended(status string) bool { return status != s.Ready && status != s.Running }

// report writes how runs ended on their jobs.
func (s *Spec) report(ctx context.Context, c *core.Conn, ended []*RunRow) error {
	if err := s.end(ctx, c, ended); err != nil {
		return err
	}
	var ids []any
	var failures []int64
	for _, r := range ended {
		ids = append(ids, r.Job)
		if r.Status == s.States.Dead {
			failures = append(failures, r.Job)
		}
	}
	if err := s.disableFailing(ctx, c, slices.Compact(failures)); err != nil {
		return err
	}
	return s.changedIDs(ctx, c, slices.Compact(ids))
}

// end has jobs show how runs of theirs ended, which are in the order of the jobs. Those of one job
// are counted one after the other.
func (s *Spec) end(ctx context.Context, c *core.Conn, ended []*RunRow) error {
	for len(ended) > 0 {
		var g groups
		var later []*RunRow
		for i, r := range ended {
			if i > 0 && ended[i-1].Job == r.Job {
				later = append(later, r)
				continue
			}
			g.add(r.Job, s.ending(r))
		}
		if _, err := g.exec(ctx, c, &s.End); err != nil {
			return err
		}
		ended = later
	}
	return nil
}

// ending are the arguments of End for a run.
func (s *Spec) ending(r *RunRow) []any {
	args := make([]any, protocol.ArgCount)
	args[protocol.ArgStatus], args[protocol.ArgError] = failed, text(bounded(cmp.Or(r.Error, "the run failed")))
	args[protocol.ArgKept], args[protocol.ArgFailed] = int64(1), int64(1)
	switch r.Status {
	case s.States.Done:
		args[protocol.ArgStatus], args[protocol.ArgError] = succeeded, nil
		args[protocol.ArgKept], args[protocol.ArgFailed] = int64(0), int64(0)
	case s.States.Cancelled:
		args[protocol.ArgError] = cmp.Or(r.Error, "the run was cancelled")
		args[protocol.ArgFailed] = int64(0)
	}
	return args
}

// bounded is a text that an error column has room for.
func bounded(text string) string { return columntext.Cut(text, protocol.MaxError) }

// disabledAfter begins the error of a job that has failed too often.
const disabledAfter = "disabled after "

// disableFailing disables the jobs that have failed as often in a row as they may.
func (s *Spec) disableFailing(ctx context.Context, c *core.Conn, ids []int64) error {
	if _, has := s.Columns["max_failures"]; !has || len(ids) == 0 {
		return nil
	}
	jobs, err := s.take(ctx, c, ids)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.MaxFailures <= 0 || j.Failures < j.MaxFailures || !j.Enabled {
			continue
		}
		off := &Job{ID: j.ID, Error: bounded(fmt.Sprintf(disabledAfter+"%d failures in a row: %s", j.Failures, j.Error))}
		if _, err := core.Exec(ctx, c, &s.Disable, off.arguments()); err != nil {
			return err
		}
	}
	return nil
}
