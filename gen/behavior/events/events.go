// Package events is the behavior of datatypes with `events: [create, update, delete]`:
// each write of a row writes an event beside it, for those who read it.
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
	On model.Writes
}

// Of returns the section of a datatype; nil if it has none.
func Of(d *model.Datatype) *Section {
	s, _ := d.Section(Name).(*Section)
	return s
}

// op is one of what may stand in the section.
type op struct {
	name string
	on   model.Writes
}

var ops = []op{{"create", model.Creates}, {"update", model.Updates}, {"delete", model.Deletes}}

// Key declares the section.
func (Behavior) Key() language.Key {
	var names []string
	for _, op := range ops {
		names = append(names, op.name)
	}
	return language.Key{
		Name: Name,
		Help: "what happens to rows that subscriptions get: create, update, delete",
		Value: &language.Value{
			Form: language.List, Min: 1, Max: int64(len(names)), Of: &language.Value{Form: language.Text, Choices: names},
		},
	}
}

// Fields adds none.
func (Behavior) Fields(*load.Definition, *yaml.Node, *yaml.Node) {}

// Read reads the section.
func (Behavior) Read(def *load.Definition, _, section *yaml.Node) {
	s := &Section{}
	for _, at := range section.Content {
		i := slices.IndexFunc(ops, func(o op) bool { return node.IsText(at) && o.name == at.Value })
		switch {
		case i < 0: // it was reported
		case s.On&ops[i].on != 0:
			def.Wrong(at, at.Value+" stands there twice", "remove one of them")
		default:
			s.On |= ops[i].on
		}
	}
	def.Datatype.SetSection(Name, s)
}

// Link refuses events of rows that change without the store's methods: the entries of a
// cache, and rows that the database deletes or changes with entries.
func (Behavior) Link(def *load.Definition, section *yaml.Node) {
	d := def.Datatype
	if isCache(d) {
		def.Wrong(section, "a cache writes and removes its entries by statements of its own, which write no events", "remove events, or give them to the datatypes that its entries are made of")
		return
	}
	for _, at := range section.Content {
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
