// Package webhook is the behavior of a queue with a `webhook:` section: its rows are
// deliveries of webhooks, which each write of a datatype with events adds.
//
//	webhook.go  the section's key
//	read.go     the datatypes that it names, and the fields that they need
//	pass.go     effects and names
//	print.go    its Go: how package delivery reads and writes the rows
//
// What generated code calls is package runtime/webhook/delivery.
package webhook

import (
	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/behavior/queue"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/model"
)

// Name is the key of the section.
const Name = "webhook"

// Behavior is webhook, as the stages see it.
type Behavior struct{}

// Name returns Name.
func (Behavior) Name() string { return Name }

// Section is `webhook:` as written.
type Section struct {
	Deliveries, Requests, Links, Log, Routes adapter.Table
	Topics                                   []*model.Datatype // with events; Tables sets it
}

// Of returns the section of a datatype; nil if it has none.
func Of(d *model.Datatype) *Section {
	s, _ := d.Section(Name).(*Section)
	return s
}

var grammar = &language.Mapping{
	Name: "webhook",
	Help: "The rows of the queue are deliveries of webhooks. docs/webhooks.md lists the fields that each of the datatypes needs.",
	Keys: []language.Key{
		{Name: "requests", Help: "the datatype of HTTP requests that webhooks make", Value: language.NameValue, Needed: true},
		{Name: "links", Help: "the datatype whose rows say which event makes which request", Value: language.NameValue, Needed: true},
		{Name: "log", Help: "the datatype of attempts to deliver, a row for each", Value: language.NameValue, Needed: true},
	},
}

// Key declares the section.
func (Behavior) Key() language.Key {
	return language.Key{
		Name: Name, Help: "makes the rows of a queue deliveries of webhooks, which events of other datatypes add",
		Value: &language.Value{Form: language.Section, Keys: grammar},
	}
}

// Fields adds none.
func (Behavior) Fields(*load.Definition, *yaml.Node, *yaml.Node) {}

// Read has the queue worked by webhooks, and not by a handler of the program.
func (Behavior) Read(def *load.Definition, at, _ *yaml.Node) {
	s := &Section{}
	def.Datatype.SetSection(Name, s)
	q := queue.Of(def.Datatype)
	switch {
	case q == nil:
		def.Wrong(at, "webhooks are delivered by a queue, and "+def.Datatype.Name+" has no queue section", "add queue, or copy the built-in webhook_queue")
	case len(q.Kinds) > 0:
		def.Wrong(at, "the rows of "+def.Datatype.Name+" are jobs of several kinds, and those of webhooks are deliveries alone", "remove kinds")
	case q.Policy.Unique != nil:
		def.Wrong(at, "deliveries are never duplicates of one another, and the queue of "+def.Datatype.Name+" has unique", "remove unique")
	default:
		q.Worked = worked(def.Datatype)
	}
}
