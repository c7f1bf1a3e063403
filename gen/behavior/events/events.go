// Package events is the behavior of datatypes with `events: [create, update, delete]`:
// each write of a row writes an event beside it, for those who read it.
//
// The log is three tables that the datatypes of a project share. The first of them owns
// their statements and their Go.
package events

import (
	"slices"

	"gopkg.in/yaml.v3"

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

// ops are what may stand in the section.
var ops = []struct {
	name string
	on   model.Writes
}{{"create", model.Creates}, {"update", model.Updates}, {"delete", model.Deletes}}

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
		i := slices.IndexFunc(ops, func(o struct {
			name string
			on   model.Writes
		}) bool {
			return node.IsText(at) && o.name == at.Value
		})
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

// Link does nothing: the section names no other datatype.
func (Behavior) Link(*load.Definition, *yaml.Node) {}
