package scheduler

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

const (
	// lookEvery is how often all jobs are looked at: what SQL has changed takes effect within it.
	lookEvery = time.Second
	// lookApart is how long at least two looks are apart that changes of jobs ask for, and
	// lookShare how many times as long as the look before took: of many jobs it takes a while, and on
	// SQLite each commit of another process may be such a change.
	lookApart = 100 * time.Millisecond
	lookShare = 10
	// faultWait is how long the loop waits after an error of the database.
	faultWait = time.Second
	// clockEvery is how often the database's clock is read, clockReads times.
	clockEvery = time.Minute
	clockReads = 3
)

// earlyWait is how long a job waits that was not due yet by the database's clock.
const earlyWait = 10 * time.Millisecond

// loop fires jobs until its context ends. It looks in a goroutine beside it: of many jobs that takes
// a while, in which others are due.
type loop struct {
	*firer

	soon    []entry       // due within the horizon of the last look
	full    bool          // it found as many as it may: there may be more
	looking *pendingLook  // the look that is under way
	looked  time.Time     // when the last one began; monotonic
	took    time.Duration // how long one took
	changed bool          // jobs were changed since
	read    time.Time     // the database's clock, when it was read last
	clocked time.Time     // when that was; monotonic
}

// pendingLook is a look that is under way, and then what it found.
type pendingLook struct {
	done  chan struct{} // closed when it has ended
	until time.Time
	fired map[int64]bool // jobs that were fired since it began: what it found of these is old
	found []entry
	took  time.Duration
	err   error
}

// run looks and fires until ctx ends.
func (l *loop) run(ctx context.Context) {
	changes := l.db.Listen(l.spec.Jobs)
	defer changes.Stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	defer l.awaitLook()
	for {
		wait, err := l.step(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			l.logger.Error("cron: jobs could not be fired", "jobs", l.spec.Jobs, "error", err)
			l.looked = time.Time{}
			wait = faultWait
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-changes.C:
			l.changed = true
			l.pings.outdate()
		case <-l.looking.ended():
		}
	}
}

// ended is closed when the look has ended; it is nil where none is under way.
func (s *pendingLook) ended() <-chan struct{} {
	if s == nil {
		return nil
	}
	return s.done
}

// awaitLook waits for the look that is under way, whose context has ended.
func (l *loop) awaitLook() {
	if l.looking != nil {
		<-l.looking.done
	}
}

// step looks for jobs if it is time to, fires those that are due, and returns how long to wait.
func (l *loop) step(ctx context.Context) (time.Duration, error) {
	if err := l.merge(); err != nil { // first: a look that has ended wakes run until it is merged
		return 0, err
	}
	if err := l.readClock(ctx); err != nil {
		return 0, err
	}
	if l.looking == nil && l.untilLook() <= 0 {
		l.lookAhead(ctx)
	}
	if err := l.fireDue(ctx); err != nil {
		return 0, err
	}
	return l.wait(), nil
}

// untilLook is how long the next look is away.
func (l *loop) untilLook() time.Duration {
	apart := lookEvery
	if l.changed {
		apart = min(max(lookApart, lookShare*l.took), lookEvery)
	}
	return apart - time.Since(l.looked)
}

// horizon is how far ahead jobs are looked for: until the next look has ended, which takes as long as
// the last one or twice that. It is no further ahead than that, because jobs that SQL has changed are
// planned anew when they were due before.
func (l *loop) horizon() time.Duration { return lookEvery + min(max(lookApart, 2*l.took), lookEvery) }

// lookAhead begins to look for the jobs that are due before the next look has ended.
func (l *loop) lookAhead(ctx context.Context) {
	began := time.Now()
	l.looked, l.changed = began, false
	s := &pendingLook{done: make(chan struct{}), until: l.now().Add(l.horizon()), fired: map[int64]bool{}}
	l.looking = s
	go func() {
		defer close(s.done)
		s.found, s.err = l.look(ctx, s.until)
		s.took = time.Since(began)
	}()
}

// merge takes up what a look has found, if it has ended.
func (l *loop) merge() error {
	s := l.looking
	if s == nil {
		return nil
	}
	select {
	case <-s.done:
	default:
		return nil
	}
	l.looking, l.took = nil, s.took
	if s.err != nil {
		return s.err
	}
	l.looks++
	l.full = len(s.found) >= lookLimit
	for i, e := range s.found {
		if e.next.V.After(s.until) { // it was found because it has to be planned
			s.found[i].next = store.Null[time.Time]{}
		}
	}
	expected := slices.DeleteFunc(l.soon, func(e entry) bool { return !s.fired[e.id] })
	l.soon = append(slices.DeleteFunc(s.found, func(e entry) bool { return s.fired[e.id] }), expected...)
	return nil
}

// readClock measures how far the database's clock is ahead. It is read before this process's, and so
// is ahead at least by the difference: the greatest of some is closest. A guess that is too high would
// have jobs tried before they are due, and then not before the next look.
func (l *loop) readClock(ctx context.Context) error {
	if l.db.LocalClock() || time.Since(l.clocked) < clockEvery {
		return nil
	}
	var ahead time.Duration
	for i := range clockReads {
		now, err := l.db.Now(ctx)
		if err != nil {
			return err
		}
		if d := now.Sub(l.db.Clock()); i == 0 || d > ahead {
			ahead = d
		}
	}
	l.clocked = time.Now()
	l.read = l.db.Clock().Add(ahead)
	return nil
}

// now is the database's time, as far as this process knows it: a step of this process's clock does not
// change it.
func (l *loop) now() time.Time {
	if l.db.LocalClock() {
		return l.db.Clock()
	}
	return l.read.Add(time.Since(l.clocked))
}

// fireDue fires the jobs that are due, also those that come due meanwhile.
func (l *loop) fireDue(ctx context.Context) error {
	for ctx.Err() == nil {
		now := l.now()
		due := due(l.soon, now)
		if len(due) == 0 {
			return nil
		}
		l.soon = slices.DeleteFunc(l.soon, func(e entry) bool { return e.due(now) })
		if l.looking != nil {
			for _, e := range due {
				l.looking.fired[e.id] = true
			}
		}
		done, err := l.fire(ctx, ids(due))
		if err != nil {
			return err
		}
		if l.full {
			l.looked, l.full = time.Time{}, false
			return nil
		}
		l.expect(done.next, due)
	}
	return nil
}

// expect keeps the jobs that are due before the next look. One that is due already was not by the
// database's clock, which is behind this process's, or is late: it comes again soon.
func (l *loop) expect(next, were []entry) {
	now := l.now()
	until := now.Add(l.horizon() - time.Since(l.looked))
	again := map[int64]bool{}
	for _, e := range were {
		again[e.id] = e.locked
	}
	for _, e := range next {
		switch {
		case e.locked && !again[e.id]:
			e.next = store.Null[time.Time]{V: now.Add(lookApart), Valid: true}
		case e.locked || !e.next.Valid:
			continue
		}
		if !e.next.V.After(now) {
			e.next.V = now.Add(earlyWait)
		}
		if e.next.V.Before(until) {
			l.soon = append(l.soon, e)
		}
	}
	slices.SortFunc(l.soon, func(a, b entry) int { return cmp.Or(a.next.V.Compare(b.next.V), cmp.Compare(a.id, b.id)) })
	l.soon = slices.Compact(l.soon)
}

// wait is how long there is nothing to do.
func (l *loop) wait() time.Duration {
	wait := lookEvery
	if l.looking == nil {
		wait = l.untilLook()
	}
	for _, e := range l.soon {
		wait = min(wait, e.next.V.Sub(l.now()))
	}
	return max(wait, 0)
}

// due reports whether a job is to be seen to: its time has come, or it has to be planned.
func (e entry) due(now time.Time) bool { return !e.next.Valid || !e.next.V.After(now) }

// due returns the entries that are due. One that has to be planned may have any next
// instant.
func due(entries []entry, now time.Time) []entry {
	var out []entry
	for _, e := range entries {
		if e.due(now) {
			out = append(out, e)
		}
	}
	return out
}

func ids(entries []entry) []int64 {
	out := make([]int64, len(entries))
	for i, e := range entries {
		out[i] = e.id
	}
	return out
}
