package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/protocol"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// fireBatch is how many jobs are fired in one transaction.
const fireBatch = 500

// firer fires jobs.
type firer struct {
	db      *core.DB
	spec    *Spec
	actions *registry
	planner *planner
	logger  *slog.Logger
	pings   *pings

	looks     int              // that have ended
	warned    time.Time        // of processes with other zones
	unsettled time.Time        // since when a calendar cannot be settled, or when that was logged
	wrong     map[int64]string // what was logged of jobs that cannot run
}

// entry is a job that is due soon, or has to be planned.
type entry struct {
	id     int64
	next   store.Null[time.Time]
	locked bool // another transaction had locked it
}

// lookLimit is how many jobs are looked at before some are fired.
const lookLimit = 5000

// look finds the jobs that are due until a moment, or have to be planned.
func (f *firer) look(ctx context.Context, until time.Time) ([]entry, error) {
	args := make([]any, protocol.ArgCount)
	args[protocol.ArgUntil], args[protocol.ArgLimit] = until, int64(lookLimit)
	args[protocol.ArgZone] = f.planner.location.String()
	return core.Many(ctx, f.db.Conn(), &f.spec.Look, args, func(e *entry) []any { return []any{&e.id, &e.next} })
}

// fired is what a transaction has done to jobs.
type fired struct {
	next  []entry // when they are due next
	added int     // runs
	alone []int64 // jobs that are left for a transaction of their own each: their actions are part of it

	unsettled []*Calendar // whose days have no revision yet
}

func (a *fired) and(b fired) {
	a.next, a.added = append(a.next, b.next...), a.added+b.added
}

// fire sees to jobs, a batch in each transaction. It returns when those that it has seen are due
// next, and how many runs it has added. An error of one job is logged, and stops no other.
func (f *firer) fire(ctx context.Context, ids []int64) (fired, error) {
	a := &attempt{firer: f}
	for batch := range slices.Chunk(ids, fireBatch) {
		if err := a.fire(ctx, batch); err != nil {
			return a.fired, err
		}
	}
	return a.fired, nil
}

// attempt is one call of fire.
type attempt struct {
	*firer
	fired
	failing int // jobs that failed, since the last one that did not
}

// maxFailing is how many jobs fail one after the other before it is the database that fails.
const maxFailing = 3

// fire sees to jobs in one transaction. Where something is wrong with one of them, such as that an
// instant has a run already or a run cannot be stored, it does so in halves, until that job is alone.
func (a *attempt) fire(ctx context.Context, ids []int64) error {
	done, err := a.batch(ctx, ids)
	switch {
	case err == nil:
		a.and(done)
		for _, id := range done.alone {
			if err := a.single(ctx, id, a.performed); err != nil {
				return err
			}
		}
		a.settle(ctx, done.unsettled)
		return a.db.Conn().Yield(ctx)
	case fatal(ctx, err):
		return err
	case len(ids) == 1:
		return a.single(ctx, ids[0], func(context.Context, int64) (fired, error) { return fired{}, err })
	}
	half := len(ids) / 2
	if err := a.fire(ctx, ids[:half]); err != nil {
		return err
	}
	return a.fire(ctx, ids[half:])
}

// single fires a job, and where that cannot be, does what is right instead.
func (a *attempt) single(ctx context.Context, id int64, fire func(context.Context, int64) (fired, error)) error {
	done, err := fire(ctx, id)
	if errors.Is(err, store.ErrConflict) {
		done, err = a.changing(ctx, id, a.withoutThere)
	}
	if errors.Is(err, store.ErrInvalid) {
		cause := err
		done, err = a.changing(ctx, id, func(_ context.Context, _ *core.Conn, d *decision) error {
			d.without(func(*RunRow) bool { return true })
			a.refused(d.job, cause)
			return nil
		})
	}
	a.and(done)
	if err == nil {
		a.failing = 0
		return nil
	}
	if a.failing++; fatal(ctx, err) || a.failing%maxFailing == 0 && !a.answers(ctx) {
		return err
	}
	a.logger.ErrorContext(ctx, "cron: a job could not be fired", "jobs", a.spec.Jobs, "id", id, "error", err)
	return nil
}

// answers reports whether the database locks a job: then it is the jobs that fail.
func (f *firer) answers(ctx context.Context) bool {
	return f.db.Tx(ctx, func(c *core.Conn) error {
		_, err := f.spec.take(ctx, c, []int64{0})
		return err
	}) == nil
}

// fatal reports whether an error is about the database, and not about a job.
func fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, store.ErrClosed) || errors.Is(err, store.ErrBusy) || errors.Is(err, store.ErrFull) ||
		errors.Is(err, context.DeadlineExceeded)
}

// batch sees to jobs in one transaction.
func (f *firer) batch(ctx context.Context, ids []int64) (done fired, err error) {
	err = f.db.Tx(ctx, func(c *core.Conn) error {
		decisions, err := f.decisions(ctx, c, ids)
		if err != nil {
			return err
		}
		changed := unsettled(decisions)
		var alone []int64
		decisions = slices.DeleteFunc(decisions, func(d *decision) bool {
			_, transactional := f.actions.transactional(d.job)
			if transactional && len(d.runs) > 0 {
				alone = append(alone, d.job.ID)
			}
			return transactional && len(d.runs) > 0
		})
		done, err = f.carryOut(ctx, c, decisions)
		done.alone, done.unsettled = alone, changed
		return err
	})
	if err != nil {
		return fired{}, err
	}
	if missing := len(ids) - len(done.next) - len(done.alone); missing > 0 {
		done.next = append(done.next, f.locked(ids, done)...)
	}
	return done, nil
}

// idleWithin is how long a process that is stopped while it fires jobs, such as a virtual machine that is
// suspended, keeps them locked on PostgreSQL: longer than an action in the transaction may take.
const idleWithin = 2 * performWithin

// decisions locks jobs and says what becomes of each.
func (f *firer) decisions(ctx context.Context, c *core.Conn, ids []int64) ([]*decision, error) {
	if err := c.EndIdle(ctx, idleWithin); err != nil {
		return nil, err
	}
	jobs, err := f.spec.take(ctx, c, ids)
	if err != nil || len(jobs) == 0 {
		return nil, err
	}
	if err := f.spec.readCalendars(ctx, c, jobs); err != nil {
		return nil, err
	}
	now, err := c.Now(ctx)
	if err != nil {
		return nil, err
	}
	live, err := f.live(ctx, c, jobs, now)
	if err == nil {
		jobs, err = f.spec.hold(ctx, c, jobs, live)
	}
	if err != nil {
		return nil, err
	}
	var out []*decision
	for _, j := range jobs {
		if j.PingURL != "" {
			f.pings.fired()
		}
		if d := f.decide(j, now, live[j.ID]); d != nil {
			out = append(out, d)
		}
	}
	return out, nil
}

// take locks jobs and reads them, but for those that another transaction has locked.
func (s *Spec) take(ctx context.Context, c *core.Conn, ids []int64) ([]*Job, error) {
	args := make([]any, protocol.ArgCount)
	args[protocol.ArgIDs] = core.IDList(anyOf(ids))
	return s.Taken(ctx, c, &s.Take, args)
}

func anyOf(ids []int64) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}

// live returns the runs of the jobs that are due which wait or are under way.
func (f *firer) live(ctx context.Context, c *core.Conn, jobs []*Job, now time.Time) (map[int64][]*RunRow, error) {
	var due []int64
	for _, j := range jobs {
		if j.Enabled && !j.NextRun.IsZero() && !j.NextRun.After(now) && j.Overlap != overlapAllow {
			due = append(due, j.ID)
		}
	}
	return f.spec.liveOf(ctx, c, due)
}

// liveOf returns the runs of jobs that wait or are under way, by their jobs, in order; without
// their configurations, of which those of the runs that wait would take up too much memory.
func (s *Spec) liveOf(ctx context.Context, c *core.Conn, jobs []int64) (map[int64][]*RunRow, error) {
	out := map[int64][]*RunRow{}
	if len(jobs) == 0 {
		return out, nil
	}
	for r, err := range s.Live(ctx, c, jobs) {
		if err != nil {
			return nil, err
		}
		r.ActionConfig = nil
		out[r.Job] = append(out[r.Job], r)
	}
	return out, nil
}

// carryOut writes what was decided.
func (f *firer) carryOut(ctx context.Context, c *core.Conn, decisions []*decision) (done fired, err error) {
	for _, d := range decisions {
		done.next = append(done.next, entry{id: d.job.ID, next: store.Null[time.Time]{V: d.job.NextRun, Valid: !d.job.NextRun.IsZero()}})
	}
	decisions = slices.DeleteFunc(decisions, func(d *decision) bool { return d.early })
	var moved, planned []*decision
	var runs, skipped []*RunRow
	for _, d := range decisions {
		if err := f.spec.cancelAll(ctx, c, d.cancel); err != nil {
			return done, err
		}
		if d.moved {
			moved = append(moved, d)
		} else {
			planned = append(planned, d)
		}
		runs, skipped = append(runs, d.runs...), append(skipped, d.skipped...)
		done.added += d.performed
	}
	if err := f.write(ctx, c, &f.spec.Plan, planned); err != nil {
		return done, err
	}
	if err := f.write(ctx, c, &f.spec.Move, moved); err != nil {
		return done, err
	}
	done.added += len(runs)
	if err := f.spec.enqueue(ctx, c, runs); err != nil {
		return done, err
	}
	for _, r := range skipped {
		r.Status = f.spec.States.cancelled()
	}
	if len(skipped) > 0 {
		if err := f.spec.Add(ctx, c, skipped); err != nil {
			return done, err
		}
	}
	return done, f.spec.changed(ctx, c, decisions)
}

// locked returns the jobs that another transaction had locked: one that fires them, or one that
// writes how a run ended. They are seen to again soon, once; the next look finds them otherwise.
func (f *firer) locked(ids []int64, done fired) []entry {
	var out []entry
	seen := map[int64]bool{}
	for _, e := range done.next {
		seen[e.id] = true
	}
	for _, id := range done.alone {
		seen[id] = true
	}
	for _, id := range ids {
		if !seen[id] {
			out = append(out, entry{id: id, locked: true})
		}
	}
	return out
}

func (s *Spec) enqueue(ctx context.Context, c *core.Conn, runs []*RunRow) error {
	if len(runs) == 0 {
		return nil
	}
	return s.Enqueue(ctx, c, runs)
}

// cancelled is the state of a run that does not take place.
func (s States) cancelled() string {
	if s.Cancelled == "" {
		return s.Dead
	}
	return s.Cancelled
}

// errMoved is a job that is at another instant although it was locked: SQL of a database without
// such locks, or a trigger.
var errMoved = errors.New("cron: the next run of a job changed while it was locked")

// write runs a statement on each of the jobs.
func (f *firer) write(ctx context.Context, c *core.Conn, st *core.Statement, decisions []*decision) error {
	var g groups
	for _, d := range decisions {
		args := d.job.arguments()
		args[protocol.ArgWas], args[protocol.ArgRuns] = instant(d.was), int64(len(d.runs)+d.performed)
		g.add(d.job.ID, args)
	}
	touched, err := g.exec(ctx, c, st)
	if err != nil {
		return err
	}
	if touched < int64(len(decisions)) && decisions[0].moved {
		return errMoved
	}
	return nil
}

// changed has the effects of changes to jobs take place.
func (s *Spec) changed(ctx context.Context, c *core.Conn, decisions []*decision) error {
	if len(decisions) == 0 {
		return nil
	}
	ids := make([]any, len(decisions))
	for i, d := range decisions {
		ids[i] = d.job.ID
	}
	return s.changedIDs(ctx, c, ids)
}

func (s *Spec) changedIDs(ctx context.Context, c *core.Conn, ids []any) error {
	return core.Bind(c, s.Rows).Changed(s.own(ctx), core.Updated, ids)
}

// changing is batch for one job, with a change to what was decided.
func (f *firer) changing(ctx context.Context, id int64, change func(context.Context, *core.Conn, *decision) error) (done fired, err error) {
	err = f.db.Tx(ctx, func(c *core.Conn) error {
		decisions, err := f.decisions(ctx, c, []int64{id})
		if err != nil {
			return err
		}
		for _, d := range decisions {
			if err := change(ctx, c, d); err != nil {
				return err
			}
		}
		done, err = f.carryOut(ctx, c, decisions)
		return err
	})
	return done, err
}

// withoutThere removes the runs of instants that have one.
func (f *firer) withoutThere(ctx context.Context, c *core.Conn, d *decision) error {
	there, err := f.spec.instants(ctx, c, d)
	has := func(r *RunRow) bool { return there[r.Due.UnixMicro()] }
	d.without(has)
	return err
}

// instants returns the instants of a decision's runs that have runs already.
func (s *Spec) instants(ctx context.Context, c *core.Conn, d *decision) (map[int64]bool, error) {
	all := slices.Concat(d.runs, d.skipped)
	if len(all) == 0 {
		return nil, nil
	}
	due := func(a, b *RunRow) int { return a.Due.Compare(b.Due) }
	return s.between(ctx, c, d.job.ID, slices.MinFunc(all, due).Due, slices.MaxFunc(all, due).Due.Add(time.Microsecond))
}

// between returns the instants in a span that have runs, in microseconds since 1970.
func (s *Spec) between(ctx context.Context, c *core.Conn, job int64, from, before time.Time) (map[int64]bool, error) {
	out := map[int64]bool{}
	for r, err := range s.Between(ctx, c, job, from, before) {
		if err != nil {
			return nil, err
		}
		out[r.Due.UnixMicro()] = true
	}
	return out, nil
}
