//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// cronResult is what a run that fires schedules came to.
type cronResult struct {
	Killed, Frozen int
	Instants       int // of jobs that nobody touches
	Runs           int // all of them, those that were skipped too
	Acts           int
	Twice          int // runs whose action began more than once
	Missing        int // instants without a run
	Lost           int // runs whose process was
	Skipped        int
	Replaced       int
	Late           []time.Duration // from instants to the commits that added their runs, in order
	Violations     []string
	Findings       []error // what processes did that they should not
}

func (r cronResult) broken() bool { return len(r.Violations)+len(r.Findings) > 0 }

func (r *cronResult) violated(format string, a ...any) {
	r.Violations = append(r.Violations, fmt.Sprintf(format, a...))
}

// skippedBy begins the reason of a run that did not take place because another one was under way.
const skippedBy = "skipped: "

// proveCron compares the tables of jobs and of runs with each other and with what actions noted.
func proveCron(ctx context.Context, db *generated.DB) (out cronResult, err error) {
	noted, err := notedActs(ctx, db)
	if err != nil {
		return out, err
	}
	runs := map[generated.CronJobID][]*generated.CronRun{}
	for row, err := range db.CronRuns.All(ctx, generated.CronRunQuery{}) {
		if err != nil {
			return out, err
		}
		out.count(row, noted[int64(row.ID)])
		runs[row.JobID.V] = append(runs[row.JobID.V], row)
	}
	for j, err := range db.CronJob.All(ctx, generated.CronJobQuery{}) {
		if err != nil {
			return out, err
		}
		out.judge(j, runs[j.ID])
	}
	slices.Sort(out.Late)
	return out, nil
}

// notedActs returns how often the action of each run began.
func notedActs(ctx context.Context, db *generated.DB) (map[int64]int, error) {
	st := core.Statement{Text: [3]string{"SELECT run FROM acts", "SELECT run FROM acts", "SELECT run FROM acts"}}
	rows, err := core.Many(ctx, db.Store().Conn(), &st, nil, func(run *int64) []any { return []any{run} })
	out := map[int64]int{}
	for _, run := range rows {
		out[run]++
	}
	return out, err
}

// count judges one run, whose action began so often.
func (r *cronResult) count(row *generated.CronRun, began int) {
	r.Runs++
	r.Acts += began
	if began > 1 {
		r.Twice++
		r.violated("the action of run %d of %s, which is %s, began %d times", row.ID, row.JobName, row.Status, began)
	}
	switch row.Status {
	case generated.CronRunStatusSuccess:
		if began == 0 {
			r.violated("run %d of %s succeeded, and its action did not begin", row.ID, row.JobName)
		}
	case generated.CronRunStatusError:
		r.Lost++
		if !strings.Contains(row.Error.V, "lost") && !strings.Contains(row.Error.V, "cancel") {
			r.violated("run %d of %s failed: %s", row.ID, row.JobName, row.Error.V)
		}
	case generated.CronRunStatusCancelled:
		if strings.HasPrefix(row.Error.V, skippedBy) {
			r.Skipped++
			if began > 0 {
				r.violated("run %d of %s was skipped, and its action began", row.ID, row.JobName)
			}
		} else {
			r.Replaced++
		}
	case generated.CronRunStatusPending, generated.CronRunStatusRunning:
		r.violated("run %d of %s is %s for ever", row.ID, row.JobName, row.Status)
	}
}

// judge judges a job by its runs.
func (r *cronResult) judge(j *generated.CronJob, runs []*generated.CronRun) {
	made := 0
	var last time.Time
	for _, run := range runs {
		if !strings.HasPrefix(run.Error.V, skippedBy) {
			made++
			if run.EndedAt.V.After(last) {
				last = run.EndedAt.V
			}
		}
	}
	if int64(made) != j.RunCount {
		r.violated("%s has run_count %d, and %d runs", j.Name, j.RunCount, made)
	}
	r.status(j, runs, last)
	if strings.HasPrefix(j.Name, untouched) {
		r.instants(j, runs)
	}
}

// together is how far apart two runs of a job may have ended so that either may be its last: by clocks
// of two statements, and not by the order of their commits.
const together = 100 * time.Millisecond

// status compares a job's last status with that of the run that ended last.
func (r *cronResult) status(j *generated.CronJob, runs []*generated.CronRun, last time.Time) {
	if last.IsZero() {
		return
	}
	for _, run := range runs {
		want := generated.CronJobLastStatusError
		if run.Status == generated.CronRunStatusSuccess {
			want = generated.CronJobLastStatusSuccess
		}
		if last.Sub(run.EndedAt.V) <= together && !strings.HasPrefix(run.Error.V, skippedBy) && j.LastStatus.V == want {
			return
		}
	}
	r.violated("%s has last_status %s, and its last run ended otherwise", j.Name, j.LastStatus.V)
}

// instants compares the runs of a job that is due each second with the seconds.
func (r *cronResult) instants(j *generated.CronJob, runs []*generated.CronRun) {
	seen := map[int64]int{}
	var first, last int64
	for _, run := range runs {
		if run.TriggeredBy != generated.CronRunTriggeredBySchedule {
			continue
		}
		at := run.DueAt.Unix()
		seen[at]++
		if first == 0 || at < first {
			first = at
		}
		last = max(last, at)
		r.Late = append(r.Late, run.CreatedAt.Sub(run.DueAt))
	}
	if first == 0 {
		r.violated("%s never ran", j.Name)
		return
	}
	for at := first; at <= last; at++ {
		r.Instants++
		if n := seen[at]; n != 1 {
			r.Missing += 1 - min(n, 1)
			r.violated("%s has %d runs for %s", j.Name, n, time.Unix(at, 0).UTC().Format(time.TimeOnly))
		}
	}
}

// late returns the lateness that so many of a thousand runs were within.
func (r cronResult) late(of int) time.Duration {
	if len(r.Late) == 0 {
		return 0
	}
	return r.Late[min(len(r.Late)*of/1000, len(r.Late)-1)].Round(time.Millisecond)
}

// print says what the run came to.
func (r cronResult) print(w io.Writer) {
	say := func(format string, a ...any) { fmt.Fprintf(w, "  "+format+"\n", a...) }
	say("%d processes killed and %d frozen: %d instants of jobs that nobody touched, %d missing; %d runs, %d skipped, %d replaced, %d whose process was lost; %d actions, %d of a run twice",
		r.Killed, r.Frozen, r.Instants, r.Missing, r.Runs, r.Skipped, r.Replaced, r.Lost, r.Acts, r.Twice)
	say("added after their instants: p50 %s, p90 %s, p99 %s, at most %s", r.late(500), r.late(900), r.late(990), r.late(1000))
	for _, err := range r.Findings {
		say("FOUND: %v", err)
	}
	for i, text := range r.Violations {
		if i == shown {
			say("... and %d more", len(r.Violations)-shown)
			break
		}
		say("BROKEN: %s", text)
	}
}
