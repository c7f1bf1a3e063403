package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/internal/near"
)

// maxExclusions is how many exclusions a job may have.
const maxExclusions = 1000

// exclusions are days on which nothing is due.
type exclusions struct {
	loc      *time.Location
	spans    [][2]int64 // days since 1970, both ends included, sorted by their first
	yearly   [13]uint32 // days 1 to 31 of months
	weekdays uint8
}

// ParseExclusions returns the function of Plan.Excluded for a list of days: "2026-12-24" is a date,
// "2026-12-24/2027-01-01" the dates from one to another, both included, "12-25" a day of each
// year, and "sat" or "saturday" a day of each week. Errors are *ParseErrors, joined, in which
// Expr is the entry. loc is the time zone whose dates count, that of the schedule; nil means
// that of each instant.
func ParseExclusions(entries []string, loc *time.Location) (func(day time.Time) bool, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	if len(entries) > maxExclusions {
		return nil, &ParseError{"", 0, fmt.Sprintf("there are %d exclusions, and %d are permitted", len(entries), maxExclusions), ""}
	}
	x := &exclusions{loc: loc}
	var wrong []*ParseError
	for _, entry := range entries {
		if err := x.add(entry); err != nil {
			err.Expr = entry
			wrong = append(wrong, err)
		}
	}
	if wrong != nil {
		return nil, problems(wrong)
	}
	slices.SortFunc(x.spans, func(a, b [2]int64) int { return int(a[0] - b[0]) })
	x.merge()
	return x.excluded, nil
}

// merge joins spans that overlap.
func (x *exclusions) merge() {
	var out [][2]int64
	for _, s := range x.spans {
		if n := len(out); n > 0 && s[0] <= out[n-1][1]+1 {
			out[n-1][1] = max(out[n-1][1], s[1])
			continue
		}
		out = append(out, s)
	}
	x.spans = out
}

func (x *exclusions) excluded(day time.Time) bool {
	if x.loc != nil {
		day = day.In(x.loc)
	}
	y, m, d := day.Date()
	if x.yearly[m]>>d&1 != 0 || x.weekdays>>day.Weekday()&1 != 0 {
		return true
	}
	n := dayNumber(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
	i, exact := slices.BinarySearchFunc(x.spans, n, func(s [2]int64, n int64) int { return int(s[0] - n) })
	return exact || i > 0 && n <= x.spans[i-1][1]
}

func dayNumber(t time.Time) int64 { return floorDiv(t.Unix(), secondsOfDay) }

const exclusionForms = "write 2026-12-24, 2026-12-24/2027-01-01, 12-25 for each year, or sat for each week"

// add reads one entry.
func (x *exclusions) add(entry string) *ParseError {
	text := strings.TrimSpace(entry)
	start := strings.Index(entry, text)
	switch {
	case text == "":
		return problem(0, exclusionForms, "the exclusion is empty")
	case strings.IndexFunc(text, notLetter) < 0:
		return x.addWeekday(text, start)
	case strings.Contains(text, "/"):
		return x.addSpan(text, start)
	case strings.Count(text, "-") == 1:
		return x.addYearly(text, start)
	}
	day, err := date(text, start)
	if err == nil {
		x.spans = append(x.spans, [2]int64{day, day})
	}
	return err
}

func (x *exclusions) addWeekday(text string, at int) *ParseError {
	f := &fields[fieldWeekday]
	for i, name := range f.names {
		if strings.EqualFold(text, name) || strings.EqualFold(text, f.words[i]) {
			x.weekdays |= 1 << i
			return nil
		}
	}
	hint := exclusionForms
	if name := near.Name(text, append(slices.Clone(f.words), f.names...)); name != "" {
		hint = "is " + name + " meant?"
	}
	return problem(at, hint, "%s is not a day of the week", quoted(text))
}

func (x *exclusions) addSpan(text string, at int) *ParseError {
	first, last, _ := strings.Cut(text, "/")
	from, err := date(first, at)
	if err != nil {
		return err
	}
	to, err := date(last, at+len(first)+1)
	if err != nil {
		return err
	}
	if to < from {
		return problem(at, "write the earlier date first", "the span %s ends before it begins", text) // two dates
	}
	x.spans = append(x.spans, [2]int64{from, to})
	return nil
}

func (x *exclusions) addYearly(text string, at int) *ParseError {
	t, err := time.Parse("2006-01-02", "2000-"+text) // a leap year
	if err != nil {
		return problem(at, exclusionForms, "%s is not a day of a year", quoted(text))
	}
	x.yearly[t.Month()] |= 1 << t.Day()
	return nil
}

func date(text string, at int) (int64, *ParseError) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, problem(at, exclusionForms, "%s is not a date", quoted(text))
	}
	return dayNumber(t), nil
}
