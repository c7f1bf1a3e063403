package schedule_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

func TestPlanStartAndEnd(t *testing.T) {
	p := &schedule.Plan{Schedule: parse(t, "0 12 * * *", "UTC"), Start: instant(t, "2026-03-01T12:00:00Z"), End: instant(t, "2026-03-03T12:00:00Z")}
	at := instant(t, "2026-01-01T00:00:00Z")
	for _, want := range []string{"2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z"} {
		due, run := p.Next(at)
		if due.Format(time.RFC3339) != want || !run.Equal(due) {
			t.Fatalf("got %v, %v, want %s", due, run, want)
		}
		at = due
	}
	if due, run := p.Next(at); !due.IsZero() || !run.IsZero() {
		t.Errorf("at the end: %v, %v", due, run)
	}
	// An @every is due at its start, and counts from there.
	p = &schedule.Plan{Schedule: parse(t, "@every 7h", "UTC"), Start: instant(t, "2026-03-01T12:30:00Z")}
	due, _ := p.Next(at.AddDate(-1, 0, 0))
	next, _ := p.Next(due)
	if !due.Equal(p.Start) || next.Sub(due) != 7*time.Hour {
		t.Errorf("%v, %v", due, next)
	}
}

func TestPlanJitter(t *testing.T) {
	s := parse(t, "0 12 * * *", "UTC")
	const jobs, jitter, parts = 10000, 10 * time.Minute, 10
	var counts [parts]int
	for i := range jobs {
		p := &schedule.Plan{Schedule: s, Jitter: jitter, Key: fmt.Sprintf("job %d", i)}
		due, at := p.Next(instant(t, "2026-01-01T00:00:00Z"))
		offset := at.Sub(due)
		if offset < 0 || offset >= jitter || offset%time.Millisecond != 0 {
			t.Fatalf("offset %v", offset)
		}
		if _, again := p.Next(due); again.Sub(at) != 24*time.Hour || !p.Due(at).Equal(due) {
			t.Fatalf("job %d: %v, then %v; due %v, of which Due has %v", i, at, again, due, p.Due(at))
		}
		counts[offset*parts/jitter]++
	}
	for i, n := range counts {
		if n < jobs/parts*8/10 || n > jobs/parts*12/10 {
			t.Errorf("tenth %d of the jitter has %d of %d jobs", i, n, jobs)
		}
	}
	// The offset of a key is what it was: a new release moves no job.
	p := &schedule.Plan{Schedule: s, Jitter: jitter, Key: "nightly"}
	if due, at := p.Next(instant(t, "2026-01-01T00:00:00Z")); at.Sub(due) != time.Minute+47*time.Second+926*time.Millisecond {
		t.Errorf("offset %v", at.Sub(due))
	}
}

func exclude(t *testing.T, loc *time.Location, entries ...string) func(time.Time) bool {
	t.Helper()
	f, err := schedule.ParseExclusions(entries, loc)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPlanExcluded(t *testing.T) {
	s := parse(t, "30 23 * * *", "America/Santiago")
	p := &schedule.Plan{Schedule: s, Excluded: exclude(t, s.Location(), "2026-04-05", "2026-04-07/2026-04-09", "04-11", "SUN")}
	at := instant(t, "2026-04-04T12:00:00-03:00")
	for _, want := range []string{"2026-04-04T23:30:00-03:00", "2026-04-06T23:30:00-04:00", "2026-04-10T23:30:00-04:00", "2026-04-13T23:30:00-04:00"} {
		if at, _ = p.Next(at); at.Format(time.RFC3339) != want {
			t.Fatalf("got %v, want %s", at, want)
		}
	}
	// Each second, around midnights that do not exist or come twice.
	p.Schedule = parse(t, "* * * * * *", "America/Santiago")
	p.Excluded = exclude(t, nil, "2026-09-06", "2026-04-04")
	for after, want := range map[string]string{"2026-09-05T23:59:59-04:00": "2026-09-07T00:00:00-03:00", "2026-04-03T23:59:59-03:00": "2026-04-05T00:00:00-04:00"} {
		if due, _ := p.Next(instant(t, after)); due.Format(time.RFC3339) != want {
			t.Errorf("got %v, want %s", due, want)
		}
	}
	// An @every stays in step with its instants.
	p.Schedule = parse(t, "@every 7h", "UTC")
	p.Excluded = exclude(t, time.UTC, "2026-01-02", "2026-01-03")
	// Clocks skip the midnight after an excluded day.
	asuncion := &schedule.Plan{Schedule: parse(t, "@every 2m", "America/Asuncion")}
	asuncion.Excluded = exclude(t, nil, "sat", "sun")
	if due, _ := asuncion.Next(instant(t, "2007-10-19T23:59:45-04:00")); due.Format(time.RFC3339) != "2007-10-22T00:01:45-03:00" {
		t.Errorf("@every: %v", due)
	}
	if due, _ := p.Next(instant(t, "2026-01-01T21:00:00Z")); due.Format(time.RFC3339) != "2026-01-04T05:00:00Z" { // 8 times 7 hours
		t.Errorf("@every: %v", due)
	}
}

// Where everything is excluded, the search ends.
func TestPlanExcludesAll(t *testing.T) {
	for _, expr := range []string{"* * * * * *", "0 0 * * *", "0 0 29 2 *", "@every 1s", "@every 50000h"} {
		for _, zone := range []string{"UTC", "America/Santiago"} {
			calls := 0
			p := &schedule.Plan{Schedule: parse(t, expr, zone), Excluded: func(time.Time) bool { calls++; return true }}
			if due, _ := p.Next(instant(t, "2026-01-01T00:00:00Z")); !due.IsZero() || calls > 6000 {
				t.Errorf("%s: %v after %d days", expr, due, calls)
			}
			if due, more := p.Missed(instant(t, "2026-01-01T00:00:00Z"), instant(t, "2026-06-01T00:00:00Z"), 5); len(due) != 1 || more {
				t.Errorf("%s: missed %v, %v", expr, due, more)
			}
		}
	}
}

// Where excluded days have changed, an @every counts from the instant that it had, whether that is excluded or
// not; other schedules go by the clock.
func TestPlanAgain(t *testing.T) {
	const now = "2026-03-02T12:00:00Z" // a Monday
	for _, c := range []struct{ expr, was, want string }{
		{"@every 7h", "2026-03-02T15:00:00Z", "2026-03-02T15:00:00Z"},
		{"@every 7h", "2026-03-04T03:30:00Z", "2026-03-02T16:30:00Z"},
		{"@every 7h", "2026-03-01T03:30:00Z", "2026-03-02T14:30:00Z"},
		{"@every 7h", "2026-03-02T12:00:00Z", "2026-03-02T19:00:00Z"},
		{"@every 30h", "2026-03-02T18:00:00Z", "2026-03-02T18:00:00Z"},
		{"@every 30h", "2026-03-03T13:00:00Z", "2026-03-04T19:00:00Z"},
		{"0 6 * * *", "2026-03-09T06:00:00Z", "2026-03-04T06:00:00Z"},
	} {
		p := &schedule.Plan{Schedule: parse(t, c.expr, "UTC"), Excluded: exclude(t, nil, "tue")}
		if due, at := p.Again(instant(t, c.was), instant(t, now)); !due.Equal(instant(t, c.want)) || !at.Equal(due) {
			t.Errorf("%s, which was due at %s: %v, want %s", c.expr, c.was, due, c.want)
		}
	}
	p := &schedule.Plan{Schedule: parse(t, "@every 7h", "UTC")}
	if due, _ := p.Again(time.Time{}, instant(t, now)); !due.Equal(instant(t, "2026-03-02T19:00:00Z")) {
		t.Errorf("one that was not due: %v", due)
	}
	p.Start = instant(t, "2026-03-02T10:00:00Z")
	if due, _ := p.Again(instant(t, "2026-03-02T13:00:00Z"), instant(t, now)); !due.Equal(instant(t, "2026-03-02T17:00:00Z")) {
		t.Errorf("one that was due beside what counts from its start: %v", due)
	}
}

func TestExclusionsRefused(t *testing.T) {
	for entry, want := range map[string]string{
		"": "0: the exclusion is empty", "tusday": `0: "tusday" is not a day of the week; is tuesday meant?`, "2026-02-30": `0: "2026-02-30" is not a date`,
		"2026-12-24/2026-12-01": "0: the span 2026-12-24/2026-12-01 ends before it begins", "2026-12-24/x": `11: "x" is not a date`, " 13-01": `1: "13-01" is not a day of a year`,
		"02-30": `0: "02-30" is not a day of a year`, "24.12.2026": `0: "24.12.2026" is not a date`, "christmas": `0: "christmas" is not a day of the week`,
	} {
		_, err := schedule.ParseExclusions([]string{"2026-12-24", entry, "sat"}, nil)
		e, ok := errors.AsType[*schedule.ParseError](err)
		if !ok || e.Expr != entry || !strings.HasPrefix(fmt.Sprintf("%d: %s; %s", e.Offset, e.Problem, e.Hint), want) {
			t.Errorf("%q: %v", entry, err)
		}
	}
	if _, err := schedule.ParseExclusions(make([]string, 1001), nil); !errors.Is(err, schedule.ErrInvalid) {
		t.Errorf("1001 entries: %v", err)
	}
	if f, err := schedule.ParseExclusions(nil, nil); f != nil || err != nil {
		t.Error("no entries exclude something")
	}
	leap := exclude(t, nil, "02-29", "saturday")
	if !leap(instant(t, "2028-02-29T12:00:00Z")) || leap(instant(t, "2027-03-01T12:00:00Z")) {
		t.Error("29 February")
	}
}

// Missed is what a walk from the first instant finds.
func TestMissedIsThatOfAWalk(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 60 {
		n := randomExpression(r)
		zone := zones[r.IntN(len(zones))]
		expr := n.text
		if r.IntN(4) == 0 {
			expr = fmt.Sprintf("@every %dm", 1+r.IntN(500))
		}
		loc, err := schedule.Location(zone)
		if err != nil {
			t.Fatal(err)
		}
		s, err := schedule.Parse(expr, schedule.Options{Location: loc})
		if err != nil {
			continue
		}
		p := &schedule.Plan{Schedule: s, Jitter: time.Duration(r.IntN(100)) * time.Minute, Key: fmt.Sprint(r.Uint64())}
		if r.IntN(2) == 0 {
			p.Excluded = exclude(t, loc, "sat", "sun", "12-31", "01-01")
		}
		first, at := p.Next(randomInstant(r, loc))
		if first.IsZero() {
			continue // weekends alone, which are excluded
		}
		now := first.Add(time.Duration(r.IntN(20*24*60)) * time.Minute)
		limit := 1 + r.IntN(20)
		if r.IntN(10) == 0 {
			p.End = now.Add(-time.Duration(r.IntN(10*24*60)) * time.Minute)
		}
		due := first
		var want []time.Time
		for !at.After(now) {
			want = append(want, due)
			if due, at = p.Next(due); due.IsZero() {
				break
			}
		}
		got, more := p.Missed(first, now, limit)
		if last := want[max(0, len(want)-limit):]; fmt.Sprint(got) != fmt.Sprint(last) || more != (len(want) > limit) {
			t.Fatalf("%s in %s from %v to %v, at most %d of %d: got %v, %v\nwant %v", expr, zone, first, now, limit, len(want), got, more, last)
		}
	}
}

// robfig/cron#26, kubernetes#42649: a clock that jumps, or a schedule that was off for a century, costs no more
// than one that was off for a night.
func TestMissedIsBounded(t *testing.T) {
	first, now := instant(t, "1926-01-01T00:00:00Z"), instant(t, "2026-01-01T00:00:00Z")
	for _, expr := range []string{"* * * * * *", "@every 1s", "* * * 29 2 *", "* * * * *", "0 0 29 2 *", "@every 61s"} {
		calls := 0
		p := &schedule.Plan{Schedule: parse(t, expr, "America/New_York"), Excluded: func(time.Time) bool { calls++; return false }}
		due, more := p.Missed(first, now, 10)
		if len(due) != 10 || !more || calls > 5000 {
			t.Errorf("%s: %d instants, more %v, %d steps", expr, len(due), more, calls)
		}
		if next := p.Schedule.Next(due[9]); !next.After(now) {
			t.Errorf("%s: %v is missed too", expr, next)
		}
	}
	p := &schedule.Plan{Schedule: parse(t, "* * * * *", "UTC")}
	if due, more := p.Missed(now, first, 10); due != nil || more {
		t.Errorf("of a clock that stepped back: %v, %v", due, more)
	}
	if due, more := p.Missed(first, now, 0); due != nil || !more {
		t.Errorf("none asked for: %v, %v", due, more)
	}
}
