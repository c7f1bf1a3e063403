package feed

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/event/protocol"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// cursor is a subscription's place in the log, while this process has it. Every change of it
// is one statement: a process that is cut off from the database holds no lock on it.
type cursor struct {
	log
	name   string
	lease  time.Duration
	topics []string // that this process has handlers for

	epoch    int64
	since    time.Time // of the claim
	stored   string    // the topics as the table has them
	places   places    // of all its topics
	own      []string  // those of them that this process has handlers for
	asked    []string  // those of which events were read last
	position int64     // all events of own up to it are handled
	failed   int64     // the position of the event that attempts are about
	attempts int64
}

// args are the arguments of the cursor's statements.
func (c *cursor) args() []any {
	a := args(c.db)
	a[protocol.ArgName], a[protocol.ArgEpoch] = c.name, c.epoch
	return a
}

// cursorRow is a cursor as the table has it.
type cursorRow struct {
	topics                            string
	position, epoch, attempts, failed int64
}

// load reads the cursor; ErrUnsubscribed if there is none.
func (c *cursor) load(ctx context.Context, conn *core.Conn) (r cursorRow, err error) {
	err = core.Row(ctx, conn, &c.spec.Cursor, c.args(), []any{&r.topics, &r.position, &r.epoch, &r.attempts, &r.failed})
	if errors.Is(err, store.ErrNotFound) {
		err = event.ErrUnsubscribed
	}
	return r, err
}

// claim takes the cursor if no other process has it, and reports whether it did.
func (c *cursor) claim(ctx context.Context) (bool, error) {
	began, a := time.Now(), c.args()
	span(a, c.lease)
	n, err := core.Exec(ctx, c.db.Conn(), &c.spec.Claim, a)
	if err != nil {
		return false, err
	}
	r, err := c.load(ctx, c.db.Conn())
	if err != nil || n == 0 || time.Since(began) > c.safe() { // the epoch may be that of another process
		return false, err
	}
	c.since, c.epoch, c.attempts, c.failed = began, r.epoch, r.attempts, r.failed
	c.places, c.asked = nil, nil
	return true, c.take(r)
}

// safe is how long after a claim or a renewal began no other process can have claimed the cursor.
func (c *cursor) safe() time.Duration { return c.lease * 9 / 10 }

// take takes in the topics of the cursor, and the places of those that others handle. Of its own
// topics only the process that has the cursor knows the place.
func (c *cursor) take(r cursorRow) error {
	p, err := parsePlaces(r.topics, r.position)
	if err != nil {
		return err
	}
	c.own = nil
	for _, t := range c.topics {
		if _, ok := p[t]; !ok {
			continue // another program dropped it
		}
		c.own = append(c.own, t)
		p[t] = max(p[t], c.places[t])
	}
	if len(c.own) == 0 {
		return event.ErrUnsubscribed
	}
	c.stored, c.places, c.position = r.topics, p, p.least(c.own)
	return nil
}

// foreign returns the topics that this process has no handler for.
func (c *cursor) foreign() (topics []string) {
	for t := range c.places {
		if !slices.Contains(c.topics, t) {
			topics = append(topics, t)
		}
	}
	slices.Sort(topics)
	return topics
}

// refresh takes in what others have made of the cursor: ErrUnsubscribed when it is gone, and
// ErrLost when one of them has it.
func (c *cursor) refresh(ctx context.Context) error {
	r, err := c.load(ctx, c.db.Conn())
	switch {
	case err != nil:
		return err
	case r.epoch != c.epoch:
		return event.ErrLost
	case r.topics == c.stored:
		return nil
	}
	return c.take(r)
}

// change runs a statement that changes the cursor: ErrLost when another process has it.
func (c *cursor) change(ctx context.Context, s *core.Statement, a []any) error {
	n, err := core.Exec(ctx, c.db.Conn(), s, a)
	if err != nil || n > 0 {
		return err
	}
	if _, err := c.load(ctx, c.db.Conn()); err != nil {
		return err
	}
	return event.ErrLost
}

func (c *cursor) renew(ctx context.Context) error {
	a := c.args()
	span(a, c.lease)
	return c.change(ctx, &c.spec.Renew, a)
}

// stillHeld returns nil if no other process has claimed the cursor, where a lease is not
// renewed because no process can write, and so claim it.
func (c *cursor) stillHeld(ctx context.Context) error {
	if !c.spec.StillHeld.Has(c.db.Conn()) {
		return errUnknown
	}
	var epoch int64
	return core.Row(ctx, c.db.Conn(), &c.spec.StillHeld, c.args(), []any{&epoch})
}

var errUnknown = errors.New("event: another process may have claimed the subscription")

// advance records that all events up to a position are handled, of the topics that were read.
func (c *cursor) advance(ctx context.Context, position int64) error {
	for {
		next := maps.Clone(c.places)
		for _, t := range c.asked {
			if place, ok := next[t]; ok {
				next[t] = max(place, position)
			}
		}
		if maps.Equal(next, c.places) {
			return nil
		}
		topics, least := next.stored()
		a := c.args()
		a[protocol.ArgTopics], a[protocol.ArgTopicsWere], a[protocol.ArgPosition] = topics, c.stored, least
		n, err := core.Exec(ctx, c.db.Conn(), &c.spec.Advance, a)
		if err != nil {
			return err
		}
		if n > 0 {
			c.stored, c.places, c.position = topics, next, next.least(c.own)
			return nil
		}
		was := c.stored
		if err := c.refresh(ctx); err != nil {
			return err
		}
		if c.stored == was {
			return event.ErrLost // it was claimed and given back meanwhile
		}
	}
}

// fail records that the event at a position failed.
func (c *cursor) fail(ctx context.Context, position int64, failed error) error {
	attempts := int64(1)
	if c.failed == position {
		attempts += c.attempts
	}
	a := c.args()
	a[protocol.ArgError], a[protocol.ArgAttempts], a[protocol.ArgPosition] = failed.Error(), attempts, position
	if err := c.change(ctx, &c.spec.Fail, a); err != nil {
		return err
	}
	c.failed, c.attempts = position, attempts
	return nil
}

// setAside keeps an event that failed too often, and goes on behind it. After a crash between
// the two the event is handed out once more.
func (c *cursor) setAside(ctx context.Context, e event.Event, failed error) error {
	a := c.args()
	a[protocol.ArgEvent], a[protocol.ArgTopic], a[protocol.ArgOp], a[protocol.ArgRow] = e.ID, e.Type, string(e.Op), e.Row
	a[protocol.ArgPosition], a[protocol.ArgError], a[protocol.ArgAttempts] = e.Position, failed.Error(), c.attempts
	if _, err := core.Exec(ctx, c.db.Conn(), &c.spec.SetAside, a); err != nil {
		return err
	}
	return c.advance(ctx, e.Position)
}

// release lets another process have the cursor at once.
func (c *cursor) release(ctx context.Context) error {
	_, err := core.Exec(ctx, c.db.Conn(), &c.spec.Release, c.args())
	return err
}

// errorText is what of an error is kept. A database refuses text that is not UTF-8 or has a
// NUL, and the event would never be set aside.
func errorText(err error) string {
	text := strings.ReplaceAll(strings.ToValidUTF8(err.Error(), "\uFFFD"), "\x00", "\uFFFD")
	for i := range text {
		if utf8.RuneCountInString(text[:i]) >= protocol.MaxError-1 {
			return text[:i] + "…"
		}
	}
	return text
}
