package post_test

import (
	"errors"
	"testing"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/internal/post/generated"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
	"github.com/hegner123/modulagen/runtime/queue"
)

// TestCancelWhileItIsSent: a message whose recipient the server has, but not its text, is
// cancelled and does not arrive; one whose text it has is not cancelled, and is sent.
func TestCancelWhileItIsSent(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		for _, at := range []mailtest.Name{mailtest.Recipient, mailtest.Data} {
			reached, answer := make(chan struct{}), make(chan struct{})
			srv := mailtest.NewServer(t, mailtest.Options{Answer: func(s mailtest.Step) error {
				if s.Name == at {
					close(reached)
					<-answer
				}
				return nil
			}})
			id := f.send(mail.Message{To: to("ann@ex.example")})
			stop := f.work(smtp(t, srv))
			<-reached
			err := f.db.EmailQueue.Cancel(t.Context(), id)
			close(answer)
			want, arrived := generated.EmailQueueStatusCancelled, 0
			if at == mailtest.Data {
				want, arrived = generated.EmailQueueStatusSent, 1
			}
			if begun := at == mailtest.Data; errors.Is(err, queue.ErrBegun) != begun || !begun && err != nil {
				t.Errorf("Cancel at %s: %v", at, err)
			}
			f.is(f.ended(id), want)
			stop()
			if n := len(srv.Messages()); n != arrived {
				t.Errorf("cancelled at %s: %d messages arrived, want %d", at, n, arrived)
			}
		}
	})
}
