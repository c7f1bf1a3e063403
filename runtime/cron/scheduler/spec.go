package scheduler

import (
	"context"
	"iter"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/cron/protocol"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Spec is what generated code says about a datatype of jobs and that of their runs. Functions
// are nil where the datatype lacks the field.
type Spec struct {
	Jobs, Runs string         // the datatypes
	Rows       *core.Spec     // of the jobs
	Columns    map[string]int // the numbers of the jobs' columns, by what they are for
	States     States

	Blank func() any // a new job without any values, as core.Filled takes it

	Look, Take, Hold, Plan, Move, End, Disable core.Statement
	Settle                                     core.Statement // of calendars

	Taken   func(ctx context.Context, c *core.Conn, st *core.Statement, args []any) ([]*Job, error) // reads jobs by a statement
	JobOf   func(row any) *Job
	RunOf   func(row any) *RunRow
	Enqueue func(ctx context.Context, c *core.Conn, list []*RunRow) error                                        // adds runs that wait
	Add     func(ctx context.Context, c *core.Conn, list []*RunRow) error                                        // adds runs that have ended
	Live    func(ctx context.Context, c *core.Conn, jobs []int64) iter.Seq2[*RunRow, error]                      // those that wait or are under way
	Cancel  func(ctx context.Context, c *core.Conn, id int64) error                                              // ends a run
	Between func(ctx context.Context, c *core.Conn, job int64, from, before time.Time) iter.Seq2[*RunRow, error] // by their instants
	// Earlier counts, up to most, the runs of a job that wait or are under way and were added before one.
	Earlier func(ctx context.Context, c *core.Conn, job, run int64, most int) (int, error)

	Ending    func(ctx context.Context, c *core.Conn, job int64, since time.Time) iter.Seq2[*RunRow, error] // under way when they were cancelled, since then
	SetWaits  func(ctx context.Context, c *core.Conn, id int64, waits bool) error
	Begin     func(ctx context.Context, c *core.Conn, id int64) error // a run waits no more; ErrStale: it is not under way
	SetOutput func(ctx context.Context, c *core.Conn, id int64, output string) error

	Project func(db *core.DB) *project.Project

	Calendars     string // the datatype; empty where jobs have no calendar
	CalendarOf    func(row any) *Calendar
	ReadCalendars func(ctx context.Context, c *core.Conn, calendars []int64) iter.Seq2[*Calendar, error] // reads some
}

// States are the values of the state of a run.
type States struct{ Ready, Running, Done, Dead, Cancelled string }

// Job is a row of the jobs. What the datatype has no field for is zero.
type Job struct {
	ID                   int64
	Name, Schedule, Zone string
	Enabled              bool
	ActionType           string
	ActionConfig         store.JSON
	LastRun, NextRun     time.Time
	LastStatus, Error    string
	Misfire, Overlap     string
	Jitter               int64 // seconds
	StartsAt, EndsAt     time.Time
	Exclude              store.JSON
	Timeout              int64 // seconds
	MaxAttempts          int64
	RunCount, Failures   int64
	MaxFailures          int64
	PingURL              string
	Calendar             int64  // 0: none
	Planned, PlannedZone string // of which NextRun was computed
	Revision             int64  // and of the calendar

	calendar *Calendar // as it was read with the job; nil: it has none, or it was not needed
}

// RunRow is a row of the runs.
type RunRow struct {
	ID           int64
	Job          int64 // 0: deleted
	JobName      string
	Due          time.Time
	Trigger      string
	ActionType   string
	ActionConfig store.JSON
	Timeout      int64 // seconds
	Waits        bool  // for earlier runs of the job; of one that was replaced, that its action was under way
	MaxAttempts  int64
	Status       string
	Error        string
	Output       string // of one that is added when it has ended
}

// The values of last_status, misfire and overlap.
const (
	succeeded = "success"
	failed    = "error"
	running   = "running"

	misfireOnce = "once"
	misfireSkip = "skip"
	misfireAll  = "all"

	overlapSkip    = "skip"
	overlapQueue   = "queue"
	overlapAllow   = "allow"
	overlapReplace = "replace"
)

// run makes a run of the job for an instant.
func (j *Job) run(due time.Time, trigger cron.Trigger) *RunRow {
	return &RunRow{
		Job: j.ID, JobName: j.Name, Due: due, Trigger: string(trigger), ActionType: j.ActionType, ActionConfig: j.ActionConfig,
		Timeout: j.Timeout, MaxAttempts: max(j.MaxAttempts, 1),
	}
}

// arguments returns the arguments of a statement on a job.
func (j *Job) arguments() []any {
	args := make([]any, protocol.ArgCount)
	args[protocol.ArgID] = j.ID
	args[protocol.ArgNext] = instant(j.NextRun)
	args[protocol.ArgSchedule], args[protocol.ArgZone] = j.Planned, j.PlannedZone
	args[protocol.ArgRan] = instant(j.LastRun)
	args[protocol.ArgStatus], args[protocol.ArgError] = text(j.LastStatus), text(j.Error)
	args[protocol.ArgRevision] = j.Revision
	return args
}

// instant is a moment as an argument: null if it is zero.
func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// text is a text as an argument: null if it is empty.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
