package cron_test

import (
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/datatypes"
	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/behavior/cron"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/model"
)

// A list without entries has Open disable the jobs that it had; without the key, Open does not ask.
func TestEmptySchedules(t *testing.T) {
	for text, want := range map[string]bool{"schedules: []\n": true, "output: generated\n": false} {
		fsys := fstest.MapFS{load.ConfigFile: {Data: []byte(text)}}
		for _, name := range []string{"cron_calendar", "cron_job", "cron_runs"} {
			def, err := datatypes.Files.ReadFile(name + ".yaml")
			if err != nil {
				t.Fatal(err)
			}
			fsys["datatypes/"+name+".yaml"] = &fstest.MapFile{Data: def}
		}
		p, err := load.Load(fsys, gen.Behaviors)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range p.Datatypes {
			if s := cron.Of(d); s != nil {
				if opened := (cron.Behavior{}).Run([]*model.Datatype{d}).Opened; s.Declares != want || (opened != nil) != want {
					t.Errorf("with %q, Open keeps jobs in step: %t", text, s.Declares)
				}
			}
		}
	}
}
