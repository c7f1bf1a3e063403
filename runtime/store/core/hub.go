package core

import (
	"context"
	"sync"
	"time"
)

// linger is how long the connection that listens outlives the last listener:
// short waits, one after the other, share it.
const linger = 10 * time.Second

// hub knows the listeners of one DB. What is announced here wakes them at once;
// what others announce comes through the backend's Watch, which runs while there
// are listeners.
type hub struct {
	watcher Watcher // nil: nothing comes from other processes
	sender  *sender // nil: nothing goes to them in this way

	mu     sync.Mutex
	topics map[string]map[*Listener]struct{}
	closed bool
	watch  *watch // nil while none runs
	idle   *time.Timer
	ended  sync.WaitGroup
}

// watch is one run of Watch.
type watch struct {
	stop context.CancelFunc
	live bool // hears everything
}

func (h *hub) open(db *DB, warn func(error)) {
	h.topics = map[string]map[*Listener]struct{}{}
	h.watcher, _ = db.backend.(Watcher)
	if n, ok := db.backend.(Notifier); ok {
		h.sender = newSender(func(ctx context.Context, topics []string) error {
			view := db.Changes(ctx)
			ctx, cancel := view.within(ctx)
			defer cancel()
			return n.Notify(ctx, view.backend, topics)
		}, warn)
	}
}

func (h *hub) add(l *Listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	if h.topics[l.topic] == nil {
		h.topics[l.topic] = map[*Listener]struct{}{}
	}
	h.topics[l.topic][l] = struct{}{}
	switch {
	case h.watcher == nil || h.watch != nil && h.watch.live:
		l.wake()
	case h.watch == nil:
		h.start()
	}
}

// start runs Watch in a goroutine.
func (h *hub) start() {
	ctx, stop := context.WithCancel(context.Background())
	w := &watch{stop: stop}
	h.watch = w
	watcher := h.watcher
	h.ended.Go(func() {
		watcher.Watch(ctx, h.wake, func() { h.wakeAll(w) })
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.watch == w && !h.closed { // it gave up by itself: this process is all there is
			h.watcher = nil
			h.each(func(l *Listener) { l.wake() })
		}
	})
}

func (h *hub) remove(l *Listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.topics[l.topic], l)
	if len(h.topics[l.topic]) == 0 {
		delete(h.topics, l.topic)
	}
	if len(h.topics) > 0 || h.watch == nil || h.closed {
		return
	}
	if h.idle == nil {
		h.idle = time.AfterFunc(linger, h.rest)
	} else {
		h.idle.Reset(linger)
	}
}

// rest ends Watch while no one listens.
func (h *hub) rest() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.topics) == 0 && h.watch != nil {
		h.watch.stop()
		h.watch = nil
	}
}

// announce wakes who listens here and tells other processes.
func (h *hub) announce(topic string) {
	h.wake(topic)
	if h.sender != nil {
		h.sender.add(topic)
	}
}

func (h *hub) wake(topic string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.topics[topic] {
		l.wake()
	}
}

// wakeAll is for a watch that has connected, or cannot tell for whom a change is.
func (h *hub) wakeAll(w *watch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.live = true
	h.each(func(l *Listener) { l.wake() })
}

func (h *hub) each(fn func(*Listener)) {
	for _, listeners := range h.topics {
		for l := range listeners {
			fn(l)
		}
	}
}

// close returns when everything has ended that the hub has started, and what
// was announced is sent, or could not be in good time.
func (h *hub) close() {
	h.mu.Lock()
	h.closed = true
	clear(h.topics)
	if h.watch != nil {
		h.watch.stop()
	}
	if h.idle != nil {
		h.idle.Stop()
	}
	h.mu.Unlock()
	h.ended.Wait()
	if h.sender != nil {
		h.sender.close()
	}
}
