package core

import (
	"context"
	"sync"
	"time"
)

// endWait is how long Close waits for what UntilClose runs.
const endWait = 2 * time.Second

// ending is what Close ends before it closes the database.
type ending struct {
	mu     sync.Mutex
	closed bool
	last   int
	ends   map[int]context.CancelCauseFunc
	idle   chan struct{} // closed when the last one has ended, once Close waits
}

// UntilClose calls fn with a context that ends with ctx or when Close is called, which then
// waits two seconds at most for fn to return: fn can still write what others should know, such
// as that they may take over. If Close comes before ctx ends, the error is store.ErrClosed, beside
// that of fn.
func (db *DB) UntilClose(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	end, ok := db.ending.add(cancel)
	if !ok {
		return errClosed
	}
	defer end()
	return closedCause(ctx, fn(ctx))
}

// add adds what cancel ends, until end; not ok when Close was called.
func (e *ending) add(cancel context.CancelCauseFunc) (end func(), ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, false
	}
	if e.ends == nil {
		e.ends, e.idle = map[int]context.CancelCauseFunc{}, make(chan struct{})
	}
	e.last++
	id := e.last
	e.ends[id] = cancel
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if delete(e.ends, id); e.closed && len(e.ends) == 0 {
			close(e.idle)
		}
	}, true
}

// close ends all and waits for them, and reports whether it is the first call.
func (e *ending) close() bool {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return false
	}
	e.closed = true
	for _, cancel := range e.ends {
		cancel(errClosed)
	}
	busy, idle := len(e.ends) > 0, e.idle
	e.mu.Unlock()
	if busy {
		select {
		case <-idle:
		case <-time.After(endWait):
		}
	}
	return true
}
