//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// acts is the table in which each action notes that it has begun: what is under test must not be its
// own witness.
const acts = "CREATE TABLE acts (run BIGINT NOT NULL, attempt BIGINT NOT NULL, process VARCHAR(60) NOT NULL)"

// runCron fires schedules and works their runs, as a process of its own, until ctx ends.
func runCron(ctx context.Context, s settings, _ *diary, log *slog.Logger) error {
	db, err := generated.Open(ctx, s.DSN, generated.Options{Logger: log, MaxConns: 8})
	if err != nil {
		return err
	}
	defer db.Close()
	random := rand.New(rand.NewPCG(s.Seed, uint64(s.Slot*1000+s.Generation)))
	work := make(chan time.Duration)
	go func() { // how long actions take, in the order of the seed
		for {
			d := time.Duration(random.Int64N(int64(20 * time.Millisecond)))
			if random.IntN(50) == 0 {
				d = time.Duration(random.Int64N(int64(2 * s.Lease)))
			}
			select {
			case work <- d:
			case <-ctx.Done():
				return
			}
		}
	}()
	act := cron.Func(func(ctx context.Context, r *cron.Run, _ struct{}) error {
		note := fmt.Sprintf("INSERT INTO acts (run, attempt, process) VALUES (%d, %d, '%s')", r.ID, r.Attempt, s.host())
		if _, err := db.Store().Conn().Exec(ctx, note, nil); err != nil {
			return err
		}
		select {
		case d := <-work:
			rest(ctx, d)
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	return db.Run(ctx, generated.Workers{Cron: cron.Options{
		Actions: map[string]cron.Action{"act": act}, Logger: log,
		Queue: queue.Options{Concurrency: 16, Lease: s.Lease, StopTimeout: s.Lease, Poll: 100 * time.Millisecond, Logger: log},
	}})
}

// cronRun configures a run that fires schedules.
type cronRun struct {
	DSN     string
	Seed    uint64
	For     time.Duration
	Kills   int
	Freezes int
	Changes int // of jobs, by SQL and through the typed API
	Workers int
	Lease   time.Duration
	Logs    string        // a folder for the processes' logs
	Drain   time.Duration // at most, until every run has ended
}

// timekeepers keeps processes running that fire schedules, hits them, and changes jobs meanwhile.
type timekeepers struct {
	cronRun
	*crew
	db     *generated.DB
	random *rand.Rand
	made   int // jobs that were made again
}

// Jobs by their names: those that nobody touches have an exact history.
const (
	untouched = "steady"
	touched   = "touched"
)

// supervise adds jobs, lets processes fire them while they are hit and the jobs changed, and proves.
func (r cronRun) supervise(ctx context.Context) (cronResult, error) {
	db, err := generated.Open(ctx, r.DSN, generated.Options{MaxConns: 3})
	if err != nil {
		return cronResult{}, err
	}
	defer db.Close()
	if _, err := db.Store().Conn().Exec(ctx, acts, nil); err != nil {
		return cronResult{}, err
	}
	s := &timekeepers{cronRun: r, crew: newCrew(), db: db, random: rand.New(rand.NewPCG(r.Seed, 7))}
	if _, err := db.CronJob.CreateMany(ctx, cronJobs()); err != nil {
		return cronResult{}, err
	}
	defer s.killAll()
	for slot := range r.Workers {
		err := s.start(settings{Role: roleCron, Slot: slot + 1, Generation: 1, DSN: r.DSN, Logs: r.Logs, Lease: r.Lease, Seed: r.Seed})
		if err != nil {
			return cronResult{}, err
		}
	}
	s.disturb(ctx)
	if err := s.drain(ctx); err != nil {
		return cronResult{}, err
	}
	out, err := proveCron(ctx, db)
	out.Killed, out.Frozen = int(s.killed.Load()), int(s.frozen.Load())
	out.Findings = s.found()
	return out, err
}

// cronJobs are the jobs: due each second, with every policy.
func cronJobs() []generated.CronJobNew {
	var out []generated.CronJobNew
	add := func(name string, misfire generated.CronJobMisfire, overlap generated.CronJobOverlap) {
		n := cronJob(fmt.Sprintf("%s %s %s %d", name, misfire, overlap, len(out)))
		n.Misfire, n.Overlap = store.Set(misfire), store.Set(overlap)
		out = append(out, n)
	}
	for _, overlap := range []generated.CronJobOverlap{generated.CronJobOverlapAllow, generated.CronJobOverlapQueue, generated.CronJobOverlapSkip, generated.CronJobOverlapReplace} {
		add(untouched, generated.CronJobMisfireAll, overlap)
		add(untouched, generated.CronJobMisfireAll, overlap)
		add(touched, generated.CronJobMisfireOnce, overlap)
		add(touched, generated.CronJobMisfireAll, overlap)
	}
	return out
}

func cronJob(name string) generated.CronJobNew {
	return generated.CronJobNew{
		Name: name, Schedule: "* * * * * *", ActionType: generated.CronJobActionTypePredefined, ActionConfig: store.Set(store.JSON(`{"action":"act"}`)),
	}
}

// disturb hits processes and changes jobs, both spread over the time of the run by its seed.
func (s *timekeepers) disturb(ctx context.Context) {
	total := s.Kills + s.Freezes + s.Changes
	events := make([]func(context.Context), 0, total)
	for i := range total {
		switch {
		case i < s.Kills:
			events = append(events, func(context.Context) { s.hit(false) })
		case i < s.Kills+s.Freezes:
			events = append(events, func(context.Context) { s.hit(true) })
		default:
			events = append(events, s.change)
		}
	}
	s.random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	begun := time.Now()
	for i, event := range events {
		at := time.Duration(float64(s.For) * (float64(i) + s.random.Float64()) / float64(total))
		if rest(ctx, at-time.Since(begun)); ctx.Err() != nil {
			return
		}
		event(ctx)
	}
	rest(ctx, s.For-time.Since(begun))
}

// hit kills one of the processes that run, or freezes it for some leases.
func (s *timekeepers) hit(freeze bool) {
	slot := 1 + s.random.IntN(s.Workers)
	long := s.Lease + time.Duration(s.random.Int64N(int64(2*s.Lease)))
	for _, p := range s.all() {
		if p.Slot == slot && !p.hasEnded() {
			s.strike(p, freeze, long)
			return
		}
	}
}

// change changes one of the jobs that may be, as operators and programs do.
func (s *timekeepers) change(ctx context.Context) {
	err := s.changed(ctx)
	if err != nil && !errors.Is(err, cron.ErrRunning) && !errors.Is(err, store.ErrNotFound) {
		s.finding(fmt.Errorf("a change of a job: %w", err))
	}
}

func (s *timekeepers) changed(ctx context.Context) error {
	fields := generated.CronJobFields
	page, err := s.db.CronJob.List(ctx, generated.CronJobQuery{Where: fields.Name.Prefix(touched)})
	jobs := page.Items
	if err != nil || len(jobs) == 0 {
		return err
	}
	j := jobs[s.random.IntN(len(jobs))]
	sql := func(set string) error {
		_, err := s.db.Store().Conn().Exec(ctx, fmt.Sprintf("UPDATE cron_job SET %s WHERE id = %d", set, j.ID), nil)
		return err
	}
	schedules := []string{"* * * * * *", "*/2 * * * * *", "1-59/2 * * * * *", "0 0 1 1 *"}
	schedule := schedules[s.random.IntN(len(schedules))]
	switch s.random.IntN(8) {
	case 0:
		return s.db.CronJob.Pause(ctx, j.ID)
	case 1:
		return s.db.CronJob.Resume(ctx, j.ID)
	case 2:
		return sql("schedule = '" + schedule + "'")
	case 3:
		return sql("enabled = NOT enabled")
	case 4:
		_, err := s.db.CronJob.Update(ctx, j.ID, generated.CronJobPatch{Schedule: store.Set(schedule)})
		return err
	case 5:
		if err := s.db.CronJob.Delete(ctx, j.ID); err != nil {
			return err
		}
		s.made++
		again := cronJob(fmt.Sprintf("%s again %d", touched, s.made))
		again.Misfire, again.Overlap = store.Set(j.Misfire), store.Set(j.Overlap)
		_, err := s.db.CronJob.Create(ctx, again)
		return err
	default:
		_, err := s.db.CronJob.RunNow(ctx, j.ID)
		return err
	}
}

// drain ends the schedules, waits until every run has ended, and ends the processes.
func (s *timekeepers) drain(ctx context.Context) error {
	s.later.Wait()
	off := "UPDATE cron_job SET enabled = NOT enabled WHERE enabled"
	if _, err := s.db.Store().Conn().Exec(ctx, off, nil); err != nil {
		return err
	}
	planned := generated.CronJobFields.NextRun.IsNull()
	open := generated.CronRunFields.Status.In(generated.CronRunStatusPending, generated.CronRunStatusRunning)
	for end := time.Now().Add(s.Drain); ; rest(ctx, 50*time.Millisecond) {
		still, err := s.db.CronJob.Count(ctx, store.Not(planned), 1000)
		if err != nil {
			return err
		}
		left, err := s.db.CronRuns.Count(ctx, open, 100_000)
		if err != nil {
			return err
		}
		if left == 0 && still == 0 {
			break
		}
		if time.Now().After(end) {
			s.finding(fmt.Errorf("%d runs had not ended within %s, and %d jobs that are disabled had a next run", left, s.Drain, still))
			break
		}
	}
	s.end()
	return nil
}
