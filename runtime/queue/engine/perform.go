package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/queue/internal/handle"
)

// performer runs handlers.
type performer struct {
	shape      *shape
	handler    func(ctx context.Context, row any) error
	middleware []queue.Middleware
	backoff    queue.Backoff
	grace      time.Duration
	limiter    startLimiter
	leases     *leaseWatch
	settler    endSettler
	observer   *observer

	ctx     context.Context // of all handlers
	cancel  context.CancelCauseFunc
	running sync.WaitGroup // goroutines that run handlers
}

// startLimiter is what a performer needs of the limiter.
type startLimiter interface {
	// mayStart reports whether a claim may begin now, and at which moment.
	mayStart(ctx context.Context, c *claim) (at time.Time, ok bool)
}

// endSettler is what a performer needs of the settler.
type endSettler interface {
	settle(c *claim, end outcome)
	release(c *claim) bool
	completed(ctx context.Context, c *claim)
}

// open sets the context that all handlers have from now on.
func (p *performer) open(ctx context.Context) {
	p.ctx, p.cancel = context.WithCancelCause(ctx)
}

// start runs claims of a local queue in a goroutine of its own, beginning with c.
func (p *performer) start(q *localQueue, c *claim) {
	p.running.Add(1)
	go p.work(q, c)
}

// work runs handlers one after the other, until no claim waits in the local queue.
func (p *performer) work(q *localQueue, c *claim) {
	returned := false
	defer func() {
		if !returned && c != nil { // the handler ended the goroutine, as a test's FailNow does
			p.end(c, errGoexit)
			if next := q.next(c.ran()); next != nil {
				go p.work(q, next)
				return
			}
		}
		p.running.Done()
	}()
	for c != nil {
		p.perform(c)
		c = q.next(c.ran())
	}
	returned = true
}

// errGoexit is the result of a handler that ended its goroutine.
var errGoexit = &undecided{errors.New("queue: the handler ended its goroutine without returning (runtime.Goexit)")}

// perform runs one handler, and passes how it ended to the settler.
func (p *performer) perform(c *claim) {
	at, ok := p.limiter.mayStart(p.ctx, c)
	if !ok && p.settler.release(c) { // the rate leaves no room for it now
		return
	}
	p.leases.check(c) // this process may have been suspended, or the database unreachable
	ctx, ok := p.begin(c, at)
	if !ok {
		return // lost before it began
	}
	timeout := p.shape.policies[c.Kind].Timeout
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, queue.ErrTimeout)
		defer cancel()
		late := time.AfterFunc(timeout+p.grace, func() { p.timeOut(c) })
		defer late.Stop()
	}
	ctx, end := p.observer.tele.begin(ctx, c)
	p.observer.emit(c, queue.Started, outcome{})
	var err error
	if f := failed(p.call(ctx, c)); f != nil {
		err = f
		if context.Cause(ctx) == queue.ErrTimeout {
			err = fmt.Errorf("%w (%s): %w", queue.ErrTimeout, timeout, f)
		}
		if interrupted(ctx, f) {
			err = &undecided{err}
		}
	}
	end(err)
	p.end(c, err)
}

// begin returns the handler's context. Until then the claim is buffered, and another
// goroutine may release it at any time.
func (p *performer) begin(c *claim, at time.Time) (context.Context, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != buffered {
		return nil, false
	}
	c.phase, c.started = performed, at
	ctx := handle.With(p.ctx, c.handle)
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	return c.ctx, true
}

// call runs a handler within its middleware, and turns a panic into an error with the
// stack. Each layer receives an error whose methods do not panic.
func (p *performer) call(ctx context.Context, c *claim) error {
	next := func(ctx context.Context) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = panicked("handler", v)
			}
		}()
		return sound(p.handler(ctx, c.row))
	}
	for i := len(p.middleware) - 1; i >= 0; i-- {
		around, inner := p.middleware[i], next
		next = func(ctx context.Context) (err error) {
			defer func() {
				if v := recover(); v != nil {
					err = panicked("middleware", v)
				}
			}()
			return sound(around(ctx, (*queue.Claim)(c.handle), inner))
		}
	}
	return next(ctx)
}

// end settles a job whose handler returned err, unless another worker may have it.
func (p *performer) end(c *claim, err error) {
	cause := c.cause()
	c.row = nil // it may be large, and the end may wait for the database
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
		_, done, err := c.handle.End(err)
		if done {
			p.settler.completed(p.ctx, c)
			return
		}
		p.settler.settle(c, p.decide(c, err))
	case timedOut:
		p.observer.log(c).Warn("result refused: the handler had been given up", "error", err)
	case lost:
		if _, done, _ := c.handle.End(nil); done { // its transaction was committing when the lease was lost
			p.settler.completed(p.ctx, c)
			return
		}
		if cause != queue.ErrCancelled {
			p.observer.log(c).Warn("result refused: the lease was lost", "error", err)
		}
	}
}

// timeOut settles a job whose handler still runs after its timeout and grace. Its
// place stays taken until it returns, so that such handlers cannot pile up.
func (p *performer) timeOut(c *claim) {
	if !c.move(performed, timedOut) {
		return
	}
	err := &undecided{fmt.Errorf("%w, and it did not return within %s after that", queue.ErrTimeout, p.grace)}
	p.observer.log(c).Error("handler given up: it goes on although its context has ended; its place stays taken")
	p.settler.settle(c, p.decide(c, err))
}

// decide returns the outcome of a job whose handler returned err, with the backoff of
// its kind.
func (p *performer) decide(c *claim, err error) outcome {
	backoff := p.shape.policies[c.Kind].Backoff
	if backoff == nil {
		backoff = p.backoff
	}
	end := decide(c, err, backoff)
	if end.verb == toUnknown && p.shape.states.Unknown == "" {
		end.verb = toDead
	}
	return end
}
