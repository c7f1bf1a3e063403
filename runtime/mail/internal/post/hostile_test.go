package post_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/internal/post/generated"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// scripted is a transport that does with each message what its subject names, and counts.
type scripted struct {
	scripts map[string]func(ctx context.Context, begin func(context.Context) error, attempt int) (*mail.Receipt, error)

	mu    sync.Mutex
	calls map[string]int
	to    map[string][]string // of the last call
}

func (s *scripted) Send(ctx context.Context, e *mail.Envelope, begin func(context.Context) error) (*mail.Receipt, error) {
	s.mu.Lock()
	if s.calls == nil {
		s.calls, s.to = map[string]int{}, map[string][]string{}
	}
	subject := e.Message.Subject
	s.calls[subject]++
	s.to[subject] = e.To
	attempt, script := s.calls[subject], s.scripts[subject]
	s.mu.Unlock()
	if script == nil {
		if err := begin(ctx); err != nil {
			return nil, err
		}
		return &mail.Receipt{Server: "scripted"}, nil
	}
	return script(ctx, begin, attempt)
}

func (s *scripted) Close() error { return nil }

func (s *scripted) called(subject string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[subject]
}

// through sends through a transport of the program's own.
func through(t *testing.T, tr mail.Transport) mail.Options {
	return mail.Options{
		Transport: tr, Queue: soon,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// begun calls begin and then does something else than a Transport may.
func begun(then func() (*mail.Receipt, error)) func(context.Context, func(context.Context) error, int) (*mail.Receipt, error) {
	return func(ctx context.Context, begin func(context.Context) error, _ int) (*mail.Receipt, error) {
		if err := begin(ctx); err != nil {
			return nil, err
		}
		return then()
	}
}

// TestTransportBreaksItsContract: what a transport does that it should not never has a message
// sent twice: after begin, only an *Error says that the message was not accepted.
func TestTransportBreaksItsContract(t *testing.T) {
	type script = func(ctx context.Context, begin func(context.Context) error, attempt int) (*mail.Receipt, error)
	plain := errors.New("mailer: internal error")
	tests := map[string]struct {
		script script
		want   generated.EmailQueueStatus
		calls  int
	}{
		"no receipt, no error":       {begun(func() (*mail.Receipt, error) { return nil, nil }), "sent", 1},
		"a plain error after begin":  {begun(func() (*mail.Receipt, error) { return nil, plain }), "unknown", 1},
		"an invalid one after begin": {begun(func() (*mail.Receipt, error) { return nil, &mail.InvalidError{Field: "x", Problem: "y"} }), "unknown", 1},
		"a context's after begin":    {begun(func() (*mail.Receipt, error) { return nil, context.DeadlineExceeded }), "unknown", 1},
		"a queue's after begin":      {begun(func() (*mail.Receipt, error) { return nil, queue.Snooze(0) }), "unknown", 1},
		"a receipt beside an error":  {begun(func() (*mail.Receipt, error) { return &mail.Receipt{}, plain }), "unknown", 1},
		"unknown, some refused": {begun(func() (*mail.Receipt, error) {
			return nil, &mail.Error{Phase: mail.PhaseFinal, Fate: mail.Unknown, Refused: []mail.Refusal{{Address: "bob@ex.example", Reply: mail.Reply{Code: 550}}}, Err: plain}
		}), "unknown", 1},
		"no fate":                    {begun(func() (*mail.Receipt, error) { return nil, &mail.Error{Err: plain} }), "unknown", 1},
		"a fate that does not exist": {begun(func() (*mail.Receipt, error) { return nil, &mail.Error{Fate: 42, Err: plain} }), "unknown", 1},
		"a nil *Error":               {begun(func() (*mail.Receipt, error) { var e *mail.Error; return nil, e }), "unknown", 1},
		"a panic after begin":        {begun(func() (*mail.Receipt, error) { panic("transport") }), "unknown", 1},
		"a refusal after begin": {begun(func() (*mail.Receipt, error) {
			return nil, &mail.Error{Phase: mail.PhaseFinal, Fate: mail.Fail, Err: plain}
		}), "failed", 1},
		"refused recipients it had not": {begun(func() (*mail.Receipt, error) {
			return &mail.Receipt{Refused: []mail.Refusal{{Address: "eve@ex.example", Reply: mail.Reply{Code: 451}}}}, nil
		}), "sent", 1},
		"begin twice": {func(ctx context.Context, begin func(context.Context) error, _ int) (*mail.Receipt, error) {
			if err := errors.Join(begin(ctx), begin(ctx)); err != nil {
				return nil, err
			}
			return &mail.Receipt{}, nil
		}, "sent", 1},
		"no begin": {func(context.Context, func(context.Context) error, int) (*mail.Receipt, error) {
			return &mail.Receipt{}, nil
		}, "sent", 1},
		"a plain error before begin": {func(ctx context.Context, begin func(context.Context) error, attempt int) (*mail.Receipt, error) {
			if attempt == 1 {
				return nil, plain
			}
			return &mail.Receipt{}, begin(ctx)
		}, "sent", 2},
		"a panic before begin": {func(ctx context.Context, begin func(context.Context) error, attempt int) (*mail.Receipt, error) {
			if attempt == 1 {
				panic("transport")
			}
			return &mail.Receipt{}, begin(ctx)
		}, "sent", 2},
	}
	onEach(t, func(t *testing.T, f *fixture) {
		tr := &scripted{scripts: map[string]script{}}
		o := through(t, tr)
		o.Parallel = len(tests) + 1 // no message is marked with another one
		o.After = func(_ context.Context, _ *mail.Outgoing, out mail.Outcome) {
			if out.Err == nil && out.Receipt.Response != "" { // a hook may rely on the receipt
				panic("a response that nobody sent")
			}
		}
		ids := map[string]generated.EmailQueueID{}
		for name, tt := range tests {
			tr.scripts[name] = tt.script
			ids[name] = f.send(mail.Message{To: to("ann@ex.example"), Cc: to("bob@ex.example"), Subject: name})
		}
		tr.scripts["resend"] = func(ctx context.Context, begin func(context.Context) error, attempt int) (*mail.Receipt, error) {
			if attempt == 1 {
				return nil, errors.Join(begin(ctx), plain)
			}
			return &mail.Receipt{}, begin(ctx)
		}
		again := must(f.db.Newsletter.Send(t.Context(), mail.Message{From: "news@shop.example", To: to("bob@ex.example"), Subject: "resend", Plain: "p"}))
		f.work(o)
		for name, tt := range tests {
			row := f.ended(ids[name])
			if calls := tr.called(name); row.Status != tt.want || calls != tt.calls {
				t.Errorf("%s: %s after %d calls, want %s after %d: %s", name, row.Status, calls, tt.want, tt.calls, row.Error.V)
			}
		}
		if row := must(f.db.Newsletter.Await(t.Context(), again)); row.State != generated.NewsletterStatePosted || row.Attempts != 2 {
			t.Errorf("where unknown means resend: %s after %d attempts: %s", row.State, row.Attempts, row.Error.V)
		}
	})
}

// TestHooksThatFail: a hook that panics, or leaves nothing to send, neither repeats nor loses a
// message, and no other message suffers.
func TestHooksThatFail(t *testing.T) {
	before := map[string]func(*mail.Outgoing){
		"before panics":       func(o *mail.Outgoing) { panicAtFirst(o, "before") },
		"before goes":         func(o *mail.Outgoing) { panicAtFirst(o, "") },
		"nobody is left":      func(o *mail.Outgoing) { o.To, o.Cc, o.Bcc = nil, nil, nil },
		"a sender is removed": func(o *mail.Outgoing) { o.From = mail.Address{} },
		"a line is injected":  func(o *mail.Outgoing) { o.To[0].Email = "ann@ex.example>\r\nRCPT TO:<eve@ex.example" },
		"another message":     func(o *mail.Outgoing) { o.ID, o.Mailbox, o.Attempt = 1<<40, "other", 7 },
	}
	tests := map[string]struct {
		message  mail.Message
		want     generated.EmailQueueStatus
		attempts int64
		error    string
	}{
		"before panics":       {want: "sent", attempts: 2},
		"before goes":         {want: "sent", attempts: 2},
		"nobody is left":      {want: "failed", attempts: 1, error: "no recipient"},
		"a sender is removed": {want: "failed", attempts: 1, error: "From"},
		"a line is injected":  {want: "failed", attempts: 1, error: "To"},
		"another message":     {want: "sent", attempts: 1},
		"after panics":        {want: "sent", attempts: 1},
		"after goes":          {want: "unknown", attempts: 1, error: "Goexit"}, // the goroutine ended before the row was written
		"no file":             {message: file("missing"), want: "failed", attempts: 3, error: `attachment "missing": gone`},
		"a file panics":       {message: file("panics"), want: "failed", attempts: 3, error: `attachment "panics"`},
		"no reader":           {message: file("nil"), want: "failed", attempts: 3, error: `attachment "nil"`},
		"a file breaks off":   {message: file("breaks"), want: "failed", attempts: 3, error: `attachment "breaks": unexpected EOF`},
		"a file without end":  {message: file("endless"), want: "failed", attempts: 1, error: "1000000"},
		"an empty file":       {message: mail.Message{Attachments: []mail.Attachment{{Name: "empty.txt", Data: []byte{}}}}, want: "sent", attempts: 1},
	}
	onEach(t, func(t *testing.T, f *fixture) {
		tr := &scripted{}
		o := through(t, tr)
		o.Before = func(_ context.Context, m *mail.Outgoing) error {
			if do := before[m.Subject]; do != nil {
				do(m)
			}
			return nil
		}
		o.After = func(_ context.Context, m *mail.Outgoing, _ mail.Outcome) {
			switch m.Subject {
			case "after panics":
				panic("after")
			case "after goes":
				runtime.Goexit()
			}
		}
		o.MaxSize = 1_000_000
		o.Attachment = open
		ids := map[string]generated.EmailQueueID{}
		for name, tt := range tests {
			m := tt.message
			m.Subject, m.To = name, []string{"ann@ex.example", "bob@ex.example"}
			ids[name] = f.send(m)
			must(f.db.EmailQueue.Update(t.Context(), ids[name], generated.EmailQueuePatch{MaxAttempts: store.Set[int64](3)}))
		}
		f.work(o)
		for name, tt := range tests {
			row := f.ended(ids[name])
			if row.Status != tt.want || row.Attempts != tt.attempts || !strings.Contains(row.Error.V, tt.error) {
				t.Errorf("%s: %s after %d attempts, want %s after %d, %q: %s", name, row.Status, row.Attempts, tt.want, tt.attempts, tt.error, row.Error.V)
			}
			if calls := tr.called(name); calls > 1 || calls == 0 && tt.want == "sent" {
				t.Errorf("%s: it was handed to the transport %d times", name, calls)
			}
		}
	})
}

// panicAtFirst panics in the first attempt, or ends its goroutine.
func panicAtFirst(o *mail.Outgoing, with string) {
	switch {
	case o.Attempt > 1:
	case with == "":
		runtime.Goexit()
	default:
		panic(with)
	}
}

// file is a message with an attachment that is a reference.
func file(ref string) mail.Message {
	return mail.Message{Attachments: []mail.Attachment{{Name: "file.bin", Ref: ref}}}
}

// open opens references of attachments.
func open(_ context.Context, ref string) (io.ReadCloser, error) {
	switch ref {
	case "panics":
		panic("attachment")
	case "nil":
		return nil, nil
	case "breaks":
		return io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF)), nil
	case "endless":
		return io.NopCloser(endless{}), nil
	}
	return nil, errors.New("gone")
}

// endless is a file of any size.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestRowsWrittenBySQL: a row that mail has not written fails alone, with an error that names
// the field; what could be read as something else on its way is not sent.
func TestRowsWrittenBySQL(t *testing.T) {
	rows := []struct{ column, value, error, not string }{ // not: the database that cannot have it
		{column: "recipients", value: `42`, error: "Recipients"},
		{column: "recipients", value: `{"address": 1}`, error: "Recipients"},
		{column: "headers", value: `["X-A: b"]`, error: "Headers"},
		{column: "headers", value: `{"X-A": "b\r\nBcc: eve@ex.example"}`, error: "Headers"},
		{column: "tags", value: `{}`, error: "Tags"},
		{column: "attachments", value: `[{"name": "a.txt"}]`, error: "Attachments"},
		{column: "attachments", value: `[{"name": "a.txt", "data": "!"}]`, error: "Attachments"},
		{column: "to", value: ``, error: "no recipient"},
		{column: "to", value: `,`, error: "To"},
		{column: "to", value: "ann@ex.example\r\nBcc: eve@ex.example", error: "To"},
		{column: "subject", value: "a\r\nBcc: eve@ex.example", error: "Subject"},
		{column: "subject", value: "a\x00b", error: "Subject", not: "postgres"},
		{column: "from", value: "shop@shop.example\r\nBcc: eve@ex.example", error: "From"},
		{column: "body_plain", value: "a\x00b", error: "Plain", not: "postgres"},
		{column: "message_id", value: "a>\r\nBcc: eve@ex.example\r\nX: <b", error: "Message"},
		{column: "stream", value: "a\r\nb", error: "Stream"},
		{column: "list_unsubscribe", value: "https://shop.example/\r\nBcc: eve@ex.example", error: "ListUnsubscribe"},
	}
	onEach(t, func(t *testing.T, f *fixture) {
		kind := t.Name()[strings.LastIndexByte(t.Name(), '/')+1:]
		statement := "UPDATE email_queue SET " + `"%s" = ? WHERE id = %d`
		switch kind {
		case "postgres":
			statement = strings.Replace(statement, "?", "$1", 1)
		case "mysql":
			statement = strings.ReplaceAll(statement, `"`, "`")
		}
		ids := map[int]generated.EmailQueueID{}
		for i, row := range rows {
			if slices.Contains(strings.Fields(row.not), kind) {
				continue
			}
			ids[i] = f.send(mail.Message{To: to("ann@ex.example"), Subject: fmt.Sprint(i)})
			value := any(row.value)
			if row.column == "attachments" { // of type bytes
				value = []byte(row.value)
			}
			must(f.db.Store().Conn().Exec(t.Context(), fmt.Sprintf(statement, row.column, ids[i]), []any{value}))
		}
		tr := &scripted{}
		f.work(through(t, tr))
		for i, id := range ids {
			row := f.ended(id)
			if row.Status != "failed" || row.Attempts != 1 || !strings.Contains(row.Error.V, rows[i].error) {
				t.Errorf("%s = %s: %s after %d attempts: %s", rows[i].column, rows[i].value, row.Status, row.Attempts, row.Error.V)
			}
		}
		if len(tr.calls) > 0 {
			t.Errorf("handed to the transport: %v", tr.calls)
		}
		f.is(f.ended(f.send(mail.Message{To: to("ann@ex.example")})), "sent")
	})
}
