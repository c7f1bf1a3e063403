package store

import (
	"cmp"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/runtime/store/internal/value"
)

// Date is a day of the civil calendar, without a time and without a zone. Its
// zero value is not a day; Valid reports that.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day of t, in t's own zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{Year: y, Month: m, Day: d}
}

// ParseDate reads "2006-01-02"; anything else is an error that is ErrInvalid.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("store: %w: %.40q is not a date such as 2006-01-02", ErrInvalid, s)
	}
	return DateOf(t), nil
}

// Valid reports whether d is a day between the years 1 and 9999.
func (d Date) Valid() bool {
	return d.Year >= 1 && d.Year <= 9999 && DateOf(d.Time()) == d
}

// Time returns midnight of the day, in UTC.
func (d Date) Time() time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

// Compare is negative when d is before e, 0 when they are one day, positive after.
func (d Date) Compare(e Date) int {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day))
}

// String returns "2006-01-02".
func (d Date) String() string {
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// MarshalText returns "2006-01-02".
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads "2006-01-02".
func (d *Date) UnmarshalText(text []byte) error {
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// Scan sets d from what a database gave: its text, or midnight of the day.
func (d *Date) Scan(src any) error {
	switch s := src.(type) {
	case string:
		return d.scan(s)
	case []byte:
		return d.scan(string(s))
	case time.Time:
		*d = DateOf(s)
		return nil
	}
	return value.CannotAssign(d, src)
}

func (d *Date) scan(s string) error {
	parsed, err := ParseDate(s)
	if err != nil {
		return value.Malformed("date")
	}
	*d = parsed
	return nil
}

// Bind returns d itself; each driver knows its form.
func (d *Date) Bind() any { return *d }
