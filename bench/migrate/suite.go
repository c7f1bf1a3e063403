package migrate

import (
	"context"

	"github.com/hegner123/modulagen/bench/measure"
)

const suite = "migrate"

// Run measures every part.
func Run(ctx context.Context, _ string, report *measure.Report) error {
	return measure.RunParts(ctx, report, []measure.Part{
		{Name: "plan", Run: plan},
		{Name: "open", Run: open},
		{Name: "rebuild", Run: rebuild},
		{Name: "online", Run: online},
		{Name: "beside", Run: beside},
	})
}
