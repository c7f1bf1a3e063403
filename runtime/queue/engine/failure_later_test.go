package engine_test

import (
	"testing"

	"github.com/hegner123/modulagen/generated"
)

// Methods that panic from their second call on are found out by no one but the
// engine where no middleware stands between it and the handler.
func TestErrorsThatPanicLater(t *testing.T) {
	each(t, func(t *testing.T, db *generated.DB) {
		readEvents(t, db)
		ids := enqueueHostiles(t, db)
		opts := hostileOptions(&spans{})
		opts.Middleware = nil
		work(t, db, hostileHandlers(), opts)
		for i, id := range ids {
			eventually(t, hostiles[i].name+" to be settled", func() bool {
				row := get(t, db, id)
				return row.Error.Valid && row.Status != generated.JobQueueStatusProcessing
			})
		}
		checkHostiles(t, db, ids)
	})
}
