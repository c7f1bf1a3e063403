package clockwork_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/internal/clockwork/generated"
	"github.com/hegner123/modulagen/runtime/cron/schedule"
	"github.com/hegner123/modulagen/runtime/store"
)

// weekBegins is when clocks are about to be moved in Berlin; weekEnds is right after they were in New York.
var (
	weekBegins = time.Date(2026, 10, 24, 23, 40, 0, 0, time.UTC)
	weekEnds   = time.Date(2026, 11, 1, 7, 30, 0, 0, time.UTC)
)

// weekJobs returns jobs of every policy, of several zones, with bounds, excluded days and jitter.
func weekJobs() []generated.CronJobNew {
	zone := func(name string) func(*generated.CronJobNew) {
		return func(n *generated.CronJobNew) { n.TimeZone = store.Set(name) }
	}
	jitter := func(seconds int64) func(*generated.CronJobNew) {
		return func(n *generated.CronJobNew) { n.Jitter = store.Set(seconds) }
	}
	exclude := func(days string) func(*generated.CronJobNew) {
		return func(n *generated.CronJobNew) { n.Exclude = store.Set(store.JSON(days)) }
	}
	between := func(from, to time.Time) func(*generated.CronJobNew) {
		return func(n *generated.CronJobNew) { n.StartsAt, n.EndsAt = store.Set(from), store.Set(to) }
	}
	return []generated.CronJobNew{
		job("minutes", "* * * * *"),
		job("halves", "*/30 * * * *", misfire("all"), overlap("queue")),
		job("nineteen", "@every 19m", misfire("all"), overlap("allow")),
		job("seconds", "*/20 * * * * *", misfire("skip"), overlap("replace")),
		job("berlin", "30 2 * * *", zone("Europe/Berlin"), misfire("all")),
		job("berlin hours", "0 * * * *", zone("Europe/Berlin"), misfire("all"), overlap("queue")),
		job("new york", "30 1 * * *", zone("America/New_York"), misfire("all"), overlap("replace")),
		job("lord howe", "*/30 2,3 * * *", zone("Australia/Lord_Howe"), misfire("all"), overlap("skip")),
		job("nepal", "15 9,17 * * mon-fri", zone("Asia/Kathmandu"), misfire("skip")),
		job("jitter", "0 */2 * * *", jitter(5400), misfire("all"), overlap("queue")),
		job("bounds", "20 * * * *", between(weekBegins.Add(50*time.Hour), weekBegins.Add(90*time.Hour)), misfire("all"), overlap("allow")),
		job("excluded", "5 6,18 * * *", zone("Pacific/Auckland"), exclude(`["sun","10-28","2026-10-30/2026-10-31"]`), jitter(60)),
		job("never", "0 0 29 2 *"),
	}
}

// planOf is a job's plan as package schedule has it.
func planOf(t *testing.T, n *generated.CronJob) *schedule.Plan {
	t.Helper()
	in := time.UTC
	if n.TimeZone.V != "" {
		in = must(schedule.Location(n.TimeZone.V))
	}
	p := &schedule.Plan{
		Schedule: must(schedule.Parse(n.Schedule, schedule.Options{Location: in})), Start: n.StartsAt.V, End: n.EndsAt.V,
		Key: n.Name, Jitter: time.Duration(n.Jitter) * time.Second,
	}
	if n.Exclude.V != nil {
		var days []string
		if err := json.Unmarshal(n.Exclude.V, &days); err != nil {
			t.Fatal(err)
		}
		p.Excluded = must(schedule.ParseExclusions(days, in))
	}
	return p
}

// instants lists the instants of a job that was created at the first of some moments, and looked at in all
// others: what its misfire keeps of those that had come by each.
func instants(plan *schedule.Plan, policy generated.CronJobMisfire, looks []time.Time) (due []time.Time) {
	next, at := plan.Next(looks[0])
	for _, now := range looks[1:] {
		var passed []time.Time
		for ; !at.IsZero() && !at.After(now); next, at = plan.Next(next) {
			passed = append(passed, next)
		}
		if policy != "all" && len(passed) > 0 {
			passed = passed[len(passed)-1:]
		}
		if policy == "skip" && len(passed) > 0 && now.Sub(passed[0])-plan.Jitter > time.Minute {
			passed = nil
		}
		due = append(due, passed...)
	}
	return due
}

// A week and some hours of jobs of every policy, in which processes look now and then, and clocks are moved in
// two zones: the history has the instants that the plan of each job lists, and no other.
func TestWeek(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		f.recording()
		f.clock.set(weekBegins)
		ids := must(f.db.CronJob.CreateMany(t.Context(), weekJobs()))
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		looks := []time.Time{weekBegins}
		look := func() {
			looks = append(looks, f.clock.read())
			f.drain()
		}
		for f.clock.read().Before(weekEnds) {
			if random.IntN(3) == 0 { // right after an instant, as a process that runs all the time
				f.clock.set(f.clock.read().Truncate(15 * time.Minute).Add(15*time.Minute + time.Duration(random.IntN(1000))*time.Millisecond))
			} else {
				f.clock.pass(time.Duration(1+random.IntN(240)) * time.Minute)
			}
			look()
			for f.runs(0, "pending") > 0 { // those that wait for one another
				f.clock.pass(5 * time.Second)
				look()
			}
		}
		for _, id := range ids {
			j := f.job(id)
			equal(t, j.Name, lines(f.fired(id)), lines(instants(planOf(t, j), j.Misfire, looks)))
		}
		equal(t, "runs that failed", f.runs(0, "error", "running"), 0)
		names := generated.CronRunFields.JobName.In("halves", "nineteen", "berlin hours", "jitter", "bounds")
		cancelled := store.And(names, generated.CronRunFields.Status.Eq("cancelled"))
		equal(t, "cancelled runs of jobs with overlap queue and allow", must(f.db.CronRuns.Count(t.Context(), cancelled, 10_000)), 0)
	})
}

func lines(instants []time.Time) string {
	var b strings.Builder
	for _, at := range instants {
		fmt.Fprintln(&b, at.UTC().Format(time.RFC3339Nano))
	}
	return b.String()
}

// fired returns the instants of a job that have runs, in order.
func (f *fixture) fired(id generated.CronJobID) (due []time.Time) {
	f.Helper()
	for run, err := range f.db.CronRuns.All(f.Context(), generated.CronRunQuery{Where: generated.CronRunFields.JobID.Eq(id)}) {
		if err != nil {
			f.Fatal(err)
		}
		due = append(due, run.DueAt)
	}
	slices.SortFunc(due, time.Time.Compare)
	return due
}
