package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

// worker is one run of one queue.
type worker[R any] struct {
	db      *store.DB
	spec    *Spec[R]
	handler Handler[R]
	opts    Options
	drain   bool

	handlers context.Context // outlives the caller's by StopTimeout

	mu      sync.Mutex
	running int
	ended   chan struct{} // closed and replaced whenever a row ends
}

// run works one queue until ctx ends or, when it drains, nothing is left to do.
func run[R any](ctx context.Context, db *store.DB, spec *Spec[R], handler Handler[R], opts Options, drain bool) error {
	opts, err := opts.withDefaults()
	if err != nil {
		return err
	}
	handlers, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	w := &worker[R]{db: db, spec: spec, handler: handler, opts: opts, drain: drain, handlers: handlers, ended: make(chan struct{})}

	stopTimer := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(opts.StopTimeout, func() { cancel(ErrStopping) })
		context.AfterFunc(handlers, func() { t.Stop() })
	})
	defer stopTimer()

	if err := w.sweep(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("queue: %s: %w", spec.Name, err)
	}
	claiming, stopSweeping := context.WithCancel(ctx)
	var sweeper, loops sync.WaitGroup
	sweeper.Go(func() { w.sweepRegularly(claiming) })
	failures := make(chan error, opts.Concurrency)
	for range opts.Concurrency {
		loops.Go(func() { failures <- w.loop(ctx) })
	}
	loops.Wait()
	stopSweeping()
	sweeper.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			return fmt.Errorf("queue: %s: %w", spec.Name, err)
		}
	}
	return nil
}

// loop claims and runs one row after the other. A worker that runs until it is
// stopped goes on after a claim that failed; one that drains gives up with its
// error, since its caller waits for an end.
func (w *worker[R]) loop(ctx context.Context) error {
	for ctx.Err() == nil {
		ended := w.begin()
		row, err := w.claim(ctx)
		if err == nil {
			w.work(row)
			w.end(true)
			continue
		}
		others := w.end(false)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, store.ErrNotFound):
			if w.drain && others == 0 {
				return nil
			}
		case w.drain:
			return err
		default:
			w.opts.Logger.Error("claim failed", "queue", w.spec.Name, "error", err)
		}
		w.pause(ctx, ended)
	}
	return nil
}

// begin counts this loop as busy before it claims, so that another loop that
// drains does not end while the row is between the table and its handler.
func (w *worker[R]) begin() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running++
	return w.ended
}

// end gives the number of loops that are still busy. It wakes those that wait
// when there may be something new to claim, or nothing left to wait for.
func (w *worker[R]) end(ran bool) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running--
	if ran || w.running == 0 {
		close(w.ended)
		w.ended = make(chan struct{})
	}
	return w.running
}

// pause waits for the next look at the table. A loop that drains looks again as
// soon as another one has ended a row: that one may have added some.
func (w *worker[R]) pause(ctx context.Context, ended <-chan struct{}) {
	if !w.drain {
		ended = nil
	}
	t := time.NewTimer(w.opts.Poll)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-ended:
	}
}

// work runs one claimed row and writes what became of it.
func (w *worker[R]) work(row *R) {
	c := w.spec.Claimed(row)
	ctx, cancel := context.WithCancelCause(w.handlers)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		w.beat(ctx, c, cancel)
	}()
	err := call(ctx, w.handler, row)
	lost := context.Cause(ctx) == ErrLeaseLost
	cancel(nil)
	<-beating
	if lost {
		w.opts.Logger.Warn("result refused: the lease was lost", "queue", w.spec.Name, "id", c.ID, "attempt", c.Attempt)
		return
	}
	w.settle(c, err)
}

// beat renews the lease until ctx ends, and ends it when the claim is gone.
func (w *worker[R]) beat(ctx context.Context, c Claimed, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(w.opts.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n, err := w.exec(ctx, &w.spec.Beat, c, w.opts.Lease, "")
		if err != nil {
			if ctx.Err() == nil {
				w.opts.Logger.Error("heartbeat failed", "queue", w.spec.Name, "id", c.ID, "error", err)
			}
		} else if n == 0 {
			cancel(ErrLeaseLost)
			return
		}
	}
}

// settle writes the end of a claim. The worker may be stopping: the write gets
// time of its own.
func (w *worker[R]) settle(c Claimed, failure error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.handlers), w.opts.StopTimeout)
	defer cancel()
	st, delay, text := &w.spec.Complete, time.Duration(0), ""
	switch {
	case failure == nil:
	case errors.Is(failure, errDiscard):
		st, text = &w.spec.Bury, w.errorText(failure)
	case errors.Is(context.Cause(w.handlers), ErrStopping):
		st = &w.spec.Release // it was interrupted, not tried
	case c.Attempt >= c.MaxAttempts:
		st, text = &w.spec.Bury, w.errorText(failure)
	default:
		st, delay, text = &w.spec.Retry, w.opts.Backoff(int(c.Attempt)), w.errorText(failure)
	}
	log := w.opts.Logger.With("queue", w.spec.Name, "id", c.ID, "attempt", c.Attempt)
	if failure != nil {
		log.Warn("handler failed", "error", failure, "dead", st == &w.spec.Bury, "delay", delay)
	}
	n, err := w.exec(ctx, st, c, delay, text)
	switch {
	case err != nil:
		log.Error("result not written: it will run again when its lease ends", "error", err)
	case n == 0:
		log.Warn("result refused: the lease was lost")
	}
}

func (w *worker[R]) sweepRegularly(ctx context.Context) {
	tick := time.NewTicker(w.opts.Lease)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := w.sweep(ctx); err != nil && ctx.Err() == nil {
			w.opts.Logger.Error("sweep failed", "queue", w.spec.Name, "error", err)
		}
	}
}

func (w *worker[R]) sweep(ctx context.Context) error {
	n, err := w.exec(ctx, &w.spec.Sweep, Claimed{}, 0, w.fit("the worker that ran this was lost"))
	if n > 0 {
		w.opts.Logger.Warn("took rows from workers that are gone", "queue", w.spec.Name, "rows", n)
	}
	return err
}

// errorText is what of an error is kept on the row: valid text that its column
// holds, at most maxError characters.
func (w *worker[R]) errorText(err error) string {
	text := strings.TrimPrefix(err.Error(), errDiscard.Error()+": ")
	return w.fit(strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD"))
}

func (w *worker[R]) fit(text string) string {
	left := min(w.spec.ErrorMax, maxError)
	for i := range text {
		if left == 0 {
			return text[:i]
		}
		left--
	}
	return text
}
