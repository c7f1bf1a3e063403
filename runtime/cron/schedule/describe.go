package schedule

import (
	"fmt"
	"math/bits"
	"strings"
	"time"
)

var monthNames = [13]string{
	"", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
}

var weekdayNames = [8]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// maxTimes is how many times of a day a description names one by one.
const maxTimes = 6

// Describe returns the schedule in words: "at 02:30 on Monday to Friday".
func (s *Schedule) Describe() string {
	if s.every > 0 {
		return "every " + spoken(s.every)
	}
	text := s.describeTime() + s.describeDays()
	if s.spec.zone != "" {
		text += ", " + s.spec.zone + " time"
	}
	return text
}

// spoken is a duration in words.
func spoken(d time.Duration) string {
	var parts []string
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if n := d / unit.of; n > 0 {
			parts = append(parts, counted(int(n), unit.name))
			d -= n * unit.of
		}
	}
	if len(parts) == 1 {
		return strings.TrimPrefix(parts[0], "1 ")
	}
	return list(parts, "and")
}

func counted(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

func (s *Schedule) describeTime() string {
	if times := bits.OnesCount64(s.second) * bits.OnesCount64(s.minute) * bits.OnesCount32(s.hour); times <= maxTimes {
		return "at " + list(s.times(), "and")
	}
	second, minute, hour := s.spec.fields[fieldSecond], s.spec.fields[fieldMinute], s.spec.fields[fieldHour]
	switch {
	case s.second == 1 && everything(minute):
		return "every minute" + within("of", "hour", hour)
	case s.second == 1:
		if n := even(minute, 60); n > 0 {
			return fmt.Sprintf("every %s", spoken(time.Duration(n)*time.Minute)) + within("of", "hour", hour)
		}
		return "at " + values("minute", minute) + past(hour)
	case everything(second) && everything(minute):
		return "every second" + within("of", "hour", hour)
	case everything(second):
		return "every second of " + values("minute", minute) + past(hour)
	case even(second, 60) > 0 && everything(minute):
		return fmt.Sprintf("every %d seconds", even(second, 60)) + within("of", "hour", hour)
	case everything(minute):
		return "at " + values("second", second) + " of every minute" + within("of", "hour", hour)
	}
	return "at " + values("second", second) + " of " + values("minute", minute) + past(hour)
}

// times are the times of a day that match.
func (s *Schedule) times() []string {
	var out []string
	for h := range 24 {
		for m := range 60 {
			for sec := range 60 {
				switch {
				case s.hour>>h&1 == 0 || s.minute>>m&1 == 0 || s.second>>sec&1 == 0:
				case s.spec.seconds:
					out = append(out, fmt.Sprintf("%02d:%02d:%02d", h, m, sec))
				default:
					out = append(out, fmt.Sprintf("%02d:%02d", h, m))
				}
			}
		}
	}
	return out
}

// everything reports whether a list restricts nothing.
func everything(elements []element) bool {
	for _, e := range elements {
		if e.everything() {
			return true
		}
	}
	return false
}

// even is the step of */n that divides a range; 0 for anything else.
func even(elements []element, size int) int {
	if len(elements) == 1 && elements[0].star && elements[0].step > 1 && size%elements[0].step == 0 {
		return elements[0].step
	}
	return 0
}

// within restricts what repeats to some hours.
func within(of, unit string, elements []element) string {
	if everything(elements) {
		return ""
	}
	return " " + of + " " + values(unit, elements)
}

// past is the hour of a minute.
func past(hour []element) string {
	if everything(hour) {
		return " of every hour"
	}
	return " of " + values("hour", hour)
}

// values are the values of a list: "minute 5", "hours 9 to 17", "every 2nd hour".
func values(unit string, elements []element) string {
	if everything(elements) {
		return "every " + unit
	}
	if len(elements) == 1 && elements[0].star {
		return "every " + ordinal(elements[0].step) + " " + unit
	}
	if e := elements[0]; len(elements) == 1 && e.step > 1 {
		return fmt.Sprintf("every %s %s from %d to %d", ordinal(e.step), unit, e.low, e.high)
	}
	var parts []string
	many := len(elements) > 1
	for _, e := range elements {
		many = many || e.low != e.high
		parts = append(parts, part(e, fmt.Sprint))
	}
	if many {
		unit += "s"
	}
	return unit + " " + list(parts, "and")
}

// part is one element in words.
func part(e element, name func(...any) string) string {
	text := name(e.low)
	if e.low != e.high {
		text += " to " + name(e.high)
	}
	if e.step > 1 {
		text = "every " + ordinal(e.step) + " from " + text
	}
	return text
}

func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n) + suffix
}

// describeDays is where the days are restricted.
func (s *Schedule) describeDays() string {
	day, weekday, month := s.spec.fields[fieldDay], s.spec.fields[fieldWeekday], s.spec.fields[fieldMonth]
	text := ""
	switch {
	case !everything(day) && !everything(weekday):
		text = " on " + values("day", day) + " of the month, or on " + named(weekday, weekdayNames[:])
	case !everything(day):
		text = " on " + values("day", day) + " of the month"
	case !everything(weekday):
		text = " on " + named(weekday, weekdayNames[:])
	case everything(month) && bits.OnesCount64(s.minute)*bits.OnesCount32(s.hour)*bits.OnesCount64(s.second) <= maxTimes:
		text = " every day"
	}
	if !everything(month) {
		text += " in " + named(month, monthNames[:])
	}
	return text
}

// named are the values of a list by their names.
func named(elements []element, names []string) string {
	var parts []string
	for _, e := range elements {
		if e.star { // */2
			for v := e.low; v <= e.high; v += e.step {
				parts = append(parts, names[v])
			}
			continue
		}
		parts = append(parts, part(e, func(n ...any) string { return names[n[0].(int)] }))
	}
	return list(parts, "and")
}
