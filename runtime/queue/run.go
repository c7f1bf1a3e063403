package queue

import (
	"context"
	"errors"
	"sync"

	"github.com/hegner123/modulagen/runtime/store"
)

// Runner is a queue with its handler, ready to be worked. New makes one.
type Runner interface {
	run(ctx context.Context, drain bool) error
}

type runner[R any] struct {
	db      *store.DB
	spec    *Spec[R]
	handler Handler[R]
	opts    Options
}

func (r *runner[R]) run(ctx context.Context, drain bool) error {
	return run(ctx, r.db, r.spec, r.handler, r.opts, drain)
}

// New puts a queue and its handler together. Generated code calls it.
func New[R any](db *store.DB, spec *Spec[R], handler Handler[R], opts Options) Runner {
	return &runner[R]{db, spec, handler, opts}
}

// ErrNoHandler is what Run and Drain give when there is no queue to work.
var ErrNoHandler = errors.New("queue: no handler was given, so there is nothing to run")

// Run works queues until ctx ends, then lets running handlers finish within
// Options.StopTimeout, and returns nil when the last has ended. An error that
// one queue cannot start with stops them all.
func Run(ctx context.Context, queues ...Runner) error { return runAll(ctx, queues, false) }

// Drain runs every row that is due, those that the handlers add included, and
// returns when none is due and none is running here. Rows that wait for a later
// time, such as those to be tried again, stay. It returns ctx's error when that
// ends first.
func Drain(ctx context.Context, queues ...Runner) error {
	if err := runAll(ctx, queues, true); err != nil {
		return err
	}
	return ctx.Err()
}

func runAll(ctx context.Context, queues []Runner, drain bool) error {
	if len(queues) == 0 {
		return ErrNoHandler
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failures := make([]error, len(queues))
	var wg sync.WaitGroup
	for i, q := range queues {
		wg.Go(func() {
			if failures[i] = q.run(ctx, drain); failures[i] != nil {
				stop()
			}
		})
	}
	wg.Wait()
	return errors.Join(failures...)
}
