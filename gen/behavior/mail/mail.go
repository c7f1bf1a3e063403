// Package mail is the behavior of a queue with a `mail:` section: its rows are messages, which
// Send adds and a transport sends.
//
//	mail.go   the section's keys
//	read.go   the fields that it uses, and the datatype of suppressions
//	pass.go   effects and names
//	print.go  its Go: how package outbox reads and writes the rows
//
// What generated code calls is package runtime/mail/outbox.
package mail

import (
	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
)

// Name is the key of the section.
const Name = "mail"

// Behavior is mail, as the stages see it.
type Behavior struct{}

// Name returns Name.
func (Behavior) Name() string { return Name }

// Section is `mail:` as written.
type Section struct {
	Messages     adapter.Table
	Suppressions *adapter.Table // nil: addresses are never suppressed
	Mailboxes    []string       // all of the project; Tables sets it
	Resend       bool           // messages that may have been sent are sent again
}

// Of returns the section of a datatype; nil if it has none.
func Of(d *model.Datatype) *Section {
	s, _ := d.Section(Name).(*Section)
	return s
}

var grammar = &language.Mapping{
	Name: "mailbox",
	Help: "The rows of the queue are messages of mail. A key that names a field may be left out where the field has the key's name; only to, from, and one of the bodies are needed.",
	Keys: []language.Key{
		{Name: "to", Help: "the field of recipients, addresses with commas between them", Value: language.NameValue},
		{Name: "from", Help: "the field of the sender's address", Value: language.NameValue},
		{Name: "subject", Help: "the field of the subject", Value: language.NameValue},
		{Name: "body_html", Help: "the field of the body as HTML", Value: language.NameValue},
		{Name: "body_plain", Help: "the field of the body as plain text; made from that of HTML unless a message has one", Value: language.NameValue},
		{Name: "sent_at", Help: "the datetime when a server accepted the message", Value: language.NameValue},
		{Name: "date", Help: "the datetime of the message's Date, which is fixed when it is added; created_at unless given", Value: language.NameValue},
		{Name: "cc", Help: "the field of further recipients, who are named in the message", Value: language.NameValue},
		{Name: "bcc", Help: "the field of further recipients, who are not named in the message", Value: language.NameValue},
		{Name: "reply_to", Help: "the field of the addresses that answers go to", Value: language.NameValue},
		{Name: "headers", Help: "the json field of further headers, an object of names and texts", Value: language.NameValue},
		{Name: "attachments", Help: "the field of files, of type bytes (up to 16 MiB) or json (up to 1 MiB)", Value: language.NameValue},
		{Name: "message_id", Help: "the field of the Message-ID, which is fixed when the message is added; made from the row unless there is one", Value: language.NameValue},
		{Name: "list_unsubscribe", Help: "the field of the URL of one-click unsubscription", Value: language.NameValue},
		{Name: "stream", Help: "the field of what recipients unsubscribe from, such as newsletter", Value: language.NameValue},
		{Name: "locale", Help: "the field of the message's language", Value: language.NameValue},
		{Name: "tags", Help: "the json field of the program's own labels, a list of texts", Value: language.NameValue},
		{Name: "idempotency_key", Help: "the unique field of the key of which there is one message", Value: language.NameValue},
		{Name: "domain", Help: "the field of the first recipient's domain, for limits per domain", Value: language.NameValue},
		{Name: "recipients", Help: "the json field of what became of each recipient, where a server accepted some and refused others", Value: language.NameValue},
		{Name: "suppressions", Help: "the datatype of addresses to which no mail is sent", Value: language.NameValue},
		{Name: "unknown", Help: "what becomes of a message whose worker was lost when the server may have accepted it. hold: it waits for a person, in the queue's state unknown (the default); resend: it is sent again, perhaps twice", Value: &language.Value{Form: language.Text, Choices: []string{"hold", "resend"}}},
	},
	Meant: map[string]string{"scope": "stream", "html": "body_html", "text": "body_plain", "plain": "body_plain", "body": "body_html", "suppression": "suppressions"},
}

// Key declares the section.
func (Behavior) Key() language.Key {
	return language.Key{
		Name: Name, Help: "makes the rows of a queue messages of mail, which Send adds and a server is sent",
		Value: &language.Value{Form: language.Section, Keys: grammar},
	}
}

// Fields adds none.
func (Behavior) Fields(*load.Definition, *yaml.Node, *yaml.Node) {}

// Read has the queue worked by mail, and not by a handler of the program.
func (Behavior) Read(def *load.Definition, at, _ *yaml.Node) {
	q := queue.Of(def.Datatype)
	switch {
	case q == nil && node.Get(def.Root, "queue") != nil: // reported
	case q == nil:
		def.Wrong(at, "mail is sent by a queue, and "+def.Datatype.Name+" has no queue section", "add queue, or copy the built-in email_queue")
	case len(q.Kinds) > 0:
		def.Wrong(at, "the rows of "+def.Datatype.Name+" are jobs of several kinds, and those of mail are messages alone", "remove kinds")
	case q.Policy.Unique != nil:
		def.Wrong(at, "the queue of "+def.Datatype.Name+" has unique, and two messages may be equal in any of their fields", "remove unique; idempotency_key makes one message of several")
	case q.Worked != nil:
		def.Wrong(at, "the queue of "+def.Datatype.Name+" is worked by another section already", "remove one of them")
	default:
		q.Worked = worked(def.Datatype)
		def.Datatype.SetSection(Name, &Section{})
	}
}
