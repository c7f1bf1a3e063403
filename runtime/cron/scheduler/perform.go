package scheduler

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// performWithin is how long an action may take that is part of the transaction in which its job is
// due: meanwhile the other jobs wait.
const performWithin = 5 * time.Second

// performed fires a job whose action is part of the transaction. Where that fails, with the action
// or after it, the run is added as one that waits, and a worker tries it, as the job has attempts.
func (f *firer) performed(ctx context.Context, id int64) (done fired, err error) {
	tried := false
	var ended []*RunRow
	fire := func(c *core.Conn) error {
		ended = nil
		decisions, err := f.decisions(ctx, c, []int64{id})
		if err != nil {
			return err
		}
		for _, d := range decisions {
			if tried || len(d.runs) == 0 || d.runs[0].Waits {
				continue
			}
			tried = true
			runs := d.runs
			if err := f.perform(ctx, c, d); err != nil {
				f.logger.WarnContext(ctx, "cron: the action of a job failed in the transaction in which it was due: a worker tries it", "jobs", f.spec.Jobs, "job", d.job.Name, "error", err)
				return err
			}
			ended = append(ended, runs...)
		}
		done, err = f.carryOut(ctx, c, decisions)
		return err
	}
	if err = f.db.Tx(ctx, fire); err != nil && tried && ctx.Err() == nil {
		err = f.db.Tx(ctx, fire)
	}
	if err == nil {
		for _, r := range ended {
			f.pings.after(ctx, r, true, r.Output)
		}
	}
	return done, err
}

// perform performs the runs of a decision, so that they have ended when they are added.
func (f *firer) perform(ctx context.Context, c *core.Conn, d *decision) error {
	action, ok := f.actions.transactional(d.job)
	if !ok {
		return nil
	}
	within, cancel := context.WithTimeoutCause(ctx, performWithin, fmt.Errorf("cron: the action took longer than %s, while other jobs waited", performWithin))
	defer cancel()
	for _, row := range d.runs {
		r := row.run()
		r.Attempt = 1
		if err := runTx(within, c, action, r); err != nil {
			return err
		}
		row.Status, row.Output = f.spec.States.Done, r.Output()
	}
	if err := f.spec.Add(ctx, c, d.runs); err != nil {
		return err
	}
	if err := f.spec.end(ctx, c, d.runs[len(d.runs)-1:]); err != nil {
		return err
	}
	d.job.LastStatus, d.job.Error = succeeded, ""
	d.performed, d.runs = len(d.runs), nil
	return nil
}

// runTx runs an action. A panic is an error: it ends neither the process nor the schedules of others.
func runTx(ctx context.Context, c *core.Conn, action cron.TxAction, r *cron.Run) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("cron: the action panicked: %v\n%s", v, debug.Stack())
		}
	}()
	return action.RunTx(ctx, c, r)
}

// run is the row as an action is called with it.
func (r *RunRow) run() *cron.Run {
	return &cron.Run{
		ID: r.ID, JobID: r.Job, Job: r.JobName, Due: r.Due, Trigger: cron.Trigger(r.Trigger), Config: r.ActionConfig,
	}
}
