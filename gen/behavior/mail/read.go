package mail

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/mail/protocol"
)

// What a mailbox and its suppressions need, in the order of the built-in ones.
var (
	messageNeeds = []adapter.Need{
		adapter.Must("to", "text textarea email", "required: true"),
		adapter.Must("from", "text textarea email", "max: 400, required: true"),
		adapter.Can("subject", "text textarea", ""),
		adapter.Can("body_html", "richtext textarea text", ""),
		adapter.Can("body_plain", "textarea richtext text", ""),
		adapter.Can("cc", "text textarea email", ""),
		adapter.Can("bcc", "text textarea email", ""),
		adapter.Can("reply_to", "text textarea email", ""),
		adapter.Can("headers", "json", "").Holds(protocol.MaxHeaders).Nullable(),
		adapter.Can("attachments", "bytes json", "").Nullable(),
		adapter.Can("message_id", "text textarea", "max: 255").Holds(protocol.MaxMessageID),
		adapter.Can("list_unsubscribe", "text textarea url", ""),
		adapter.Can("stream", "text", "max: 100").Holds(protocol.MaxStream),
		adapter.Can("locale", "text", "max: 35"),
		adapter.Can("tags", "json", "").Nullable(),
		adapter.Can("idempotency_key", "text", "max: 255, unique: true").Nullable(),
		adapter.Can("domain", "text", "max: 253").Holds(protocol.MaxDomain),
		adapter.Can("recipients", "json", "").Holds(protocol.MaxRecipients).Nullable(),
		adapter.Can("date", "datetime", ""),
		adapter.Can("sent_at", "datetime", "").Nullable(),
	}
	suppressionNeeds = []adapter.Need{
		adapter.Must("address", "text email", "max: 320, required: true").Holds(protocol.MaxAddress),
		adapter.Must("stream", "text", "max: 100, default: \"\"").Holds(protocol.MaxStream),
		adapter.Must("reason", "select text", "options: [hard_bounce, complaint, unsubscribed, manual], required: true").Takes("hard_bounce", "complaint", "unsubscribed", "manual"),
		adapter.Can("detail", "text textarea", "max: 1000").Holds(protocol.MaxDetail),
		adapter.Can("suppressed_at", "datetime", "default: now"),
	}
)

// Link resolves the fields that the section uses, and the datatype of suppressions.
func (Behavior) Link(def *load.Definition, section *yaml.Node) {
	s, q := Of(def.Datatype), queue.Of(def.Datatype)
	if s == nil {
		return // reported
	}
	l := linker{def, section, s, q}
	s.Resend = node.Text(section, "unknown") == "resend"
	s.Messages = adapter.Find(def, section, def, adapter.Use{
		By: "mailboxes", Needs: messageNeeds, Names: section, Adds: true, Key: l.key(),
		Known: l.known,
	})
	l.distinct()
	l.date()
	l.bodies()
	l.unique()
	l.fate()
	l.suppressions()
	if f := s.Messages.Fields["sent_at"]; f != nil && f != q.CompletedAt {
		q.DoneAt = f
	}
}

// linker resolves the section of one definition.
type linker struct {
	def     *load.Definition
	section *yaml.Node
	s       *Section
	q       *queue.Section
}

// known reports fields of the queue, which it fills in itself.
func (l linker) known(f *model.Field) bool {
	return f == l.q.State || f == l.q.Attempts || f == l.q.MaxAttempts || f == l.q.RunAt
}

// distinct reports a field that is used for two things: one would overwrite the other.
func (l linker) distinct() {
	uses := map[*model.Field]string{
		l.q.State: "state", l.q.RunAt: "run_at", l.q.Attempts: "attempts", l.q.MaxAttempts: "max_attempts", l.q.Error: "error",
		l.q.StartedAt: "started_at", l.q.CompletedAt: "completed_at", l.q.ClaimedBy: "claimed_by",
	}
	for _, n := range messageNeeds {
		f := l.s.Messages.Fields[n.Name]
		if f == nil || n.Name == "sent_at" && f == l.q.CompletedAt {
			continue
		}
		if other := uses[f]; other != "" {
			l.def.Wrong(node.Or(node.Get(l.section, n.Name), node.Get(l.def.Node(f), "name"), l.section), fmt.Sprintf("%s and %s are both the field %s", other, n.Name, f.Name), "each needs a field of its own")
			continue
		}
		uses[f] = n.Name
	}
}

// key is the field in which messages differ.
func (l linker) key() []string {
	if name := node.Text(l.section, "idempotency_key"); name != "" {
		return []string{name}
	}
	return []string{"idempotency_key"}
}

// date takes created_at for the message's Date, which nothing writes then, where there is no
// field of its own.
func (l linker) date() {
	if l.s.Messages.Fields["date"] != nil || l.named("date") {
		return
	}
	for _, f := range l.def.Datatype.Fields {
		if f.Name == "created_at" && f.Type == "datetime" {
			l.s.Messages.Fields[createdAt] = f
		}
	}
}

// bodies reports a mailbox whose messages could only be empty.
func (l linker) bodies() {
	if fields := l.s.Messages.Fields; fields["body_html"] == nil && fields["body_plain"] == nil && !l.named("body_html") && !l.named("body_plain") {
		l.def.Wrong(l.section, "mail needs a field for the body of "+l.def.Datatype.Name, "add {name: body_html, type: richtext} or {name: body_plain, type: textarea}, or both")
	}
}

// named reports whether the section names a field for a key, which is reported then if it
// cannot be used.
func (l linker) named(key string) bool { return node.Get(l.section, key) != nil }

// unique reports an idempotency key that several messages could have.
func (l linker) unique() {
	f := l.s.Messages.Fields["idempotency_key"]
	if f == nil || f.Unique {
		return
	}
	l.def.Wrong(node.Or(node.Get(l.def.Node(f), "name"), l.section), f.Name+" is not unique, and mail keeps one message of each key", "write unique: true")
}

// fate reports a queue without a state for messages that may have been sent.
func (l linker) fate() {
	if l.s.Resend || l.q.Unknown != "" {
		return
	}
	l.def.Wrong(l.section, fmt.Sprintf("a message whose worker was lost may have been sent, and the queue of %s has no state for that", l.def.Datatype.Name),
		"add unknown: unknown to state, and the option; or write mail: {unknown: resend}, after which some messages are sent twice")
}

// suppressions finds the datatype of addresses that get no mail.
func (l linker) suppressions() {
	at := node.Get(l.section, "suppressions")
	if at == nil || !node.IsText(at) {
		return
	}
	other := l.def.Other(at)
	switch {
	case other == nil: // reported
	case other == l.def:
		l.def.Wrong(at, l.def.Datatype.Name+" is the mailbox itself, and cannot have its suppressions too", "name another datatype, such as the built-in email_suppressions")
	default:
		t := adapter.Find(l.def, at, other, adapter.Use{By: "mailboxes", Needs: suppressionNeeds, Adds: true, Key: []string{"address", "stream"}})
		l.s.Suppressions = &t
		l.once(at, t)
	}
}

// once reports suppressions of which there could be several for one address and stream.
func (l linker) once(at *yaml.Node, t adapter.Table) {
	if t.Fields["address"] == nil || t.Fields["stream"] == nil {
		return // reported
	}
	for _, x := range t.Indexes {
		if x.Unique && len(x.Where) == 0 && len(x.Columns) == 2 && x.Columns[0].Field == t.Fields["address"] && x.Columns[1].Field == t.Fields["stream"] {
			return
		}
	}
	l.def.Wrong(at, t.Name+" may have several rows of one address and stream, which mail looks up for each message", "add to "+t.Name+": indexes: [{fields: [address, stream], unique: true}]")
}
