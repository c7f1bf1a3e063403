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
	"github.com/hegner123/modulagen/runtime/store"
)

// with sets fields of a job.
func with(set func(n *generated.CronJobNew)) func(*generated.CronJobNew) { return set }

func misfire(to generated.CronJobMisfire) func(*generated.CronJobNew) {
	return func(n *generated.CronJobNew) { n.Misfire = store.Set(to) }
}

func overlap(to generated.CronJobOverlap) func(*generated.CronJobNew) {
	return func(n *generated.CronJobNew) { n.Overlap = store.Set(to) }
}

// A process was off, or the clock went forward: the policy of each job says what becomes of the
// instants that nothing ran at, and there are never more than a hundred runs.
func TestMissedInstants(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		ids := must(f.db.CronJob.CreateMany(t.Context(), []generated.CronJobNew{
			job("once", "0 * * * *"),
			job("skip", "0 * * * *", misfire(generated.CronJobMisfireSkip)),
			job("all", "0 * * * *", misfire(generated.CronJobMisfireAll)),
			job("fast", "* * * * * *", misfire(generated.CronJobMisfireAll)),
		}))
		f.clock.pass(3*time.Hour + 5*time.Minute)
		f.drain()
		fast := 0
		var slow []string
		for _, run := range r.took() {
			if strings.HasPrefix(run, "fast ") {
				fast++
			} else {
				slow = append(slow, run)
			}
		}
		equal(t, "runs", strings.Join(slow, ", "), "once 26 15:00:00, all 26 13:00:00, all 26 14:00:00, all 26 15:00:00")
		equal(t, "runs of a job that is due each second", fast, 100)
		for _, id := range ids {
			if j := must(f.db.CronJob.Get(t.Context(), id)); !j.NextRun.V.After(f.clock.read()) {
				t.Errorf("%s is due at %s, and it is %s", j.Name, j.NextRun.V, f.clock.read())
			}
		}
	})
}

// Where the clock is turned back, nothing runs twice: the job waits for the instant that is next.
func TestClockTurnedBack(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		must(f.db.CronJob.Create(t.Context(), job("tick", "* * * * *")))
		f.clock.pass(time.Minute)
		f.drain()
		f.clock.pass(-time.Hour)
		f.drain()
		f.clock.pass(30 * time.Minute)
		f.drain()
		equal(t, "until the clock has caught up", r.took(), "[tick 26 12:01:00]")
		f.clock.pass(32 * time.Minute)
		f.drain()
		equal(t, "after", r.took(), "[tick 26 12:03:00]")
	})
}

// What comes next goes by the instant that was due, however late it is fired: the scheduler's own write plans
// nothing anew.
func TestLateInterval(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		j := must(f.db.CronJob.Create(t.Context(), job("seven", "@every 7m")))
		f.clock.pass(10 * time.Minute)
		f.drain()
		equal(t, "ran", r.took(), "[seven 26 12:07:00]")
		equal(t, "next", must(f.db.CronJob.Get(t.Context(), j.ID)).NextRun.V.UTC(), noon.Add(14*time.Minute))
	})
}

// What becomes of a run that is due while another one is under way.
func TestOverlap(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		names := []string{"skip", "queue", "allow", "replace"}
		for _, name := range names {
			must(f.db.CronJob.Create(t.Context(), job(name, "* * * * *", overlap(generated.CronJobOverlap(name)))))
		}
		f.clock.pass(time.Minute)
		f.fire()
		f.clock.pass(time.Minute)
		f.fire()
		for id, want := range map[generated.CronJobID]string{
			1: "cancelled skipped: run 1 of the job is under way, pending ",
			2: "pending , pending ",
			3: "pending , pending ",
			4: "pending , cancelled cancelled",
		} {
			var got []string
			for _, run := range must(f.db.CronJob.History(t.Context(), id, 10)) {
				got = append(got, string(run.Status)+" "+run.Error.V)
			}
			equal(t, names[id-1], strings.Join(got, ", "), want)
		}
	})
}

// fire fires what is due and runs nothing.
func (f *fixture) fire() {
	f.Helper()
	if err := f.db.CronRuns.Pause(f.Context()); err != nil {
		f.Fatal(err)
	}
	f.drain()
	if err := f.db.CronRuns.Resume(f.Context()); err != nil {
		f.Fatal(err)
	}
}

// What SQL writes takes effect: a new row, another schedule, a job that is enabled, a zone; and a
// row that cannot run shows why, and stops no other.
func TestSQLWrites(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		exec := func(sql string) {
			t.Helper()
			if _, err := f.db.Store().Conn().Exec(t.Context(), sql, nil); err != nil {
				t.Fatal(err)
			}
		}
		yes, no := "TRUE", "FALSE"
		if strings.HasPrefix(f.dsn, "sqlite") {
			yes, no = "1", "0"
		}
		insert := func(name, schedule, config string) {
			t.Helper()
			exec(fmt.Sprintf("INSERT INTO cron_job (name, schedule, action_type, action_config, enabled, run_count, misfire, overlap, jitter, timeout, max_attempts, failures, max_failures, cron_schedule, cron_zone) VALUES ('%s', '%s', 'predefined', '%s', %s, 0, 'once', 'skip', 0, 0, 1, 0, 0, '', '')", name, schedule, config, yes))
		}
		insert("good", "0 13 * * *", `{"action":"record"}`)
		insert("bad", "0 25 * * *", `{"action":"record"}`)
		insert("lost", "0 13 * * *", `{"action":"recrod"}`)
		f.drain()
		byName := func(name string) generated.CronJob {
			return *must(f.db.CronJob.GetByName(t.Context(), name))
		}
		equal(t, "planned", byName("good").NextRun.V.UTC(), noon.Add(time.Hour))
		if bad := byName("bad"); bad.NextRun.Valid || bad.LastStatus.V != "error" || !strings.Contains(bad.Error.V, "25") {
			t.Errorf("a bad schedule: %v, %v, %q", bad.NextRun, bad.LastStatus.V, bad.Error.V)
		}
		f.clock.pass(time.Hour)
		f.drain()
		equal(t, "ran", r.took(), "[good 26 13:00:00]")
		if lost := byName("lost"); lost.LastStatus.V != "error" || !strings.Contains(lost.Error.V, "is record meant?") {
			t.Errorf("an unknown action: %v, %q", lost.LastStatus.V, lost.Error.V)
		}
		exec("UPDATE cron_job SET schedule = '30 13 * * *' WHERE name = 'bad'")
		exec("UPDATE cron_job SET time_zone = 'Europe/Berlin', schedule = '45 14 * * *' WHERE name = 'good'")
		f.drain()
		equal(t, "mended", fmt.Sprint(byName("bad").NextRun.V.UTC(), byName("bad").Error.V), fmt.Sprint(noon.Add(90*time.Minute), ""))
		equal(t, "in another zone", byName("good").NextRun.V.UTC(), noon.Add(105*time.Minute))
		exec("UPDATE cron_job SET time_zone = 'Europe/London' WHERE name = 'good'")
		f.drain()
		equal(t, "in another zone, with the same schedule", byName("good").NextRun.V.UTC(), noon.Add(165*time.Minute))
		exec("UPDATE cron_job SET enabled = " + no + " WHERE name = 'bad'")
		f.drain()
		equal(t, "disabled", byName("bad").NextRun.Valid, false)
		f.clock.pass(24 * time.Hour)
		exec("UPDATE cron_job SET enabled = " + yes + " WHERE name = 'bad'")
		f.drain()
		equal(t, "enabled again", byName("bad").NextRun.V.UTC(), noon.Add(25*time.Hour+30*time.Minute))
		r.took()
		exec("DELETE FROM cron_job WHERE name = 'good'")
		f.drain()
		equal(t, "deleted", r.took(), "[]")
	})
}

// What cannot run is refused when it is saved.
func TestRefused(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		f.drain() // so that this process knows its actions
		type change = func(*generated.CronJobNew)
		for _, c := range []struct {
			change change
			field  string
			text   string
		}{
			{with(func(n *generated.CronJobNew) { n.Schedule = "61 * * * *" }), "schedule", "61"},
			{with(func(n *generated.CronJobNew) { n.TimeZone = store.Set("Europe/Berln") }), "time_zone", "Europe/Berlin"},
			{with(func(n *generated.CronJobNew) { n.ActionConfig = store.Set(store.JSON(`{"action":"recrod"}`)) }), "action_config", "is record meant?"},
			{with(func(n *generated.CronJobNew) {
				n.ActionConfig = store.Set(store.JSON(`{"action":"record","fast":true}`))
			}), "action_config", "fast is not known"},
			{with(func(n *generated.CronJobNew) { n.ActionType = generated.CronJobActionTypePlugin }), "action_config", "Plugins"},
			{with(func(n *generated.CronJobNew) { n.Exclude = store.Set(store.JSON(`["someday"]`)) }), "exclude", "someday"},
			{with(func(n *generated.CronJobNew) { n.Exclude = store.Set(store.JSON(`"sun"`)) }), "exclude", "list"},
		} {
			_, err := f.db.CronJob.Create(t.Context(), job("wrong", "* * * * *", c.change))
			invalid, ok := errors.AsType[*store.ValidationError](err)
			if !ok || len(invalid.Violations) != 1 || invalid.Violations[0].Field != c.field || !strings.Contains(invalid.Violations[0].Message, c.text) {
				t.Errorf("%s with %q: %v", c.field, c.text, err)
			}
		}
		right := must(f.db.CronJob.Create(t.Context(), job("right", "* * * * *")))
		_, err := f.db.CronJob.Update(t.Context(), right.ID, generated.CronJobPatch{Schedule: store.Set("@evry 1h")})
		if err == nil || !strings.Contains(err.Error(), "@every") {
			t.Errorf("an update: %v", err)
		}
		// A row that is wrong already does not keep its other fields from being changed.
		if _, err := f.db.Store().Conn().Exec(t.Context(), "UPDATE cron_job SET schedule = 'nonsense'", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := f.db.CronJob.Update(t.Context(), right.ID, generated.CronJobPatch{Description: store.Set("A job.")}); err != nil {
			t.Errorf("the description of a job whose schedule is wrong: %v", err)
		}
	})
}

// Methods of one job.
func TestControls(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		ctx := t.Context()
		j := must(f.db.CronJob.Create(ctx, job("report", "0 6 * * *")))
		next := must(f.db.CronJob.Next(ctx, j.ID, 3))
		equal(t, "next", next, []time.Time{noon.Add(18 * time.Hour), noon.Add(42 * time.Hour), noon.Add(66 * time.Hour)})
		run := must(f.db.CronJob.RunNow(ctx, j.ID))
		if _, err := f.db.CronJob.RunNow(ctx, j.ID); !errors.Is(err, cron.ErrRunning) {
			t.Errorf("while a run waits: %v", err)
		}
		f.drain()
		equal(t, "run", r.took(), "[report 26 12:00:00]")
		if row := must(f.db.CronRuns.Get(ctx, run)); row.Status != "success" || row.TriggeredBy != "manual" {
			t.Errorf("the run %+v", row)
		}
		if err := f.db.CronJob.Pause(ctx, j.ID); err != nil {
			t.Fatal(err)
		}
		equal(t, "next of a paused job", must(f.db.CronJob.Next(ctx, j.ID, 3)), "[]")
		f.clock.pass(48 * time.Hour)
		f.drain()
		if err := f.db.CronJob.Resume(ctx, j.ID); err != nil {
			t.Fatal(err)
		}
		f.drain()
		equal(t, "nothing is made up for", r.took(), "[]")
		equal(t, "next after", must(f.db.CronJob.Next(ctx, j.ID, 1)), []time.Time{noon.Add(66 * time.Hour)})
		equal(t, "backfilled", must(f.db.CronJob.Backfill(ctx, j.ID, noon, noon.Add(48*time.Hour))), 2)
		equal(t, "backfilled again", must(f.db.CronJob.Backfill(ctx, j.ID, noon, noon.Add(48*time.Hour))), 0)
		f.drain()
		f.clock.pass(time.Second)
		f.drain()
		equal(t, "backfill ran", r.took(), "[report 27 06:00:00 report 28 06:00:00]")
		for _, missing := range []error{f.db.CronJob.Pause(ctx, 99), f.db.CronJob.Resume(ctx, 99)} {
			if !errors.Is(missing, store.ErrNotFound) {
				t.Errorf("no such job: %v", missing)
			}
		}
		if _, err := f.db.CronJob.RunNow(ctx, 99); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("no such job: %v", err)
		}
		if _, err := f.db.CronJob.Backfill(ctx, j.ID, noon, f.clock.read().Add(time.Hour)); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("a backfill of the future: %v", err)
		}
	})
}

// A job that fails too often is disabled, and shows why.
func TestMaxFailures(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		r.err = errors.New("no connection")
		j := must(f.db.CronJob.Create(t.Context(), job("flaky", "* * * * *", func(n *generated.CronJobNew) { n.MaxFailures = store.Set[int64](3) })))
		for range 5 {
			f.clock.pass(time.Minute)
			f.drain()
		}
		equal(t, "runs", len(r.took()), 3)
		j = must(f.db.CronJob.Get(t.Context(), j.ID))
		equal(t, "job", fmt.Sprint(j.Enabled, " ", j.NextRun.Valid, " ", j.Error.V), "false false disabled after 3 failures in a row: no connection")
	})
}

// A job is deleted, made again, renamed and edited between its runs and while they wait.
func TestJobChanges(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r, ctx := f.recording(), t.Context()
		gone := must(f.db.CronJob.Create(ctx, job("gone", "* * * * *")))
		kept := must(f.db.CronJob.Create(ctx, job("kept", "* * * * *")))
		f.clock.pass(time.Minute)
		f.fire()
		if err := f.db.CronJob.Delete(ctx, gone.ID); err != nil {
			t.Fatal(err)
		}
		again := must(f.db.CronJob.Create(ctx, job("gone", "* * * * *")))
		must(f.db.CronJob.Update(ctx, kept.ID, generated.CronJobPatch{Name: store.Set("renamed"), ActionConfig: store.Set(store.JSON(`{"action":"record"}`))}))
		f.drain()
		equal(t, "the run of the deleted job does not take place", r.took(), "[kept 26 12:01:00]")
		f.clock.pass(time.Minute)
		f.drain()
		equal(t, "the next minute", r.took(), "[renamed 26 12:02:00 gone 26 12:02:00]")
		equal(t, "runs of the job that was made again", len(must(f.db.CronJob.History(ctx, again.ID, 10))), 1)
		all := must(f.db.CronRuns.Count(ctx, generated.CronRunFilter{}, 100))
		equal(t, "the history is kept", all, 4)
	})
}

// A run that takes longer than its timeout has failed, whatever the action returns after that.
func TestTimeout(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.opts.Actions = map[string]cron.Action{"hang": cron.Func(func(ctx context.Context, r *cron.Run, _ struct{}) error {
			r.Printf("waiting")
			<-ctx.Done()
			return ctx.Err()
		})}
		j := must(f.db.CronJob.Create(t.Context(), job("slow", "* * * * *", func(n *generated.CronJobNew) {
			n.Timeout, n.ActionConfig = store.Set[int64](1), store.Set(store.JSON(`{"action":"hang"}`))
		})))
		f.clock.pass(time.Minute)
		f.drain()
		run := must(f.db.CronJob.History(t.Context(), j.ID, 1))[0]
		equal(t, "run", fmt.Sprint(run.Status, " ", run.Output.V, " ", strings.Contains(run.Error.V, "longer than its timeout, 1s")), "error waiting true")
	})
}

// The action of a run that is replaced may return before its process has noticed. The run does not keep the one
// that replaces it waiting.
func TestReplacedWhileItReturns(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		other := f.open(generated.Options{})
		replaced := 0
		f.opts.Actions = map[string]cron.Action{"record": cron.Func(func(ctx context.Context, run *cron.Run, _ struct{}) error {
			replaced++
			if err := other.CronRuns.Cancel(ctx, generated.CronRunID(run.ID)); err != nil {
				return err
			}
			f.exec("UPDATE cron_runs SET waits = NOT waits WHERE status = 'cancelled'") // as the scheduler marks it
			return nil
		})}
		j := must(f.db.CronJob.Create(t.Context(), job("replaced", "* * * * *", overlap("replace"))))
		f.clock.pass(time.Minute)
		f.drain()
		equal(t, "runs, and those that keep others waiting", fmt.Sprint(replaced, f.runs(j.ID, "cancelled"),
			must(f.db.CronRuns.Count(t.Context(), generated.CronRunFields.Waits.Eq(true), 0))), "1 1 0")
	})
}

// A run that a process has claimed may still wait itself when it is replaced. It keeps no other waiting, as no
// action of it is under way; and one whose action began after it had waited does.
func TestReplacedWhileItWaits(t *testing.T) {
	for _, began := range []bool{false, true} {
		t.Run(fmt.Sprintf("began=%t", began), func(t *testing.T) {
			onEach(t, func(t *testing.T, f *fixture) {
				f.recording()
				j := must(f.db.CronJob.Create(t.Context(), job("replaced", "* * * * *", overlap("replace"))))
				run := must(f.db.CronJob.RunNow(t.Context(), j.ID))
				f.exec(fmt.Sprintf("UPDATE cron_runs SET status = 'running', claimed_by = 'other', attempts = 1, queue_epoch = 1, queue_lease = created_at, waits = %t WHERE id = %d", !began, run))
				f.clock.pass(time.Minute)
				f.drain()
				replaced := must(f.db.CronRuns.Get(t.Context(), run))
				equal(t, "the run that was replaced, and whether it keeps the next one waiting", fmt.Sprint(replaced.Status, " ", replaced.Waits), fmt.Sprint("cancelled ", began))
				equal(t, "runs that took place", f.runs(j.ID, "success"), map[bool]int{false: 1, true: 0}[began])
			})
		})
	}
}

// A run that has waited does not when its action begins.
func TestWaitedRunBegins(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		var waits []bool
		f.opts.Actions = map[string]cron.Action{"record": cron.Func(func(ctx context.Context, run *cron.Run, _ struct{}) error {
			waits = append(waits, must(f.db.CronRuns.Get(ctx, generated.CronRunID(run.ID))).Waits)
			return nil
		})}
		must(f.db.CronJob.Create(t.Context(), job("queued", "* * * * *", overlap("queue"), misfire("all"))))
		f.clock.pass(2 * time.Minute)
		f.drain()
		equal(t, "whether runs wait while their actions are under way", fmt.Sprint(waits), "[false false]")
	})
}
