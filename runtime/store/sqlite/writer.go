package sqlite

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// writer is the connection that writes and the queue of those who wait for it,
// first come, first served. Who waits with a unit of work need not get the
// connection: another, whose turn it is, may do the work in the same
// transaction (see group).
type writer struct {
	closing <-chan struct{}
	owner   core.Backend

	mu     sync.Mutex
	free   *conn // nil while someone has it
	first  *turn
	last   *turn
	units  int  // of those who wait: with work that another may do
	shared bool // the last to have the connection did work for others
}

// turn is a place in the queue.
type turn struct {
	work       *unit // nil: wants the connection for itself
	prev, next *turn
	waits      bool       // is in the queue
	ready      chan *conn // holds one: the connection, or nil when the work is done
}

// writerWait is how long a statement waits for this process's own writer. It
// ends the wait of one that waits for itself.
const writerWait = 30 * time.Second

var errClosing = fmt.Errorf("sqlite: the database is %w", store.ErrClosed)

// closed reports whether the database is closing: what comes now, and what waits,
// is refused.
func (w *writer) closed() bool {
	select {
	case <-w.closing:
		return true
	default:
		return false
	}
}

// tryTake returns the connection if no one has it.
func (w *writer) tryTake() *conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.free
	w.free = nil
	return c
}

// take waits for the connection. With work it gives nil when the work was done
// by another.
func (w *writer) take(ctx context.Context, work *unit) (*conn, error) {
	if w.closed() {
		return nil, errClosing
	}
	if c := w.tryTake(); c != nil { // nearly always: no timer then
		return c, nil
	}
	if err := core.Nested(w.owner); err != nil {
		return nil, err
	}
	c, t := w.join(work)
	if c != nil {
		return c, nil
	}
	timer := time.NewTimer(writerWait)
	defer timer.Stop()
	var err error
	select {
	case c := <-t.ready:
		return c, nil
	case <-w.closing:
		err = errClosing
	case <-ctx.Done():
		err = core.Ended(ctx)
	case <-timer.C:
		err = fmt.Errorf("sqlite: another transaction has been running for %s; inside db.Tx use tx", writerWait)
	}
	if w.leave(t) {
		return nil, err
	}
	c = <-t.ready // its turn had come: the work is being done, or was
	if c != nil {
		w.give(c)
		return nil, err
	}
	return nil, nil
}

// takeLast is for the end: it waits for as long as it takes.
func (w *writer) takeLast() *conn {
	c, t := w.join(nil)
	if c != nil {
		return c
	}
	return <-t.ready
}

// join takes the connection if it is free, and a place in the queue otherwise.
func (w *writer) join(work *unit) (*conn, *turn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.free; c != nil {
		w.free = nil
		return c, nil
	}
	t := &turn{work: work, ready: make(chan *conn, 1)}
	w.push(t)
	return nil, t
}

// give hands the connection to the first who waits.
func (w *writer) give(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.first
	if t == nil {
		w.free = c
		return
	}
	w.drop(t)
	t.ready <- c
}

// claim takes the first that waits with work out of the queue, to do it in its
// place; nil without one.
func (w *writer) claim() *turn {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.units == 0 {
		return nil
	}
	t := w.first
	for t.work == nil {
		t = t.next
	}
	w.drop(t)
	return t
}

// crowded reports whether others wait with work.
func (w *writer) crowded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.units > 0
}

// leave is false when the turn has come already.
func (w *writer) leave(t *turn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !t.waits {
		return false
	}
	w.drop(t)
	return true
}

func (w *writer) push(t *turn) {
	t.waits, t.prev = true, w.last
	if w.last != nil {
		w.last.next = t
	} else {
		w.first = t
	}
	w.last = t
	if t.work != nil {
		w.units++
	}
}

func (w *writer) drop(t *turn) {
	if t.prev != nil {
		t.prev.next = t.next
	} else {
		w.first = t.next
	}
	if t.next != nil {
		t.next.prev = t.prev
	} else {
		w.last = t.prev
	}
	t.waits, t.prev, t.next = false, nil, nil
	if t.work != nil {
		w.units--
	}
}
