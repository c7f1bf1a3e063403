package engine

import (
	"context"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// awaitPoll is how often Await reads the row without a notification.
const awaitPoll = 500 * time.Millisecond

// Await waits until a row has ended, and returns it. Generated code calls it.
func Await[R any](ctx context.Context, db *core.DB, spec *Spec[R], id any) (*R, error) {
	news := db.Listen(endedTopic(spec.Name))
	defer news.Stop()
	poll := awaitPoll
	if !db.ReceivesNotifications() { // no other process can wake us
		poll /= 5
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		row, err := one(ctx, db.Conn(), spec, id)
		if err != nil {
			return nil, err
		}
		if spec.States.ended(spec.Claimed(row).State) {
			return row, nil
		}
		select {
		case <-ctx.Done():
			return nil, core.Ended(ctx)
		case <-news.C:
		case <-tick.C:
		}
	}
}

// announcer announces a topic at most once in announceEvery, the first time at once.
// Thousands of jobs that end within a second cause a few notifications.
type announcer struct {
	conn  *core.Conn
	topic string

	mu      sync.Mutex
	timer   *time.Timer // runs while the topic must not be announced again
	pending bool
	closed  bool
}

const announceEvery = 20 * time.Millisecond

func newAnnouncer(conn *core.Conn, topic string) *announcer {
	return &announcer{conn: conn, topic: topic}
}

func (a *announcer) announce() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.pending = true
		return
	}
	a.conn.Announce(a.topic)
	if !a.closed {
		a.timer = time.AfterFunc(announceEvery, a.again)
	}
}

func (a *announcer) again() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timer = nil
	if !a.pending {
		return
	}
	a.pending = false
	a.conn.Announce(a.topic)
	if !a.closed {
		a.timer = time.AfterFunc(announceEvery, a.again)
	}
}

// close announces what is pending, and stops the timer.
func (a *announcer) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
	if a.pending {
		a.pending = false
		a.conn.Announce(a.topic)
	}
}
