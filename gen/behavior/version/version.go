// Package version is the behavior of datatypes with `version: true`: a writer says which state
// of a row it has read, and does not overwrite a later one.
//
// The store does the work: model.Field.Raised has each change raise the column, and Update
// compares it. So there is no SQL and no Go of its own.
package version

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

// Name is the key of the section, and of the field.
const Name = "version"

// Behavior is version, as the stages see it.
type Behavior struct{}

// Name returns Name.
func (Behavior) Name() string { return Name }

// Key declares the section.
func (Behavior) Key() language.Key {
	return language.Key{
		Name:  Name,
		Help:  "adds version, a number that each change of a row raises; Update takes the one that was read, and refuses to overwrite a later one",
		Value: &language.Value{Form: language.Bool},
	}
}

// Fields adds the column.
func (Behavior) Fields(def *load.Definition, at, _ *yaml.Node) {
	f := behavior.Number("version", "Version", "1")
	f.Help = "1 in a new row; each change raises it"
	f.Kept, f.Raised = true, true
	def.AddField(at, f)
}

// Read does nothing: the section says no more than that it is there.
func (Behavior) Read(*load.Definition, *yaml.Node, *yaml.Node) {}

// Link refuses rows that are written by other statements than the store's.
func (Behavior) Link(def *load.Definition, section *yaml.Node) {
	for _, other := range []string{"queue", "cache"} {
		if def.Datatype.Section(other) != nil {
			def.Wrong(section, other+": writes rows by statements of its own, which do not raise a version", "remove version, or keep what people edit in a datatype of its own that refers to this one")
		}
	}
}

// Tables adds none.
func (Behavior) Tables(*model.Project) {}

// Apply does nothing: the field is there since the definition was read.
func (Behavior) Apply(*model.Datatype) mistake.List { return nil }

// Lower is never called: there are no operations.
func (Behavior) Lower(statement.Writer, *model.Datatype, *model.Operation) []model.Query { return nil }

// Imports names none.
func (Behavior) Imports() map[string]string { return nil }

// Datatype prints nothing.
func (Behavior) Datatype(*jen.File, code.Table) {}

// Run has nothing to do.
func (Behavior) Run([]*model.Datatype) golang.Run { return golang.Run{} }
