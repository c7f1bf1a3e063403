package post_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/internal/post/generated"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// transport is a function that sends.
type transport func(ctx context.Context, e *mail.Envelope, begin func(context.Context) error) (*mail.Receipt, error)

func (t transport) Send(ctx context.Context, e *mail.Envelope, begin func(context.Context) error) (*mail.Receipt, error) {
	return t(ctx, e, begin)
}

func (transport) Close() error { return nil }

// TestMarkedBeforeItMayBeSent: what is lost before the step from which a server may have the message is sent
// again, and what is lost behind it is not.
func TestMarkedBeforeItMayBeSent(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		var sent atomic.Int64
		f.work(mail.Options{
			Queue: queue.Options{Poll: 10 * time.Millisecond},
			Transport: transport(func(ctx context.Context, e *mail.Envelope, begin func(context.Context) error) (*mail.Receipt, error) {
				if e.Message.Subject == "before" && e.Message.Attempt == 1 {
					panic("lost before")
				}
				if err := begin(ctx); err != nil {
					return nil, err
				}
				sent.Add(1)
				if e.Message.Subject == "behind" {
					panic("lost behind")
				}
				return &mail.Receipt{}, nil
			}),
		})
		before, behind := f.send(mail.Message{To: to("ann@ex.example"), Subject: "before"}), f.send(mail.Message{To: to("ann@ex.example"), Subject: "behind"})
		f.is(f.ended(before), generated.EmailQueueStatusSent)
		f.is(f.ended(behind), generated.EmailQueueStatusUnknown)
		if n := sent.Load(); n != 2 {
			t.Errorf("sent %d times, want each once", n)
		}
	})
}

// TestRetrySendsToTheRest: a message that reached some of its recipients is not sent to these again, also when a
// person asks for it.
func TestRetrySendsToTheRest(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		full := mailtest.Refuse(452, "4.2.2", "full")
		p := &plan{steps: map[string][]error{"recipient bob@ex.example": {full, full}}}
		srv := mailtest.NewServer(t, mailtest.Options{Answer: p.answer})
		id := f.send(mail.Message{To: []string{"ann@ex.example", "bob@ex.example"}})
		must(f.db.EmailQueue.Update(t.Context(), id, generated.EmailQueuePatch{MaxAttempts: store.Set[int64](2)}))
		f.work(smtp(t, srv))
		f.is(f.ended(id), generated.EmailQueueStatusFailed)
		if err := f.db.EmailQueue.Retry(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		f.is(f.ended(id), generated.EmailQueueStatusSent)
		var got []string
		for _, m := range srv.Wait(t, 2) {
			got = append(got, m.To...)
		}
		if strings.Join(got, " ") != "ann@ex.example bob@ex.example" {
			t.Errorf("sent to %v, want each once", got)
		}
	})
}

// TestStoppedBeforeData: a message whose worker stops before the server may have it waits for the next, and no
// attempt is counted.
func TestStoppedBeforeData(t *testing.T) {
	onEach(t, func(t *testing.T, f *fixture) {
		reached := make(chan struct{}, 1)
		o := mail.Options{
			Queue: queue.Options{Poll: 10 * time.Millisecond, StopTimeout: 2 * time.Second},
			Transport: transport(func(ctx context.Context, _ *mail.Envelope, _ func(context.Context) error) (*mail.Receipt, error) {
				reached <- struct{}{}
				<-ctx.Done()
				return nil, &mail.Error{Phase: mail.PhaseRecipients, Fate: mail.Retry, Err: errors.New("cut off")}
			}),
		}
		id := f.send(mail.Message{To: to("ann@ex.example")})
		stop := f.work(o)
		<-reached
		stop()
		if row := must(f.db.EmailQueue.Get(t.Context(), id)); row.Status != generated.EmailQueueStatusPending || row.Attempts != 0 {
			t.Errorf("%s after %d attempts: %s", row.Status, row.Attempts, row.Error.V)
		}
	})
}
