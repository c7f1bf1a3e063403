package schedule

import (
	"math"
	"time"
)

// The instants between which Next finds any, in the years 1 to 9999: the first is the zero time, which
// means that there is none.
const (
	minUnix = -62135596800
	maxUnix = 253402300799
)

// maxShift is more than a clock was ever moved, in seconds, and more than two offsets differ.
const maxShift = 48 * 3600

// Next returns the first instant of the schedule that is after a given one, in the time zone of
// the schedule, and the zero time where there is none: after the year 9999. An @every counts
// from after.
func (s *Schedule) Next(after time.Time) time.Time {
	u := max(after.Unix(), minUnix)
	if u > maxUnix {
		return time.Time{}
	}
	if s.every > 0 {
		return s.at(u + int64(s.every/time.Second))
	}
	if s.loc == time.UTC {
		w, found := s.search(u + 1)
		if !found {
			return time.Time{}
		}
		return s.at(w)
	}
	if s.everyHour() {
		return s.elapsed(u)
	}
	return s.local(u)
}

// at is an instant as a Time, unless it is beyond the last.
func (s *Schedule) at(u int64) time.Time {
	if u > maxUnix {
		return time.Time{}
	}
	return time.Unix(u, 0).In(s.loc)
}

// elapsed is Next of a schedule without fixed hours: every instant whose local time matches.
func (s *Schedule) elapsed(u int64) time.Time {
	z := periodAt(s.loc, u)
	for from := u + 1; ; from = z.start {
		w, found := s.search(from + z.offset)
		if !found {
			return time.Time{}
		}
		if w-z.offset < z.end {
			return s.at(w - z.offset)
		}
		z = z.next(s.loc)
	}
}

// local is Next of a schedule with fixed hours: each local time that matches, once.
func (s *Schedule) local(u int64) time.Time {
	z := periodAt(s.loc, u)
	w, found := s.search(max(u+1+z.offset, s.reached(z, u)))
	if !found {
		return time.Time{}
	}
	if w-z.offset >= z.end {
		// w is in another period: the first one that is not over when its clock would show w.
		if z = z.next(s.loc); z.start < w-maxShift {
			z = periodAt(s.loc, w-maxShift)
		}
		for w-z.offset >= z.end {
			z = z.next(s.loc)
		}
	}
	return s.at(max(w-z.offset, z.start)) // the start, where clocks skip w
}

// reached is the local time up to which clocks had come before the period of u began: what is
// before it, they show again.
func (s *Schedule) reached(z period, u int64) int64 {
	most := int64(math.MinInt64)
	for u-z.start < maxShift {
		z = periodAt(s.loc, z.start-1)
		most = max(most, z.end+z.offset)
	}
	return most
}

// period is a span in which the offset of local time from UTC does not change: from start to
// before end, in seconds since 1970.
type period struct{ start, end, offset int64 }

// next is the period that begins where p ends.
func (p period) next(loc *time.Location) period {
	n := periodAt(loc, p.end)
	n.start = p.end
	return n
}

// periodAt is the period of an instant. Where a zone's rule goes on after its table, ZoneBounds
// takes each year for 365 days: it begins a period on 1 January, and on 31 December of a
// leap year returns one that has ended before, and began long ago. So an end is only believed
// when it is after u, and a start is not compared with the end of the period before.
func periodAt(loc *time.Location, u int64) period {
	t := time.Unix(u, 0).In(loc)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	p := period{math.MinInt64 / 2, math.MaxInt64 / 2, int64(offset)}
	if !start.IsZero() {
		p.start = start.Unix()
	}
	if !end.IsZero() {
		p.end = end.Unix()
	}
	if p.end <= u {
		p.end = (floorDiv(u, secondsOfDay) + 1) * secondsOfDay
	}
	return p
}
