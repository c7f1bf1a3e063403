package value

import (
	"fmt"
	"time"
)

// TimeLayout is how a moment stands in a text column: fixed width and UTC, so
// that text sorts as time does.
const TimeLayout = "2006-01-02T15:04:05.000000Z"

// Moment brings t to what every database keeps: UTC, in microseconds.
func Moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// FormatTime returns t as text of fixed width, "2006-01-02T15:04:05.000000Z".
func FormatTime(t time.Time) string { return string(AppendTime(nil, t)) }

// AppendTime appends FormatTime(t) to b.
func AppendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	micro := t.Nanosecond() / 1000
	b = append(b, byte('0'+year/1000%10), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10))
	b = append(b, '-', byte('0'+month/10), byte('0'+month%10))
	b = append(b, '-', byte('0'+day/10), byte('0'+day%10))
	b = append(b, 'T', byte('0'+hour/10), byte('0'+hour%10))
	b = append(b, ':', byte('0'+minute/10), byte('0'+minute%10))
	b = append(b, ':', byte('0'+second/10), byte('0'+second%10), '.')
	b = append(b, byte('0'+micro/100000), byte('0'+micro/10000%10), byte('0'+micro/1000%10))
	return append(b, byte('0'+micro/100%10), byte('0'+micro/10%10), byte('0'+micro%10), 'Z')
}

// looseLayouts are what a person or a database function may have written.
var looseLayouts = [...]string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", time.DateOnly}

// ParseTime reads what FormatTime wrote, and, more slowly, other forms of
// RFC 3339 and of SQLite's own functions, which are UTC.
func ParseTime(s string) (time.Time, error) {
	if t, ok := parseFixed(s); ok {
		return t, nil
	}
	for _, layout := range looseLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return Moment(t), nil
		}
	}
	return time.Time{}, fmt.Errorf("store: %q is not a time such as %s", s, TimeLayout)
}

func parseFixed(s string) (time.Time, bool) {
	if len(s) != len(TimeLayout) {
		return time.Time{}, false
	}
	for i := range len(TimeLayout) {
		layout, c := TimeLayout[i], s[i]
		digit := layout >= '0' && layout <= '9'
		if digit && (c < '0' || c > '9') || !digit && c != layout {
			return time.Time{}, false
		}
	}
	num := func(i, j int) (n int) {
		for ; i < j; i++ {
			n = n*10 + int(s[i]-'0')
		}
		return n
	}
	month, day := num(5, 7), num(8, 10)
	hour, minute, second := num(11, 13), num(14, 16), num(17, 19)
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(num(0, 4), time.Month(month), day, hour, minute, second, num(20, 26)*1000, time.UTC)
	return t, t.Day() == day
}
