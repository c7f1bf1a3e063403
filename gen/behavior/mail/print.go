package mail

import (
	"maps"
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/model"
)

// The packages that generated code of mail names.
const (
	mailPath   = "github.com/hegner123/modulagen/runtime/mail"
	outboxPath = mailPath + "/outbox"
)

// field is the field of Workers that has mail sent, of every mailbox.
const field = "Mail"

// Imports names packages mail and outbox.
func (Behavior) Imports() map[string]string {
	out := map[string]string{mailPath: "mail", outboxPath: "outbox"}
	maps.Copy(out, adapter.Imports)
	return out
}

func outbox(name string) *jen.Statement { return jen.Qual(outboxPath, name) }
func mailed(name string) *jen.Statement { return jen.Qual(mailPath, name) }

// worked is how the queue of a datatype is worked.
func worked(d *model.Datatype) *queue.Worked {
	return &queue.Worked{
		Field: field, Type: mailed("Sender"),
		Runner: func() jen.Code {
			return outbox("Runner").Call(
				jen.Id("db").Dot("store"), jen.Op("&").Id(SpecName(d)), jen.Op("&").Id(queue.QueueName(d)), jen.Id(rowName(d)), jen.Id("w").Dot(field))
		},
	}
}

// Lower is never called: there are no operations.
func (Behavior) Lower(statement.Writer, *model.Datatype, *model.Operation) []model.Query { return nil }

// Run has nothing to do beside the queue.
func (Behavior) Run([]*model.Datatype) golang.Run { return golang.Run{} }

// Which fields of the structs of package outbox have which columns.
var (
	messageParts = adapter.Parts(
		"To to", "From from", "Subject subject", "HTML body_html", "Plain body_plain", "Cc cc", "Bcc bcc", "ReplyTo reply_to",
		"Headers headers", "Attachments attachments", "MessageID message_id", "ListUnsubscribe list_unsubscribe", "Stream stream",
		"Locale locale", "Tags tags", "IdempotencyKey idempotency_key", "Domain domain", "Recipients recipients", "Date date",
	)
	suppressionParts = adapter.Parts("Address address", "Stream stream", "Reason reason", "Detail detail", "At suppressed_at")
)

// createdAt is the field that Date is read from, and never written to, where there is no other.
const createdAt = "created_at"

// Datatype prints how package outbox reads and writes the rows of a mailbox.
func (Behavior) Datatype(f *jen.File, t code.Table) {
	p := printer{Of(t.D), queue.Of(t.D), t}
	p.s.Messages.Reader(f, rowName(t.D), outbox("Row"), append(slices.Clone(messageParts), adapter.Part{Field: "Date", Column: createdAt}))
	if s := p.s.Suppressions; s != nil {
		s.Reader(f, suppressionName(t.D), outbox("Suppression"), suppressionParts)
	}
	p.spec(f)
	p.methods(f)
}

// printer prints one mailbox.
type printer struct {
	s *Section
	q *queue.Section
	code.Table
}

// spec prints what package outbox must know.
func (p printer) spec(f *jen.File) {
	t := p.s.Messages
	dict := jen.Dict{
		jen.Id("Name"):    jen.Lit(p.D.Name),
		jen.Id("Columns"): p.columns(),
		jen.Id("Mailboxes"): jen.Index().String().ValuesFunc(func(g *jen.Group) {
			for _, name := range p.s.Mailboxes {
				g.Lit(name)
			}
		}),
		jen.Id("Enqueue"): t.Create(outbox("Row"), "EnqueueMany", p.newRow(), true),
		jen.Id("RowOf"):   t.Of(outbox("Row"), rowName(p.D)),
	}
	if p.s.Resend {
		dict[jen.Id("Resend")] = jen.True()
	}
	if t.Fields["idempotency_key"] != nil {
		dict[jen.Id("ByKeys")] = p.byKeys()
	}
	if f := t.Fields["recipients"]; f != nil {
		dict[jen.Id("SetRecipients")] = p.setRecipients(f)
	}
	if s := p.s.Suppressions; s != nil {
		dict[jen.Id("Suppressions")] = s.Each(outbox("Suppression"), suppressionName(p.D), s.Query(s.Is("address", "In", jen.Id("addresses").Op("..."))), jen.Id("addresses").Index().String())
		dict[jen.Id("Suppress")] = p.suppress(s)
	}
	f.Var().Id(SpecName(p.D)).Op("=").Add(outbox("Spec")).Values(dict)
	f.Line()
}

// columns prints the names of the fields of a mailbox, for messages, by those of mail.
func (p printer) columns() jen.Code {
	names := jen.Dict{}
	for key, f := range p.s.Messages.Fields {
		names[jen.Lit(key)] = jen.Lit(f.Name)
	}
	return jen.Map(jen.String()).String().Values(names)
}

// newRow is a row of the mailbox, of the struct d.
func (p printer) newRow() jen.Code {
	values := p.s.Messages.Values(messageParts)
	for _, part := range messageParts {
		if f := p.s.Messages.Fields[part.Column]; f != nil && f.Default != nil { // of a stream, say: suppressions go by it
			values[f] = jen.Qual(adapter.RowsPath, "Opt").Call(jen.Id("d").Dot(part.Field))
		}
	}
	if p.q.RunAt != nil {
		values[p.q.RunAt] = jen.Qual(adapter.RowsPath, "Opt").Call(jen.Id("d").Dot("SendAt"))
	}
	return p.s.Messages.Row("New", values)
}

// byKeys prints the reading of messages by their idempotency keys.
func (p printer) byKeys() jen.Code {
	t := p.s.Messages
	return jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("keys").Index().String()).Add(adapter.Seq(jen.Op("*").Add(outbox("Row")))).Block(
		t.Bound(),
		jen.Return(jen.Qual(adapter.RowsPath, "Each").Call(
			jen.Id("t").Dot("All").Call(jen.Id("ctx"), t.Query(t.Is("idempotency_key", "In", jen.Id("keys").Op("...")))), jen.Id(rowName(p.D)))),
	)
}

func (p printer) setRecipients(f *model.Field) jen.Code {
	t := p.s.Messages
	return jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("id").Int64(), jen.Id("recipients").Add(code.Store("JSON"))).Error().Block(
		t.Bound(),
		jen.List(jen.Id("_"), jen.Err()).Op(":=").Id("t").Dot("Update").Call(jen.Id("ctx"), t.ID(jen.Id("id")),
			jen.Id(t.GoRow+"Patch").Values(jen.Dict{jen.Id(f.GoName): code.Store("Set").Call(jen.Id("recipients"))})),
		jen.Return(jen.Err()),
	)
}

// suppress prints the adding of suppressions; one that is there already stays.
func (p printer) suppress(s *adapter.Table) jen.Code {
	return s.Create(outbox("Suppression"), "CreateMany", s.Row("New", s.Values(suppressionParts)), false)
}

// keyed is what Send does with idempotency keys.
func (p printer) keyed() []string {
	if p.s.Messages.Fields["idempotency_key"] == nil {
		return nil
	}
	return []string{"If there is a message with the same IdempotencyKey already, Send returns its id."}
}

// methods prints what the table of a mailbox has beyond others.
func (p printer) methods(f *jen.File) {
	spec := func() jen.Code { return jen.Op("&").Id(SpecName(p.D)) }
	id := p.D.GoRow + "ID"
	p.Method(f, "Send",
		append([]string{
			"Send adds a message; a process that runs with Workers.Mail sends it when it is due. In a",
			"transaction it is added with everything else, or not at all. What could not be sent is",
			"refused: the error is mail.ErrInvalid, and names each field.",
		}, p.keyed()...)...,
	).Params(code.Ctx(), jen.Id("m").Add(mailed("Message"))).Params(jen.Id(id), jen.Error()).Block(
		jen.List(jen.Id("ids"), jen.Err()).Op(":=").Id("t").Dot("SendMany").Call(jen.Id("ctx"), jen.Index().Add(mailed("Message")).Values(jen.Id("m"))),
		jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Lit(0), jen.Err())),
		jen.Return(jen.Id("ids").Index(jen.Lit(0)), jen.Nil()),
	)
	f.Line()
	p.Method(f, "SendMany",
		"SendMany adds several messages, a row each: all of them, or none. It returns their ids in",
		"the same order; an error names the message.",
	).Params(code.Ctx(), jen.Id("ms").Index().Add(mailed("Message"))).Params(jen.Index().Id(id), jen.Error()).Block(
		jen.Return(outbox("Send").Types(jen.Id(id)).Call(jen.Id("ctx"), p.Conn(), spec(), jen.Id("ms"))),
	)
	f.Line()
	if p.s.Suppressions == nil {
		return
	}
	p.Method(f, "Suppress",
		"Suppress adds an address to "+p.s.Suppressions.Name+": it gets no more mail of s.Stream, or none",
		"at all if s.Stream is empty. Waiting messages to it fail when they become due. An address",
		"that is already there is left as it is. A reason is required.",
	).Params(code.Ctx(), jen.Id("s").Add(mailed("Suppression"))).Error().Block(
		jen.Return(outbox("Suppress").Call(jen.Id("ctx"), p.Conn(), spec(), jen.Id("s"))),
	)
	f.Line()
}
