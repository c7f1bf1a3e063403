package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/internal/peek"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Runner is a queue with its handler, ready to run. New returns one.
type Runner interface {
	// begin registers a worker that stops when ctx ends. Call ended once it has
	// stopped.
	begin(ctx context.Context) (ended func())
	run(ctx context.Context) error
	drain(ctx context.Context) (ran int, err error)
	peek(ctx context.Context) error
	// close closes what the handler keeps, after the last run or drain.
	close() error
}

type runner struct {
	db      *core.DB
	shape   *shape
	handler func(ctx context.Context, row any) error
	opts    queue.Options
	gather  gather
}

// New returns a queue with its handler. Generated code calls it.
func New[R any](db *core.DB, spec *Spec[R], handler queue.Handler[R], opts queue.Options, settings ...Setting) Runner {
	r := &runner{db: db, shape: spec.untyped(), handler: func(ctx context.Context, row any) error { return handler(ctx, row.(*R)) }, opts: opts}
	for _, set := range settings {
		set(r)
	}
	return r
}

// Setting is what a behavior that works a queue knows about it.
type Setting func(*runner)

// Gather has ends written no more often than once within a time, unless so many wait: fewer
// statements, for a queue whose jobs are short and whose ends nobody waits for. The ends that
// wait are those that a lost process has not written.
func Gather(enough int, within time.Duration) Setting {
	return func(r *runner) { r.gather = gather{enough, within} }
}

// Naming has the log name what a row is a run of, as "job": the id of a row says little of it.
func Naming[R any](name func(row *R) string) Setting {
	return func(r *runner) {
		claimed := r.shape.claimed
		r.shape.claimed = func(row any) Claimed {
			c := claimed(row)
			c.Job = name(row.(*R))
			return c
		}
	}
}

// gather is when ends are written, if not at once.
type gather struct {
	enough int // that wait
	within time.Duration
}

func (r *runner) close() error { return nil }

func (r *runner) begin(ctx context.Context) (ended func()) {
	return eventsOf(r.db, r.shape.name).begin(ctx)
}

// Run runs the jobs of queues until ctx ends. It then waits up to
// Options.StopTimeout for running handlers, and returns nil when the last has
// returned. If one queue fails to start, Run stops them all and returns the error.
func Run(ctx context.Context, queues ...Runner) error {
	if len(queues) == 0 {
		return queue.ErrNoHandler
	}
	ends := make([]func(), len(queues))
	for i, q := range queues {
		ends[i] = q.begin(ctx)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failures := make([]error, len(queues))
	var wg sync.WaitGroup
	for i, q := range queues {
		wg.Go(func() {
			defer ends[i]()
			if failures[i] = q.run(ctx); failures[i] != nil {
				stop()
			}
		})
	}
	wg.Wait()
	return errors.Join(append(failures, closeAll(queues))...)
}

func closeAll(queues []Runner) error {
	var errs []error
	for _, q := range queues {
		errs = append(errs, q.close())
	}
	return errors.Join(errs...)
}

// Drain runs every job that is due, including those that handlers add, one after
// the other in the caller's goroutine, and returns when none is due. Jobs that wait
// for a later time, such as retries, are left. Drain returns the first error of the
// database, and ctx's error if ctx ends first.
func Drain(ctx context.Context, queues ...Runner) (err error) {
	if len(queues) == 0 {
		return queue.ErrNoHandler
	}
	defer func() {
		if left := closeAll(queues); left != nil {
			err = errors.Join(err, left)
		}
	}()
	if peek.From(ctx) != nil {
		for _, q := range queues {
			if err := q.peek(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	for {
		ran := 0
		for _, q := range queues {
			n, err := drainQueue(ctx, q)
			if ran += n; err != nil {
				return err
			}
		}
		if ran == 0 {
			return ctx.Err()
		}
	}
}

func drainQueue(ctx context.Context, q Runner) (ran int, err error) {
	defer q.begin(ctx)()
	return q.drain(ctx)
}

// Failed returns a Runner that fails with err: for a queue whose handler could not be made.
func Failed(err error) Runner { return unready{err} }

type unready struct{ err error }

func (f unready) begin(context.Context) func()               { return func() {} }
func (f unready) run(context.Context) error                  { return f.err }
func (f unready) drain(context.Context) (ran int, err error) { return 0, f.err }
func (f unready) peek(context.Context) error                 { return f.err }
func (f unready) close() error                               { return nil }

// Idle returns a Runner that works nothing: for a queue that the program leaves to others.
func Idle() Runner { return idle{} }

type idle struct{}

func (idle) begin(context.Context) func()               { return func() {} }
func (idle) run(ctx context.Context) error              { <-ctx.Done(); return nil }
func (idle) drain(context.Context) (ran int, err error) { return 0, nil }
func (idle) peek(context.Context) error                 { return nil }
func (idle) close() error                               { return nil }

// Closing returns r with something that is closed after it has ended, such as connections that
// its handler keeps.
func Closing(r Runner, end func() error) Runner { return closing{r, end} }

type closing struct {
	Runner
	end func() error
}

func (c closing) close() error { return errors.Join(c.Runner.close(), c.end()) }
