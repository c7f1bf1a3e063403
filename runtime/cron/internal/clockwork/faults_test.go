package clockwork_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// acting has a job run a predefined action.
func acting(name string) func(*generated.CronJobNew) {
	return func(n *generated.CronJobNew) { n.ActionConfig = store.Set(store.JSON(`{"action":"` + name + `"}`)) }
}

// inTx is an action that is part of the firing.
type inTx struct {
	tx, worker func(ctx context.Context, c *core.Conn) error
}

func (inTx) Check(store.JSON) error                       { return nil }
func (a inTx) Run(ctx context.Context, _ *cron.Run) error { return a.worker(ctx, nil) }
func (a inTx) RunTx(ctx context.Context, c *core.Conn, r *cron.Run) error {
	r.Printf("in the transaction")
	return a.tx(ctx, c)
}

// A process that is stopped in the transaction that fires jobs does not keep them locked on PostgreSQL.
func TestFiringEndsIdle(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		if !strings.HasPrefix(f.dsn, "postgres") {
			return // SQLite's lock is the process's; MySQL keeps them until the connection ends
		}
		f.recording()
		limit := ""
		read := func(ctx context.Context, c *core.Conn) error {
			return c.QueryRow(ctx, "SHOW idle_in_transaction_session_timeout", nil, []any{&limit})
		}
		f.opts.Actions["limit"] = inTx{tx: read, worker: func(context.Context, *core.Conn) error { return nil }}
		must(f.db.CronJob.Create(t.Context(), job("limit", "* * * * *", acting("limit"))))
		f.clock.pass(time.Minute)
		f.drain()
		equal(t, "the limit", limit, "10s")
	})
}

// An action that is part of the firing fails, panics, or breaks the transaction and hides it: its job
// has one run, which a worker performs, and other jobs are not stopped.
func TestTransactionalActions(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r, fail := f.recording(), true
		worked := map[string]int{}
		add := func(name string, tx func(ctx context.Context, c *core.Conn) error) {
			f.opts.Actions[name] = inTx{tx: tx, worker: func(context.Context, *core.Conn) error { worked[name]++; return nil }}
			must(f.db.CronJob.Create(t.Context(), job(name, "* * * * *", acting(name))))
		}
		f.opts.Actions["placeholder"] = f.opts.Actions["record"]
		add("right", func(context.Context, *core.Conn) error { return nil })
		add("fails", func(context.Context, *core.Conn) error {
			if fail {
				return errors.New("no")
			}
			return nil
		})
		add("panics", func(context.Context, *core.Conn) error { panic("out of the transaction") })
		add("breaks", func(ctx context.Context, c *core.Conn) error {
			_, err := c.Exec(ctx, "SELECT nothing FROM nowhere", nil)
			_ = err // what a careless action does
			return nil
		})
		must(f.db.CronJob.Create(t.Context(), job("other", "* * * * *")))
		f.clock.pass(time.Minute)
		f.drain()
		equal(t, "another job", r.took(), "[other 26 12:01:00]")
		equal(t, "in workers", fmt.Sprint(worked["right"], worked["fails"], worked["panics"]), "0 1 1")
		for _, name := range []string{"right", "fails", "panics", "breaks"} {
			j := must(f.db.CronJob.GetByName(t.Context(), name))
			runs := must(f.db.CronJob.History(t.Context(), j.ID, 10))
			if len(runs) != 1 || runs[0].Status != "success" || j.RunCount != 1 || j.LastStatus.V != "success" || j.Error.V != "" {
				t.Errorf("%s: %d runs, count %d, %s %q", name, len(runs), j.RunCount, j.LastStatus.V, j.Error.V)
			}
		}
		// One that does not fail any more shows it, and counts failures from the start.
		j := must(f.db.CronJob.GetByName(t.Context(), "fails"))
		must(f.db.CronJob.Update(t.Context(), j.ID, generated.CronJobPatch{Failures: store.Set[int64](2), Error: store.Set("no"), LastStatus: store.Set(generated.CronJobLastStatus("error"))}))
		fail = false
		f.clock.pass(time.Minute)
		f.drain()
		j = f.job(j.ID)
		equal(t, "after it did not fail", fmt.Sprint(j.LastStatus.V, " ", j.Error.Valid, " ", j.Failures, " ", worked["fails"]), "success false 0 1")
	})
}

// A run that cannot be stored shows that on its job, and stops no other.
func TestRunThatCannotBeStored(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		const jobs = 520 // of two transactions
		var list []generated.CronJobNew
		for i := range jobs {
			list = append(list, job(fmt.Sprintf("tick %d", i), "* * * * *"))
		}
		ids := must(f.db.CronJob.CreateMany(t.Context(), list))
		bad := ids[jobs/3]
		if strings.HasPrefix(f.dsn, "sqlite") {
			f.exec(fmt.Sprintf("CREATE TRIGGER refuse BEFORE INSERT ON cron_runs WHEN NEW.job_id = %d BEGIN SELECT RAISE(ABORT, 'refused'); END", bad))
		} else {
			f.exec(fmt.Sprintf("ALTER TABLE cron_runs ADD CONSTRAINT refuse CHECK (triggered_by <> 'schedule' OR job_name <> 'tick %d')", jobs/3))
		}
		f.clock.pass(time.Minute)
		f.drain()
		equal(t, "runs of the others", len(r.took()), jobs-1)
		if strings.HasPrefix(f.dsn, "sqlite") { // what a trigger says is no error of the run: it is tried again
			equal(t, "the job whose run a trigger refused", fmt.Sprint(f.job(bad).NextRun.V.UTC(), f.job(bad).RunCount), fmt.Sprint(noon.Add(time.Minute), 0))
			f.exec("DROP TRIGGER refuse")
			f.drain()
			equal(t, "without the trigger", r.took(), fmt.Sprintf("[tick %d 26 12:01:00]", jobs/3))
			return
		}
		if j := f.job(bad); j.LastStatus.V != "error" || j.Error.V == "" || !j.NextRun.V.After(f.clock.read()) || j.RunCount != 0 {
			t.Errorf("the job whose run cannot be stored: %s %q, next %s, %d runs", j.LastStatus.V, j.Error.V, j.NextRun.V, j.RunCount)
		}
	})
}

// What actions return means what it means to handlers.
func TestOutcomesOfActions(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		var tries int
		act := func(name string, fn func(ctx context.Context) error) {
			f.opts.Actions[name] = cron.Func(func(ctx context.Context, _ *cron.Run, _ struct{}) error { return fn(ctx) })
			must(f.db.CronJob.Create(t.Context(), job(name, "0 13 * * *", acting(name), func(n *generated.CronJobNew) { n.MaxAttempts = store.Set[int64](3) })))
		}
		act("panics", func(context.Context) error { panic("at the disco") })
		act("discards", func(context.Context) error { return queue.Discard(errors.New("never")) })
		act("later", func(context.Context) error {
			if tries++; tries == 1 {
				return queue.RetryAfter(time.Minute, errors.New("busy"))
			}
			return nil
		})
		snoozed := false
		act("snoozes", func(context.Context) error {
			if !snoozed {
				snoozed = true
				return queue.Snooze(time.Minute)
			}
			return nil
		})
		act("unknown", func(context.Context) error { return queue.Unknown(errors.New("perhaps")) })
		act("cancels", func(context.Context) error { return queue.Cancel(errors.New("not needed")) })
		act("completes", func(ctx context.Context) error {
			return f.db.Tx(ctx, func(tx *generated.Tx) error { return queue.Current(ctx).CompleteTx(ctx, tx) })
		})
		f.clock.pass(time.Hour)
		for range 20 { // attempts, with their backoff
			f.drain()
			f.clock.pass(2 * time.Minute)
		}
		for name, want := range map[string]string{
			"panics": "error 3 error", "discards": "error 1 error", "later": "success 2 success", "snoozes": "success 1 success",
			"unknown": "error 1 error", "cancels": "cancelled 1 error", "completes": "success 1 success",
		} {
			j := must(f.db.CronJob.GetByName(t.Context(), name))
			runs := must(f.db.CronJob.History(t.Context(), j.ID, 10))
			equal(t, name, fmt.Sprint(len(runs), " ", runs[0].Status, " ", runs[0].Attempts, " ", j.LastStatus.V), "1 "+want)
		}
	})
}
