package engine

import (
	"context"
	"sync"
	"time"
)

// drainPatience is how long drain waits for rows that its claim skips: a transaction that has
// one locked for longer may be the caller's.
const drainPatience = time.Second

type draining struct{}

// Draining reports whether a handler was called by Drain, which runs one job after the other and
// ends when none is due: a handler that waits for a better time would hold up all of them.
func Draining(ctx context.Context) bool { return ctx.Value(draining{}) != nil }

// drain runs the jobs that are due, one after the other, in the caller's goroutine.
func (r *runner) drain(ctx context.Context) (ran int, err error) {
	e, err := r.engine(ctx)
	if err != nil {
		return 0, err
	}
	e.performer.open(context.WithValue(ctx, draining{}, true))
	defer e.performer.cancel(nil)
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	var parts sync.WaitGroup
	parts.Go(func() { e.heartbeat.run(working) })
	parts.Go(func() { e.leases.run(working) })
	parts.Go(func() { e.monitor.run(working) })
	defer func() {
		stop()
		parts.Wait()
		e.ended.close()
	}()
	if err := e.look(ctx); err != nil {
		return 0, err
	}
	if err := e.tidy(ctx); err != nil {
		return 0, err
	}
	for _, q := range e.locals {
		n, err := e.drainLocal(ctx, q)
		if ran += n; err != nil {
			return ran, err
		}
	}
	return ran, nil
}

// tidy does once what maintenance does regularly and what makes rows claimable: those
// whose leases have expired by the clock, and those that are due.
func (e *engine) tidy(ctx context.Context) error {
	rows, err := e.allRunning(ctx)
	if err != nil {
		return err
	}
	now, err := e.db.Conn().Now(ctx)
	if err != nil {
		return err
	}
	var dead []runningRow
	for _, r := range rows {
		if r.lease.V.Before(now) {
			dead = append(dead, r)
		}
	}
	if err := e.rescuer.expire(ctx, dead); err != nil {
		return err
	}
	if e.kinds.sorts() {
		if err := e.kinds.sort(ctx); err != nil {
			return err
		}
	}
	if e.limiter.limits() {
		if err := e.limiter.releaseWaiting(ctx); err != nil {
			return err
		}
	}
	for {
		n, err := e.promote(ctx)
		if err != nil || n < maxBatch {
			return err
		}
	}
}

func (e *engine) drainLocal(ctx context.Context, q *localQueue) (ran int, err error) {
	skipping := time.Now() // since when it finds no rows but those that it skips
	for ctx.Err() == nil {
		if q.isPaused() {
			return ran, nil
		}
		claims, met, err := e.fetcher.claim(ctx, q, 1)
		if err != nil {
			return ran, err
		}
		if met == 0 {
			if left, err := e.fetcher.left(ctx, q); err != nil || !left || time.Since(skipping) > drainPatience {
				return ran, err
			}
			sleep(ctx, nil, skippedWait)
			continue
		}
		if len(claims) == 0 {
			continue // a limit rejected it; behind it there may be others
		}
		if err := e.drainOne(ctx, claims[0]); err != nil {
			return ran, err
		}
		ran++
		skipping = time.Now()
	}
	return ran, ctx.Err()
}

// left reports whether a row is due although the claim found none, and makes claimable what is. Only on
// MySQL can it be: see findSkipped.
func (f *fetcher) left(ctx context.Context, q *localQueue) (bool, error) {
	if !f.shape.st.Skipped.Has(f.db.Conn()) {
		return false, nil
	}
	if skipped, err := f.findSkipped(ctx, q); err != nil || skipped {
		return skipped, err
	}
	due, ok, err := f.nextDue(ctx)
	if err != nil || !ok {
		return false, err
	}
	if wait, err := f.until(ctx, due); err != nil || wait > 0 {
		return false, err
	}
	_, err = f.promote(ctx)
	return true, err
}

// drainOne runs a job, and writes its end before it returns, even if the handler ends
// the goroutine, as a test's FailNow does.
func (e *engine) drainOne(ctx context.Context, c *claim) (err error) {
	e.claims.add([]*claim{c})
	returned := false
	defer func() {
		if !returned {
			e.performer.end(c, errGoexit)
		}
		err = e.settler.flush(ctx, e.opts.StopTimeout)
	}()
	e.performer.perform(c)
	returned = true
	return nil
}
