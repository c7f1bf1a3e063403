package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

// zones have gaps and repeats of all kinds: an hour, half an hour, two hours, at midnight, a day
// that was skipped and a day that was shown twice.
var zones = []string{
	"America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "Pacific/Apia", "Pacific/Kwajalein",
	"America/Havana", "Asia/Beirut", "Asia/Gaza", "Atlantic/Azores", "Antarctica/Troll", "America/Caracas", "Asia/Kathmandu", "Asia/Pyongyang",
	"America/Asuncion", "America/Nuuk", "America/St_Johns", "Pacific/Chatham", "Asia/Tehran", "Africa/Cairo", "Antarctica/Casey", "UTC",
}

// naive is an expression that was made from its meaning, and so needs no parser.
type naive struct {
	text   string
	sets   [5]map[int]bool // minute, hour, day, month, weekday
	either bool
}

// randomField makes the text of a field and the set that it means; open reports a field of *.
func randomField(r *rand.Rand, low, high int) (text string, set map[int]bool, open bool) {
	set = map[int]bool{}
	fill := func(from, to, step int) {
		for v := from; v <= to; v += step {
			set[v] = true
		}
	}
	switch r.IntN(6) {
	case 0, 1:
		fill(low, high, 1)
		return "*", set, true
	case 2:
		step := 2 + r.IntN(high-low-1)
		fill(low, high, step)
		return fmt.Sprintf("*/%d", step), set, false
	}
	var parts []string
	for range 1 + r.IntN(3) {
		from := low + r.IntN(high-low+1)
		to := from + r.IntN(high-from+1)
		switch step := 1 + r.IntN(3); {
		case r.IntN(2) == 0 || from == to:
			fill(from, from, 1)
			parts = append(parts, fmt.Sprint(from))
		case step <= to-from && step > 1:
			fill(from, to, step)
			parts = append(parts, fmt.Sprintf("%d-%d/%d", from, to, step))
		default:
			fill(from, to, 1)
			parts = append(parts, fmt.Sprintf("%d-%d", from, to))
		}
	}
	return strings.Join(parts, ","), set, false
}

func randomExpression(r *rand.Rand) naive {
	var n naive
	var texts [5]string
	var open [5]bool
	for i, bounds := range [5][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 6}} {
		texts[i], n.sets[i], open[i] = randomField(r, bounds[0], bounds[1])
		if i >= 2 && r.IntN(3) > 0 { // most schedules are of every day
			texts[i], open[i] = "*", true
			for v := bounds[0]; v <= bounds[1]; v++ {
				n.sets[i][v] = true
			}
		}
	}
	n.text, n.either = strings.Join(texts[:], " "), !open[2] && !open[4]
	return n
}

// matches reports whether the expression names the local time that t shows.
func (n naive) matches(t time.Time) bool {
	day, weekday := n.sets[2][t.Day()], n.sets[4][int(t.Weekday())]
	days := day && weekday
	if n.either {
		days = day || weekday
	}
	return n.sets[0][t.Minute()] && n.sets[1][t.Hour()] && n.sets[3][int(t.Month())] && days
}

// shown is the local time of an instant, as a UTC time that can be counted with.
func shown(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
}

// due reports whether the expression is due at a minute, by the words of the policy.
func (n naive) due(t time.Time) bool {
	here := n.matches(t)
	if len(n.sets[1]) == 24 {
		return here
	}
	before := t.Add(-time.Minute)
	now, then := shown(t), shown(before)
	for skipped := then.Add(time.Minute); skipped.Before(now); skipped = skipped.Add(time.Minute) {
		if n.matches(skipped) {
			return true
		}
	}
	if !here {
		return false
	}
	for back := 1; back <= 26*60; back++ {
		if shown(t.Add(-time.Duration(back) * time.Minute)).Equal(now) {
			return false // clocks had shown it before
		}
	}
	return true
}

// next searches minute by minute.
func (n naive) next(after time.Time, loc *time.Location, days int) (time.Time, bool) {
	t := time.Unix(after.Unix()-after.Unix()%60, 0).In(loc)
	for range days * 24 * 60 {
		t = t.Add(time.Minute)
		if n.due(t) {
			return t, true
		}
	}
	return t, false
}

// randomInstant is near to a change of clocks mostly.
func randomInstant(r *rand.Rand, loc *time.Location) time.Time {
	t := time.Date(1973, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(75*365*24*60)) * time.Minute).In(loc)
	if _, end := t.ZoneBounds(); !end.IsZero() && r.IntN(5) > 0 {
		t = end.Add(time.Duration(r.IntN(60*60)-45*60) * time.Minute)
	}
	return t.Add(time.Duration(r.IntN(60)) * time.Second).Add(time.Duration(r.IntN(1e9)))
}

func TestNextIsThatOfASearchByMinutes(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 120 {
		name := zones[r.IntN(len(zones))]
		loc, err := schedule.Location(name)
		if err != nil {
			t.Fatal(err)
		}
		n := randomExpression(r)
		s, err := schedule.Parse(n.text, schedule.Options{Location: loc})
		if err != nil {
			if strings.Contains(err.Error(), "the day never comes") {
				continue
			}
			t.Fatal(err)
		}
		after := randomInstant(r, loc)
		if after.Unix() < time.Date(1973, 1, 1, 0, 0, 0, 0, time.UTC).Unix() {
			continue // offsets with seconds
		}
		for range 4 {
			want, found := n.next(after, loc, 3)
			got := s.Next(after)
			if found && !got.Equal(want) || !found && !got.After(want) {
				t.Fatalf("%q in %s after %v: got %v, want %v (found: %v)", n.text, name, after, got, want, found)
			}
			if after = got; !found {
				break
			}
		}
	}
}

// Seconds are searched one by one, over some minutes.
func TestNextIsThatOfASearchBySeconds(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		second, set, _ := randomField(r, 0, 59)
		minute, minutes, _ := randomField(r, 0, 59)
		s, err := schedule.Parse(second+" "+minute+" * * * *", schedule.Options{})
		if err != nil {
			t.Fatal(err)
		}
		after := randomInstant(r, time.UTC)
		want := after.Truncate(time.Second)
		for {
			want = want.Add(time.Second)
			if set[want.Second()] && minutes[want.Minute()] {
				break
			}
		}
		if got := s.Next(after); !got.Equal(want) {
			t.Fatalf("%q after %v: got %v, want %v", second+" "+minute, after, got, want)
		}
	}
}

// What parses means the same when String wrote it, and another time when it is read again.
func TestStringIsReadBack(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 500 {
		n := randomExpression(r)
		s, err := schedule.Parse("CRON_TZ=Europe/London "+n.text, schedule.Options{})
		if err != nil {
			continue
		}
		again, err := schedule.Parse(s.String(), schedule.Options{})
		if err != nil || again.String() != s.String() || again.Describe() != s.Describe() || !slices.Equal(again.Warnings(), s.Warnings()) {
			t.Fatalf("%q: %q is read as %v, %v", n.text, s, again, err)
		}
		after := randomInstant(r, s.Location())
		if a, b := s.Next(after), again.Next(after); !a.Equal(b) {
			t.Fatalf("%q: %v, and of %q %v", n.text, a, s, b)
		}
	}
}
