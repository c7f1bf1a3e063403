package clockwork_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// Situations that schedulers of the field were reported to be wrong in, each with its right outcome.
// Those of schedules alone are tested in package schedule; those of several processes are in
// process_test.go and live_test.go.
func TestField(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		r, ctx := f.recording(), t.Context()
		create := func(n generated.CronJobNew) generated.CronJobID { return must(f.db.CronJob.Create(ctx, n)).ID }
		remove := func(ids ...generated.CronJobID) {
			for _, id := range ids {
				if err := f.db.CronJob.Delete(ctx, id); err != nil {
					t.Fatal(err)
				}
			}
		}
		instants := func() string { return strings.Join(r.took(), ", ") }

		// kubernetes#42649: off for so long that more than 100 instants were missed; it starts again.
		id := create(job("missed", "* * * * *"))
		f.clock.pass(72 * time.Hour)
		f.drain()
		equal(t, "kubernetes#42649", instants(), "missed 29 12:00:00")
		remove(id)

		// robfig/cron#26: the clock goes an hour ahead and back: no 720 runs, no run twice.
		at := f.clock.read()
		id = create(job("ahead", "*/5 * * * * *"))
		f.clock.pass(time.Hour)
		f.drain()
		equal(t, "robfig/cron#26, ahead", len(r.took()), 1)
		f.clock.set(at.Add(10 * time.Second))
		f.drain()
		equal(t, "robfig/cron#26, back", instants(), "")
		remove(id)

		// The same by years, with every instant wanted: bounded.
		f.clock.set(at)
		id = create(job("years", "0 0 * * *", misfire("all")))
		f.clock.set(at.AddDate(30, 0, 0))
		f.drain()
		f.clock.pass(time.Second)
		for range 100 {
			f.drain()
			f.clock.pass(time.Second)
		}
		equal(t, "30 years", len(r.took()), 100)
		remove(id)
		f.clock.set(at)

		// robfig/cron#94: a look that comes early runs nothing, and the next instant goes by the schedule.
		id = create(job("early", "* * * * *"))
		f.clock.set(at.Add(time.Minute - time.Microsecond))
		f.drain()
		equal(t, "robfig/cron#94, early", instants(), "")
		f.clock.set(at.Add(time.Minute + 3*time.Second))
		f.drain()
		f.drain()
		equal(t, "robfig/cron#94", fmt.Sprint(len(r.took()), " ", f.job(id).NextRun.V.UTC()), fmt.Sprint(1, " ", at.Add(2*time.Minute)))
		remove(id)

		// river#791: a weekly job, and processes that are restarted each day.
		f.clock.set(at)
		id = create(job("weekly", "0 0 * * mon"))
		for range 9 {
			f.clock.pass(20 * time.Hour)
			restarted := f.open(generated.Options{Now: f.clock.read})
			if err := restarted.Drain(ctx, generated.Workers{Cron: &f.opts}); err != nil {
				t.Fatal(err)
			}
			restarted.Close()
		}
		equal(t, "river#791", instants(), "weekly 30 00:00:00, weekly 07 00:00:00")
		remove(id)

		// django-celery-beat#285, sidekiq#4796: an instant in the hour that Berlin has twice, and processes
		// of other zones: it is stored in UTC, and fires once.
		f.clock.set(time.Date(2027, 10, 30, 12, 0, 0, 0, time.UTC))
		id = create(job("ambiguous", "30 2 * * *", func(n *generated.CronJobNew) { n.TimeZone = store.Set("Europe/Berlin") }))
		for range 30 {
			f.clock.pass(time.Hour)
			o := f.opts
			o.Location = []*time.Location{time.FixedZone("Ahead", 9*3600), nil}[f.clock.read().Hour()%2]
			if err := f.db.Drain(ctx, generated.Workers{Cron: &o}); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "django-celery-beat#285, sidekiq#4796", instants(), "ambiguous 31 00:30:00")
		remove(id)

		// Hangfire#529: a schedule that cannot be used stops no other.
		f.drain() // in UTC from now on
		create(job("right", "0 * * * *"))
		id = create(job("wrong", "0 * * * *"))
		f.exec("UPDATE cron_job SET schedule = '0 0 30 2 *' WHERE name = 'wrong'")
		f.clock.pass(time.Hour)
		f.drain()
		equal(t, "Hangfire#529", instants(), "right 31 19:00:00")
		equal(t, "Hangfire#529, the other one", fmt.Sprint(f.job(id).NextRun.Valid), "false")
	})
}

// Jobs without a zone that a process without Options writes are planned in UTC, and in the zone of the
// processes that fire them within a second. Two of those with different zones say so.
func TestLocations(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		j := must(f.db.CronJob.Create(t.Context(), job("morning", "0 6 * * *")))
		equal(t, "planned by a process without Options", j.NextRun.V.UTC(), noon.Add(18*time.Hour))
		berlin := must(time.LoadLocation("Europe/Berlin"))
		o := f.opts
		o.Location = berlin
		_, log, _ := f.process(o)
		f.until("planned in Berlin", func() bool { return f.job(j.ID).NextRun.V.Equal(noon.Add(17 * time.Hour)) })
		if text := log.String(); strings.Contains(text, "level=WARN") {
			t.Errorf("there is a warning:\n%s", text)
		}
		o.Location = must(time.LoadLocation("Asia/Tokyo"))
		_, other, _ := f.process(o)
		f.until("they have noticed one another", func() bool {
			return strings.Contains(log.String()+other.String(), "another process plans jobs in another time zone")
		})
	})
}
