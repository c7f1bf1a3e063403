package scheduler

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/protocol"
	"github.com/hegner123/modulagen/runtime/cron/schedule"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Calendar is a row of the calendars: days without an instant, which many jobs share.
//
// What SQL writes to it is noticed without a mark: its days are then not those that are settled. The
// process that comes first settles them: it sets another revision. A job keeps the revision
// that it was planned with, and the statement that looks for jobs finds those that have another one
// than their calendar. So no statement writes to all jobs of a calendar, and a job that is saved while
// its calendar changes is found afterwards.
type Calendar struct {
	ID       int64
	Days     string
	Settled  string // the days of the revision
	Revision int64  // of no other calendar, and no other days; 0: the days are empty, or not settled
}

// unsettledRevision is that of jobs that were planned with days that are not settled. No calendar
// has it, so that they are planned again.
const unsettledRevision = -1

func (l *Calendar) settled() bool { return l.Days == l.Settled }

// revision is that of the calendar as it was read with the job.
func (j *Job) revision() int64 {
	switch {
	case j.calendar == nil:
		return 0
	case !j.calendar.settled():
		return unsettledRevision
	}
	return j.calendar.Revision
}

// outdated reports whether a job was planned with other days than its calendar has, or with those
// of another calendar.
func (j *Job) outdated() bool { return j.Revision != j.revision() || j.Revision == unsettledRevision }

// excludedSince reports whether the instant at which a job is due is on a day that was added to its calendar
// since it was planned. One that SQL has set is due all the same.
func (j *Job) excludedSince(plan *schedule.Plan, due time.Time) bool {
	return j.outdated() && plan.Excluded != nil && plan.Excluded(due.In(plan.Location()))
}

// readCalendars reads the calendars of jobs that have one.
func (s *Spec) readCalendars(ctx context.Context, c *core.Conn, jobs []*Job) error {
	var ids []int64
	for _, j := range jobs {
		if j.Calendar != 0 {
			ids = append(ids, j.Calendar)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	read := map[int64]*Calendar{}
	for l, err := range s.ReadCalendars(ctx, c, slices.Compact(ids)) {
		if err != nil {
			return err
		}
		read[l.ID] = l
	}
	for _, j := range jobs {
		j.calendar = read[j.Calendar]
	}
	return nil
}

// unsettled returns the calendars of decisions whose days SQL or a typed method has changed, each once.
func unsettled(decisions []*decision) []*Calendar {
	var out []*Calendar
	for _, d := range decisions {
		if l := d.job.calendar; l != nil && !l.settled() && !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// maxRevision keeps revisions exact where a program takes them for floating-point numbers.
const maxRevision = 1 << 53

const (
	// settleWithin is how long a calendar may be locked by another transaction: jobs are not fired
	// meanwhile.
	settleWithin = time.Second
	// lockedFor is for how long a calendar cannot be settled before that is logged.
	lockedFor = 10 * time.Second
)

// settle sets a new revision for calendars whose days have changed. It is one statement on one row, outside
// any transaction: it holds no lock while it waits for one. A calendar that cannot be settled is left
// to the next look, which finds its jobs again.
func (f *firer) settle(ctx context.Context, calendars []*Calendar) {
	for _, l := range calendars {
		err := f.settleOne(ctx, l)
		switch {
		case err == nil:
			f.unsettled = time.Time{}
		case ctx.Err() != nil:
			return
		case f.unsettled.IsZero():
			f.unsettled = time.Now()
		case time.Since(f.unsettled) >= lockedFor:
			f.unsettled = time.Now()
			f.logger.WarnContext(ctx, "cron: a calendar is locked, or cannot be updated: its jobs are looked at again and again", "calendars", f.spec.Calendars, "id", l.ID, "error", err)
		}
	}
}

func (f *firer) settleOne(ctx context.Context, l *Calendar) error {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	args := make([]any, protocol.ArgCount)
	args[protocol.ArgID], args[protocol.ArgDays], args[protocol.ArgRevisionWas] = l.ID, l.Days, l.Revision
	args[protocol.ArgRevision] = 1 + rand.Int64N(maxRevision-1)
	_, err := core.Exec(ctx, f.db.Conn(), &f.spec.Settle, args)
	return err
}

// again computes the next instant of a job whose calendar has changed. The schedule has not: an @every
// goes on counting.
func (p *planner) again(j *Job, now time.Time) error {
	j.Revision = j.revision()
	plan, err := p.plan(j)
	if err != nil {
		j.NextRun = time.Time{}
		return err
	}
	j.NextRun = j.nextAgain(plan, now)
	return nil
}

// nextAgain is the next instant of a job whose calendar has changed.
func (j *Job) nextAgain(plan *schedule.Plan, now time.Time) time.Time {
	was := j.NextRun
	if !was.IsZero() {
		was = plan.Due(was)
	}
	_, at := plan.Again(was, plan.Due(now))
	return at
}

// CheckCalendar returns what the effect on calendars runs: it refuses days that are none. Generated
// code calls it.
func CheckCalendar(s *Spec) func(ctx context.Context, c *core.Conn, changes []core.Change) error {
	return func(_ context.Context, _ *core.Conn, changes []core.Change) error {
		for _, ch := range changes {
			l := s.CalendarOf(ch.After)
			if ch.Before != nil && s.CalendarOf(ch.Before).Days == l.Days {
				continue
			}
			if _, err := schedule.ParseExclusions(entries(l.Days), time.UTC); err != nil {
				wrong := &fault{"days", err}
				return &store.ValidationError{Datatype: s.Calendars, Violations: []store.Violation{{Field: "days", Rule: "cron", Message: wrong.what()}}, Cause: err}
			}
		}
		return nil
	}
}

// entries are the days of a text, between commas and line breaks.
func entries(text string) []string {
	var out []string
	for _, entry := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if entry = strings.TrimSpace(entry); entry != "" {
			out = append(out, entry)
		}
	}
	return out
}

type daysKey struct{ text, zone string }

// days are those of a calendar in a time zone, or what is wrong with them.
type days struct {
	has func(time.Time) bool // nil: none
	err error
}

// maxDays is how many calendars are kept parsed.
const maxDays = 1000

// calendarDays returns the days of a calendar in the zone of a schedule.
func (p *planner) calendarDays(l *Calendar, in *time.Location) (func(time.Time) bool, error) {
	key := daysKey{l.Days, in.String()}
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.days[key]
	if !ok {
		if len(p.days) >= maxDays {
			clear(p.days)
		}
		d.has, d.err = schedule.ParseExclusions(entries(l.Days), in)
		p.days[key] = d
	}
	if d.err != nil {
		return nil, fmt.Errorf("in row %d, %w", l.ID, &fault{"days", d.err})
	}
	return d.has, nil
}

// union is the days that one of two functions excludes, of which both may be nil.
func union(a, b func(time.Time) bool) func(time.Time) bool {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return func(day time.Time) bool { return a(day) || b(day) }
}
