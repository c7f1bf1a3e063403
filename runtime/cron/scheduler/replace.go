package scheduler

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/protocol"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// hold locks the runs that jobs replace, which live has, and reads their states again. Jobs are left
// out of which another transaction has locked one: it writes how the run ended, and then waits for the
// job. They are seen to again soon.
func (s *Spec) hold(ctx context.Context, c *core.Conn, jobs []*Job, live map[int64][]*RunRow) ([]*Job, error) {
	var ids []int64
	for _, j := range jobs {
		if j.Overlap == overlapReplace {
			for _, r := range live[j.ID] {
				ids = append(ids, r.ID)
			}
		}
	}
	if len(ids) == 0 {
		return jobs, nil
	}
	states, err := s.held(ctx, c, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(jobs, func(j *Job) bool {
		if j.Overlap != overlapReplace {
			return false
		}
		for _, r := range live[j.ID] {
			now, held := states[r.ID]
			if !held {
				return true
			}
			r.Status, r.Waits = now.Status, now.Waits
		}
		live[j.ID] = slices.DeleteFunc(live[j.ID], func(r *RunRow) bool { return s.States.ended(r.Status) })
		return false
	}), nil
}

// held returns the states of runs that are locked from now on, and whether they wait.
func (s *Spec) held(ctx context.Context, c *core.Conn, ids []int64) (map[int64]RunRow, error) {
	args := make([]any, protocol.ArgCount)
	args[protocol.ArgIDs] = core.IDList(anyOf(ids))
	runs, err := core.Many(ctx, c, &s.Hold, args, func(r *RunRow) []any { return []any{&r.ID, &r.Status, &r.Waits} })
	out := map[int64]RunRow{}
	for _, r := range runs {
		out[r.ID] = r
	}
	return out, err
}

// cancelAll ends runs. One that has ended meanwhile stays. Those whose actions are under way are marked:
// the run that replaces them waits until these have returned. One that a process has claimed may still wait
// itself: no action is under way then.
func (s *Spec) cancelAll(ctx context.Context, c *core.Conn, runs []*RunRow) error {
	for _, r := range runs {
		err := s.Cancel(ctx, c, r.ID)
		switch {
		case errors.Is(err, queue.ErrEnded) || errors.Is(err, queue.ErrBegun) || errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		case r.Waits || r.Status == s.States.Running:
			if err := s.SetWaits(ctx, c, r.ID, !r.Waits); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaced reports whether the action may go on of a run of the job that was replaced: its process has
// to be notified, and the action to return, which removes the mark. One that ignores its context is not
// waited for longer than stillEnding.
func (w *worker) replaced(ctx context.Context, row *RunRow) (bool, error) {
	now, err := w.db.Now(ctx)
	if err != nil {
		return false, err
	}
	for r, err := range w.spec.Ending(ctx, w.db.Conn(), row.Job, now.Add(-stillEnding)) {
		if err != nil || r.ID < row.ID {
			return err == nil, err
		}
	}
	return false, nil
}

// stillEnding is how long a run that replaces another one waits at most for its action to return.
const stillEnding = 5 * time.Second

// returned removes the mark of a run that was replaced, now that its action has returned. It may have done so
// before its context has ended: a process that polls is notified late.
func (w *worker) returned(ctx context.Context, row *RunRow) {
	cancelled := errors.Is(context.Cause(ctx), queue.ErrCancelled)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrites)
	defer cancel()
	var err error
	if !cancelled {
		cancelled, err = w.marked(ctx, row)
	}
	if cancelled && err == nil {
		err = w.spec.SetWaits(ctx, w.db.Conn(), row.ID, false)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		w.logger.WarnContext(ctx, "cron: a run that was cancelled keeps the next one waiting", "runs", w.spec.Runs, "run", row.ID, "within", stillEnding, "error", err)
	}
}

// marked reports whether the run was replaced while it was under way.
func (w *worker) marked(ctx context.Context, row *RunRow) (bool, error) {
	now, err := w.db.Now(ctx)
	if err != nil {
		return false, err
	}
	for r, err := range w.spec.Ending(ctx, w.db.Conn(), row.Job, now.Add(-stillEnding)) {
		if err != nil || r.ID == row.ID {
			return err == nil, err
		}
	}
	return false, nil
}
