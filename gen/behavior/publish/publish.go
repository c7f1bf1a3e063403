// Package publish is the behavior of datatypes with
//
//	publish: {status: status, publish_date: publish_date}
//
// Rows become published at once, or when their date has come. What generated code calls is
// package runtime/publish.
package publish

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
)

// Name is the key of the section.
const Name = "publish"

// Behavior is publish, as the stages see it.
type Behavior struct{}

// Name returns Name.
func (Behavior) Name() string { return Name }

// Section is what a datatype says of its publishing.
type Section struct {
	Status           *model.Field // a select, never null; nil where it could not be read
	Date             *model.Field // a datetime
	Published, Draft string       // options of Status
	Scheduled        string       // likewise; "": rows cannot be scheduled
}

// Of returns the section of a datatype; nil if it has none.
func Of(d *model.Datatype) *Section {
	s, _ := d.Section(Name).(*Section)
	return s
}

// option is an option of the status that has a meaning here.
type option struct {
	key string
	to  *string
}

func (s *Section) options() []option {
	return []option{{"published", &s.Published}, {"draft", &s.Draft}, {"scheduled", &s.Scheduled}}
}

// Key declares the section.
func (Behavior) Key() language.Key {
	return language.Key{
		Name: Name, Help: "publishes rows, at once or at their date, by a field that says what they are",
		Value: &language.Value{Form: language.Section, Keys: grammar},
	}
}

var grammar = &language.Mapping{
	Name: "publish",
	Help: "Which fields say whether and since when a row is published.",
	Keys: []language.Key{
		{Name: "status", Help: "the select field whose options say what a row is; status unless given", Value: language.NameValue},
		{Name: "publish_date", Help: "the datetime since when a row is published, or from when on it is to be; publish_date unless given", Value: language.NameValue},
		{Name: "published", Help: "the option of published rows; published unless given", Value: language.OptionValue},
		{Name: "draft", Help: "the option of rows that are no longer published; draft unless given", Value: language.OptionValue},
		{Name: "scheduled", Help: "the option of rows that are published when their date has come; scheduled unless given. A select without it has no such rows", Value: language.OptionValue},
	},
}

// Fields adds none.
func (Behavior) Fields(*load.Definition, *yaml.Node, *yaml.Node) {}

// Tables adds none.
func (Behavior) Tables(*model.Project) {}

// Lower is never called: there are no operations.
func (Behavior) Lower(statement.Writer, *model.Datatype, *model.Operation) []model.Query { return nil }

// Read reads the section.
func (Behavior) Read(def *load.Definition, at, section *yaml.Node) {
	s := &Section{}
	def.Datatype.SetSection(Name, s)
	s.Date = date(def, at, section)
	if s.Status = def.State(section, "status", "status"); s.Status == nil {
		if node.Get(section, "status") == nil && !has(def, "status") {
			def.Lacks(at, "publish has no field that says whether a row is published", "status",
				"add {name: status, type: select, options: [draft, published], default: draft}, or name the field", "select")
		}
		return
	}
	seen := map[string]string{}
	for _, o := range s.options() {
		value := meant(def, at, section, s.Status, o)
		if other := seen[value]; value != "" && other != "" {
			def.Wrong(node.Or(node.Get(section, o.key), at), fmt.Sprintf("%s and %s are both %q", other, o.key, value), "each needs an option of its own")
			return
		}
		seen[value], *o.to = o.key, value
	}
	s.Status.Published = s.Published
}

func has(def *load.Definition, name string) bool {
	return slices.ContainsFunc(def.Datatype.Fields, func(f *model.Field) bool { return f.Name == name && f.Type == "select" })
}

// date finds the field of the publish date.
func date(def *load.Definition, at, section *yaml.Node) *model.Field {
	f := def.Role(section, "publish_date", "publish_date", "datetime")
	switch {
	case f == nil && node.Get(section, "publish_date") == nil:
		def.Lacks(at, "publish has no field for the date", "publish_date", "add {name: publish_date, type: datetime}, or name the field", "datetime")
	case f != nil && f.NotNull:
		def.Wrong(node.Or(node.Get(section, "publish_date"), def.Node(f)), fmt.Sprintf("%s is never null, and a draft has no publish date", f.Name), "remove its default, and required")
		return nil
	}
	return f
}

// meant returns the option that has a meaning: the one that the section names, or the one of
// the conventional name. A select need not have one for scheduled rows.
func meant(def *load.Definition, at, section *yaml.Node, status *model.Field, o option) string {
	if given := node.Get(section, o.key); given != nil {
		if !node.IsText(given) || given.Value == "" || !def.Option(given, status) {
			return ""
		}
		return given.Value
	}
	if slices.Contains(status.Rules.Options, o.key) {
		return o.key
	}
	if o.key != "scheduled" {
		def.Wrong(at, fmt.Sprintf("%s has no option %q", status.Name, o.key), fmt.Sprintf("name the one that means it: publish: {%s: ...}", o.key))
	}
	return ""
}

// Link refuses a cache, and a workflow that does not allow what the methods do.
func (Behavior) Link(def *load.Definition, section *yaml.Node) {
	if def.Datatype.Section("cache") != nil {
		def.Wrong(section, "a cache makes, replaces and removes its entries at any time: none is published", "remove publish, or give it to the datatypes that its entries are made of")
	}
	s := Of(def.Datatype)
	if s.Status == nil || s.Status.Moves == nil {
		return
	}
	if s.Published != "" && len(s.Status.Sources(s.Published)) == 0 {
		def.Wrong(section, "no move of the workflow leads to "+s.Published, "add it to a list of the workflow: Publish needs a move")
	}
	need := func(from, to, why string) {
		if from != "" && to != "" && !s.Status.Allows(from, to) {
			def.Wrong(section, fmt.Sprintf("the workflow has no move from %s to %s", from, to), fmt.Sprintf("add %s to the list of %s: %s needs it", to, from, why))
		}
	}
	need(s.Published, s.Draft, "Unpublish")
	need(s.Scheduled, s.Published, "PublishDue")
}
