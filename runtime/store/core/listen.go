package core

// Announce wakes every listener of topic: in a transaction after its commit and
// never after a rollback, outside one at once. It reaches this DB's listeners on
// every database; on PostgreSQL those of other processes too. On SQLite other
// processes are woken by any commit to the file, so that an announcement beside
// which nothing is written stays in this process. On MySQL it stays here, and
// behind a pooler of PostgreSQL none comes from elsewhere: see ReceivesNotifications.
//
// It does not block and cannot fail: a listener is notified that there may be
// something new, and asks the database what. One that another process should
// receive comes a few milliseconds late where many are made, and is not lost by
// a Close that comes after it. A topic that is longer than 200 bytes, or no UTF-8, wakes the
// listeners of every topic in other processes.
func (c *Conn) Announce(topic string) {
	if c.tx == nil || c.tx.hooks.addTopic(topic) {
		c.db.notifier.announce(topic)
	}
}

// ReceivesNotifications reports whether what other processes announce wakes the listeners of this
// DB: not on MySQL, and not on PostgreSQL behind a connection pooler. Who waits
// for other processes asks more often then.
func (db *DB) ReceivesNotifications() bool {
	_, ok := db.backend.(Watcher)
	return ok
}

// Listener is notified when there may be something new.
type Listener struct {
	// C gets a value when the topic was announced. It holds one: announcements
	// that come before it is taken are one. It is never closed.
	C <-chan struct{}

	c        chan struct{}
	topic    string
	notifier *notifier
}

// Listen begins to listen to a topic. The first value comes on C as soon as all
// that can be heard is heard: who asks the database then and at each further
// value misses nothing. A value may also come without an announcement, for
// another topic or after a connection was lost and is there again. The listener
// ends with Stop, and with the DB: then C stays silent.
//
//	l := db.Listen("jobs")
//	defer l.Stop()
//	for {
//		select {
//		case <-l.C:
//		case <-time.After(time.Minute): // for what no one announced
//		case <-ctx.Done():
//			return
//		}
//		work() // asks the database
//	}
//
// With its first listener a DB opens one more connection, on PostgreSQL and on
// SQLite, and closes it some time after the last has stopped.
func (db *DB) Listen(topic string) *Listener {
	l := &Listener{c: make(chan struct{}, 1), topic: topic, notifier: &db.notifier}
	l.C = l.c
	db.notifier.add(l)
	return l
}

// Stop ends the listening. A second Stop does nothing.
func (l *Listener) Stop() { l.notifier.remove(l) }

func (l *Listener) wake() {
	select {
	case l.c <- struct{}{}:
	default:
	}
}
