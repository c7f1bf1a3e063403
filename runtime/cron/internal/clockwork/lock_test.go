package clockwork_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// A job that another transaction has locked, for as long as that takes, keeps no other from being fired, and is
// fired when it is unlocked.
func TestLockedJob(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		if strings.HasPrefix(f.dsn, "sqlite") {
			return // a transaction locks all rows
		}
		f.recording()
		locked := must(f.db.CronJob.Create(t.Context(), job("locked", "* * * * *")))
		free := must(f.db.CronJob.Create(t.Context(), job("free", "* * * * *")))
		f.process(f.opts)
		other := f.open(generated.Options{Now: f.clock.read})
		err := other.Tx(t.Context(), func(tx *generated.Tx) error {
			if _, err := tx.CronJob.Update(t.Context(), locked.ID, generated.CronJobPatch{Description: store.Set("edited")}); err != nil {
				return err
			}
			f.clock.pass(time.Minute)
			f.until("the other one ran", func() bool { return f.runs(free.ID, "success") == 1 })
			equal(t, "runs of the locked one", len(f.fired(locked.ID)), 0)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		f.until("the locked one ran", func() bool { return f.runs(locked.ID, "success") == 1 })
	})
}

// A calendar whose row another transaction has locked keeps no job from being fired, not even its own.
func TestLockedCalendar(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		if strings.HasPrefix(f.dsn, "sqlite") {
			return // a transaction locks all rows
		}
		f.recording()
		days := f.calendar("days", "12-24")
		own := must(f.db.CronJob.Create(t.Context(), job("own", "* * * * *", by(days)))).ID
		free := must(f.db.CronJob.Create(t.Context(), job("free", "* * * * *"))).ID
		other := f.open(generated.Options{Now: f.clock.read})
		err := other.Tx(t.Context(), func(tx *generated.Tx) error {
			if _, err := tx.CronCalendar.Update(t.Context(), days, generated.CronCalendarPatch{Description: store.Set("edited")}); err != nil {
				return err
			}
			f.process(f.opts)
			for n := range 2 { // that the calendar is locked is noticed after the first instant
				f.clock.pass(time.Minute)
				f.until("both ran", func() bool { return f.runs(own, "success") > n && f.runs(free, "success") > n })
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// A job whose next instant changes while it is fired, which only a trigger can do, is not moved, and the instant has
// no run: the transaction is undone.
func TestMovedMeanwhile(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		j := must(f.db.CronJob.Create(t.Context(), job("moved", "* * * * *", overlap("replace"))))
		f.clock.pass(time.Minute)
		f.fire()
		const move = "UPDATE cron_job SET next_run = starts_at"
		must(f.db.CronJob.Update(t.Context(), j.ID, generated.CronJobPatch{StartsAt: store.Set(noon)}))
		due := f.job(j.ID).NextRun.V
		switch {
		case strings.HasPrefix(f.dsn, "sqlite"):
			f.exec("CREATE TRIGGER moves AFTER UPDATE ON cron_runs BEGIN " + move + "; END")
		case strings.HasPrefix(f.dsn, "mysql"):
			f.exec("CREATE TRIGGER moves AFTER UPDATE ON cron_runs FOR EACH ROW " + move)
		default:
			f.exec("CREATE FUNCTION moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + move + "; RETURN NEW; END $$")
			f.exec("CREATE TRIGGER moves AFTER UPDATE ON cron_runs FOR EACH ROW EXECUTE FUNCTION moves()")
		}
		f.clock.pass(time.Minute)
		f.fire()
		equal(t, "runs", fmt.Sprint(f.runs(j.ID, "pending"), f.runs(j.ID, "cancelled"), f.job(j.ID).NextRun.V.Equal(due)), "1 0 true")
		if strings.HasPrefix(f.dsn, "postgres") {
			f.exec("DROP TRIGGER moves ON cron_runs")
		} else {
			f.exec("DROP TRIGGER moves")
		}
		f.fire()
		equal(t, "runs without the trigger", fmt.Sprint(f.runs(j.ID, "pending"), f.runs(j.ID, "cancelled")), "1 1")
	})
}
