package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/internal/force"
)

// engine runs the jobs of one queue in one process. It makes the parts, passes to
// each what it needs, starts and stops them, and does no work of its own.
//
//	fetcher      claims rows for the local queues
//	performer    runs handlers
//	settler      writes what became of claims, in batches
//	heartbeat    renews the leases of all claims
//	leaseWatch   drops claims whose leases were not renewed, by its own clock alone
//	monitor      writes progress, and reacts to what was cancelled or paused
//	maintenance  runs the rounds of rescuer, kindSorter, pauses, limiter and pruner
//
// This is what one part passes to another, with the function or interface by which
// it does where it does not know the other part itself:
//
//	fetcher     -> performer   claims to run (start)
//	fetcher     -> limiter     rows to admit
//	fetcher    <-  settler     whether too many ends wait (full)
//	performer   -> limiter     asks whether a claim may start now (startLimiter)
//	performer   -> leaseWatch  asks whether a lease has ended
//	performer   -> settler     ends (endSettler)
//	leaseWatch  -> settler     claims that have not started (release)
//	a handler   -> settler     completion in its own transaction (completer)
//	a handler   -> beginner    that what follows must not happen twice (handle.Beginner)
//	settler     -> limiter     which jobs under a limit have ended
//	heartbeat   -> verifier    claims that another worker may have
//	monitor     -> verifier    the same
//	monitor     -> pauses      that a queue may be paused or resumed
//
// These arrows have no cycle, which a test checks. All parts use table, which runs
// statements; claimSet, which has the claims of this process; localQueue, which
// buffers claims; and observer, which logs, counts and sends events. These refer to
// none of the parts.
type engine struct {
	*table // of all parts but the heartbeat
	opts   queue.Options

	observer    *observer
	claims      *claimSet
	locals      []*localQueue
	pauses      *pauses
	limiter     *limiter
	ended       *announcer
	settler     *settler
	leases      *leaseWatch
	performer   *performer
	fetcher     *fetcher
	heartbeat   *heartbeat
	monitor     *monitor
	rescuer     *rescuer
	kinds       *kindSorter
	maintenance *maintenance
}

// Connections of the engines of one process, in addition to the program's pool.
const (
	forHeartbeats = "queue heartbeats"
	vitalConns    = 2 // one for heartbeats; the second while a broken one is closed
	forWork       = "queue"
	workConns     = 4
)

// startTime is how long the first statement on a connection of the engine may take.
// It opens the connection, which on a busy machine can take longer than a statement
// may take under a short lease.
const startTime = 10 * time.Second

// engine makes an engine and its parts, and passes to each part what it needs.
func (r *runner) engine(ctx context.Context) (*engine, error) {
	opts, err := withDefaults(r.opts, r.db)
	if err != nil {
		return nil, err
	}
	work, vital, err := r.tables(ctx, lease(opts.Lease))
	if err != nil {
		return nil, fmt.Errorf("queue: %s: %w", r.shape.name, err)
	}
	e := &engine{table: work, opts: opts}
	if e.locals, err = localQueues(r.shape, &opts); err != nil {
		return nil, err
	}
	name, lease := r.shape.name, lease(opts.Lease)
	e.observer = &observer{name: name, logger: opts.Logger, events: eventsOf(r.db, name), tele: &telemetry{name, opts.Telemetry}}
	e.claims = newClaimSet(e.observer)
	e.pauses = &pauses{table: work, locals: e.locals}
	e.limiter = &limiter{table: work, observer: e.observer, locals: e.locals}
	e.ended = newAnnouncer(r.db.Conn(), endedTopic(name))
	e.settler = &settler{table: work, buffer: newSettleBuffer(), claims: e.claims, limiter: e.limiter, ended: e.ended, observer: e.observer, gather: r.gather}
	e.leases = &leaseWatch{lease: lease, claims: e.claims, release: e.settler.release}
	e.performer = &performer{
		shape: r.shape, handler: r.handler, middleware: opts.Middleware, backoff: opts.Backoff, grace: opts.Grace,
		limiter: e.limiter, leases: e.leases, settler: e.settler, observer: e.observer,
	}
	e.fetcher = &fetcher{
		table: work, lease: opts.Lease, poll: opts.Poll, claims: e.claims, limiter: e.limiter, observer: e.observer,
		completer: e.settler, beginner: &beginner{work, lease}, full: e.settler.buffer.full, start: e.performer.start,
	}
	e.heartbeat = &heartbeat{table: vital, lease: lease, claims: e.claims, verifier: &verifier{vital, e.claims}, observer: e.observer}
	e.monitor = &monitor{table: work, lease: lease, claims: e.claims, verifier: &verifier{work, e.claims}, pauses: e.pauses, observer: e.observer}
	e.rescuer = &rescuer{table: work, lease: opts.Lease, claims: e.claims, observer: e.observer, ended: e.ended, observed: map[any]observedLease{}}
	e.kinds = &kindSorter{table: work, observer: e.observer}
	e.maintenance = &maintenance{rounds: e.rounds(), observer: e.observer}
	return e, nil
}

// tables returns the queue's table on the engine's connections, and on those for
// heartbeats.
func (r *runner) tables(ctx context.Context, l lease) (work, vital *table, err error) {
	db, err := r.db.Reserved(ctx, forWork, workConns, l.statementTimeout())
	if err != nil {
		return nil, nil, err
	}
	heartbeats, err := r.db.Reserved(ctx, forHeartbeats, vitalConns, l.heartbeatTimeout())
	if err != nil {
		return nil, nil, err
	}
	return &table{db, r.shape}, &table{heartbeats, r.shape}, nil
}

// rounds returns the rounds of maintenance that this queue needs.
func (e *engine) rounds() []round {
	pausesEvery := pauseEvery
	if !e.db.ReceivesNotifications() { // no other process can wake us
		pausesEvery = promoteEvery
	}
	list := []round{
		{"rescue", e.opts.Lease / 4, e.rescuer.rescue},
		{"promote", promoteEvery, e.fetcher.promoteMeanwhile},
	}
	if e.kinds.sorts() {
		list = append(list, round{"kinds", kindsEvery, e.kinds.sort})
	}
	list = append(list, round{"pauses", pausesEvery, func(ctx context.Context) error { return e.pauses.read(ctx, e.db.Conn()) }})
	if e.limiter.limits() {
		list = append(list, round{"limits", limitEvery, e.limiter.releaseWaiting}, round{"prune limits", unusedEvery, e.limiter.prune})
	}
	if len(e.shape.retention) > 0 {
		list = append(list, round{"prune", pruneEvery, (&pruner{e.table}).prune})
	}
	return list
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

// run runs jobs until ctx ends, and then stops gracefully.
func (e *engine) run(ctx context.Context) error {
	if err := e.look(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("queue: %s: %w", e.shape.name, err)
	}
	e.performer.open(context.WithoutCancel(ctx))
	defer e.performer.cancel(nil)
	working, stop := context.WithCancel(context.WithoutCancel(ctx)) // for what runs until all ends are written
	defer stop()

	var claiming, writing sync.WaitGroup
	for _, q := range e.locals {
		claiming.Go(func() { e.fetcher.run(ctx, q) })
	}
	claiming.Go(func() { e.maintenance.run(ctx) })
	writing.Go(func() { e.heartbeat.run(working) })
	writing.Go(func() { e.leases.run(working) })
	writing.Go(func() { e.monitor.run(working) })
	writing.Go(func() { e.settler.run(working) })

	<-ctx.Done()
	claiming.Wait()
	err := e.stop(ctx)
	stop()
	writing.Wait()
	e.ended.close()
	return err
}

// look reads for the first time which queues are paused, on each kind of the engine's
// connections. It fails if the database cannot be reached, and waits for a slow one.
func (e *engine) look(ctx context.Context) error {
	for purpose, conns := range map[string]int{forHeartbeats: vitalConns, forWork: workConns} {
		slow, err := e.db.Reserved(ctx, purpose, conns, startTime)
		if err != nil {
			return err
		}
		if err := e.pauses.read(ctx, slow.Conn()); err != nil {
			return err
		}
	}
	return nil
}

// stop waits for handlers, cancels those that do not finish, and writes how their
// jobs ended.
func (e *engine) stop(ctx context.Context) error {
	e.releaseNotBegun()
	returned := make(chan struct{})
	go func() {
		e.performer.running.Wait()
		close(returned)
	}()
	force := force.Asked(ctx)
	all := e.waited(returned, e.opts.StopTimeout, force)
	if !all {
		e.performer.cancel(queue.ErrStopping)
		all = e.waited(returned, e.opts.Grace, force)
	}
	written := e.settler.buffer.idle(e.opts.StopTimeout, force)
	var errs []error
	if !all {
		errs = append(errs, fmt.Errorf("%w: %d of %s run on", queue.ErrLeft, e.left(), e.shape.name))
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
	for _, q := range e.locals {
		q.mu.Lock()
		n += q.running
		q.mu.Unlock()
	}
	return n
}

// releaseNotBegun releases claims that have not started.
func (e *engine) releaseNotBegun() {
	for _, q := range e.locals {
		for _, c := range q.close() {
			e.settler.release(c)
		}
	}
}
