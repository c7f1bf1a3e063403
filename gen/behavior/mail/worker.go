package mail

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/worker"
)

// Worker returns the hooks of a mailbox, and the options that have its mail sent with them.
func (Behavior) Worker(d *model.Datatype) *worker.Part {
	s := Of(d)
	of := "mailbox " + d.Name
	once := func(m worker.Method) worker.Method {
		m.Once, m.For, m.Pos = true, of, d.Pos
		return m
	}
	return &worker.Part{
		Doc:     "Before and After are called around each attempt to send a message.",
		Imports: map[string]string{"mail": mailPath},
		Fields:  []string{"SMTP @mail.SMTP // the servers; without one, Run and Drain fail when mail is due"},
		Methods: []worker.Method{
			once(worker.Method{
				Name:      "Options",
				Doc:       []string{"Options has mail sent through the servers, with these hooks."},
				Signature: "() @mail.Options",
				Body:      []string{"return @mail.Options{SMTP: $.SMTP, Before: $.Before, After: $.After, Logger: @slog.Default()}"},
			}),
			once(worker.Method{
				Name: "Before",
				Doc: []string{
					"Before is called with each message that is to be sent, and may change it for this attempt. With an error it is not sent now: queue.Cancel and queue.Discard of an error stop it for good, and another error has it tried again.",
				},
				Signature: "(ctx @context.Context, m *@mail.Outgoing) error",
				Body:      []string{"return nil // it is sent as it is"},
			}),
			once(worker.Method{
				Name:      "After",
				Doc:       []string{"After is called with what became of each attempt. It changes nothing of that; failures are logged by the logger of Options."},
				Signature: "(ctx @context.Context, m *@mail.Outgoing, o @mail.Outcome)",
				Body:      []string{},
			}),
		},
		Wiring: []worker.Wiring{s.wiring(d, of)},
		Tests:  []worker.Decl{s.test(d, of)},
	}
}

// wiring sets the one field of Workers that mailboxes share.
func (s *Section) wiring(d *model.Datatype, of string) worker.Wiring {
	w := worker.Wiring{Func: "New", Shared: []worker.Decl{worker.New}, Has: field, Text: "\t%[1]s." + field + " = ({}).Options()\n", For: of, Pos: d.Pos}
	if len(s.Mailboxes) > 1 { // each in its own way
		w.Has, w.Not = d.Name, field
		w.Text = fmt.Sprintf("\t%%[1]s.%s = @mail.Mailboxes{%q: ({}).Options()}\n", field, d.Name)
	}
	return w
}

// test sends a message to a folder.
func (s *Section) test(d *model.Datatype, of string) worker.Decl {
	f := s.Messages.Fields
	parts := []string{`From: "shop@example.com"`, `To: []string{"ann@example.com"}`}
	if f["subject"] != nil {
		parts = append(parts, `Subject: "Hello"`)
	}
	if f["body_plain"] != nil {
		parts = append(parts, `Plain: "Hello."`)
	} else {
		parts = append(parts, `HTML: "<p>Hello.</p>"`)
	}
	name := "Test" + d.GoAccessor
	q := queue.Of(d)
	return worker.Decl{
		Name: name, For: of, Pos: d.Pos,
		Doc: []string{name + " sends a message with the hooks of " + d.GoAccessor + " to a folder, in place of a server."},
		Text: fmt.Sprintf(`func %s(t *@testing.T) {
	db := testDB(t)
	id, err := db.%s.Send(t.Context(), @mail.Message{%s})
	if err != nil {
		t.Fatal(err)
	}
	o := (&%s{DB: db}).Options()
	o.SMTP, o.Transport = @mail.SMTP{}, @mail.File(t.TempDir()).Transport
	if err := db.Drain(t.Context(), @generated.Workers{Mail: @mail.Mailboxes{%q: o}}); err != nil {
		t.Fatal(err)
	}
	row, err := db.%s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if row.%s != %s {
		t.Errorf("the message is %%s: %%v", row.%s, row.%s)
	}
}`, name, d.GoAccessor, strings.Join(parts, ", "), d.GoAccessor, d.Name, d.GoAccessor, q.State.GoName, worker.Option(q.State, q.Done), q.State.GoName, q.Error.GoName),
	}
}
