package outbox

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// slow is a transport that waits before it begins, as one whose server has a rate.
type slow struct{ to [][]string }

func (s *slow) Send(ctx context.Context, e *mail.Envelope, begin func(context.Context) error) (*mail.Receipt, error) {
	s.to = append(s.to, e.To)
	time.Sleep(time.Minute)
	return &mail.Receipt{}, begin(ctx)
}

func (s *slow) Close() error { return nil }

// sending returns a worker whose suppressions are what list returns, and a message to two.
func sending(t *testing.T, tr mail.Transport, list func() ([]*Suppression, error)) (*worker, *mail.Outgoing, recipients, *place) {
	t.Helper()
	s := &Spec{Name: "mailbox", Suppressions: func(context.Context, *core.Conn, []string) iter.Seq2[*Suppression, error] {
		return func(yield func(*Suppression, error) bool) {
			rows, err := list()
			if err != nil {
				yield(nil, err)
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}}
	db := &core.DB{}
	signer, err := mail.NewSigner(nil)
	if err != nil {
		t.Fatal(err)
	}
	o, err := mail.Message{From: "shop@shop.example", To: []string{"ann@ex.example", "bob@ex.example"}, Subject: "s", Plain: "p"}.Prepare(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	to, err := recipientsOf(o, &Row{})
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{
		db: db, spec: s, transport: tr, signer: signer, hold: &hold{}, opts: mail.Options{MaxSize: 1 << 20, Logger: slog.New(slog.DiscardHandler)},
		line: &line{db: db, spec: s, begin: func(_ context.Context, claims ...*queue.Claim) ([]bool, error) { return []bool{true}, nil }},
	}
	return w, o, to, &place{addresses: to.keys()}
}

// TestSuppressedWhileItWaits: who is suppressed while a transport waits for its server is not sent to,
// and the others are.
func TestSuppressedWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &slow{}
		w, o, to, p := sending(t, tr, func() ([]*Suppression, error) {
			if len(tr.to) == 0 {
				return nil, nil
			}
			return []*Suppression{{Address: "ann@ex.example", Reason: "unsubscribed"}}, nil
		})
		if _, err := w.line.lookUp(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		err := w.attempt(t.Context(), o, to, p)
		if err != nil || len(tr.to) != 2 || strings.Join(tr.to[1], " ") != "bob@ex.example" {
			t.Errorf("the message went to %v: %v", tr.to, err)
		}
		if to[0].State != recipientSuppressed || to[1].State != recipientSent {
			t.Errorf("the recipients are %s and %s, want suppressed and sent", to[0].State, to[1].State)
		}
	})
}

// TestDatabaseFailsBeforeItBegins: a message that could not be begun because the database did not
// answer is postponed, and it is no attempt.
func TestDatabaseFailsBeforeItBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("no connection")
		tr := &slow{}
		w, o, to, p := sending(t, tr, func() ([]*Suppression, error) {
			if len(tr.to) == 0 {
				return nil, nil
			}
			return nil, gone
		})
		if _, err := w.line.lookUp(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		err := w.attempt(t.Context(), o, to, p)
		if !errors.Is(err, gone) || !isPostponed(err) {
			t.Errorf("the outcome is %#v, want that of queue.Postpone", err)
		}
		w.line.begin = func(context.Context, ...*queue.Claim) ([]bool, error) { return nil, gone }
		w.spec.Suppressions = nil
		if err := w.attempt(t.Context(), o, to, p); !errors.Is(err, gone) || !isPostponed(err) {
			t.Errorf("the outcome is %#v, want that of queue.Postpone", err)
		}
	})
}

// isPostponed reports whether an error is one of queue.Postpone, whose type is the queue's own.
func isPostponed(err error) bool {
	v := reflect.ValueOf(err)
	return v.Type() == reflect.TypeOf(queue.Postpone(1, err)) && v.Elem().FieldByName("Free").Bool()
}

// TestSharedStatementPanics: what waited for a statement that panicked makes its own: a look-up that did
// not take place has found nobody.
func TestSharedStatementPanics(t *testing.T) {
	calls := 0
	w, _, _, front := sending(t, &slow{}, func() ([]*Suppression, error) {
		if calls++; calls == 1 {
			panic("driver")
		}
		return nil, nil
	})
	waits := &place{addresses: []string{"bob@ex.example"}}
	w.line.waiting = []*place{waits}
	func() {
		defer func() { recover() }()
		if _, err := w.line.lookUp(t.Context(), front); err == nil {
			t.Error("the statement has found nobody, and no error")
		}
	}()
	if _, err := w.line.lookUp(t.Context(), waits); err != nil || calls != 2 {
		t.Errorf("%d look-ups, want 2: %v", calls, err)
	}
}

// TestAttachmentsAreBounded: files are read for a minute at most, and all together up to MaxSize.
func TestAttachmentsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, o, _, _ := sending(t, &slow{}, nil)
		o.Attachments = []mail.Attachment{{Name: "a", Ref: "a"}, {Name: "b", Ref: "b"}}
		w.opts.Attachment = func(ctx context.Context, _ string) (io.ReadCloser, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		began := time.Now()
		if err := w.attachments(t.Context(), o); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), `"a": the files of the message were not read within`) {
			t.Errorf("a file that hangs: %v", err)
		}
		if took := time.Since(began); took != attachmentLimit {
			t.Errorf("it took %v", took)
		}
		w.opts.Attachment = func(context.Context, string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(strings.Repeat("x", 600_000))), nil
		}
		if err := w.attachments(t.Context(), o); !errors.Is(err, mail.ErrInvalid) || !strings.Contains(err.Error(), "Attachments[1]") {
			t.Errorf("files that are too large together: %v", err)
		}
	})
}
