// Package retain is the behavior of datatypes with
//
//	retain: {field: created_at, for: 30d}
//
// Rows whose field is older are deleted when a program, or a job, asks for it. What generated
// code calls is package runtime/retain.
package retain

import (
	"fmt"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
)

// Name is the key of the section.
const Name = "retain"

// Behavior is retain, as the stages see it.
type Behavior struct{}

// Name returns Name.
func (Behavior) Name() string { return Name }

// Section is how long a datatype keeps its rows.
type Section struct {
	Field    *model.Field // a datetime or a date; nil where it could not be read
	For      time.Duration
	Sessions bool // the rows are sessions
	// Restrict are the references to the rows with on_delete restrict.
	Restrict []Reference
}

// Reference is a field of a datatype that refers to rows.
type Reference struct {
	Datatype *model.Datatype
	Field    *model.Field
}

// Of returns the section of a datatype; nil if it has none.
func Of(d *model.Datatype) *Section {
	s, _ := d.Section(Name).(*Section)
	return s
}

// Key declares the section.
func (Behavior) Key() language.Key {
	return language.Key{
		Name: Name, Help: "deletes rows that are old, when Cleanup is called",
		Value: &language.Value{Form: language.Section, Keys: grammar},
	}
}

var grammar = &language.Mapping{
	Name: "the retain section",
	Help: "How long rows are kept.",
	Keys: []language.Key{
		{Name: "field", Help: "the datetime or date that rows age by; created_at unless given. A row without one is kept for ever", Value: language.NameValue},
		{Name: "for", Help: "how long rows are kept after that", Needed: true, Value: language.DurationValue},
		{Name: "sessions", Help: "the rows are sessions, which jobs of cron clean up as such", Value: &language.Value{Form: language.Bool}},
	},
}

// created is the field that rows age by, unless the section names another one.
const created = "created_at"

// Fields adds none.
func (Behavior) Fields(*load.Definition, *yaml.Node, *yaml.Node) {}

// Tables adds none.
func (Behavior) Tables(*model.Project) {}

// Lower is never called: there are no operations.
func (Behavior) Lower(statement.Writer, *model.Datatype, *model.Operation) []model.Query { return nil }

// Read reads the section.
func (Behavior) Read(def *load.Definition, at, section *yaml.Node) {
	def.Datatype.SetSection(Name, &Section{
		Field: field(def, at, section), For: node.Duration(section, "for"), Sessions: node.True(section, "sessions"),
	})
}

// field finds the field that rows age by. One that another section keeps will do, such as that of
// timestamps: it is only read.
func field(def *load.Definition, at, section *yaml.Node) *model.Field {
	named := node.Get(section, "field")
	if named == nil {
		for _, f := range def.Datatype.Fields {
			if f.Name == created && ages(f) {
				return f
			}
		}
		def.Lacks(at, "retain has no field that rows age by", created, "add timestamps: true, or name a field of type datetime or date", types...)
		return nil
	}
	if !node.IsText(named) || named.Value == "" {
		return nil // reported
	}
	f := def.Find(named, named.Value)
	if f != nil && !ages(f) {
		def.Wrong(named, fmt.Sprintf("%s is of type %s; rows age by type %s", f.Name, f.Type, strings.Join(types, " or ")), "")
		return nil
	}
	return f
}

// types are those of fields that rows age by.
var types = []string{"datetime", "date"}

func ages(f *model.Field) bool { return f.Type == types[0] || f.Type == types[1] }

// Link refuses sections that keep rows in their own way, and finds what refers to the rows.
func (Behavior) Link(def *load.Definition, section *yaml.Node) {
	for _, other := range []struct{ name, why, hint string }{
		{"cache", "entries of a cache expire by themselves", "remove retain; max_age bounds how long an entry lives"},
		{"queue", "a queue deletes its jobs by their state: one that waits is never too old", "write retention: {done: 30d} in queue"},
		{"catalogue", "Open writes the rows of a catalogue from the definitions", "remove retain"},
	} {
		if def.Datatype.Section(other.name) != nil {
			def.Wrong(section, other.why, other.hint)
		}
	}
	s := Of(def.Datatype)
	for by, f := range def.ReferredBy {
		if f.Reference.OnDelete == "restrict" {
			s.Restrict = append(s.Restrict, Reference{by.Datatype, f})
		}
	}
}
