package feed

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/event/protocol"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

const (
	readMost     = 100                    // events that are read at a time
	readBytes    = 16 << 20               // their rows, together, but for the last one's
	lookEvery    = 100 * time.Millisecond // where other processes' announcements do not arrive
	lookRare     = time.Second            // elsewhere, for what no one announced
	passEvery    = 5 * time.Second        // that a subscription goes past events of other topics
	advanceEvery = time.Second            // the longest that handled events are not recorded as such
	wholeTime    = 5 * time.Second        // for what is not interrupted when a subscription ends
	retryAfter   = time.Second            // after an error of the database
	viewConns    = 2                      // connections of all subscriptions, beside the pool
	leastLease   = time.Second
	defaultLease = 30 * time.Second
)

// subscription is one call of Subscribe.
type subscription struct {
	cursor
	handlers map[string]Handler
	opts     event.Options
	listener *core.Listener
	logger   *slog.Logger
	missing  string // the topics without a handler here, as they were logged
	pruned   time.Time
	ended    time.Time // when it last asked for the last position
	most     int       // events that are read at a time: fewer of large rows
	batch    int       // events that get positions at a time: fewer after a failure
}

// Handle makes a handler of one that takes rows: R is the row of the datatype.
func Handle[R any](fn func(ctx context.Context, e event.Event, before, after *R) error) Handler {
	return func(ctx context.Context, e event.Event, before, after []byte) error {
		b, err := row[R](before)
		if err != nil {
			return err
		}
		a, err := row[R](after)
		if err != nil {
			return err
		}
		return fn(ctx, e, b, a)
	}
}

func row[R any](data []byte) (*R, error) {
	if len(data) == 0 {
		return nil, nil
	}
	r := new(R)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("event: a row of another version of the definition does not fit: %w", core.JSONFault(err))
	}
	return r, nil
}

// Subscribe hands events to handlers, by topic, until ctx ends.
func Subscribe(ctx context.Context, db *core.DB, s *Spec, name string, handlers map[string]Handler, opts event.Options) error {
	sub := &subscription{
		cursor: cursor{log: log{s, db}, name: name, lease: cmp.Or(opts.Lease, defaultLease), topics: slices.Sorted(maps.Keys(handlers))},
		most:   readMost, batch: sequenceFirst,
		handlers: handlers, opts: opts,
		logger: cmp.Or(opts.Logger, slog.New(slog.DiscardHandler)),
	}
	if err := sub.check(); err != nil {
		return err
	}
	if err := sub.join(ctx); err != nil {
		return ended(ctx, err)
	}
	return sub.run(ctx)
}

// run has the cursor as often as it can, until ctx ends.
func (s *subscription) run(ctx context.Context) error {
	s.listener = s.db.Listen(s.spec.Name)
	defer s.listener.Stop()
	// Handlers may hold every connection of the pool.
	view, err := s.db.Reserved(ctx, "events", viewConns, s.lease/2)
	if err != nil {
		return ended(ctx, err)
	}
	s.db = view
	for ctx.Err() == nil {
		err := s.turn(ctx)
		switch {
		case err == nil:
		case errors.Is(err, store.ErrClosed), errors.Is(err, event.ErrUnsubscribed):
			return err
		default:
			s.logger.WarnContext(ctx, "event: the database failed", "subscription", s.name, "error", err)
			wait(ctx, retryAfter, nil)
		}
	}
	return nil
}

func (s *subscription) check() error {
	if err := checkName(s.name); err != nil {
		return err
	}
	switch {
	case s.lease < leastLease:
		return fmt.Errorf("%w: Options.Lease is %s; it must be at least %s", event.ErrInvalid, s.lease, leastLease)
	case s.opts.MaxAttempts < 0:
		return fmt.Errorf("%w: Options.MaxAttempts is negative", event.ErrInvalid)
	}
	return s.checkTopics()
}

func checkName(name string) error {
	if name == "" || len(name) > protocol.MaxName || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("%w: a subscription's name has 1 to %d characters of ASCII, and no space", event.ErrInvalid, protocol.MaxName)
	}
	return nil
}

// read hands out events until ctx ends, the cursor is lost, or another process should have it.
func (s *subscription) read(ctx context.Context) error {
	full := false // the last read was: there are events to hand out before more get positions
	more := false // events may still be without a position
	for ctx.Err() == nil && !s.shares(ctx) {
		if !full {
			var err error
			if more, err = s.sequenceSome(ctx); err != nil {
				return err
			}
		}
		end, err := s.end(ctx)
		if err != nil {
			return err
		}
		var events []logged
		if events, full, err = s.next(ctx); err != nil {
			return err
		}
		all, err := s.handle(ctx, events)
		if err != nil {
			return err
		}
		if all && !full && end > s.position {
			if err := s.record(ctx, end); err != nil {
				return err
			}
		}
		if err := s.prune(ctx); err != nil {
			return err
		}
		if full = full && all; all && !full && !more {
			wait(ctx, s.look(), s.listener.C)
		}
	}
	return nil
}

// sequenceSome assigns positions to as many events as take no longer than a moment.
func (s *subscription) sequenceSome(ctx context.Context) (more bool, err error) {
	began := time.Now()
	err = whole(ctx, func(ctx context.Context) (err error) {
		more, err = s.sequence(ctx, s.batch)
		return err
	})
	switch took := time.Since(began); {
	case err != nil:
		s.batch = max(1, s.batch/4)
	case took > sequenceLong:
		s.batch = max(1, s.batch/2)
	case more && took < sequenceLong/4:
		s.batch = min(sequenceMost, s.batch*2)
	}
	return more, err
}

func (s *subscription) look() time.Duration {
	if s.db.ReceivesNotifications() {
		return lookRare
	}
	return lookEvery
}

// wait waits for a while, or for an announcement if it is given where they arrive.
func wait(ctx context.Context, most time.Duration, announced <-chan struct{}) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-announced:
	}
}

// logged is an event with its rows.
type logged struct {
	event.Event
	op            string
	before, after store.Null[string]
}

// end returns the last position, now and then: a subscription that has read all that there
// is for it goes past the events of other topics, which it must not read over again, nor keep
// from being pruned. It also takes in what others have made of the cursor meanwhile.
func (s *subscription) end(ctx context.Context) (position int64, err error) {
	if time.Since(s.ended) < passEvery {
		return 0, nil
	}
	s.ended = time.Now()
	if err := s.refresh(ctx); err != nil {
		return 0, err
	}
	err = core.Row(ctx, s.db.Conn(), &s.spec.Last, args(s.db), []any{&position})
	return position, err
}

// errEnough ends a read.
var errEnough = errors.New("event: enough was read")

// next reads the next events, as many as readMost and readBytes let it, and reports whether
// there may be more.
func (s *subscription) next(ctx context.Context) (events []logged, full bool, err error) {
	a := s.args()
	s.asked = s.own
	a[protocol.ArgPosition], a[protocol.ArgLimit], a[protocol.ArgList] = s.position, int64(s.most), core.ListOf(s.asked)
	var e logged
	bytes := 0
	err = core.Each(ctx, s.db.Conn(), &s.spec.Read, a, []any{&e.Position, &e.ID, &e.Type, &e.op, &e.Row, &e.before, &e.after, &e.At}, func() error {
		events = append(events, e)
		if bytes += len(e.before.V) + len(e.after.V); bytes > readBytes && len(events) < s.most {
			return errEnough
		}
		return nil
	})
	full = len(events) == s.most
	switch {
	case errors.Is(err, errEnough): // ask for no more than that: a server sends all that it is asked for
		s.most, full, err = len(events), true, nil
	case full:
		s.most = min(readMost, s.most*2)
	}
	return events, full, err
}

// handle hands out events in order, and records how far it has come. It reports
// whether they are all handled: one that failed has waited already.
func (s *subscription) handle(ctx context.Context, events []logged) (all bool, err error) {
	last, recorded := s.position, time.Now()
	for i := range events {
		e := &events[i]
		if e.Position <= s.places[e.Type] { // another process has handled it, which had other handlers
			last = e.Position
			continue
		}
		failed := s.call(ctx, e)
		switch {
		case failed == nil:
			last = e.Position
		case ctx.Err() != nil:
			return false, s.record(ctx, last)
		default:
			return false, s.fails(ctx, last, e, failed)
		}
		if ctx.Err() != nil || e.Position == s.failed || time.Since(recorded) > advanceEvery {
			if err := s.record(ctx, last); err != nil || ctx.Err() != nil {
				return false, err
			}
			recorded = time.Now()
		}
	}
	return true, s.record(ctx, last)
}

// call runs the handler of an event, in a goroutine that it may end. A panic is a failure, also
// one of the methods of the error that it returned.
func (s *subscription) call(ctx context.Context, e *logged) error {
	e.Op, e.Partial = event.Op(e.op), !e.before.Valid && !e.after.Valid
	done := make(chan error, 1)
	go func() {
		err := errGoexit
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("event: the handler panicked: %v\n%s", p, debug.Stack())
			}
			done <- err
		}()
		failed := s.handlers[e.Type](ctx, e.Event, []byte(e.before.V), []byte(e.after.V))
		if failed == nil {
			err = nil
			return
		}
		err = errors.New(errorText(failed))
	}()
	return <-done
}

// errGoexit is the failure of a handler that ended its goroutine, as FailNow of a test does.
var errGoexit = errors.New("event: the handler ended its goroutine without returning (runtime.Goexit)")

// record records how far the subscription has come, also when ctx has ended: what is handled
// must not be handled again.
func (s *subscription) record(ctx context.Context, position int64) error {
	return whole(ctx, func(ctx context.Context) error { return s.advance(ctx, position) })
}

// fails records a failure of the event behind last, and waits, or sets the event aside.
func (s *subscription) fails(ctx context.Context, last int64, e *logged, failed error) error {
	if err := s.record(ctx, last); err != nil {
		return err
	}
	if err := s.fail(ctx, e.Position, failed); err != nil {
		return err
	}
	s.logger.WarnContext(ctx, "event: the handler failed", "subscription", s.name, "event", e.ID, "type", e.Type, "row", e.Row, "attempt", s.attempts, "error", failed)
	if s.opts.MaxAttempts > 0 && s.attempts >= int64(s.opts.MaxAttempts) {
		return s.setAside(ctx, e.Event, failed)
	}
	backoff := s.opts.Backoff
	if backoff == nil {
		backoff = exponential
	}
	wait(ctx, backoff(int(s.attempts)), nil)
	return nil
}

// exponential waits 1 s, 2 s, 4 s and so on, at most a minute.
func exponential(n int) time.Duration {
	if n > 6 {
		return time.Minute
	}
	return time.Second << max(n-1, 0)
}

// ended leaves out an error that came of ctx's end.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
