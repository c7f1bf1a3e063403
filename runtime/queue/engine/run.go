package engine

import (
	"context"
	"errors"
	"sync"

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
}

type runner struct {
	db      *core.DB
	shape   *shape
	handler func(ctx context.Context, row any) error
	opts    queue.Options
}

// New returns a queue with its handler. Generated code calls it.
func New[R any](db *core.DB, spec *Spec[R], handler queue.Handler[R], opts queue.Options) Runner {
	return &runner{db, spec.untyped(), func(ctx context.Context, row any) error { return handler(ctx, row.(*R)) }, opts}
}

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
	return errors.Join(failures...)
}

// Drain runs every job that is due, including those that handlers add, one after
// the other in the caller's goroutine, and returns when none is due. Jobs that wait
// for a later time, such as retries, are left. Drain returns the first error of the
// database, and ctx's error if ctx ends first.
func Drain(ctx context.Context, queues ...Runner) error {
	if len(queues) == 0 {
		return queue.ErrNoHandler
	}
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
