package action

import (
	"maps"
	"slices"
	"testing"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/cron/protocol"
)

// TestPredefinedAreListed: the generator takes every other action for the program's own.
func TestPredefinedAreListed(t *testing.T) {
	all, err := predefinedOf(&project.Project{}, cron.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(all.byName)); !slices.Equal(got, protocol.Predefined) {
		t.Errorf("predefined are %v, and listed %v", got, protocol.Predefined)
	}
}
