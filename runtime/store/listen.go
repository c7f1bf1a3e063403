package store

import "sync"

// Announce wakes every listener of topic: in a transaction after its commit and
// never after a rollback, outside one at once. It reaches this DB's listeners on
// every database; on PostgreSQL those of other processes too. On SQLite other
// processes are woken by any commit to the file, so that an announcement beside
// which nothing is written stays in this process. On MySQL it stays here: who
// waits for other processes asks from time to time.
//
// It does not block and cannot fail: a listener is told that there may be
// something new, and asks the database what. topic is any text of up to 200
// bytes; longer ones are told apart by less than all of it.
func (c *Conn) Announce(topic string) {
	if c.tx == nil || c.tx.after.addTopic(topic) {
		c.db.hub.announce(topic)
	}
}

// Listener is told when there may be something new.
type Listener struct {
	// C gets a value when the topic was announced. It holds one: announcements
	// that come before it is taken are one. It is never closed.
	C <-chan struct{}

	c     chan struct{}
	topic string
	hub   *hub
}

// Listen begins to listen to a topic. What was committed before may not be told:
// who asks the database once after Listen returns misses nothing. A value on C
// may also come without an announcement, for another topic or after a connection
// was lost and is there again. The listener ends with Stop, and with the DB: then
// C stays silent.
//
//	l := db.Listen("jobs")
//	defer l.Stop()
//	for {
//		work() // asks the database
//		select {
//		case <-l.C:
//		case <-time.After(time.Minute): // for what no one announced
//		case <-ctx.Done():
//			return
//		}
//	}
func (db *DB) Listen(topic string) *Listener {
	l := &Listener{c: make(chan struct{}, 1), topic: topic, hub: &db.hub}
	l.C = l.c
	db.hub.add(l)
	return l
}

// Stop ends the listening. A second Stop does nothing.
func (l *Listener) Stop() { l.hub.remove(l) }

// hub knows the listeners of one DB.
type hub struct {
	mu     sync.Mutex
	topics map[string]map[*Listener]struct{}
	closed bool
}

func (h *hub) add(l *Listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	if h.topics == nil {
		h.topics = map[string]map[*Listener]struct{}{}
	}
	if h.topics[l.topic] == nil {
		h.topics[l.topic] = map[*Listener]struct{}{}
	}
	h.topics[l.topic][l] = struct{}{}
}

func (h *hub) remove(l *Listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.topics[l.topic], l)
	if len(h.topics[l.topic]) == 0 {
		delete(h.topics, l.topic)
	}
}

func (h *hub) announce(topic string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.topics[topic] {
		l.wake()
	}
}

func (l *Listener) wake() {
	select {
	case l.c <- struct{}{}:
	default:
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed, h.topics = true, nil
}
