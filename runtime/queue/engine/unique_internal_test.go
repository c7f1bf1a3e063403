package engine

import (
	"errors"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
)

// Only a conflict on the queue's own key means that two added the same job. One
// on a field of the user's would be retried in vain, and reported as busy.
func TestRaced(t *testing.T) {
	for field, again := range map[string]bool{uniqueColumn: true, "order_number": false} {
		err := raced(&store.ConflictError{Datatype: "job", Fields: []string{field}})
		if errors.Is(err, store.ErrBusy) != again || !errors.Is(err, store.ErrConflict) {
			t.Errorf("a conflict on %s becomes %v", field, err)
		}
	}
	if err := raced(store.ErrNotFound); err != store.ErrNotFound {
		t.Errorf("another error becomes %v", err)
	}
}
