// Package events is the behavior of datatypes with `events: [create, update, delete, publish]`:
// each write of a row writes an event beside it, for those who read it. Under `emits` a
// datatype declares events that programs write themselves.
//
// The log is three tables that the datatypes of a project share. The first of them owns
// their statements and their Go.
package events

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
)

// Name is the key of the section.
const Name = "events"

// Behavior is events, as the stages see it.
type Behavior struct{}

// Name returns Name.
func (Behavior) Name() string { return Name }

// Section is what a datatype says of its events.
type Section struct {
	On      model.Writes // those that are events of their own
	Publish bool         // a write that makes the row published is one, too
	Emits   []*Emit      // those that programs write, in the order of the definition
}

// Writes are the writes that may be events.
func (s *Section) Writes() model.Writes {
	if s.Publish {
		return s.On | model.Creates | model.Updates
	}
	return s.On
}

// Of returns the section of a datatype; nil if it has none.
func Of(d *model.Datatype) *Section {
	s, _ := d.Section(Name).(*Section)
	return s
}

// op is one of what may stand in the section.
type op struct {
	name string
	on   model.Writes // 0: publish
}

var ops = []op{{"create", model.Creates}, {"update", model.Updates}, {"delete", model.Deletes}, {"publish", 0}}

// Key declares the section: a list of writes, or keys for those and for what programs emit.
func (Behavior) Key() language.Key {
	return language.Key{
		Name: Name,
		Help: "what happens to rows that subscriptions get: create, update, delete, publish",
		Value: &language.Value{
			Form: language.List, Min: 1, Max: int64(len(ops)), Of: writesGrammar.Of,
			Or: []language.Value{{Form: language.Section, Keys: grammar}},
		},
	}
}

// Fields adds none.
func (Behavior) Fields(*load.Definition, *yaml.Node, *yaml.Node) {}

// Read reads the section.
func (Behavior) Read(def *load.Definition, at, section *yaml.Node) {
	s := &Section{}
	r := reader{def, s}
	for _, at := range writes(section) {
		r.write(at)
	}
	if section.Kind == yaml.MappingNode {
		r.emits(section)
		if len(section.Content) == 0 {
			def.Wrong(at, "events has neither writes nor emits", "add one of them, or remove events")
		}
	}
	def.Datatype.SetSection(Name, s)
}

// writes returns the nodes of the writes in a section of either form.
func writes(section *yaml.Node) []*yaml.Node {
	if section.Kind == yaml.MappingNode {
		return node.Items(section, "writes")
	}
	return section.Content
}

// reader reads the section of a datatype.
type reader struct {
	def *load.Definition
	s   *Section
}

// write reads one of the writes that are events.
func (r reader) write(at *yaml.Node) {
	i := slices.IndexFunc(ops, func(o op) bool { return node.IsText(at) && o.name == at.Value })
	switch {
	case i < 0: // it was reported
	case r.s.On&ops[i].on != 0, ops[i].on == 0 && r.s.Publish:
		r.def.Wrong(at, at.Value+" stands there twice", "remove one of them")
	case ops[i].on == 0:
		r.s.Publish = true
		if _, section := node.Pair(r.def.Root, at.Value); section == nil {
			r.def.Wrong(at, "nothing here says when a row is published", "add publish: {status: ..., publish_date: ...}, or remove publish")
		}
	default:
		r.s.On |= ops[i].on
	}
}

// Link refuses events of rows that change without the store's methods: the entries of a
// cache, and rows that the database deletes or changes with entries.
func (Behavior) Link(def *load.Definition, section *yaml.Node) {
	d := def.Datatype
	if isCache(d) {
		def.Wrong(section, "a cache writes and removes its entries by statements of its own, which write no events", "remove events, or give them to the datatypes that its entries are made of")
		return
	}
	for _, at := range writes(section) {
		var with *model.Datatype
		verb := "go"
		switch at.Value {
		case "delete":
			with = behavior.GoesWith(d, isCache, "cascade")
		case "update":
			with, verb = behavior.GoesWith(d, isCache, "set_null"), "change"
		}
		if with != nil {
			def.Wrong(at, fmt.Sprintf("rows of %s %s with entries of the cache %s, without events", d.Name, verb, with.Name), fmt.Sprintf("remove %s, or the reference that leads to %s", at.Value, with.Name))
		}
	}
}

func isCache(d *model.Datatype) bool { return d.Section("cache") != nil }
