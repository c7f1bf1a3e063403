package load_test

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/behavior/cron"
	"github.com/hegner123/modulagen/gen/model"
)

// describeSchedules writes out the jobs that modulagen.yaml declares.
func describeSchedules(b *strings.Builder, d *model.Datatype) {
	s := cron.Of(d)
	if s == nil || !s.Declares {
		return
	}
	b.WriteString("  schedules\n")
	for _, j := range s.Declared {
		fmt.Fprintf(b, "    %s %s\n", j.Name, j.Values)
	}
}
