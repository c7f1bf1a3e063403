package queue

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"

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
	opts    Options
}

// New returns a queue with its handler. Generated code calls it.
func New[R any](db *core.DB, spec *Spec[R], handler Handler[R], opts Options) Runner {
	return &runner{db, spec.untyped(), func(ctx context.Context, row any) error { return handler(ctx, row.(*R)) }, opts}
}

func (r *runner) begin(ctx context.Context) (ended func()) {
	return eventsOf(r.db, r.shape.name).begin(ctx)
}

// ErrNoHandler is returned by Run and Drain when no queue has a handler.
var ErrNoHandler = errors.New("queue: no handler was given, so there is nothing to run")

// ErrLeft is returned by Run when handlers have not returned although their
// contexts had ended. Their rows run again when their leases expire.
var ErrLeft = errors.New("queue: handlers did not return in time")

// Run runs the jobs of queues until ctx ends. It then waits up to
// Options.StopTimeout for running handlers, and returns nil when the last has
// returned. If one queue fails to start, Run stops them all and returns the error.
func Run(ctx context.Context, queues ...Runner) error {
	if len(queues) == 0 {
		return ErrNoHandler
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
		return ErrNoHandler
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

type forceKey struct{}

// UntilSignal returns a context that ends with the first SIGINT or SIGTERM, so that
// Run stops gracefully. On the second signal Run returns at once; jobs that were
// running run again when their leases expire. stop restores the default handling
// of the signals.
//
//	ctx, stop := queue.UntilSignal(context.Background())
//	defer stop()
//	err := db.Run(ctx, workers)
func UntilSignal(ctx context.Context) (_ context.Context, stop func()) {
	force := make(chan struct{})
	ctx, cancel := context.WithCancel(context.WithValue(ctx, forceKey{}, (<-chan struct{})(force)))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	over := make(chan struct{})
	go func() {
		select {
		case <-signals:
			cancel()
		case <-over:
			return
		}
		select {
		case <-signals:
			close(force)
		case <-over:
		}
	}()
	var once sync.Once
	return ctx, func() {
		once.Do(func() {
			signal.Stop(signals)
			close(over)
			cancel()
		})
	}
}

// forced returns the channel that UntilSignal closes on the second signal; nil for
// other contexts.
func forced(ctx context.Context) <-chan struct{} {
	c, _ := ctx.Value(forceKey{}).(<-chan struct{})
	return c
}
