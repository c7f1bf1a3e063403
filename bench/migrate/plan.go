package migrate

import (
	"context"
	"fmt"
	"time"

	"github.com/hegner123/modulagen/bench/measure"
	evolution "github.com/hegner123/modulagen/gen/migrate"
)

const (
	datatypes   = 200
	planSeconds = 0.3
)

// plan measures a new migration of 200 datatypes of which one has changed: definitions are
// read, compared and planned for three databases.
func plan(_ context.Context, report *measure.Report) error {
	before, err := read(many(""))
	if err != nil {
		return err
	}
	chain := &evolution.Chain{}
	chain.Migrations, err = chain.Next("init", before)
	if err != nil {
		return err
	}
	var samples []float64
	for range 9 {
		start := time.Now()
		p, err := read(many("  - {name: subtitle, type: text}\n"))
		if err != nil {
			return err
		}
		next, err := chain.Next("subtitle", p)
		if err != nil || len(next) != 1 {
			return fmt.Errorf("bench: %d migrations were planned: %w", len(next), err)
		}
		samples = append(samples, time.Since(start).Seconds())
	}
	report.Add(measure.Compare(suite, fmt.Sprintf("plan for %d datatypes, one changed", datatypes), "all", "s", "limit", measure.Median(samples), planSeconds, measure.Target(1)))
	return nil
}

// many are definitions of which the first has further lines.
func many(further string) map[string]string {
	out := map[string]string{"author": "fields:\n  - {name: name, type: text}\n"}
	for i := range datatypes - 1 {
		text := fields + further
		further = ""
		out[fmt.Sprintf("article_%03d", i)] = text + indexes
	}
	return out
}
