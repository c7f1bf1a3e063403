package outbox

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// ahead is how many waiting messages are looked up and marked together.
const ahead = 32

// low is how few marked messages wait when the next are marked, while these are sent. When a
// worker is lost, up to ahead and low together may be unknown without having been begun.
const low = 8

// fresh is for how long what the suppressions said of a message holds.
const fresh = time.Second

// line is the messages of this process that wait for a connection, first come first served.
type line struct {
	db    *core.DB
	spec  *Spec
	begin func(ctx context.Context, claims ...*queue.Claim) ([]bool, error) // marks claims; nil: nothing is marked
	fault func(error)                                                       // is called when messages could not be marked ahead; each is marked by itself then

	mu      sync.Mutex
	free    int // connections that nothing uses
	waiting []*place
	topping bool           // the next messages are being marked
	parts   sync.WaitGroup // what marks them
}

// place is a message's place in the line.
type place struct {
	claim     *queue.Claim
	addresses []string      // the keys of its recipients
	turn      chan struct{} // closed when it has a connection

	looked *shared // the last look-up in the suppressions that it was part of
	begun  *shared // the marking that it was part of
	marked bool
}

// shared is a statement about several messages, which one of them makes.
type shared struct {
	done  chan struct{}
	at    time.Time
	err   error
	found map[string][]*Suppression // of a look-up
}

// errUnfinished is the error of a statement until it has one or none: it may panic.
var errUnfinished = errors.New("mail: a statement about several messages was not finished")

func newLine(db *core.DB, s *Spec, connections int) *line {
	l := &line{db: db, spec: s, free: connections, fault: func(error) {}}
	if !s.Resend {
		l.begin = queue.BeginOnce
	}
	return l
}

// enter waits until a message may use a connection. Call leave then.
func (l *line) enter(ctx context.Context, p *place) error {
	l.mu.Lock()
	if l.free > 0 {
		l.free--
		l.mu.Unlock()
		return nil
	}
	p.turn = make(chan struct{})
	l.waiting = append(l.waiting, p)
	l.mu.Unlock()
	select {
	case <-p.turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	i := slices.Index(l.waiting, p)
	if i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	l.mu.Unlock()
	if i < 0 { // its turn came at the same time
		l.leave()
	}
	return ctx.Err()
}

// leave passes a connection on to the next message.
func (l *line) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.free++
		return
	}
	close(l.waiting[0].turn)
	l.waiting = slices.Delete(l.waiting, 0, 1)
}

// together returns places and the messages that wait behind them, of those that take reports,
// and has all of them share a statement.
func (l *line) together(list []*place, take func(*place) bool, share func(*place, *shared)) ([]*place, *shared) {
	s, most := &shared{done: make(chan struct{}), at: time.Now(), err: errUnfinished}, len(list)+ahead
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, other := range l.waiting {
		if len(list) == most {
			break
		}
		if take(other) {
			list = append(list, other)
		}
	}
	for _, one := range list {
		share(one, s)
	}
	return list, s
}

// wait waits for a statement that another message makes, and reports whether it has taken
// place.
func (s *shared) wait(ctx context.Context) bool {
	if s == nil {
		return false
	}
	select {
	case <-s.done:
		return s.err == nil
	case <-ctx.Done():
		return false
	}
}

// of returns a field of a place that other goroutines set.
func (l *line) of(field **shared) *shared {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *field
}

// lookUp returns suppressions of the recipients of a message, by address. It looks up what waits
// behind it too, unless that was done a moment ago.
func (l *line) lookUp(ctx context.Context, p *place) (map[string][]*Suppression, error) {
	if l.spec.Suppressions == nil {
		return nil, nil
	}
	if s := l.of(&p.looked); s.wait(ctx) && time.Since(s.at) < fresh {
		return s.found, nil
	}
	return l.lookUpTogether(ctx, []*place{p})
}

func (l *line) lookUpTogether(ctx context.Context, first []*place) (map[string][]*Suppression, error) {
	list, s := l.together(first, func(o *place) bool { return o.looked == nil || time.Since(o.looked.at) >= fresh }, func(o *place, s *shared) { o.looked = s })
	defer close(s.done)
	var addresses []string
	for _, one := range list {
		addresses = append(addresses, one.addresses...)
	}
	s.found, s.err = l.spec.suppressed(ctx, l.db.Conn(), addresses)
	return s.found, s.err
}

// errLost is the outcome of a message that another process may have claimed.
var errLost = errors.New("mail: the lease of the message was lost before it was sent")

// mark records on the row of a message that it may be delivered from now on, and on those of
// what waits behind it and has been looked up.
func (l *line) mark(ctx context.Context, p *place) error {
	if l.begin == nil {
		return nil
	}
	if err := ctx.Err(); err != nil { // it was cancelled, or its lease was lost, after it was marked
		return err
	}
	if !l.of(&p.begun).wait(ctx) {
		if err := l.markTogether(ctx, []*place{p}); err != nil {
			return err
		}
	}
	if !p.marked {
		return errLost
	}
	l.topUp(ctx)
	return nil
}

// topUp marks the next messages while others are sent, if few of those that wait are marked.
func (l *line) topUp(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	marked := 0
	for _, p := range l.waiting {
		if p.begun != nil {
			marked++
		}
	}
	if l.topping || marked > low || marked == len(l.waiting) {
		return
	}
	l.topping = true
	ctx = context.WithoutCancel(ctx) // of a message that may end before the others begin
	l.parts.Go(func() {
		if err := l.markNext(ctx); err != nil {
			l.fault(err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.topping = false
	})
}

// markNext looks up and marks messages that wait.
func (l *line) markNext(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil { // there is no handler around it that would
			err = fmt.Errorf("mail: messages that wait could not be marked: %v\n%s", v, debug.Stack())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, lastWrites)
	defer cancel()
	if l.spec.Suppressions != nil {
		if _, err := l.lookUpTogether(ctx, nil); err != nil {
			return err
		}
	}
	return l.markTogether(ctx, nil)
}

// close waits for what marks messages.
func (l *line) close() { l.parts.Wait() }

func (l *line) markTogether(ctx context.Context, first []*place) error {
	list, s := l.together(first, func(o *place) bool { return o.begun == nil && (l.spec.Suppressions == nil || o.isLookedUp()) }, func(o *place, s *shared) { o.begun = s })
	defer close(s.done)
	if len(list) == 0 {
		return nil
	}
	claims := make([]*queue.Claim, len(list))
	for i, one := range list {
		claims[i] = one.claim
	}
	var marked []bool
	if marked, s.err = l.begin(ctx, claims...); s.err != nil {
		return s.err
	}
	for i, one := range list {
		one.marked = marked[i]
	}
	return nil
}

// isLookedUp reports whether a message was looked up, and none of its recipients is suppressed.
func (p *place) isLookedUp() bool {
	if p.looked == nil {
		return false
	}
	select {
	case <-p.looked.done:
	default:
		return false
	}
	return p.looked.err == nil && !slices.ContainsFunc(p.addresses, func(a string) bool { return len(p.looked.found[a]) > 0 })
}
