package clockwork_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// calendar adds a calendar.
func (f *fixture) calendar(name, days string) generated.CronCalendarID {
	f.Helper()
	return must(f.db.CronCalendar.Create(f.Context(), generated.CronCalendarNew{Name: name, Days: days})).ID
}

func by(id generated.CronCalendarID) func(*generated.CronJobNew) {
	return func(n *generated.CronJobNew) { n.Calendar = store.Set(id) }
}

func zone(name string) func(*generated.CronJobNew) {
	return func(n *generated.CronJobNew) { n.TimeZone = store.Set(name) }
}

// next is when a job is due, as its row has it.
func (f *fixture) next(id generated.CronJobID) string {
	f.Helper()
	j := f.job(id)
	if !j.NextRun.Valid {
		return "never " + j.Error.V
	}
	return j.NextRun.V.UTC().Format("01-02 15:04")
}

// invalid checks that an error is about one field.
func invalid(t *testing.T, err error, field string, texts ...string) {
	t.Helper()
	wrong, ok := errors.AsType[*store.ValidationError](err)
	if !ok || len(wrong.Violations) != 1 || wrong.Violations[0].Field != field {
		t.Errorf("about %s: %v", field, err)
		return
	}
	for _, text := range texts {
		if !strings.Contains(wrong.Violations[0].Message, text) {
			t.Errorf("%s: %q has no %q", field, wrong.Violations[0].Message, text)
		}
	}
}

// Jobs that share a calendar are not due on its days, in their zones, nor on those of their own.
func TestCalendar(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		ctx := t.Context()
		days := f.calendar("days", "2026-11-27,\r\n sat, Sunday\n")
		daily := must(f.db.CronJob.Create(ctx, job("daily", "0 6 * * *", by(days), with(func(n *generated.CronJobNew) {
			n.Exclude = store.Set(store.JSON(`["2026-11-30"]`))
		})))).ID
		equal(t, "next", f.next(daily), "12-01 06:00")
		equal(t, "the instants", must(f.db.CronJob.Next(ctx, daily, 5)), []time.Time{
			noon.Add(114 * time.Hour), noon.Add(138 * time.Hour), noon.Add(162 * time.Hour), noon.Add(186 * time.Hour), noon.Add(258 * time.Hour),
		})
		auckland := must(f.db.CronJob.Create(ctx, job("auckland", "0 1 * * *", by(days), zone("Pacific/Auckland")))).ID
		equal(t, "next in another zone", f.next(auckland), "11-29 12:00") // 28 and 29 November are a Saturday and a Sunday there
		chore := must(f.db.Chore.Create(ctx, generated.ChoreNew{What: "chore", Expr: "0 6 * * *", Kind: "predefined", Config: store.Set(store.JSON(`{"action":"record"}`)), Closed: store.Set(days)}))
		equal(t, "next of other jobs with the calendar", chore.DueAt.V.UTC(), noon.Add(90*time.Hour))

		equal(t, "backfilled", must(f.db.CronJob.Backfill(ctx, daily, noon.AddDate(0, 0, -7), noon)), 5) // 20, 23, 24, 25, 26 November
		must(f.db.CronJob.Update(ctx, daily, generated.CronJobPatch{Calendar: store.SetNull[generated.CronCalendarID]()}))
		equal(t, "without the calendar", f.next(daily), "11-27 06:00")
		must(f.db.CronJob.Update(ctx, daily, generated.CronJobPatch{Calendar: store.Set(days)}))
		equal(t, "with it again", f.next(daily), "12-01 06:00")
	})
}

// What leaves no instant, or is no day, is refused when it is saved, and so is the deletion of a calendar
// that jobs have.
func TestCalendarRefused(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		ctx := t.Context()
		days := f.calendar("days", "12-24")
		_, err := f.db.CronJob.Create(ctx, job("barren", "0 0 24 12 *", by(days)))
		invalid(t, err, "calendar", "leaves no instant of the schedule")
		_, err = f.db.CronJob.Create(ctx, job("barren", "0 0 24,25 12 *", by(days), with(func(n *generated.CronJobNew) { n.Exclude = store.Set(store.JSON(`["12-25"]`)) })))
		invalid(t, err, "exclude", "leaves no instant of the schedule together with the calendar")
		right := must(f.db.CronJob.Create(ctx, job("right", "0 0 24 12 *"))).ID
		_, err = f.db.CronJob.Update(ctx, right, generated.CronJobPatch{Calendar: store.Set(days)})
		invalid(t, err, "calendar", "leaves no instant of the schedule")
		equal(t, "a job that was not changed", f.next(right), "12-24 00:00")

		_, err = f.db.CronCalendar.Create(ctx, generated.CronCalendarNew{Name: "wrong", Days: "sat, sunn"})
		invalid(t, err, "days", `"sunn", character 1`, "is sun meant?")
		_, err = f.db.CronCalendar.Update(ctx, days, generated.CronCalendarPatch{Days: store.Set("12-24\n2026-02-30")})
		invalid(t, err, "days", `"2026-02-30"`)
		// One that SQL has made wrong does not keep its other fields from being changed, nor takes jobs.
		f.exec("UPDATE cron_calendar SET days = 'sunn'")
		must(f.db.CronCalendar.Update(ctx, days, generated.CronCalendarPatch{Description: store.Set("Holidays.")}))
		_, err = f.db.CronJob.Create(ctx, job("wrong", "0 0 * * *", by(days)))
		invalid(t, err, "calendar", fmt.Sprintf(`in row %d, days: "sunn"`, days))

		f.exec("UPDATE cron_calendar SET days = 'sun'")
		must(f.db.CronJob.Create(ctx, job("daily", "0 0 * * *", by(days))))
		if err := f.db.CronCalendar.Delete(ctx, days); !errors.Is(err, store.ErrReference) {
			t.Errorf("the deletion of a calendar that a job has: %v", err)
		}
	})
}

// What SQL writes to calendars, or to jobs about them, takes effect with the next look.
func TestCalendarBySQL(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		ctx := t.Context()
		weekend, holidays := f.calendar("weekend", "sat, sun"), f.calendar("holidays", "2026-11-28")
		f.exec("INSERT INTO cron_calendar (name, days) VALUES ('none', '')")
		none := must(f.db.CronCalendar.GetByName(ctx, "none")).ID
		daily := must(f.db.CronJob.Create(ctx, job("daily", "0 6 * * *", by(weekend)))).ID
		plain := must(f.db.CronJob.Create(ctx, job("plain", "0 6 * * *"))).ID
		every := must(f.db.CronJob.Create(ctx, job("every", "@every 7h", by(weekend)))).ID
		chore := must(f.db.Chore.Create(ctx, generated.ChoreNew{What: "chore", Expr: "0 6 * * *", Kind: "predefined", Config: store.Set(store.JSON(`{"action":"record"}`)), Closed: store.Set(weekend)})).ID
		next := func() string {
			f.drain()
			other := must(f.db.Chore.Get(ctx, chore))
			return fmt.Sprint(f.next(daily), ", ", f.next(plain), ", ", f.next(every), ", ", other.DueAt.V.UTC().Format("01-02 15:04"))
		}
		equal(t, "at first", next(), "11-27 06:00, 11-27 06:00, 11-26 19:00, 11-27 06:00")
		f.clock.pass(time.Hour)
		f.exec("UPDATE cron_calendar SET days = 'fri, sat' WHERE name = 'weekend'")
		equal(t, "a day is added", next(), "11-29 06:00, 11-27 06:00, 11-26 19:00, 11-29 06:00")
		f.exec("UPDATE cron_calendar SET days = 'thu, fri' WHERE name = 'weekend'")
		equal(t, "another day", next(), "11-28 06:00, 11-27 06:00, 11-28 06:00, 11-28 06:00")
		f.exec("UPDATE cron_calendar SET days = 'sun' WHERE name = 'weekend'")
		equal(t, "a day is removed", next(), "11-27 06:00, 11-27 06:00, 11-26 19:00, 11-27 06:00")
		settled := must(f.db.CronCalendar.Get(ctx, weekend))
		f.drain()
		equal(t, "nothing else is written", *must(f.db.CronCalendar.Get(ctx, weekend)), *settled)
		equal(t, "the job has the revision of its calendar", f.job(daily).CronRevision, settled.CronRevision)

		f.exec(fmt.Sprintf("UPDATE cron_job SET calendar = %d WHERE name = 'plain'", holidays))
		f.clock.set(time.Date(2026, 11, 27, 7, 0, 0, 0, time.UTC))
		f.drain()
		f.exec(fmt.Sprintf("UPDATE cron_job SET calendar = %d WHERE name = 'daily'", holidays))
		equal(t, "a job gets another calendar", next(), "11-29 06:00, 11-29 06:00, 11-27 09:00, 11-28 06:00")
		f.exec(fmt.Sprintf("UPDATE cron_job SET calendar = %d WHERE name = 'daily'", none))
		equal(t, "an empty calendar", next(), "11-28 06:00, 11-29 06:00, 11-27 09:00, 11-28 06:00")
		f.exec(fmt.Sprintf("UPDATE cron_job SET calendar = %d WHERE name = 'daily'", holidays))
		f.drain()
		f.exec("UPDATE cron_job SET calendar = NULL WHERE name = 'daily'")
		equal(t, "none", next(), "11-28 06:00, 11-29 06:00, 11-27 09:00, 11-28 06:00")

		f.exec("UPDATE cron_calendar SET days = 'sun, mon, tue, wed, thu, fri, sat' WHERE name = 'weekend'")
		equal(t, "every day", next(), "11-28 06:00, 11-29 06:00, never , 01-01 00:00")
		f.exec("UPDATE cron_calendar SET days = 'someday, sun' WHERE name = 'weekend'")
		bad := fmt.Sprintf(`never calendar: in row %d, days: "someday", character 1: "someday" is not a day of the week; write 2026-12-24, 2026-12-24/2027-01-01, 12-25 for each year, or sat for each week`, weekend)
		equal(t, "a day that is none", next(), "11-28 06:00, 11-29 06:00, "+bad+", 01-01 00:00")
		equal(t, "status", f.job(every).LastStatus.V, "error")
		r.took()
		f.clock.set(time.Date(2026, 11, 29, 7, 0, 0, 0, time.UTC))
		f.drain()
		equal(t, "the other jobs ran", r.took(), "[daily 29 06:00:00 plain 29 06:00:00]")
		f.exec("UPDATE cron_calendar SET days = 'sun' WHERE name = 'weekend'")
		equal(t, "mended", next(), "11-30 06:00, 11-30 06:00, 11-30 04:00, 11-30 06:00")
		equal(t, "without an error", f.job(every).Error.V, "")
	})
}

// A job that is saved while its calendar changes is planned by what the calendar is in the end: where the
// change is undone before any process has seen it, and where the job's transaction commits after it.
func TestCalendarMeanwhile(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		ctx := t.Context()
		days := f.calendar("days", "sat")
		must(f.db.CronJob.Create(ctx, job("first", "0 6 * * *", by(days))))
		f.drain()
		f.drain()
		f.exec("UPDATE cron_calendar SET days = 'fri'")
		undone := must(f.db.CronJob.Create(ctx, job("undone", "0 6 * * *", by(days)))).ID
		equal(t, "while the days are others", f.next(undone), "11-28 06:00")
		f.exec("UPDATE cron_calendar SET days = 'sat'")
		f.drain()
		equal(t, "after they were changed back", f.next(undone), "11-27 06:00")

		changed := make(chan error, 1)
		var late generated.CronJobID
		err := f.db.Tx(ctx, func(tx *generated.Tx) error {
			j, err := tx.CronJob.Create(ctx, job("late", "0 6 * * *", by(days)))
			if err != nil {
				return err
			}
			late = j.ID
			go func() {
				_, err := f.db.Store().Conn().Exec(ctx, "UPDATE cron_calendar SET days = 'fri, sat'", nil)
				changed <- err
			}()
			if strings.HasPrefix(f.dsn, "postgres") { // the others have the change wait for this transaction
				changed <- <-changed
				f.drain()
			}
			return nil
		})
		if err := errors.Join(err, <-changed); err != nil {
			t.Fatal(err)
		}
		f.drain()
		equal(t, "a job of a transaction that was under way", f.next(late), "11-29 06:00")
	})
}

// A day that is added right before an instant counts for it. Other changes of a calendar do not cost an
// instant that is due, nor one that SQL has set on an excluded day.
func TestCalendarAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		ctx := t.Context()
		holidays, other := f.calendar("holidays", "12-24"), f.calendar("other", "12-24")
		off := must(f.db.CronJob.Create(ctx, job("off", "*/5 * * * *", by(holidays), misfire(generated.CronJobMisfireAll)))).ID
		on := must(f.db.CronJob.Create(ctx, job("on", "*/5 * * * *", by(other), misfire(generated.CronJobMisfireAll)))).ID
		f.drain()
		f.drain()
		f.clock.pass(12 * time.Minute)
		f.exec("UPDATE cron_calendar SET days = '2026-11-26' WHERE name = 'holidays'")
		f.exec("UPDATE cron_calendar SET days = '2026-11-27' WHERE name = 'other'")
		equal(t, "the next instant before it is planned", must(f.db.CronJob.Next(ctx, off, 1)), []time.Time{noon.Add(12 * time.Hour)})
		f.drain()
		equal(t, "ran", r.took(), "[on 26 12:05:00 on 26 12:10:00]")
		equal(t, "next", f.next(off)+", "+f.next(on), "11-27 00:00, 11-26 12:15")
		f.drain() // plans with the days as they are settled
		equal(t, "next, later", f.next(off)+", "+f.next(on), "11-27 00:00, 11-26 12:15")
		must(f.db.CronJob.Update(ctx, off, generated.CronJobPatch{NextRun: store.Set(noon.Add(13 * time.Minute))}))
		f.clock.pass(2 * time.Minute)
		f.drain()
		equal(t, "an instant that was set", r.took(), "[off 26 12:13:00]")
		equal(t, "next, after it", f.next(off), "11-27 00:00")
		f.exec(fmt.Sprintf("UPDATE cron_job SET calendar = %d WHERE name = 'off'", other)) // which was settled as often
		f.drain()
		equal(t, "next by another calendar", f.next(off), "11-26 12:15")

		spread := must(f.db.CronJob.Create(ctx, job("spread", "@every 7h", by(other), with(func(n *generated.CronJobNew) { n.Jitter = store.Set[int64](3600) })))).ID
		f.exec("UPDATE cron_calendar SET days = 'sun, mon, tue, wed, thu, fri, sat' WHERE name = 'other'")
		f.drain()
		equal(t, "without a day", f.next(spread), "never ")
		f.exec("UPDATE cron_calendar SET days = 'sun' WHERE name = 'other'")
		next := must(f.db.CronJob.Next(ctx, spread, 1))
		f.drain()
		equal(t, "what Next said before it was planned", next, []time.Time{f.job(spread).NextRun.V.UTC()})
	})
}

// Two processes fire jobs of one calendar while SQL changes its days.
func TestCalendarProcesses(t *testing.T) {
	onEachLive(t, func(t *testing.T, f *fixture) {
		r := f.recording()
		const jobs = 10 // of each second, until all have ended
		days := f.calendar("days", "2000-01-01")
		var list []generated.CronJobNew
		for i := range jobs {
			list = append(list, job(fmt.Sprintf("tick %d", i), "* * * * * *", by(days), misfire("all"), overlap("allow")))
		}
		ids := must(f.db.CronJob.CreateMany(t.Context(), list))
		late := must(f.db.CronJob.Create(t.Context(), job("late", "0 0 1 1 *", by(days), with(func(n *generated.CronJobNew) {
			n.StartsAt = store.Set(time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
		})))).ID
		_, first, _ := f.process(f.opts)
		_, second, _ := f.process(f.opts)
		begun := func() int { return len(r.took()) }
		f.until("they run", func() bool { return begun() > 0 })
		for n := range 40 {
			f.exec(fmt.Sprintf("UPDATE cron_calendar SET days = '2100-01-01, 2100-06-%02d' WHERE name = 'days'", 1+n%28))
			f.until("they run", func() bool { return begun() > 0 })
		}
		f.until("planned", func() bool { return f.job(late).NextRun.V.Year() == 2101 })
		f.exec("UPDATE cron_calendar SET days = 'mon,tue,wed,thu,fri,sat,sun' WHERE name = 'days'")
		f.until("none is due", func() bool {
			return must(f.db.CronJob.Count(t.Context(), generated.CronJobFields.NextRun.NotNull(), 1)) == 0
		})
		f.until("all have ended", func() bool { return f.runs(0, "pending", "running") == 0 })
		var last time.Time
		for _, run := range must(f.db.CronJob.History(t.Context(), ids[0], 1000)) {
			if !last.IsZero() && last.Sub(run.DueAt) != time.Second {
				t.Errorf("runs for %s and %s", run.DueAt, last)
			}
			last = run.DueAt
		}
		for _, log := range []string{first.String(), second.String()} {
			if strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") {
				t.Errorf("there is something in the log:\n%s", log)
			}
		}
	})
}
