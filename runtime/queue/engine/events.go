package engine

import (
	"context"
	"iter"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// eventBuffer is how many events are buffered for one reader.
const eventBuffer = 1024

// broadcaster sends events to all readers of this process.
type broadcaster struct {
	readers atomic.Int64 // without readers, events cost nothing
	mu      sync.Mutex
	subs    map[*subscriber]struct{}
	workers map[*worker]struct{}
}

type subscriber struct {
	c      chan queue.Event[any]
	last   chan struct{} // closed when no more events are sent to c
	missed int
}

// worker is one Run or Drain that sends events.
type worker struct {
	ctx   context.Context // with whose end it stops
	ended chan struct{}   // closed when it has sent its last event
}

type eventsKey string

func eventsOf(db *core.DB, name string) *broadcaster {
	return db.Shared(eventsKey(name), func() any { return &broadcaster{subs: map[*subscriber]struct{}{}, workers: map[*worker]struct{}{}} }).(*broadcaster)
}

func (h *broadcaster) send(ev queue.Event[any]) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		ev.Missed = s.missed
		select {
		case s.c <- ev:
			s.missed = 0
		default:
			s.missed++
		}
	}
}

func (h *broadcaster) add(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subs[s] = struct{}{}
	h.readers.Add(1)
}

func (h *broadcaster) remove(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, s)
	h.readers.Add(-1)
}

// begin registers a worker that stops when ctx ends. Call ended after its last event.
func (h *broadcaster) begin(ctx context.Context) (ended func()) {
	w := &worker{ctx, make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.workers[w] = struct{}{}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.workers, w)
		close(w.ended)
	}
}

// stopping lists the workers whose contexts have ended, after ctx has. A worker's
// context is derived from the one that Run got, and a context is marked as ended
// before the end has reached what is derived from it. The package context holds the
// lock that Cause takes until it has reached all of them.
// That is not documented: TestStoppingSeesEveryDerivedContext holds it.
func (h *broadcaster) stopping(ctx context.Context) []*worker {
	context.Cause(ctx) // for its lock alone
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*worker
	for w := range h.workers {
		if w.ctx.Err() != nil {
			list = append(list, w)
		}
	}
	return list
}

// finish removes a reader whose context has ended, after the workers that stop with
// it have sent their last events. A handler that reads events does not wait for its
// own worker, which waits for the handler.
func (h *broadcaster) finish(ctx context.Context, s *subscriber) {
	if queue.Current(ctx) == nil {
		for _, w := range h.stopping(ctx) {
			<-w.ended
		}
	}
	h.remove(s)
	close(s.last)
}

// Events returns the events of this process's workers from the call on, until ctx
// ends or the loop is left. A slow reader misses events, and Missed counts them. If
// workers stop because ctx ends, theirs being the same or derived from it, the loop
// continues until they have stopped, so that their last events are not lost.
// Generated code calls it.
func Events[ID ~int64 | ~string](ctx context.Context, db *core.DB, name string) iter.Seq[queue.Event[ID]] {
	h := eventsOf(db, name)
	s := &subscriber{c: make(chan queue.Event[any], eventBuffer), last: make(chan struct{})}
	h.add(s)
	stop := context.AfterFunc(ctx, func() { h.finish(ctx, s) })
	return func(yield func(queue.Event[ID]) bool) {
		defer func() {
			if stop() {
				h.remove(s)
			}
		}()
		for {
			select {
			case ev := <-s.c:
				if !yield(typed[ID](ev)) {
					return
				}
			case <-s.last:
				if len(s.c) == 0 { // otherwise the other case is ready too
					return
				}
			}
		}
	}
}

func typed[ID ~int64 | ~string](ev queue.Event[any]) queue.Event[ID] {
	var id ID
	switch v := reflect.ValueOf(&id).Elem(); from := ev.ID.(type) {
	case int64:
		v.SetInt(from)
	case string:
		v.SetString(from)
	}
	return queue.Event[ID]{
		Type: ev.Type, ID: id, Kind: ev.Kind, Queue: ev.Queue, Attempt: ev.Attempt,
		At: ev.At, Took: ev.Took, Delay: ev.Delay, Err: ev.Err, Missed: ev.Missed,
	}
}
