package schedule

import "math/bits"

// calendar is what six fields say, as sets of bits, and finds the local times that they match.
// A local time is counted in seconds since 1970-01-01 00:00:00 of the local clock.
type calendar struct {
	second, minute uint64
	hour           uint32
	day            uint32    // of the month
	month          uint16    // 1 to 12
	weekdays       [7]uint32 // days of the month that have a permitted weekday, by the weekday of the first
	either         bool      // day of the month or day of the week; otherwise both
	first          int64     // the first time of a day that matches, in seconds
}

const (
	secondsOfDay = 24 * 60 * 60
	allHours     = 1<<24 - 1
	// searchYears bounds the search for a day. The longest wait is that for 29 February
	// around a year such as 2100, which has none: eight years.
	searchYears = 16
	// maxYear is the last year that RFC 3339 can write.
	maxYear = 9999
)

func newCalendar(second, minute, hour, day, month, weekday uint64, either bool) calendar {
	c := calendar{second: second, minute: minute, hour: uint32(hour), day: uint32(day), month: uint16(month), either: either}
	for first := range 7 {
		for d := 1; d <= 31; d++ {
			if weekday>>((first+d-1)%7)&1 != 0 {
				c.weekdays[first] |= 1 << d
			}
		}
	}
	c.first = int64(bits.TrailingZeros64(hour))*3600 + int64(bits.TrailingZeros64(minute))*60 + int64(bits.TrailingZeros64(second))
	return c
}

// everyHour reports whether no hour is excluded.
func (c *calendar) everyHour() bool { return c.hour == allHours }

// search returns the first local time from w on that matches.
func (c *calendar) search(w int64) (int64, bool) {
	today := floorDiv(w, secondsOfDay)
	y, m, d := civil(today)
	first := today - int64(d-1)
	if c.month>>m&1 != 0 {
		days := c.days(y, m, first) >> d << d
		if days>>d&1 != 0 {
			if t := c.timeOfDay(w - today*secondsOfDay); t >= 0 {
				return today*secondsOfDay + t, true
			}
			days &^= 1 << d
		}
		if days != 0 {
			return c.onDay(first, days), true
		}
	}
	for last := min(y+searchYears, maxYear); ; {
		first += int64(daysOf(y, m))
		if m++; m > 12 {
			m = 1
			if y++; y > last {
				return 0, false
			}
		}
		if c.month>>m&1 != 0 {
			if days := c.days(y, m, first); days != 0 {
				return c.onDay(first, days), true
			}
		}
	}
}

// onDay is the first time of the first of several days in the month that begins at day first.
func (c *calendar) onDay(first int64, days uint32) int64 {
	return (first+int64(bits.TrailingZeros32(days))-1)*secondsOfDay + c.first
}

// days returns the days of a month that match, as bits 1 to 31.
func (c *calendar) days(y, m int, first int64) uint32 {
	weekday := (first%7 + 11) % 7 // 1970-01-01 was a Thursday
	days := c.day & c.weekdays[weekday]
	if c.either {
		days = c.day | c.weekdays[weekday]
	}
	return days & (1<<(daysOf(y, m)+1) - 1)
}

// timeOfDay returns the first second of a day from t on that matches, or -1.
func (c *calendar) timeOfDay(t int64) int64 {
	h := t / 3600
	if c.hour>>h&1 != 0 {
		m, s := t/60%60, t%60
		if c.minute>>m&1 != 0 {
			if seconds := c.second >> s; seconds != 0 {
				return t + int64(bits.TrailingZeros64(seconds))
			}
		}
		if minutes := c.minute >> (m + 1); minutes != 0 {
			return h*3600 + (m+1+int64(bits.TrailingZeros64(minutes)))*60 + c.first%60
		}
	}
	if hours := c.hour >> (h + 1); hours != 0 {
		return (h+1+int64(bits.TrailingZeros32(hours)))*3600 + c.first%3600
	}
	return -1
}

func floorDiv(a, b int64) int64 {
	if q := a / b; a%b >= 0 {
		return q
	}
	return a/b - 1
}

var monthDays = [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func daysOf(y, m int) int {
	if m == 2 && y%4 == 0 && (y%100 != 0 || y%400 == 0) {
		return 29
	}
	return monthDays[m]
}

// civil is the date of a day since 1970-01-01, in the proleptic Gregorian calendar. It is
// civil_from_days of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
func civil(day int64) (y, m, d int) {
	z := day + 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = int(doy - (153*mp+2)/5 + 1)
	m = int(mp + 3)
	if m > 12 {
		m -= 12
	}
	y = int(yoe + era*400)
	if m <= 2 {
		y++
	}
	return y, m, d
}
