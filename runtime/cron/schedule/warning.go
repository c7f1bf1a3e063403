package schedule

import (
	"fmt"
	"math/bits"
	"strings"
)

// warn returns what an expression may not mean to those who wrote it.
func (s *Schedule) warn() []string {
	if s.spec.descriptor != "" {
		return nil
	}
	var out []string
	if s.spec.seconds {
		out = append(out, "the expression has six fields, of which the first is the second; cron has five")
	}
	for i := range fields {
		out = append(out, s.warnField(i)...)
	}
	return append(append(out, s.warnDays()...), s.warnEach()...)
}

// warnField is about one field.
func (s *Schedule) warnField(i int) []string {
	f, elements := &fields[i], s.spec.fields[i]
	var out []string
	for _, e := range elements {
		if e.open {
			out = append(out, fmt.Sprintf("%s/%d in the %s means %s/%d; cron would refuse it", f.value(e.low), e.step, f.name, f.span(e.low, e.high), e.step))
		}
		if e.star && len(elements) > 1 && e.step == 1 {
			out = append(out, fmt.Sprintf("the list of the %s has a *, so that it permits everything", f.name))
		}
		if size := f.last() - f.min + 1; e.star && e.step > 1 && i != fieldDay && size%e.step != 0 && size/e.step > 0 {
			rest := size % e.step
			out = append(out, fmt.Sprintf("*/%d in the %s does not divide %d: after %s the next one comes after %d, not %d",
				e.step, f.name, size, f.value(f.min+size-rest), rest, e.step))
		}
	}
	return out
}

// warnDays is about days of the month and of the week.
func (s *Schedule) warnDays() []string {
	var out []string
	steps := false
	for _, e := range append(append([]element(nil), s.spec.fields[fieldDay]...), s.spec.fields[fieldWeekday]...) {
		steps = steps || e.star && e.step > 1
	}
	switch {
	case s.either && steps:
		out = append(out, "days of the month and days of the week are both restricted: either of them is enough, also with a step such as */2, where cron would ask for both")
	case s.either:
		out = append(out, "days of the month and days of the week are both restricted: either of them is enough")
	}
	if s.either && !s.someDay() {
		out = append(out, fmt.Sprintf("no month of the schedule has a day %s: only the day of the week counts", list(dayNumbers(s.day), "or")))
	}
	if days := s.lacking(); days != "" {
		out = append(out, days)
	}
	for _, e := range s.spec.fields[fieldDay] {
		if e.star && e.step > 1 {
			out = append(out, fmt.Sprintf("*/%d in the day of the month begins again on the 1st of each month", e.step))
		}
	}
	return out
}

// lacking says which months have no day of the schedule, where a person may think that all have one.
func (s *Schedule) lacking() string {
	if s.either || s.day == 0 {
		return ""
	}
	first := bits.TrailingZeros32(s.day)
	var without []string
	for m := 1; m <= 12; m++ {
		if s.month>>m&1 != 0 && first > daysOf(2001, m) {
			without = append(without, monthNames[m])
		}
	}
	if without == nil {
		return ""
	}
	if len(without) == 1 && without[0] == "February" && first == 29 {
		return "February has a day 29 in leap years only"
	}
	return fmt.Sprintf("%s %s no day %d", list(without, "and"), map[bool]string{true: "has", false: "have"}[len(without) == 1], first)
}

// warnEach is about a * before a single value, which is often a 0 that was forgotten.
func (s *Schedule) warnEach() []string {
	switch {
	case s.spec.seconds && bits.OnesCount64(s.second) == 60 && bits.OnesCount64(s.minute) == 1:
		return []string{fmt.Sprintf("* in the second means 60 times within minute %d; write 0 for once", bits.TrailingZeros64(s.minute))}
	case bits.OnesCount64(s.minute) == 60 && bits.OnesCount32(s.hour) == 1:
		return []string{fmt.Sprintf("* in the minute means 60 times within hour %d; write 0 for once", bits.TrailingZeros32(s.hour))}
	}
	return nil
}

// list is several words as a sentence has them.
func list(words []string, last string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " " + last + " " + words[n-1]
	}
}
