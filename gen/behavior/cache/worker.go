package cache

import (
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/worker"
)

// Worker returns nil: a program writes nothing for it.
func (Behavior) Worker(*model.Datatype) *worker.Part { return nil }
