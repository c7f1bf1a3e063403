package migrate

import (
	"context"
	"fmt"
	"os"
	"regexp"

	"github.com/hegner123/modulagen/bench/measure"
	evolution "github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// beside plans each change on both sides, runs both plans on equal tables with rows, and counts
// what they did: see effects.
func beside(ctx context.Context, report *measure.Report) error {
	return onServers(report, func(s *server) error { return besideOn(ctx, s, report) })
}

func besideOn(ctx context.Context, s *server, report *measure.Report) error {
	var ours, theirs effects
	for _, c := range changes {
		a, b, err := besideFor(ctx, s, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		ours, theirs = ours.plus(a.effects), theirs.plus(b.effects)
		report.Note("migrate: %-8s %-34s ours %s; %s %s", s.db, c.name, a.effects, peerName, b.effects)
		if os.Getenv("BENCH_VERBOSE") != "" {
			report.Note("migrate: ours:\n%s%s:\n%s", a.log.String(), peerName, b.log.String())
		}
	}
	for i, what := range effectNames {
		report.Add(measure.Compare(suite, fmt.Sprintf("%d changes, %s", len(changes), what.long), string(s.db), "", peerName, float64(ours[i]), float64(theirs[i]), nil))
	}
	return nil
}

func besideFor(ctx context.Context, s *server, c change) (ours, theirs *trial, err error) {
	p, err := planned(c, s.db)
	if err != nil {
		return nil, nil, err
	}
	other, err := peerSteps(ctx, s, p.renames, p.before, p.after)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", peerName, err)
	}
	if ours, err = judge(ctx, s, p, p.steps); err != nil {
		return nil, nil, err
	}
	if theirs, err = judge(ctx, s, p, other); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", peerName, err)
	}
	return ours, theirs, nil
}

// comparison is a change as both sides get it, with our steps.
type comparison struct {
	before, after *core.Schema
	renames       []rename
	steps         []script.Step
}

// rename is a column of article that gets another name.
type rename struct{ from, to string }

var renamed = regexp.MustCompile(`name: (\w+), was: (\w+)`)

func planned(c change, db model.Database) (*comparison, error) {
	before, after, err := c.projects()
	if err != nil {
		return nil, err
	}
	compared, err := evolution.Compare(evolution.Take(before), after)
	if err != nil {
		return nil, err
	}
	p := &comparison{
		before: evolution.Schema(before.Datatypes), after: evolution.Schema(after.Datatypes),
		steps: evolution.Plan("0002_change", "0001_init", compared, []model.Database{db})[db].Steps,
	}
	for _, m := range renamed.FindAllStringSubmatch(c.after, -1) {
		p.renames = append(p.renames, rename{from: m[2], to: m[1]})
	}
	return p, nil
}
