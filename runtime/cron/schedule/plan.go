package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Plan is when a job runs: a schedule between two instants, without excluded days, moved by a
// jitter. Its methods change nothing.
type Plan struct {
	*Schedule
	// Start is the first instant that can be due; zero for no bound. An @every is due at Start,
	// and counts from there.
	Start time.Time
	// End is the instant from which none is due; zero for no bound.
	End time.Time
	// Jitter spreads jobs that are due at one instant: a job runs later by a span of whole
	// milliseconds below it, which follows from Key and is always the same.
	Jitter time.Duration
	Key    string
	// Excluded reports whether nothing is due on a day. It is called with an instant of that day
	// in the time zone of the schedule, so that day.Date() is the local date. nil excludes none.
	Excluded func(day time.Time) bool
}

// maxExcluded is how many excluded days in a row a search passes: some thirteen years of a job that
// is due each day.
const maxExcluded = 5000

// maxMissed bounds what Missed returns.
const maxMissed = 1 << 20

// offset is how much later than due the job runs.
func (p *Plan) offset() time.Duration {
	n := uint64(p.Jitter / time.Millisecond)
	if p.Jitter <= 0 || n == 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(p.Key))
	return time.Duration(binary.BigEndian.Uint64(sum[:])%n) * time.Millisecond
}

// Next returns the first instant after a nominal one at which the job is due, and when it runs,
// which is due moved by the jitter. Both are zero where there is none: beyond End, or because
// the search passed 5,000 excluded days. after is nominal too: what Next or Due returned, or now.
func (p *Plan) Next(after time.Time) (due, at time.Time) {
	due = p.due(after)
	if due.IsZero() {
		return due, due
	}
	return due, due.Add(p.offset())
}

// Again returns the first instant after now of a job whose excluded days have changed. was is the
// nominal instant at which it was due before, from which an @every goes on counting; zero: none.
func (p *Plan) Again(was, now time.Time) (due, at time.Time) {
	if p.every == 0 || was.IsZero() {
		return p.Next(now)
	}
	behind := now.Sub(was) % p.every
	if behind < 0 {
		behind += p.every
	}
	if due, at = p.Next(now.Add(-behind)); !due.IsZero() && !due.After(now) { // Start has passed, and is not on that grid
		return p.Next(due)
	}
	return due, at
}

// Due returns the nominal instant of a job that runs at an instant.
func (p *Plan) Due(at time.Time) time.Time { return at.Add(-p.offset()) }

// due is the first nominal instant after another one.
func (p *Plan) due(after time.Time) time.Time {
	next := p.from(after)
	for range maxExcluded {
		if next.IsZero() || !p.End.IsZero() && !next.Before(p.End) {
			return time.Time{}
		}
		if p.Excluded == nil || !p.Excluded(next) {
			return next
		}
		next = p.after(next)
	}
	return time.Time{}
}

// from is the first instant of the schedule after another one and from Start on.
func (p *Plan) from(after time.Time) time.Time {
	if p.Start.IsZero() || !after.Before(p.Start) {
		return p.Schedule.Next(after)
	}
	if p.every > 0 {
		return p.at(ceil(p.Start))
	}
	return p.Schedule.Next(p.Start.Add(-1))
}

// ceil is the first whole second that is not before t.
func ceil(t time.Time) int64 {
	if t.Nanosecond() > 0 {
		return t.Unix() + 1
	}
	return t.Unix()
}

// after is the first instant of the schedule after an excluded one that can be on another day.
func (p *Plan) after(next time.Time) time.Time {
	y, m, d := next.Date()
	// A second before midnight, which need not exist; and an hour less where clocks are moved
	// then, which costs another step.
	end := time.Date(y, m, d+1, 0, 0, 0, 0, p.loc).Add(-time.Second)
	if end.Before(next) {
		end = next
	}
	if p.every > 0 {
		return p.Schedule.Next(next.Add(end.Sub(next) / p.every * p.every))
	}
	return p.Schedule.Next(end)
}

// Missed returns the nominal instants from first on, which is one itself, at which the job should
// have run by now. Of more than limit, the last ones are returned, and more is true. It does not
// take longer when there are a million.
func (p *Plan) Missed(first, now time.Time, limit int) (due []time.Time, more bool) {
	limit = min(limit, maxMissed)
	last := now.Add(-p.offset())
	if limit <= 0 || first.After(last) {
		return nil, !first.After(last)
	}
	due, all := p.between(first, last, limit)
	if all {
		return due, false
	}
	// The last ones are in a span before last: of the spans that have enough, a short one is
	// looked for by halves.
	short, long := time.Duration(0), last.Sub(first)
	for range 100 {
		from := p.onGrid(first, last.Add(-long))
		if due, all = p.between(from, last, 4*limit); all && len(due) >= limit {
			break
		}
		span := short + (long-short)/2
		if span == short {
			break
		}
		if _, few := p.between(p.onGrid(first, last.Add(-span)), last, limit-1); few {
			short = span
		} else {
			long = span
		}
	}
	return due[max(0, len(due)-limit):], true
}

// between lists instants from one, inclusive, to another, but no more than a number; all reports
// whether there are no others.
func (p *Plan) between(from, to time.Time, limit int) (due []time.Time, all bool) {
	for next := from; !next.IsZero() && !next.After(to); next = p.due(next) {
		if len(due) == limit {
			return due, false
		}
		due = append(due, next)
	}
	return due, true
}

// onGrid is the first instant at or after t. Those of an @every are whole intervals from first.
func (p *Plan) onGrid(first, t time.Time) time.Time {
	if !t.After(first) {
		return first
	}
	if p.every > 0 {
		n := t.Sub(first) / p.every
		return p.due(first.Add((n - 1) * p.every))
	}
	return p.due(t.Add(-1))
}
