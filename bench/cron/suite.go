package cron

import (
	"context"

	"github.com/hegner123/modulagen/bench/measure"
)

const suite = "cron"

// Run measures every part.
func Run(ctx context.Context, _ string, report *measure.Report) error {
	return measure.RunParts(ctx, report, []measure.Part{
		{Name: "schedules", Run: schedules},
		{Name: "at once", Run: atOnce},
		{Name: "many", Run: many},
		{Name: "exact", Run: exact},
	})
}
