package migrate

import (
	"context"
	"os"
	"strings"

	"github.com/hegner123/modulagen/bench/measure"
)

const suite = "migrate"

// parts are what the suite measures, one after the other; BENCH_CASE chooses some by their names.
var parts = []struct {
	name string
	run  func(ctx context.Context, report *measure.Report) error
}{
	{"plan", plan},
	{"open", open},
	{"rebuild", rebuild},
	{"online", online},
	{"beside", beside},
}

// Run measures every part.
func Run(ctx context.Context, _ string, report *measure.Report) error {
	for _, part := range parts {
		if !strings.Contains(part.name, os.Getenv("BENCH_CASE")) {
			continue
		}
		if err := part.run(ctx, report); err != nil {
			return err
		}
	}
	return nil
}
