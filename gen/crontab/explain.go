package crontab

import (
	"time"

	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

// Explanation is an expression in words, with its next instants.
type Explanation struct {
	Expression string   `json:"expression"` // in its one form
	Words      string   `json:"words"`
	TimeZone   string   `json:"time_zone"`
	Warnings   []string `json:"warnings"`
	Next       []Next   `json:"next"`
}

// Next is an instant in the time zone of the schedule and in UTC, as RFC 3339 has it.
type Next struct {
	Local string `json:"local"`
	UTC   string `json:"utc"`
}

// MaxNext is how many instants an Explanation has at most.
const MaxNext = 1000

// Explain explains an expression and lists n instants after one. Errors are *schedule.ParseErrors.
func Explain(expr string, o schedule.Options, after time.Time, n int) (*Explanation, error) {
	s, err := schedule.Parse(expr, o)
	if err != nil {
		return nil, err
	}
	e := &Explanation{Expression: s.String(), Words: s.Describe(), TimeZone: s.Location().String(), Warnings: s.Warnings(), Next: []Next{}}
	if e.Warnings == nil {
		e.Warnings = []string{}
	}
	for range min(n, MaxNext) {
		if after = s.Next(after); after.IsZero() {
			break
		}
		e.Next = append(e.Next, Next{after.Format(time.RFC3339), after.UTC().Format(time.RFC3339)})
	}
	return e, nil
}
