// Package catalogue is the behavior of datatypes with `catalogue:`: Open fills them from the
// definitions, so that a database says what is in it and rows can refer to that.
package catalogue

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"
	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/behavior/adapter"
	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/golang"
	"github.com/hegner123/modulagen/gen/golang/code"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// Name is the key of the section.
const Name = "catalogue"

// Behavior is catalogue, as the stages see it.
type Behavior struct{}

// Name returns Name.
func (Behavior) Name() string { return Name }

// kind is one of what a datatype may list.
type kind struct {
	name  string
	key   []string // what names a row
	needs []adapter.Need
	parts []adapter.Part // of catalogue.Entry
}

const (
	datatypes = "datatypes"
	fields    = "fields"
	routes    = "routes"
)

var kinds = []kind{
	{
		datatypes,
		[]string{"name"},
		[]adapter.Need{
			adapter.Must("name", "text", "required: true, unique: true, max: 64").Holds(language.MaxName), adapter.Must("label", "text", "required: true").Holds(language.MaxLabel),
			adapter.May("description", "textarea text", "").Holds(language.MaxDescription), adapter.Must("defined", "boolean", "default: true"),
		},
		adapter.Parts("Key name", "Label label", "Help description", "Defined defined"),
	},
	{
		fields,
		[]string{"datatype_id", "name"},
		[]adapter.Need{
			adapter.Must("datatype_id", "reference", "to: datatypes, required: true, on_delete: cascade"),
			adapter.Must("name", "text", "required: true, max: 64").Holds(language.MaxName), adapter.Must("label", "text", "required: true").Holds(language.MaxLabel),
			adapter.Must("type", "text", "required: true, max: 32").Holds(32), adapter.May("help", "textarea text", "").Holds(language.MaxHelp),
			adapter.Must("position", "number", "default: 0"), adapter.Must("defined", "boolean", "default: true"),
		},
		adapter.Parts("Owner datatype_id", "Key name", "Label label", "Type type", "Help help", "Position position", "Defined defined"),
	},
	{
		routes,
		[]string{"slug"},
		[]adapter.Need{
			adapter.Must("slug", "slug text", "required: true, unique: true").Holds(100),
			adapter.Must("datatype_id", "reference", "to: datatypes, required: true, on_delete: cascade"), adapter.Must("defined", "boolean", "default: true"),
		},
		adapter.Parts("Owner datatype_id", "Key slug", "Defined defined"),
	},
}

// Section is what a datatype lists.
type Section struct {
	Table   adapter.Table
	kind    kind
	project *model.Project
}

// Kind is what the datatype lists: datatypes, fields or routes.
func (s *Section) Kind() string { return s.kind.name }

// Of returns the section of a datatype; nil if it has none.
func Of(d *model.Datatype) *Section {
	s, _ := d.Section(Name).(*Section)
	return s
}

// Key declares the section.
func (Behavior) Key() language.Key {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return language.Key{
		Name: Name, Help: "which part of the project's definitions Open writes into the table: datatypes, fields or routes",
		Value: &language.Value{Form: language.Text, Choices: names},
	}
}

// Fields adds none.
func (Behavior) Fields(*load.Definition, *yaml.Node, *yaml.Node) {}

// Read reads the section.
func (Behavior) Read(def *load.Definition, _, section *yaml.Node) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return node.IsText(section) && k.name == section.Value })
	if i >= 0 { // else it was reported
		def.Datatype.SetSection(Name, &Section{kind: kinds[i]})
	}
}

// Link finds the fields, and holds the references to the catalogue of datatypes.
func (Behavior) Link(def *load.Definition, section *yaml.Node) {
	s := Of(def.Datatype)
	if s == nil {
		return
	}
	s.Table = adapter.Find(def, section, def, adapter.Use{By: "catalogues", Needs: s.kind.needs, Adds: true, Key: s.kind.key})
	s.keyed(def, section)
	for d := range def.Others {
		if o := Of(d); o != nil && o.kind.name == s.kind.name && d.Name < def.Datatype.Name {
			def.Wrong(section, fmt.Sprintf("%s is the catalogue of %s already", d.Name, s.kind.name), "remove one of them")
		}
	}
	if f := s.Table.Fields["datatype_id"]; f != nil && f.References != nil {
		if o := Of(f.References); o == nil || o.kind.name != datatypes {
			def.Wrong(section, fmt.Sprintf("datatype_id refers to %s, which is no catalogue of datatypes", f.Reference.To), fmt.Sprintf("add catalogue: datatypes to %s, or refer to the one that has it", f.Reference.To))
		}
	}
}

// keyed reports a catalogue without a unique index of what names its rows: two processes that
// are opened at the same time would both add them.
func (s *Section) keyed(def *load.Definition, section *yaml.Node) {
	for _, x := range def.Datatype.Keys() {
		var names []string
		for _, c := range x.Columns {
			names = append(names, c.Field.Name)
		}
		slices.Sort(names)
		if slices.Equal(names, s.kind.key) {
			return
		}
	}
	def.Wrong(section, fmt.Sprintf("rows of a catalogue of %s are named by %s, and nothing keeps two from being alike", s.kind.name, strings.Join(s.kind.key, " and ")),
		fmt.Sprintf("add to indexes {fields: [%s], unique: true}", strings.Join(s.kind.key, ", ")))
}

// Tables adds none, and keeps the project: it is what is listed.
func (Behavior) Tables(p *model.Project) {
	for _, d := range p.Datatypes {
		if s := Of(d); s != nil {
			s.project = p
		}
	}
}

// Apply declares what is printed.
func (Behavior) Apply(d *model.Datatype) mistake.List {
	texts := []string{readerName(d)}
	if Of(d).kind.name == datatypes { // every project with a catalogue has it
		texts = append(texts, specName)
	}
	for _, text := range texts {
		d.Names = append(d.Names, model.Name{Space: model.SpaceGo, Text: text, What: "the code of catalogues", Pos: d.Pos, Owner: d, Added: true})
	}
	return nil
}

// Lower is never called: there are no operations.
func (Behavior) Lower(statement.Writer, *model.Datatype, *model.Operation) []model.Query { return nil }

const path = "github.com/hegner123/modulagen/runtime/catalogue"

// specName is the variable with the catalogue of the project.
const specName = "catalogueSpec"

func readerName(d *model.Datatype) string { return "catalogue" + d.GoRow }

func catalogue(name string) *jen.Statement { return jen.Qual(path, name) }

// Imports names package catalogue.
func (Behavior) Imports() map[string]string {
	out := map[string]string{path: "catalogue"}
	maps.Copy(out, adapter.Imports)
	return out
}

// Datatype prints how package catalogue reads a row.
func (Behavior) Datatype(f *jen.File, t code.Table) {
	s := Of(t.D)
	s.Table.Reader(f, readerName(t.D), catalogue("Entry"), s.kind.parts)
}

// Run prints what Open fills the catalogues with.
func (Behavior) Run(all []*model.Datatype) golang.Run {
	return golang.Run{
		Print:  func(f *jen.File) { printSpec(f, all) },
		Opened: catalogue("Fill").Call(jen.Id("ctx"), jen.Id("s"), jen.Op("&").Id(specName)),
	}
}

func printSpec(f *jen.File, all []*model.Datatype) {
	dict := jen.Dict{jen.Id("Defined"): defined(Of(all[0]).project)}
	for _, d := range all {
		s := Of(d)
		name := map[string]string{datatypes: "Datatypes", fields: "Fields", routes: "Routes"}[s.kind.name]
		dict[jen.Id(name)] = jen.Op("&").Add(catalogue("Table")).Values(s.accessors())
	}
	f.Var().Id(specName).Op("=").Add(catalogue("Spec")).Values(dict)
	f.Line()
}

func (s *Section) accessors() jen.Dict {
	t, entry := s.Table, catalogue("Entry")
	return jen.Dict{
		jen.Id("All"): t.Each(entry, readerName(t.Datatype), t.Query(nil)),
		jen.Id("Add"): t.Create(entry, "CreateMany", t.Row("New", t.Values(s.kind.parts)), true),
		jen.Id("Set"): jen.Func().Params(code.Ctx(), adapter.Conn(), jen.Id("d").Op("*").Add(entry)).Error().Block(
			t.Bound(),
			jen.List(jen.Id("_"), jen.Err()).Op(":=").Id("t").Dot("Update").Call(jen.Id("ctx"), t.ID(jen.Id("d").Dot("ID")), t.Row("Patch", t.Changed(s.kind.parts))),
			jen.Return(jen.Err()),
		),
	}
}

// defined prints the definitions that the project has, without what behaviors added.
func defined(p *model.Project) jen.Code {
	return jen.Index().Add(catalogue("Datatype")).ValuesFunc(func(g *jen.Group) {
		for _, d := range p.Datatypes {
			if d.AddedFor != "" {
				continue
			}
			texts := keyed("Name", d.Name, "Label", d.Label, "Description", d.Description, "Route", d.Route)
			g.Line().Values(append(texts, jen.Id("Fields").Op(":").Add(definedFields(d)))...)
		}
		g.Line()
	})
}

func definedFields(d *model.Datatype) jen.Code {
	return jen.Index().Add(catalogue("Field")).ValuesFunc(func(g *jen.Group) {
		for _, f := range d.Fields {
			if !f.Added {
				g.Line().Values(keyed("Name", f.Name, "Label", f.Label, "Type", f.Type, "Help", f.Help)...)
			}
		}
		g.Line()
	})
}

// keyed prints fields of a struct on one line, in pairs of name and text, without those that
// are empty.
func keyed(pairs ...string) []jen.Code {
	var out []jen.Code
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, jen.Id(pairs[i]).Op(":").Lit(pairs[i+1]))
		}
	}
	return out
}
