// Package workflow is the behavior of datatypes with
//
//	workflow: {field: status, draft: [review], review: [draft, published]}
//
// The moves between the options of a select are methods, and nothing else of the store
// changes the column once a row is there. The store does the work: core.Table.Move is one
// conditional write, and model.Field.Moves keeps the column out of patches.
package workflow

import (
	"strings"

	"github.com/dave/jennifer/jen"
	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// Name is the key of the section.
const Name = "workflow"

// Behavior is workflow, as the stages see it.
type Behavior struct{}

// Name returns Name.
func (Behavior) Name() string { return Name }

// Of returns the field that a datatype's workflow is about; nil if it has none.
func Of(d *model.Datatype) *model.Field {
	f, _ := d.Section(Name).(*model.Field)
	return f
}

// Key declares the section.
func (Behavior) Key() language.Key {
	return language.Key{
		Name: Name, Help: "the states that rows may move to from each state, which only methods of their own then write",
		Value: &language.Value{Form: language.Section, Keys: grammar},
	}
}

var grammar = &language.Mapping{
	Name: "workflow",
	Help: "Which option of a select may follow which: a key for each option, with the list of those that may follow it.",
	Keys: []language.Key{
		{Name: fieldKey, Help: "the select field that holds the state; it is required or has a default", Value: language.NameValue, Needed: true},
	},
	Others: &language.Value{Form: language.List, Max: language.MaxOptions, Of: language.OptionValue},
}

// fieldKey is the key of the section that is not a state.
const fieldKey = "field"

// Fields adds none.
func (Behavior) Fields(*load.Definition, *yaml.Node, *yaml.Node) {}

// Link refuses a cache.
func (Behavior) Link(def *load.Definition, section *yaml.Node) {
	if def.Datatype.Section("cache") != nil {
		def.Wrong(section, "a cache makes, replaces and removes its entries at any time: they have no workflow", "remove workflow, or give it to the datatypes that its entries are made of")
	}
}

// Tables adds none.
func (Behavior) Tables(*model.Project) {}

// Apply declares the methods of the moves.
func (Behavior) Apply(d *model.Datatype) mistake.List {
	f := Of(d)
	for _, o := range targets(f) {
		d.Names = append(d.Names, model.Name{
			Space: model.Members(d.GoRow + "Table"), Text: method(f, o), What: "the move of " + d.Name + " to " + o.Value, Pos: d.Pos, Owner: d, Added: true,
		})
	}
	return nil
}

// targets returns the options that some move leads to, in their order.
func targets(f *model.Field) (out []model.Option) {
	for _, o := range f.Options {
		if len(f.Sources(o.Value)) > 0 {
			out = append(out, o)
		}
	}
	return out
}

// method is the name of the method that moves to an option.
func method(f *model.Field, o model.Option) string {
	return "MoveTo" + strings.TrimPrefix(o.GoName, f.EnumGoName)
}

// Lower is never called: there are no operations.
func (Behavior) Lower(statement.Writer, *model.Datatype, *model.Operation) []model.Query { return nil }

// Imports names none.
func (Behavior) Imports() map[string]string { return nil }

// Run has nothing to do.
func (Behavior) Run([]*model.Datatype) golang.Run { return golang.Run{} }

// Datatype prints the methods.
func (Behavior) Datatype(f *jen.File, t code.Table) {
	state := Of(t.D)
	for _, o := range targets(state) {
		name := method(state, o)
		t.ReturnsRow(f, name, []string{
			name + " moves a row from " + orList(state.Sources(o.Value)) + " to " + o.Value + ", and returns it. A row in another",
			"state is a *store.MoveError, which names it; without the row the error is store.ErrNotFound.",
		}, []jen.Code{t.IDParam()}, code.OnCore("Move", t.PlainID(), jen.Lit(o.Value), jen.Id("r")))
	}
}

// orList joins words of a sentence.
func orList(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
