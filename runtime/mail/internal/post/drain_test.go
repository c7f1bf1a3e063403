package post_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/internal/post/generated"
)

// TestDrainWithoutServer: Drain ends although the server is at fault: it asks it once, and leaves all
// messages as they were.
func TestDrainWithoutServer(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		var asked atomic.Int64
		tr := transport(func(context.Context, *mail.Envelope, func(context.Context) error) (*mail.Receipt, error) {
			asked.Add(1)
			return nil, &mail.Error{Phase: mail.PhaseConnect, Fate: mail.Hold, Err: errors.New("refused")}
		})
		for range 20 {
			f.send(mail.Message{To: to("ann@ex.example")})
		}
		if err := f.db.Drain(t.Context(), generated.Workers{Mail: mail.Options{Transport: tr}}); err != nil {
			t.Fatal(err)
		}
		for row, err := range f.db.EmailQueue.All(t.Context(), generated.EmailQueueQuery{}) {
			if err != nil || row.Status != generated.EmailQueueStatusPending || row.Attempts != 0 || !row.Error.Valid {
				t.Fatalf("%s after %d attempts: %q, %v", row.Status, row.Attempts, row.Error.V, err)
			}
		}
		if asked.Load() != 1 {
			t.Errorf("the server was asked %d times, want once", asked.Load())
		}
	})
}
