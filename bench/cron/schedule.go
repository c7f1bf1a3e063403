package cron

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/adhocore/gronx"
	"github.com/hashicorp/cronexpr"
	netresearch "github.com/netresearch/go-cron"
	"github.com/robfig/cron/v3"

	"github.com/hegner123/modulagen/bench/measure"
	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

// atMost is the target of figures that must not be above robfig/cron's.
var atMost = measure.Target(1)

// expressions are what schedules are made of, from often to rarely.
var expressions = []struct {
	expr, zone string
	seconds    bool
}{
	{"*/10 * * * * *", "UTC", true},
	{"*/5 * * * *", "UTC", false},
	{"*/5 * * * *", "America/New_York", false},
	{"30 2 * * 1-5", "UTC", false},
	{"30 2 * * 1-5", "America/New_York", false},
	{"0 9-17/2 1,15 * *", "Europe/Berlin", false},
	{"0 0 1 1 *", "America/New_York", false},
	{"0 0 29 2 *", "UTC", false},
}

// next finds the instant after another one.
type next func(after time.Time) time.Time

// peer is a parser, and how its authors advise to use it.
type peer struct {
	name  string
	parse func(expr string, seconds bool, loc *time.Location) (next, error)
}

const minutes = cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow

var peers = []peer{
	{"robfig/cron v3", func(expr string, seconds bool, loc *time.Location) (next, error) {
		options := cron.ParseOption(minutes)
		if seconds {
			options |= cron.Second
		}
		s, err := cron.NewParser(options).Parse(expr)
		if err != nil {
			return nil, err
		}
		s.(*cron.SpecSchedule).Location = loc
		return s.Next, nil
	}},
	{"netresearch/go-cron", func(expr string, seconds bool, loc *time.Location) (next, error) {
		options := netresearch.Minute | netresearch.Hour | netresearch.Dom | netresearch.Month | netresearch.Dow
		if seconds {
			options |= netresearch.Second
		}
		s, err := netresearch.MustNewParser(options).Parse(expr)
		if err != nil {
			return nil, err
		}
		s.(*netresearch.SpecSchedule).Location = loc
		return s.Next, nil
	}},
	{"hashicorp/cronexpr", func(expr string, seconds bool, loc *time.Location) (next, error) {
		if seconds {
			expr += " *" // six fields end with the year
		}
		s, err := cronexpr.Parse(expr)
		if err != nil {
			return nil, err
		}
		return func(after time.Time) time.Time { return s.Next(after.In(loc)) }, nil
	}},
	{"adhocore/gronx", func(expr string, _ bool, loc *time.Location) (next, error) {
		if !gronx.IsValid(expr) { // it has no parsed form: each call parses
			return nil, fmt.Errorf("gronx: %q", expr)
		}
		return func(after time.Time) time.Time {
			t, err := gronx.NextTickAfter(expr, after.In(loc), false)
			if err != nil {
				return time.Time{}
			}
			return t
		}, nil
	}},
}

func ours(expr string, _ bool, loc *time.Location) (next, error) {
	s, err := schedule.Parse(expr, schedule.Options{Location: loc})
	if err != nil {
		return nil, err
	}
	return s.Next, nil
}

// instants are spread over a year, with those near to changes of clocks.
func instants(n int) []time.Time {
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	out := make([]time.Time, n)
	for i := range out {
		out[i] = first.Add(365 * 24 * time.Hour / time.Duration(n) * time.Duration(i))
	}
	return out
}

// schedules measures Next and Parse, with the peers in turns.
func schedules(_ context.Context, report *measure.Report) error {
	calls, rounds := 20000, 5
	if os.Getenv("BENCH_QUICK") != "" {
		calls, rounds = 2000, 3
	}
	report.Note("cron: %d calls of Next, a fifth of Parse and of gronx, over instants of 2026, %d rounds, median; gronx has no parsed form, so that its Next parses", calls, rounds)
	for _, e := range expressions {
		loc, err := schedule.Location(e.zone)
		if err != nil {
			return err
		}
		name := e.expr + " " + e.zone
		var nexts, parses []func() error
		for _, p := range append([]peer{{"ours", ours}}, peers...) {
			n, err := p.parse(e.expr, e.seconds, loc)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			at := instants(perSide(p.name, calls))
			nexts = append(nexts, func() error {
				for _, t := range at {
					if n(t).IsZero() {
						return fmt.Errorf("%s: %s has no next instant", p.name, e.expr)
					}
				}
				return nil
			})
			parses = append(parses, func() error {
				for range calls / 5 {
					if _, err := p.parse(e.expr, e.seconds, loc); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := compare(report, rounds, "Next "+name, nexts, func(i int) int { return perSide(sideName(i), calls) }, atMost); err != nil {
			return err
		}
		if err := compare(report, rounds, "Parse "+name, parses, func(int) int { return calls / 5 }, nil); err != nil {
			return err
		}
	}
	return nil
}

func sideName(i int) string {
	if i == 0 {
		return "ours"
	}
	return peers[i-1].name
}

// perSide is how many calls a side makes.
func perSide(name string, calls int) int {
	if name == "adhocore/gronx" {
		return calls / 5
	}
	return calls
}

// compare adds a row for each peer, of time and of allocations.
func compare(report *measure.Report, rounds int, name string, sides []func() error, calls func(side int) int, target *float64) error {
	samples := make([]measure.Sample, len(sides))
	allocations := make([]float64, len(sides))
	for i, side := range sides {
		samples[i] = func() (float64, error) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			err := side()
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			allocations[i] = float64((after.Mallocs - before.Mallocs) / uint64(calls(i)))
			return float64(took.Nanoseconds()) / float64(calls(i)), err
		}
	}
	times, err := measure.Rotate(rounds, samples...)
	if err != nil {
		return err
	}
	for i, p := range peers {
		asked := target
		if p.name != "robfig/cron v3" {
			asked = nil
		}
		report.Add(measure.Compare(suite, name, "", "ns", p.name, times[0], times[i+1], asked))
		row := measure.Compare(suite, name, "", "allocs", p.name, allocations[0], allocations[i+1], asked)
		if allocations[0] == 0 { // no ratio says how much less nothing is
			row.Target = nil
		}
		report.Add(row)
	}
	return nil
}
