package feed

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/event/protocol"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// join makes the subscription known, with the topics of this process beside those that it
// has: from then on their events are written. Each step is one statement, and the next one
// finds out whether another process has made it meanwhile.
func (s *subscription) join(ctx context.Context) error {
	defer readersOf(s.db, s.spec).forget()
	conn := s.db.Conn()
	if s.spec.Assign.Has(conn) {
		if _, err := s.add(ctx, conn, "", nil, 0); err != nil {
			return err
		}
	}
	for {
		r, err := s.load(ctx, conn)
		var done bool
		switch {
		case errors.Is(err, event.ErrUnsubscribed): // it does not exist yet
			done, err = s.start(ctx, conn)
		case err == nil:
			done, err = s.extend(ctx, conn, r)
		}
		if err != nil || done {
			return err
		}
	}
}

// start adds the cursor unless it is there. A position that is behind by now does no
// harm: what was written meanwhile is handed out.
func (s *subscription) start(ctx context.Context, conn *core.Conn) (bool, error) {
	from := &s.spec.Last
	if s.opts.FromStart {
		from = &s.spec.First
	}
	var position int64
	if err := core.Row(ctx, conn, from, args(s.db), []any{&position}); err != nil {
		return false, err
	}
	p := places{}
	for _, t := range s.topics {
		p[t] = position
	}
	return s.add(ctx, conn, s.name, p, position)
}

// add adds a cursor unless it is there.
func (s *subscription) add(ctx context.Context, conn *core.Conn, name string, p places, position int64) (bool, error) {
	a := args(s.db)
	a[protocol.ArgName], a[protocol.ArgTopics], a[protocol.ArgPosition] = name, p.beyond(position), position
	// A process may hold a claim of a cursor that had this name and was removed: no claim of
	// this one has its epoch.
	a[protocol.ArgEpoch] = rand.Int64N(1 << 52)
	n, err := core.Exec(ctx, conn, &s.spec.AddCursor, a)
	return n > 0, err
}

// extend adds the topics of this process to a cursor that is there, from the last position on,
// and removes those that are to be dropped. The process that has the cursor takes that in
// with its next change of it.
func (s *subscription) extend(ctx context.Context, conn *core.Conn, r cursorRow) (bool, error) {
	p, err := parsePlaces(r.topics, r.position)
	if err != nil {
		return false, err
	}
	var last int64
	if err := core.Row(ctx, conn, &s.spec.Last, args(s.db), []any{&last}); err != nil {
		return false, err
	}
	for _, t := range s.topics {
		if _, ok := p[t]; !ok {
			p[t] = last
		}
	}
	for _, t := range s.opts.Drop {
		delete(p, t)
	}
	if !p.fit() {
		return false, fmt.Errorf("%w: the subscription %s has too many datatypes", event.ErrInvalid, s.name)
	}
	a := s.args()
	a[protocol.ArgTopics], a[protocol.ArgTopicsWere] = p.beyond(r.position), r.topics
	if a[protocol.ArgTopics] == r.topics {
		return true, nil
	}
	n, err := core.Exec(ctx, conn, &s.spec.SetTopics, a)
	return n > 0, err
}

// checkTopics refuses handlers and drops that contradict each other.
func (s *subscription) checkTopics() error {
	if len(s.topics) == 0 {
		return fmt.Errorf("%w: the subscription %s has no handler", event.ErrInvalid, s.name)
	}
	p := places{}
	for _, t := range s.topics {
		if slices.Contains(s.opts.Drop, t) {
			return fmt.Errorf("%w: the subscription %s has a handler for %s, which Options.Drop names", event.ErrInvalid, s.name, t)
		}
		p[t] = 0
	}
	if !p.fit() {
		return fmt.Errorf("%w: the subscription %s has too many datatypes", event.ErrInvalid, s.name)
	}
	return nil
}
