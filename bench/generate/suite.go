package generate

import (
	"context"
	"os"
	"runtime"
	"strconv"

	"github.com/hegner123/modulagen/bench/measure"
)

const (
	suite   = "generate"
	entName = "ent 0.14.5"
	allDBs  = "all three"
)

// plan is what a run measures.
type plan struct {
	rounds int // for everything that takes seconds
	long   int // for what takes ent minutes
	small  int // datatypes of the small synthetic project
	large  int // datatypes of the large one
	quick  bool
}

func planFromEnvironment() plan {
	p := plan{rounds: 5, long: 1, small: 20, large: 200}
	if n, err := strconv.Atoi(os.Getenv("BENCH_LONG")); err == nil && n > 0 {
		p.long = n
	}
	if os.Getenv("BENCH_QUICK") != "" {
		p = plan{rounds: 2, long: 1, small: 10, large: 40, quick: true}
	}
	return p
}

// target is the ratio that is asked for, which a quick run does not measure.
func (p plan) target(ratio float64) *float64 {
	if p.quick {
		return nil
	}
	return measure.Target(ratio)
}

// Run measures every case of the suite. parent is the folder of the module
// under test.
func Run(ctx context.Context, parent string, report *measure.Report) error {
	p := planFromEnvironment()
	work, err := newWorkplace(ctx, parent)
	if err != nil {
		return err
	}
	defer work.remove()
	report.Note("generate: %s, %d cores, cgo %s; warm binaries; medians of %d rounds in turns",
		runtime.Version(), runtime.NumCPU(), work.cgo, p.rounds)
	report.Note("generate: ent with %d entities is measured %d time(s) a case (BENCH_LONG=n for more)", p.large, p.long)

	for _, step := range []func(context.Context, *workplace, plan, *measure.Report) error{
		builtins, synthetic, coldBuild,
	} {
		if err := step(ctx, work, p, report); err != nil {
			return err
		}
	}
	return nil
}
