package queue_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/model"
)

// smallQueue is a queue that declares nothing but its state.
func smallQueue(fields ...*model.Field) *model.Datatype {
	state := &model.Field{Name: "status", Type: "select"}
	d := &model.Datatype{Name: "sms", GoRow: "SMS", Fields: append(fields, state)}
	d.SetSection(queue.Name, &queue.Section{State: state, Ready: "waiting", Running: "sending", Done: "sent", Dead: "failed"})
	return d
}

func TestQueueAddsWhatIsNotDeclared(t *testing.T) {
	d := smallQueue()
	if err := behavior.Apply(&model.Project{Datatypes: []*model.Datatype{d}}, []behavior.Behavior{queue.Behavior{}}); err != nil {
		t.Fatal(err)
	}
	var added []string
	for _, f := range d.Fields {
		if f.Added {
			added = append(added, f.Name)
		}
		if f.Added && !strings.HasPrefix(f.Name, "queue_") {
			t.Errorf("%s is added without the prefix", f.Name)
		}
	}
	if got, want := fmt.Sprint(added), "[queue_attempts queue_max_attempts queue_run_at queue_error queue_epoch queue_lease queue_hold queue_errors queue_result queue_progress queue_note queue_trace]"; got != want {
		t.Errorf("added %s, want %s", got, want)
	}
	if w := queue.Of(d).Worker; w == nil || w.Epoch == nil || w.Lease == nil {
		t.Errorf("the worker lacks its fence: %+v", w)
	}
}
