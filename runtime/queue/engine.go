package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// engine works one queue in one process.
//
//	fetch    claims rows, one goroutine for each named queue
//	perform  runs handlers
//	settle   writes what became of them, in batches
//	heartbeat renews the leases of all claims, and notices which were taken away
//	watch    gives up claims whose leases were not renewed, by its own clock alone
//	report   writes progress, and hears of what was cancelled or paused
//	keep     takes over from the dead, lets rows go whose time has come, deletes old ones
type engine struct {
	db      *store.DB // with connections and deadlines of the engine's own
	vital   *store.DB // the same for heartbeats, which wait for nothing else
	shape   *shape
	handler func(ctx context.Context, row any) error
	opts    Options
	locals  []*localQueue
	events  *broadcaster
	tele    *telemetry

	handlers context.Context // of all handlers; outlives the caller's by StopTimeout
	cancel   context.CancelCauseFunc

	mu     sync.Mutex
	claims map[any]*claim // by id: what this process has, until it is settled

	running sync.WaitGroup // goroutines that run handlers

	settler settler
	ended   *announcer

	commits atomic.Int64 // how long counts under a rate took to commit, in nanoseconds

	heartbeats int // under a test's clock; of the heartbeat alone

	// of the keeper alone
	observed   map[any]observedLease
	limitAfter string // the gate that releaseWaiting looked at last
}

// Connections of the engines of one process, beside those of the program's pool.
const (
	forHeartbeats = "queue heartbeats"
	vitalConns    = 2 // one beats; the other while a broken one is given up
	forWork       = "queue"
	workConns     = 4
)

// startTime is how long the first statement on a connection of the engine may take.
// It connects first, and on a busy machine that alone takes longer than a statement
// under a short lease.
const startTime = 10 * time.Second

func (r *runner) engine(ctx context.Context) (*engine, error) {
	opts, err := r.opts.withDefaults(r.db)
	if err != nil {
		return nil, err
	}
	db, err := r.db.Reserved(ctx, forWork, workConns, opts.statementTimeout())
	if err != nil {
		return nil, fmt.Errorf("queue: %s: %w", r.shape.name, err)
	}
	vital, err := r.db.Reserved(ctx, forHeartbeats, vitalConns, opts.heartbeatTimeout())
	if err != nil {
		return nil, fmt.Errorf("queue: %s: %w", r.shape.name, err)
	}
	e := &engine{
		db: db, vital: vital, shape: r.shape, handler: r.handler, opts: opts,
		events: eventsOf(r.db, r.shape.name), claims: map[any]*claim{}, observed: map[any]observedLease{},
	}
	e.tele = &telemetry{r.shape.name, opts.Telemetry}
	e.settler.signal = make(chan struct{}, 1)
	e.ended = newAnnouncer(r.db.Conn(), endedTopic(r.shape.name))
	e.locals, err = e.makeLocalQueues()
	return e, err
}

func (r *runner) run(ctx context.Context) error {
	e, err := r.engine(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	return e.run(ctx)
}

// run works until ctx ends, and then stops gracefully.
func (e *engine) run(ctx context.Context) error {
	if err := e.look(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("queue: %s: %w", e.shape.name, err)
	}
	e.handlers, e.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	defer e.cancel(nil)
	working, stop := context.WithCancel(context.WithoutCancel(ctx)) // of what goes on until all is settled
	defer stop()

	var claiming, writing sync.WaitGroup
	for _, l := range e.locals {
		claiming.Go(func() { e.fetch(ctx, l) })
	}
	claiming.Go(func() { e.keep(ctx) })
	writing.Go(func() { e.heartbeatRegularly(working) })
	writing.Go(func() { e.watch(working) })
	writing.Go(func() { e.reportRegularly(working) })
	writing.Go(func() { e.settleAll(working) })

	<-ctx.Done()
	claiming.Wait()
	err := e.stop(ctx)
	stop()
	writing.Wait()
	e.ended.close()
	return err
}

// look reads the switches for the first time, on each kind of the engine's
// connections. It shows whether the database is there, which a slow one is.
func (e *engine) look(ctx context.Context) error {
	for purpose, conns := range map[string]int{forHeartbeats: vitalConns, forWork: workConns} {
		slow, err := e.db.Reserved(ctx, purpose, conns, startTime)
		if err != nil {
			return err
		}
		if err := e.readPauses(ctx, slow.Conn()); err != nil {
			return err
		}
	}
	return nil
}

// stop lets handlers finish, cancels those that do not, and writes what became
// of them.
func (e *engine) stop(ctx context.Context) error {
	e.releaseNotBegun()
	returned := make(chan struct{})
	go func() {
		e.running.Wait()
		close(returned)
	}()
	force := forced(ctx)
	all := e.waited(returned, e.opts.StopTimeout, force)
	if !all {
		e.cancel(ErrStopping)
		all = e.waited(returned, e.opts.Grace, force)
	}
	written := e.settler.idle(e.opts.StopTimeout, force)
	var errs []error
	if !all {
		errs = append(errs, fmt.Errorf("%w: %d of %s run on", ErrLeft, e.left(), e.shape.name))
	}
	if !written {
		errs = append(errs, fmt.Errorf("queue: %s: what became of some jobs could not be written; they will run again", e.shape.name))
	}
	return errors.Join(errs...)
}

func (e *engine) waited(done <-chan struct{}, most time.Duration, force <-chan struct{}) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
	case <-force:
	}
	return false
}

// left counts the handlers that have not returned.
func (e *engine) left() int {
	n := 0
	for _, l := range e.locals {
		l.mu.Lock()
		n += l.running
		l.mu.Unlock()
	}
	return n
}

// releaseNotBegun releases what was claimed and not begun.
func (e *engine) releaseNotBegun() {
	for _, l := range e.locals {
		for _, c := range l.close() {
			if c.move(buffered, finished) {
				e.settle(c, outcome{verb: toRelease})
			}
		}
	}
}
