package schedule_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

func parse(t *testing.T, expr, zone string) *schedule.Schedule {
	t.Helper()
	loc, err := schedule.Location(zone)
	if err != nil {
		t.Fatal(err)
	}
	s, err := schedule.Parse(expr, schedule.Options{Location: loc})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// follow checks the instants after one, as times of the schedule's zone.
func follow(t *testing.T, s *schedule.Schedule, after string, want []string) {
	t.Helper()
	at := instant(t, after)
	for i, w := range want {
		at = s.Next(at)
		if got := at.Format(time.RFC3339); got != w {
			t.Fatalf("%s in %s after %s: instant %d is %s, want %s", s, s.Location(), after, i+1, got, w)
		}
	}
}

// Of expressions that are right, the next five instants after Thursday, 2026-01-01 00:00 UTC.
func TestNextFive(t *testing.T) {
	const midnight = "T00:00:00Z"
	for _, c := range []struct {
		expr string
		want string // times of 2026 in UTC, abbreviated
	}{
		{"* * * * *", "01-01T00:01 01-01T00:02 01-01T00:03 01-01T00:04 01-01T00:05"},
		{"*/15 * * * *", "01-01T00:15 01-01T00:30 01-01T00:45 01-01T01:00 01-01T01:15"},
		{"5/20 * * * *", "01-01T00:05 01-01T00:25 01-01T00:45 01-01T01:05 01-01T01:25"},
		{"10-20/5,50 0 * * *", "01-01T00:10 01-01T00:15 01-01T00:20 01-01T00:50 01-02T00:10"},
		{"15,45 */6 * * *", "01-01T00:15 01-01T00:45 01-01T06:15 01-01T06:45 01-01T12:15"},
		{"0 9-17/4 * * *", "01-01T09:00 01-01T13:00 01-01T17:00 01-02T09:00 01-02T13:00"},
		{"0 22-23,0-2 * * *", "01-01T01:00 01-01T02:00 01-01T22:00 01-01T23:00 01-02T00:00"},
		{"00 09 01 01 *", "01-01T09:00 2027-01-01T09:00 2028-01-01T09:00 2029-01-01T09:00 2030-01-01T09:00"},
		{"  0   0\t*  * * ", "01-02 01-03 01-04 01-05 01-06"},
		{"30 2 * * mon-fri", "01-01T02:30 01-02T02:30 01-05T02:30 01-06T02:30 01-07T02:30"},
		{"0 0 * * 7", "01-04 01-11 01-18 01-25 02-01"},
		{"0 0 * * 0", "01-04 01-11 01-18 01-25 02-01"},
		{"0 0 * * SUN", "01-04 01-11 01-18 01-25 02-01"},
		{"0 12 * * fri-sun", "01-02T12:00 01-03T12:00 01-04T12:00 01-09T12:00 01-10T12:00"},
		{"0 12 * * 5-7", "01-02T12:00 01-03T12:00 01-04T12:00 01-09T12:00 01-10T12:00"},
		{"0 0 * * 1-7/2", "01-02 01-04 01-05 01-07 01-09"},
		{"0 0 * * Tue,tHU", "01-06 01-08 01-13 01-15 01-20"},
		{"0 0 1 * *", "02-01 03-01 04-01 05-01 06-01"},
		{"0 0 31 * *", "01-31 03-31 05-31 07-31 08-31"},
		{"0 0 28-31 * *", "01-28 01-29 01-30 01-31 02-28"},
		{"0 0 29 2 *", "2028-02-29 2032-02-29 2036-02-29 2040-02-29 2044-02-29"},
		{"0 0 30 4,6 *", "04-30 06-30 2027-04-30 2027-06-30 2028-04-30"},
		{"0 0 * 2 *", "02-01 02-02 02-03 02-04 02-05"},
		{"0 0 1,15 JAN-mar ?", "01-15 02-01 02-15 03-01 03-15"},
		// Either day is enough where both are restricted, by a step too.
		{"0 0 13 * fri", "01-02 01-09 01-13 01-16 01-23"},
		{"0 0 */10 * mon", "01-05 01-11 01-12 01-19 01-21"},
		{"0 0 31 4 mon", "04-06 04-13 04-20 04-27 2027-04-05"},
		{"0 0 */10 * *", "01-11 01-21 01-31 02-01 02-11"},
		{"0 0 ? * mon", "01-05 01-12 01-19 01-26 02-02"},
		{"0 0 */1 * mon", "01-05 01-12 01-19 01-26 02-02"},
		{"0 0 1-31 * mon", "01-02 01-03 01-04 01-05 01-06"},
		{"*/20 * * * * *", "01-01T00:00:20 01-01T00:00:40 01-01T00:01 01-01T00:01:20 01-01T00:01:40"},
		{"30 59 23 31 12 *", "12-31T23:59:30 2027-12-31T23:59:30 2028-12-31T23:59:30 2029-12-31T23:59:30 2030-12-31T23:59:30"},
		{"@hourly", "01-01T01:00 01-01T02:00 01-01T03:00 01-01T04:00 01-01T05:00"},
		{"@daily", "01-02 01-03 01-04 01-05 01-06"},
		{"@Midnight", "01-02 01-03 01-04 01-05 01-06"},
		{"@weekly", "01-04 01-11 01-18 01-25 02-01"},
		{"@monthly", "02-01 03-01 04-01 05-01 06-01"},
		{"@yearly", "2027-01-01 2028-01-01 2029-01-01 2030-01-01 2031-01-01"},
		{"@annually", "2027-01-01 2028-01-01 2029-01-01 2030-01-01 2031-01-01"},
		{"@every 90m", "01-01T01:30 01-01T03:00 01-01T04:30 01-01T06:00 01-01T07:30"},
		{"@every 1s", "01-01T00:00:01 01-01T00:00:02 01-01T00:00:03 01-01T00:00:04 01-01T00:00:05"},
		{"CRON_TZ=Asia/Tokyo 0 9 * * *", "01-02 01-03 01-04 01-05 01-06"},
		{"TZ=Asia/Kolkata 0 6 * * *", "01-01T00:30 01-02T00:30 01-03T00:30 01-04T00:30 01-05T00:30"},
		{"CRON_TZ=UTC @daily", "01-02 01-03 01-04 01-05 01-06"},
	} {
		s, err := schedule.Parse(c.expr, schedule.Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		at := instant(t, "2026-01-01"+midnight)
		for _, w := range strings.Fields(c.want) {
			if len(strings.Split(w, "T")[0]) == len("01-02") {
				w = "2026-" + w
			}
			if !strings.Contains(w, "T") {
				w += midnight
			} else if w += ":00Z"; strings.Count(w, ":") == 3 {
				w = strings.TrimSuffix(w, ":00Z") + "Z"
			}
			if at = s.Next(at); at.UTC().Format(time.RFC3339) != w {
				t.Errorf("%s: got %s, want %s", c.expr, at.UTC().Format(time.RFC3339), w)
			}
		}
	}
}

// The page's table of clocks that are moved is what Next does.
func TestClocksOfThePage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/cron.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || !strings.Contains(cells[1], "/") || !strings.HasPrefix(strings.TrimSpace(cells[2]), "`") {
			continue
		}
		zone, expr := strings.TrimSpace(cells[1]), strings.Trim(strings.TrimSpace(cells[2]), "`")
		want := strings.Split(strings.TrimSpace(cells[4]), ", ")
		if !strings.HasPrefix(strings.TrimSpace(cells[3]), "2") && !strings.HasPrefix(strings.TrimSpace(cells[3]), "1") {
			continue
		}
		for i := range want {
			want[i] = full(want[i])
		}
		follow(t, parse(t, expr, zone), full(strings.TrimSpace(cells[3])), want)
		rows++
	}
	if rows < 20 {
		t.Errorf("%d rows", rows)
	}
}

// full is an instant of the page, which leaves out the seconds.
func full(text string) string {
	at := len("2026-03-08T03:00")
	if len(text) < at {
		return text
	}
	return text[:at] + ":00" + text[at:]
}

// What the page leaves out.
func TestClocks(t *testing.T) {
	for _, c := range []struct {
		zone, expr, after string
		want              []string
	}{
		// New York, forward on 2026-03-08 from 02:00 to 03:00.
		{"America/New_York", "0 2 * * *", "2026-03-07T12:00:00-05:00", []string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:00:00-04:00"}},
		{"America/New_York", "59 2 * * *", "2026-03-07T12:00:00-05:00", []string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:59:00-04:00"}},
		{"America/New_York", "59 1 * * *", "2026-03-07T12:00:00-05:00", []string{"2026-03-08T01:59:00-05:00", "2026-03-09T01:59:00-04:00"}},
		{"America/New_York", "0 3 * * *", "2026-03-07T12:00:00-05:00", []string{"2026-03-08T03:00:00-04:00", "2026-03-09T03:00:00-04:00"}},
		{"America/New_York", "0,30 2,3 * * *", "2026-03-08T00:00:00-05:00", []string{"2026-03-08T03:00:00-04:00", "2026-03-08T03:30:00-04:00", "2026-03-09T02:00:00-04:00"}},
		{"America/New_York", "*/10 2 * * *", "2026-03-08T00:00:00-05:00", []string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:00:00-04:00"}},
		{"America/New_York", "30 15 2 * * *", "2026-03-08T00:00:00-05:00", []string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:15:30-04:00"}},
		{"America/New_York", "30 2 8 3 *", "2026-01-01T00:00:00-05:00", []string{"2026-03-08T03:00:00-04:00", "2027-03-08T02:30:00-05:00"}},
		{"America/New_York", "*/15 * * * *", "2026-03-08T01:30:00-05:00", []string{"2026-03-08T01:45:00-05:00", "2026-03-08T03:00:00-04:00"}},
		{"America/New_York", "@hourly", "2026-03-08T00:00:00-05:00", []string{"2026-03-08T01:00:00-05:00", "2026-03-08T03:00:00-04:00"}},
		{"America/New_York", "@daily", "2026-03-07T12:00:00-05:00", []string{"2026-03-08T00:00:00-05:00", "2026-03-09T00:00:00-04:00"}},
		// At the very edge, and a nanosecond before it.
		{"America/New_York", "30 2 * * *", "2026-03-08T03:00:00-04:00", []string{"2026-03-09T02:30:00-04:00"}},
		{"America/New_York", "30 2 * * *", "2026-03-08T01:59:59.999999999-05:00", []string{"2026-03-08T03:00:00-04:00"}},
		// Back on 2026-11-01 from 02:00 to 01:00.
		{"America/New_York", "30 1 * * *", "2026-11-01T01:45:00-04:00", []string{"2026-11-02T01:30:00-05:00"}},
		{"America/New_York", "30 1 * * *", "2026-11-01T01:10:00-05:00", []string{"2026-11-02T01:30:00-05:00"}},
		{"America/New_York", "*/30 1 * * *", "2026-11-01T00:00:00-04:00", []string{"2026-11-01T01:00:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-02T01:00:00-05:00"}},
		{"America/New_York", "0 1,2 * * *", "2026-11-01T00:00:00-04:00", []string{"2026-11-01T01:00:00-04:00", "2026-11-01T02:00:00-05:00", "2026-11-02T01:00:00-05:00"}},
		{"America/New_York", "59 1 * * *", "2026-11-01T01:59:00-04:00", []string{"2026-11-02T01:59:00-05:00"}},
		{"America/New_York", "30 0-23 * * *", "2026-11-01T01:00:00-04:00", []string{"2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-01T02:30:00-05:00"}},
		{"America/New_York", "@every 1h", "2026-11-01T00:30:00-04:00", []string{"2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-01T02:30:00-05:00"}},
		// London.
		{"Europe/London", "0 1 * * *", "2026-03-28T12:00:00Z", []string{"2026-03-29T02:00:00+01:00", "2026-03-30T01:00:00+01:00"}},
		{"Europe/London", "0 2 * * *", "2026-10-24T12:00:00+01:00", []string{"2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"}},
		{"Europe/London", "0 1 * * *", "2026-10-24T12:00:00+01:00", []string{"2026-10-25T01:00:00+01:00", "2026-10-26T01:00:00Z"}},
		// Lord Howe.
		{"Australia/Lord_Howe", "0 2 * * *", "2026-10-03T12:00:00+10:30", []string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:00:00+11:00"}},
		{"Australia/Lord_Howe", "45 2 * * *", "2026-10-03T12:00:00+10:30", []string{"2026-10-04T02:45:00+11:00"}},
		{"Australia/Lord_Howe", "15 1 * * *", "2026-04-04T12:00:00+11:00", []string{"2026-04-05T01:15:00+11:00", "2026-04-06T01:15:00+10:30"}},
		// Santiago, and Havana, where midnight is repeated.
		{"America/Santiago", "30 0 * * 0", "2026-09-01T00:00:00-04:00", []string{"2026-09-06T01:00:00-03:00", "2026-09-13T00:30:00-03:00"}},
		{"America/Santiago", "0 0 6 9 *", "2026-01-01T00:00:00-03:00", []string{"2026-09-06T01:00:00-03:00", "2027-09-06T00:00:00-03:00"}},
		{"America/Santiago", "0 0 * * *", "2026-04-04T12:00:00-03:00", []string{"2026-04-05T00:00:00-04:00", "2026-04-06T00:00:00-04:00"}},
		{"America/Havana", "0 0 * * *", "2026-10-31T12:00:00-04:00", []string{"2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00"}},
		{"America/Havana", "0 0 * * *", "2026-03-07T12:00:00-05:00", []string{"2026-03-08T01:00:00-04:00", "2026-03-09T00:00:00-04:00"}},
		// Samoa had no 2011-12-30, Kwajalein no 1993-08-21.
		{"Pacific/Apia", "0 12 30 12 *", "2011-01-15T00:00:00-10:00", []string{"2011-12-31T00:00:00+14:00", "2012-12-30T12:00:00+14:00"}},
		{"Pacific/Apia", "0 * 30 12 *", "2011-06-01T00:00:00-11:00", []string{"2012-12-30T00:00:00+14:00", "2012-12-30T01:00:00+14:00"}},
		{"Pacific/Apia", "* * 30 12 *", "2011-06-01T00:00:00-11:00", []string{"2012-12-30T00:00:00+14:00"}},
		{"Pacific/Kwajalein", "0 12 * * *", "1993-08-20T00:00:00-12:00", []string{"1993-08-20T12:00:00-12:00", "1993-08-22T00:00:00+12:00", "1993-08-22T12:00:00+12:00"}},
		// 31 December of leap years, where package time errs on periods of zones.
		{"America/Havana", "0 0 * * *", "2040-12-29T12:00:00-05:00", []string{"2040-12-30T00:00:00-05:00", "2040-12-31T00:00:00-05:00", "2041-01-01T00:00:00-05:00"}},
		{"America/New_York", "0 * 31 12 *", "2044-12-30T22:30:00-05:00", []string{"2044-12-31T00:00:00-05:00", "2044-12-31T01:00:00-05:00"}},
		{"America/New_York", "0 * * * *", "2044-12-30T18:30:00-05:00", []string{"2044-12-30T19:00:00-05:00", "2044-12-30T20:00:00-05:00"}},
		{"Pacific/Chatham", "0 0 1 1 *", "2040-12-31T23:00:00+13:45", []string{"2041-01-01T00:00:00+13:45"}},
	} {
		follow(t, parse(t, c.expr, c.zone), c.after, c.want)
	}
}

// The longest wait for a day is eight years.
func TestLeapDays(t *testing.T) {
	for after, want := range map[string]string{"1896-03-01T00:00:00Z": "1904-02-29T00:00:00Z", "2096-03-01T00:00:00Z": "2104-02-29T00:00:00Z"} {
		follow(t, parse(t, "0 0 29 2 *", "UTC"), after, []string{want})
	}
	follow(t, parse(t, "0 * 29 2 *", "Europe/Berlin"), "2096-03-01T00:00:00+01:00", []string{"2104-02-29T00:00:00+01:00"})
	follow(t, parse(t, "0 12 29 2 *", "Europe/Berlin"), "2096-03-01T00:00:00+01:00", []string{"2104-02-29T12:00:00+01:00"})
}

// Before the year 1 and after the year 9999 there is nothing to find, and nothing to search.
func TestNextAtTheEnds(t *testing.T) {
	for _, expr := range []string{"* * * * * *", "0 0 29 2 *", "0 * * * *", "@every 1h"} {
		for _, zone := range []string{"UTC", "America/New_York"} {
			s := parse(t, expr, zone)
			for _, after := range []time.Time{time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Unix(1<<62, 0), time.Unix(1<<63-1, 0), time.Date(30000, 1, 1, 0, 0, 0, 0, time.UTC)} {
				if got := s.Next(after); !got.IsZero() {
					t.Errorf("%s in %s after %v: %v", expr, zone, after.Unix(), got)
				}
			}
			for _, after := range []time.Time{{}, time.Unix(-1<<62, 0), time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)} {
				if got := s.Next(after); got.IsZero() || got.Year() > 4 || !got.After(after) {
					t.Errorf("%s in %s after %v: %v", expr, zone, after.Unix(), got)
				}
			}
		}
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	at := time.Date(2026, 3, 8, 6, 59, 0, 0, time.UTC)
	for _, expr := range []string{"*/5 * * * *", "30 2 * * 1-5", "0 0 29 2 *", "* * * * * *", "@every 5m"} {
		s := parse(t, expr, "America/New_York")
		if n := testing.AllocsPerRun(100, func() { s.Next(at) }); n != 0 {
			t.Errorf("%s: %v allocations", expr, n)
		}
	}
}

// robfig/cron#94: a timer that wakes early, or a clock that steps back, finds the same instant,
// because the next one comes from the scheduled one.
func TestNextAfterAnEarlyTimer(t *testing.T) {
	s := parse(t, "0 * * * *", "UTC")
	due := s.Next(instant(t, "2026-01-01T00:30:00Z"))
	if early := s.Next(due.Add(-300 * time.Millisecond)); !early.Equal(due) {
		t.Errorf("300 ms early: %v, and not %v", early, due)
	}
	if next := s.Next(due); !next.Equal(due.Add(time.Hour)) {
		t.Errorf("after %v: %v", due, next)
	}
}

// FuzzParse: what parses has instants after any other, quickly; what does not says where.
func FuzzParse(f *testing.F) {
	for _, expr := range []string{
		"* * * * *", "*/5 1-3,5 ? jan-mar mon/2", "CRON_TZ=America/New_York 30 2 * * *", "@every 1h30m", "TZ=0", "0 0 29 2 *", "0 0 31 2 *", "1--2 * * * *", "*/ * * * *", "TZ=",
		"5/15 * * * * *", "0 0 * * 5-7", "*-5 * * * *", "é * * * *", "\xff * * * *", "@", "@every", "L * * * *", ",,,, * * * *",
	} {
		f.Add(expr, int64(1772956800))
	}
	f.Fuzz(func(t *testing.T, expr string, unix int64) {
		s, err := schedule.Parse(expr, schedule.Options{})
		if err != nil {
			if text := refusal(expr); strings.HasPrefix(text, "NOT") || err.Error() == "" {
				t.Fatal(text)
			}
			return
		}
		if s.Describe() == "" || s.String() == "" {
			t.Fatalf("%q: no words", expr)
		}
		after := time.Unix(unix%200000000000, 0)
		next := s.Next(after)
		if next.IsZero() && after.Year() < 9900 || !next.IsZero() && !next.After(after) {
			t.Fatalf("%q after %v: %v", expr, after, next)
		}
		again, err := schedule.Parse(s.String(), schedule.Options{})
		if err != nil || again.String() != s.String() || !again.Next(after).Equal(next) {
			t.Fatalf("%q: %q is read as %v, %v", expr, s, again, err)
		}
	})
}
