// Package timestamps is the behavior of datatypes with `timestamps: true`: rows keep
// when they were created and when they were last changed.
//
// The store does the work: both columns default to now, and model.Field.Touched has
// each change set the second. So there is no SQL and no Go of its own.
package timestamps

import (
	"github.com/dave/jennifer/jen"
	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// Name is the key of the section.
const Name = "timestamps"

// Behavior is timestamps, as the stages see it.
type Behavior struct{}

// Name returns Name.
func (Behavior) Name() string { return Name }

// Key declares the section.
func (Behavior) Key() language.Key {
	return language.Key{
		Name:  Name,
		Help:  "adds created_at and updated_at, which the store keeps: no writer can set them",
		Value: &language.Value{Form: language.Bool},
	}
}

// Fields adds the two columns.
func (Behavior) Fields(def *load.Definition, at, _ *yaml.Node) {
	created := moment("created_at", "Created at", "when the row was added")
	updated := moment("updated_at", "Updated at", "when the row was last changed")
	updated.Touched = true
	def.AddField(at, created)
	def.AddField(at, updated)
}

func moment(name, label, help string) *model.Field {
	f := behavior.Moment(name, label)
	f.Help, f.Kept = help, true
	return f
}

// Read does nothing: the section says no more than that it is there.
func (Behavior) Read(*load.Definition, *yaml.Node, *yaml.Node) {}

// Link does nothing: the section names no other datatype.
func (Behavior) Link(*load.Definition, *yaml.Node) {}

// Tables adds none.
func (Behavior) Tables(*model.Project) {}

// Apply does nothing: the fields are there since the definition was read.
func (Behavior) Apply(*model.Datatype) mistake.List { return nil }

// Lower is never called: there are no operations.
func (Behavior) Lower(statement.Writer, *model.Datatype, *model.Operation) []model.Query { return nil }

// Imports names none.
func (Behavior) Imports() map[string]string { return nil }

// Datatype prints nothing.
func (Behavior) Datatype(*jen.File, code.Table) {}

// Run has nothing to do.
func (Behavior) Run([]*model.Datatype) golang.Run { return golang.Run{} }
