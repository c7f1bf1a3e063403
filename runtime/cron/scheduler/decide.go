package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
)

const (
	// maxMissed is how many instants that nothing ran at are made up for, with misfire all.
	maxMissed = 100
	// maxWaiting is how many runs of a job may wait for one another, with overlap queue.
	maxWaiting = 1000
	// onTime is how late an instant may be that misfire skip runs.
	onTime = time.Minute
)

// decision is what is to become of a job.
type decision struct {
	job     *Job
	was     time.Time // its next instant before
	moved   bool      // it is at another instant; otherwise it is planned anew
	early   bool      // it is not due: nothing is written
	runs    []*RunRow // that wait
	skipped []*RunRow // that do not take place
	cancel  []*RunRow // runs that are replaced

	before struct { // what the job showed before it had runs
		ran    time.Time
		status string
	}
	performed int // runs that have taken place in the transaction
}

// due returns the instants for which a job runs, the latest last; none before it is due.
func (f *firer) due(j *Job, now time.Time) (instants []time.Time, err error) {
	if j.NextRun.IsZero() || j.NextRun.After(now) {
		return nil, nil
	}
	plan, err := f.planner.plan(j)
	if err != nil {
		return nil, err
	}
	first := plan.Due(j.NextRun)
	if j.excludedSince(plan, first) {
		var at time.Time
		if first, at = plan.Next(first); at.IsZero() || at.After(now) {
			j.NextRun = at
			return nil, nil
		}
	}
	instants, more := plan.Missed(first, now, maxMissed)
	if !more && (len(instants) == 0 || !instants[0].Equal(first)) { // it was set by hand
		instants = append([]time.Time{first}, instants...)
	}
	_, j.NextRun = plan.Next(instants[len(instants)-1])
	return misfired(j, instants, now), nil
}

// misfired keeps of the instants that have passed those that a job runs for.
func misfired(j *Job, instants []time.Time, now time.Time) []time.Time {
	last := instants[len(instants)-1:]
	switch j.Misfire {
	case misfireAll:
		return instants
	case misfireSkip:
		if now.Sub(last[0])-time.Duration(j.Jitter)*time.Second > onTime {
			return nil
		}
	}
	return last
}

// decide says what becomes of a job that was locked. live are its runs that wait or are under way.
func (f *firer) decide(j *Job, now time.Time, live []*RunRow) *decision {
	d := &decision{job: j, was: j.NextRun}
	if !j.Enabled || f.planner.stale(j) {
		f.warnOfZone(j)
		j.mended()
		f.refused(j, f.planner.replan(j, now))
		return d
	}
	if j.outdated() && (j.NextRun.IsZero() || j.NextRun.After(now)) {
		j.mended()
		f.refused(j, f.planner.again(j, now))
		return d
	}
	instants, err := f.due(j, now)
	j.Revision = j.revision()
	if err != nil {
		f.refused(j, err)
		j.NextRun = time.Time{}
		return d
	}
	if j.NextRun.Equal(d.was) {
		d.early = true // another process came first, or this one's clock is ahead of the database's
		return d
	}
	d.moved = true
	for _, at := range instants {
		d.add(j.run(at, cron.Scheduled), live)
	}
	if len(d.runs) > 0 {
		d.before.ran, d.before.status = j.LastRun, j.LastStatus
		j.LastRun, j.LastStatus = now, running
	}
	return d
}

// warnEvery is how long two warnings of the same thing are apart at least.
const warnEvery = time.Minute

// warnOfZone warns of a process whose Options have another Location: each plans the jobs without a zone
// again that the other has planned. What stood there when this process began is no sign of it, and UTC
// is what a process without Options plans in.
func (f *firer) warnOfZone(j *Job) {
	if !j.Enabled || j.Zone != "" || j.Schedule != j.Planned || j.PlannedZone == "" || j.PlannedZone == time.UTC.String() ||
		f.looks < 2 || !f.warned.IsZero() && time.Since(f.warned) < warnEvery {
		return
	}
	f.warned = time.Now()
	f.logger.Warn("cron: another process plans jobs in another time zone: set time_zone on the jobs, or the same cron.Options.Location in all processes",
		"jobs", f.spec.Jobs, "job", j.Name, "theirs", j.PlannedZone, "ours", f.planner.location.String())
}

// without removes runs from a decision. Where none is left that takes place, the job shows what it did
// before.
func (d *decision) without(remove func(*RunRow) bool) {
	had := len(d.runs)
	d.runs, d.skipped = slices.DeleteFunc(d.runs, remove), slices.DeleteFunc(d.skipped, remove)
	if had > 0 && len(d.runs) == 0 {
		d.job.LastRun, d.job.LastStatus = d.before.ran, d.before.status
		d.cancel = nil // nothing replaces them
	}
}

// mended removes why a job had no next instant, before it is planned anew. One that never ran has no
// status then. Where a job was paused, its error is that of its last run, and stays.
func (j *Job) mended() {
	if j.LastStatus != failed || !j.NextRun.IsZero() || j.Planned == "" && !strings.HasPrefix(j.Error, disabledAfter) {
		return
	}
	j.Error = ""
	if j.LastRun.IsZero() {
		j.LastStatus = ""
	}
}

// refused has a job show what is wrong with it, and logs that once.
func (f *firer) refused(j *Job, err error) {
	if err == nil {
		delete(f.wrong, j.ID)
		return
	}
	j.LastStatus, j.Error = failed, bounded(err.Error())
	if f.wrong[j.ID] == j.Error {
		return
	}
	if f.wrong == nil || len(f.wrong) >= maxWrong {
		f.wrong = map[int64]string{}
	}
	f.wrong[j.ID] = j.Error
	f.logger.Warn("cron: a job cannot run: mend its row", "jobs", f.spec.Jobs, "job", j.Name, "error", err)
}

// maxWrong is of how many jobs it is kept what was logged.
const maxWrong = 10_000

// add adds a run, as the job's overlap has it.
func (d *decision) add(r *RunRow, live []*RunRow) {
	r.Waits = len(d.runs) > 0 && d.job.Overlap != overlapAllow
	if len(live) == 0 {
		d.runs = append(d.runs, r)
		return
	}
	switch d.job.Overlap {
	case overlapAllow:
	case overlapQueue:
		if len(live)+len(d.runs) >= maxWaiting {
			d.skip(r, fmt.Sprintf("skipped: %d runs of the job wait already", maxWaiting))
			return
		}
		r.Waits = true
	case overlapReplace:
		d.replace(live)
		r.Waits = true
	default:
		d.skip(r, fmt.Sprintf("skipped: run %d of the job is under way", live[0].ID))
		return
	}
	d.runs = append(d.runs, r)
}

func (d *decision) skip(r *RunRow, why string) {
	r.Error = why
	d.skipped = append(d.skipped, r)
}

// replace has runs cancelled, once. Those of a backfill that wait stay: they take place one after the
// other, whatever the job's overlap is.
func (d *decision) replace(live []*RunRow) {
	if d.cancel == nil {
		d.cancel = slices.DeleteFunc(slices.Clone(live), func(r *RunRow) bool {
			return r.Trigger == string(cron.Backfilled) && r.Waits
		})
	}
}
