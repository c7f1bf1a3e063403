package core

import (
	"context"
	"sync"
	"time"
)

// linger is how long the connection that listens outlives the last listener:
// short waits, one after the other, share it.
const linger = 10 * time.Second

// notifier knows the listeners of one DB. What is announced here wakes them at once;
// what others announce comes through the backend's Watch, which runs while there
// are listeners.
type notifier struct {
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
	live bool // receives everything
}

func (n *notifier) open(db *DB, warn func(error)) {
	n.topics = map[string]map[*Listener]struct{}{}
	n.watcher, _ = db.backend.(Watcher)
	if b, ok := db.backend.(Notifier); ok {
		n.sender = newSender(func(ctx context.Context, topics []string) error {
			view := db.Changes(ctx)
			ctx, cancel := view.within(ctx)
			defer cancel()
			return b.Notify(ctx, view.backend, topics)
		}, warn)
	}
}

func (n *notifier) add(l *Listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	if n.topics[l.topic] == nil {
		n.topics[l.topic] = map[*Listener]struct{}{}
	}
	n.topics[l.topic][l] = struct{}{}
	switch {
	case n.watcher == nil || n.watch != nil && n.watch.live:
		l.wake()
	case n.watch == nil:
		n.start()
	}
}

// start runs Watch in a goroutine.
func (n *notifier) start() {
	ctx, stop := context.WithCancel(context.Background())
	w := &watch{stop: stop}
	n.watch = w
	watcher := n.watcher
	n.ended.Go(func() {
		watcher.Watch(ctx, n.wake, func() { n.wakeAll(w) })
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.watch == w && !n.closed { // it gave up by itself: this process is all there is
			n.watcher = nil
			n.each(func(l *Listener) { l.wake() })
		}
	})
}

func (n *notifier) remove(l *Listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.topics[l.topic], l)
	if len(n.topics[l.topic]) == 0 {
		delete(n.topics, l.topic)
	}
	if len(n.topics) > 0 || n.watch == nil || n.closed {
		return
	}
	if n.idle == nil {
		n.idle = time.AfterFunc(linger, n.rest)
	} else {
		n.idle.Reset(linger)
	}
}

// rest ends Watch while no one listens.
func (n *notifier) rest() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.topics) == 0 && n.watch != nil {
		n.watch.stop()
		n.watch = nil
	}
}

// announce wakes the listeners of this process and notifies other processes.
func (n *notifier) announce(topic string) {
	n.wake(topic)
	if n.sender != nil {
		n.sender.add(topic)
	}
}

func (n *notifier) wake(topic string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for l := range n.topics[topic] {
		l.wake()
	}
}

// wakeAll is for a watch that has connected, or does not know for whom a change is.
func (n *notifier) wakeAll(w *watch) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w.live = true
	n.each(func(l *Listener) { l.wake() })
}

func (n *notifier) each(fn func(*Listener)) {
	for _, listeners := range n.topics {
		for l := range listeners {
			fn(l)
		}
	}
}

// close returns when everything has ended that the notifier has started, and what
// was announced is sent, or could not be in good time.
func (n *notifier) close() {
	n.mu.Lock()
	n.closed = true
	clear(n.topics)
	if n.watch != nil {
		n.watch.stop()
	}
	if n.idle != nil {
		n.idle.Stop()
	}
	n.mu.Unlock()
	n.ended.Wait()
	if n.sender != nil {
		n.sender.close()
	}
}
