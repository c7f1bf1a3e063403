package scheduler

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

// fault is what is wrong with a field of a job.
type fault struct {
	field string // by what it is for
	err   error
}

func (f *fault) Error() string { return f.field + ": " + f.what() }

// what is the error without the name of the field, which that of a schedule begins with.
func (f *fault) what() string {
	return strings.TrimPrefix(strings.TrimPrefix(f.err.Error(), f.field+": "), "schedule: ")
}

func (f *fault) Unwrap() error { return f.err }

// planner makes plans of jobs. Schedules are kept parsed: many jobs have the same one.
type planner struct {
	location *time.Location // of jobs without a zone

	mu     sync.Mutex
	parsed map[parsedKey]*schedule.Schedule
	days   map[daysKey]days
}

type parsedKey struct{ expr, zone string }

// maxParsed is how many schedules are kept.
const maxParsed = 10_000

func newPlanner(location *time.Location) *planner {
	return &planner{location: cmp.Or(location, time.UTC), parsed: map[parsedKey]*schedule.Schedule{}, days: map[daysKey]days{}}
}

// plan returns the plan of a job; a *fault where a field cannot be used.
func (p *planner) plan(j *Job) (*schedule.Plan, error) {
	s, err := p.schedule(j)
	if err != nil {
		return nil, err
	}
	plan := &schedule.Plan{Schedule: s, Start: j.StartsAt, End: j.EndsAt, Key: j.Name}
	switch {
	case j.Jitter < 0:
		return nil, &fault{"jitter", fmt.Errorf("is %d, and cannot be negative", j.Jitter)}
	case j.Jitter > maxJitter:
		return nil, &fault{"jitter", fmt.Errorf("is %d seconds, and at most %d are permitted", j.Jitter, maxJitter)}
	}
	plan.Jitter = time.Duration(j.Jitter) * time.Second
	if len(j.Exclude) > 0 {
		if plan.Excluded, err = excluded(j, s.Location()); err != nil {
			return nil, &fault{"exclude", err}
		}
	}
	if j.calendar != nil {
		free, err := p.calendarDays(j.calendar, s.Location())
		if err != nil {
			return nil, &fault{"calendar", err}
		}
		plan.Excluded = union(plan.Excluded, free)
	}
	return plan, nil
}

// maxJitter is a week, in seconds.
const maxJitter = 7 * 24 * 3600

// excluded reads the days without an instant.
func excluded(j *Job, in *time.Location) (func(time.Time) bool, error) {
	var days []string
	if err := json.Unmarshal(j.Exclude, &days); err != nil {
		return nil, fmt.Errorf(`is no list of texts, such as ["2026-12-24", "12-25", "sun"]`)
	}
	if len(days) == 0 {
		return nil, nil
	}
	return schedule.ParseExclusions(days, in)
}

// schedule returns the schedule of a job.
func (p *planner) schedule(j *Job) (*schedule.Schedule, error) {
	key := parsedKey{j.Schedule, j.Zone}
	p.mu.Lock()
	s := p.parsed[key]
	p.mu.Unlock()
	if s != nil {
		return s, nil
	}
	in := p.location
	if j.Zone != "" {
		var err error
		if in, err = schedule.Location(j.Zone); err != nil {
			return nil, &fault{"time_zone", err}
		}
	}
	s, err := schedule.Parse(j.Schedule, schedule.Options{Location: in})
	if err != nil {
		return nil, &fault{"schedule", err}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.parsed) >= maxParsed {
		clear(p.parsed)
	}
	p.parsed[key] = s
	return s, nil
}

// zone is the name of the zone that a job's schedule is meant in.
func (p *planner) zone(j *Job) string { return cmp.Or(j.Zone, p.location.String()) }

// stale reports whether the next instant was not computed from the schedule that the job has, or in
// another zone: SQL changed it, or a process whose Options have another Location planned it.
func (p *planner) stale(j *Job) bool { return j.Schedule != j.Planned || p.zone(j) != j.PlannedZone }

// replan computes a job's next instant anew, from a moment on.
func (p *planner) replan(j *Job, now time.Time) error {
	if !j.Enabled {
		j.NextRun, j.Planned, j.PlannedZone, j.Revision = time.Time{}, "", "", 0
		return nil
	}
	j.Planned, j.PlannedZone, j.Revision = j.Schedule, p.zone(j), j.revision()
	plan, err := p.plan(j)
	if err != nil {
		j.NextRun = time.Time{}
		return err
	}
	_, j.NextRun = plan.Next(plan.Due(now)) // one whose instant has passed, and whose jitter has not, is still to come
	return nil
}
