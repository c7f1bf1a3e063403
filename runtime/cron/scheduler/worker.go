package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/engine"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

const (
	// waitForEarlier is how long a run waits before it looks again whether those before it have ended.
	waitForEarlier = 200 * time.Millisecond
	// idlePoll is how often an idle process looks for runs where it is notified of those that others
	// add: its own loop looks for jobs each second besides. Where it is not notified it looks as often
	// as its loop does: those that it adds itself wake it everywhere.
	idlePoll       = 30 * time.Second
	unnotifiedPoll = lookEvery
	// lastWrites is how long what is written after an action may take.
	lastWrites = 5 * time.Second
)

// errDeleted is why a run whose job is gone does not take place.
var errDeleted = errors.New("cron: the job was deleted")

// worker performs runs.
type worker struct {
	db      *core.DB
	spec    *Spec
	actions *registry
	logger  *slog.Logger
	pings   *pings
}

// Runner returns the queue of runs with its handler, and with the loop that fires jobs beside it:
// R is the queue's row, and row reads one. Where an option cannot be used, running it fails.
// Without options the process leaves jobs to others. Generated code calls it.
func Runner[R any](db *core.DB, s *Spec, q *engine.Spec[R], row func(*R) *RunRow, from cron.Worker) engine.Runner {
	o, ok := cron.OptionsOf(from)
	if !ok {
		return engine.Idle()
	}
	actions, end, err := registryOf(db, s).use(o)
	if err != nil {
		return engine.Failed(fmt.Errorf("cron: %w", err))
	}
	p := &pings{db: db, spec: s, logger: o.Logger, send: actions.pinger().Ping, places: make(chan struct{}, pingsAtOnce)}
	w := &worker{db: db, spec: s, actions: actions, logger: o.Logger, pings: p}
	f := &firer{db: db, spec: s, actions: actions, planner: actions.planner, logger: o.Logger, pings: p}
	if o.Queue.Poll == 0 {
		o.Queue.Poll = unnotifiedPoll
		if db.ReceivesNotifications() {
			o.Queue.Poll = idlePoll
		}
	}
	handler := func(ctx context.Context, r *R) error { return w.perform(ctx, row(r)) }
	named := engine.Naming(func(r *R) string { return row(r).JobName })
	runner := engine.Beside(engine.New(db, q, handler, o.Queue, named), engine.Companion{
		Run:   func(ctx context.Context) { (&loop{firer: f}).run(ctx) },
		Drain: f.drain,
	})
	return engine.Closing(runner, func() error { p.sending.Wait(); return end() })
}

// drain fires the jobs that are due, and returns how many runs it has added.
func (f *firer) drain(ctx context.Context) (added int, err error) {
	for {
		now, err := f.db.Now(ctx)
		if err != nil {
			return added, err
		}
		found, err := f.look(ctx, now)
		if err != nil {
			return added, err
		}
		f.looks++
		done, err := f.fire(ctx, ids(found))
		added += done.added
		if err != nil || len(found) < lookLimit {
			return added, err
		}
	}
}

// perform makes one attempt at a run.
func (w *worker) perform(ctx context.Context, row *RunRow) error {
	if row.Job == 0 {
		return queue.Cancel(errDeleted)
	}
	if row.Waits {
		wait, err := w.waits(ctx, row)
		if err != nil {
			return queue.Postpone(time.Second, fmt.Errorf("cron: %w", err))
		}
		if wait > 0 {
			return queue.Snooze(wait)
		}
	}
	r := row.run()
	r.Attempt = queue.Current(ctx).Attempt()
	err := errPanicked
	defer func() { w.pinged(ctx, row, r, err) }() // also where the action panics
	a, wrong := w.actions.find(row.ActionType, row.ActionConfig)
	if wrong == nil {
		wrong = a.Check(row.ActionConfig)
	}
	if wrong != nil {
		err = queue.Discard(wrong)
		return err
	}
	defer w.returned(ctx, row)
	err = w.act(ctx, a, r, time.Duration(row.Timeout)*time.Second)
	return err
}

// waits returns how long a run waits before it looks again; 0: its action may begin.
func (w *worker) waits(ctx context.Context, row *RunRow) (time.Duration, error) {
	earlier, err := w.spec.Earlier(ctx, w.db.Conn(), row.Job, row.ID, maxEarlier)
	if err != nil || earlier > 0 {
		return waitFor(earlier), err
	}
	replacing, err := w.replaced(ctx, row)
	if err != nil || replacing {
		return waitForEarlier, err
	}
	err = w.spec.Begin(ctx, w.db.Conn(), row.ID)
	if errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrNotFound) {
		return waitForEarlier, nil // it was cancelled meanwhile
	}
	return 0, err
}

// errPanicked is what a monitor is sent of an action that panicked.
var errPanicked = errors.New("cron: the action panicked")

// maxEarlier is how many earlier runs are counted: beyond, a run waits as if it were the last of these.
const maxEarlier = 100

// waitFor is how long a run waits that has earlier ones before it: those behind look less often, so
// that a long line of them costs little.
func waitFor(earlier int) time.Duration {
	return waitForEarlier * time.Duration(1+earlier/5)
}

// act performs the action within the job's timeout, and keeps its output also where it panics.
func (w *worker) act(ctx context.Context, a cron.Action, r *cron.Run, timeout time.Duration) error {
	defer w.keep(ctx, r)
	if timeout <= 0 {
		return a.Run(ctx, r)
	}
	cause := fmt.Errorf("cron: the run took longer than its timeout, %s: %w", timeout, queue.ErrTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, cause)
	defer cancel()
	err := a.Run(ctx, r)
	switch {
	case !errors.Is(context.Cause(ctx), cause):
		return err
	case err == nil:
		return cause
	}
	return fmt.Errorf("%w (%w)", cause, err)
}

// keep writes the run's output, also when the handler's context has ended.
func (w *worker) keep(ctx context.Context, r *cron.Run) {
	output := r.Output()
	if output == "" || w.spec.SetOutput == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrites)
	defer cancel()
	if err := w.spec.SetOutput(ctx, w.db.Conn(), r.ID, output); err != nil {
		w.logger.ErrorContext(ctx, "cron: the output of a run could not be written", "runs", w.spec.Runs, "run", r.ID, "error", err)
	}
}
