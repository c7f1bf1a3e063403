package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// work runs handlers one after the other, as long as its line has some.
func (e *engine) work(l *localQueue, c *claim) {
	returned := false
	defer func() {
		if !returned && c != nil { // the handler ended the goroutine, as a test's FailNow does
			e.end(c, errGoexit)
			if next := l.next(c.ran()); next != nil {
				go e.work(l, next)
				return
			}
		}
		e.running.Done()
	}()
	for c != nil {
		e.perform(c)
		c = l.next(c.ran())
	}
	returned = true
}

// errGoexit is the result of a handler that ended its goroutine.
var errGoexit = errors.New("queue: the handler ended its goroutine without returning (runtime.Goexit)")

// perform runs one handler and hands over what became of it.
func (e *engine) perform(c *claim) {
	at, ok := e.mayStart(c)
	if !ok && c.move(buffered, finished) { // the rate leaves no room for it now
		e.settle(c, outcome{verb: toRelease})
		return
	}
	if c.left(&e.opts) <= 0 { // this process stood still, or the database was away
		e.outlive(c)
	}
	ctx, ok := e.start(c, at)
	if !ok {
		return // lost before it began
	}
	timeout := e.shape.policies[c.Kind].Timeout
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, ErrTimeout)
		defer cancel()
		late := time.AfterFunc(timeout+e.opts.Grace, func() { e.timeOut(c) })
		defer late.Stop()
	}
	ctx, end := e.tele.begin(ctx, c)
	e.emit(c, Started, outcome{})
	var err error
	if f := failed(e.call(ctx, c)); f != nil {
		err = f
		if context.Cause(ctx) == ErrTimeout {
			err = fmt.Errorf("%w (%s): %w", ErrTimeout, timeout, f)
		}
	}
	end(err)
	e.end(c, err)
}

// start returns the handler's context. The claim is still buffered until then, and
// another goroutine may give it back at any moment.
func (e *engine) start(c *claim, at time.Time) (context.Context, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != buffered {
		return nil, false
	}
	c.phase, c.started = performed, at
	ctx := context.WithValue(e.handlers, claimKey{}, c.handle)
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	return c.ctx, true
}

// call runs a handler within its middleware and turns a panic into an error that
// carries the stack. Each layer gets an error that it can use.
func (e *engine) call(ctx context.Context, c *claim) error {
	next := func(ctx context.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = panicked("handler", p)
			}
		}()
		return sound(e.handler(ctx, c.row))
	}
	for i := len(e.opts.Middleware) - 1; i >= 0; i-- {
		around, inner := e.opts.Middleware[i], next
		next = func(ctx context.Context) (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = panicked("middleware", p)
				}
			}()
			return sound(around(ctx, c.handle, inner))
		}
	}
	return next(ctx)
}

// end settles a job whose handler gave err, unless it is another's by now.
func (e *engine) end(c *claim, err error) {
	cause := c.cause()
	c.mu.Lock()
	was := c.phase
	if was == performed {
		c.phase = finished
	}
	cancel := c.cancel
	c.mu.Unlock()
	if cancel != nil {
		defer cancel(nil)
	}
	switch was {
	case performed:
		_, done, err := c.handle.settled(err)
		if done {
			e.completed(c)
			return
		}
		e.settle(c, e.decide(c, err))
	case timedOut:
		e.log(c).Warn("result refused: the handler had been given up", "error", err)
	case lost:
		if _, done, _ := c.handle.settled(nil); done { // its transaction was committing when the lease was given up
			e.completed(c)
			return
		}
		if cause != ErrCancelled {
			e.log(c).Warn("result refused: the lease was lost", "error", err)
		}
	}
}

// timeOut gives a handler up that goes on although its time is over. Its place
// stays taken until it returns, so that such handlers cannot pile up.
func (e *engine) timeOut(c *claim) {
	if !c.move(performed, timedOut) {
		return
	}
	err := fmt.Errorf("%w, and it did not return within %s after that", ErrTimeout, e.opts.Grace)
	e.log(c).Error("handler given up: it goes on although its context has ended; its place stays taken")
	e.settle(c, e.decide(c, err))
}
