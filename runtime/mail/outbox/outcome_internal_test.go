package outbox

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// TestRecipientsNotWritten: where it cannot be written who has got a message, the next attempt would send it to them
// again, so there is none.
func TestRecipientsNotWritten(t *testing.T) {
	full := errors.New("the disk is full")
	w := &worker{
		db: &core.DB{}, hold: &hold{}, opts: mail.Options{Logger: slog.New(slog.DiscardHandler)},
		spec: &Spec{SetRecipients: func(context.Context, *core.Conn, int64, store.JSON) error { return full }},
	}
	to := recipients{{Address: "ann@ex.example", State: recipientSent}, {Address: "bob@ex.example", State: recipientWaiting, Reply: "452 full"}}
	got, want := w.partly(t.Context(), &mail.Outgoing{Attempt: 1}, to), queue.Unknown(errors.Join(to.err(), full))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the outcome is %#v, want %#v", got, want)
	}
	nobody := recipients{{Address: "ann@ex.example", State: recipientWaiting, Reply: "452 full"}, to[1]}
	if got, want := w.partly(t.Context(), &mail.Outgoing{Attempt: 1}, nobody), nobody.err(); !reflect.DeepEqual(got, want) {
		t.Errorf("where nobody has got it, the outcome is %#v, want %#v", got, want)
	}
}

// TestTimeoutIsAnAttempt: an attempt that took longer than the queue permits has failed, and is not
// taken for one that was interrupted.
func TestTimeoutIsAnAttempt(t *testing.T) {
	for cause, failed := range map[error]bool{queue.ErrTimeout: true, queue.ErrStopping: false} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		w := &worker{spec: &Spec{}, opts: mail.Options{Logger: slog.New(slog.DiscardHandler)}, hold: &hold{}}
		e := &mail.Error{Phase: mail.PhaseRecipients, Fate: mail.Retry, Err: ctx.Err()}
		for what, err := range map[string]error{
			"fate": w.fate(ctx, e), "notBegun": w.notBegun(ctx, ctx.Err()), "notSent": w.notSent(ctx, &mail.Outgoing{}, ctx.Err()),
		} {
			if strings.HasPrefix(err.Error(), "snoozed") == failed {
				t.Errorf("%s after %v: %v", what, cause, err)
			}
		}
	}
}
