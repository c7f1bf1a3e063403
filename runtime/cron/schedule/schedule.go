package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// Options say how an expression is read. The zero value is sensible.
type Options struct {
	// Location is the time zone of an expression that has no CRON_TZ=; nil means UTC.
	Location *time.Location
}

// Schedule is a parsed expression. Its methods are safe for use by many goroutines.
type Schedule struct {
	calendar
	every    time.Duration // of @every, which has no calendar
	loc      *time.Location
	text     string
	spec     spec
	warnings []string
}

var _ cron.Schedule = (*Schedule)(nil) // programs with a scheduler of robfig/cron can use it there

// String returns the expression in one form for all of its spellings: numbers in place of names,
// one space between fields. Parse reads it back, with the same Options.
func (s *Schedule) String() string { return s.text }

// Location is the time zone in which the schedule is read.
func (s *Schedule) Location() *time.Location { return s.loc }

// Warnings returns what an expression that is right may not mean to those who wrote it, a
// sentence each.
func (s *Schedule) Warnings() []string { return append([]string(nil), s.warnings...) }
