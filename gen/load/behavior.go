package load

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
)

// Behavior reads a section of its own in definitions.
type Behavior interface {
	// Key declares the section: its name and what may stand in it. The loader holds
	// definitions to that before the section is read.
	Key() language.Key
	// Fields adds to a definition with the section the fields that its indexes, and the
	// sections of other behaviors, may name.
	Fields(def *Definition, at, section *yaml.Node)
	// Read reads the section of one definition, whose fields and indexes are read. The
	// section is a mapping, or a list or true where Key declares one; at is its key.
	Read(def *Definition, at, section *yaml.Node)
	// Link resolves what the section says about other definitions, once all are read.
	Link(def *Definition, section *yaml.Node)
}

// behaviorFields has the behaviors add their fields.
func (def *Definition) behaviorFields() {
	for _, b := range def.l.behaviors {
		if at, section := def.section(b); section != nil {
			b.Fields(def, at, section)
		}
	}
}

// AddField adds a field that at asks for. A field of that name that is declared is a
// mistake.
func (def *Definition) AddField(at *yaml.Node, f *model.Field) *model.Field {
	for _, o := range def.Datatype.Fields {
		if o.Name == f.Name {
			def.Wrong(node.Or(node.Get(def.nodes[o], "name"), at), fmt.Sprintf("%s is a field that %s adds", f.Name, at.Value), fmt.Sprintf("remove the field, or %s", at.Value))
			return o
		}
	}
	f.Added, f.Pos, f.GoPos = true, def.Pos(at), def.Pos(at)
	def.nodes[f] = at
	def.Datatype.Fields = append(def.Datatype.Fields, f)
	return f
}

// readBehaviors has the behaviors read their sections.
func (def *Definition) readBehaviors() {
	for _, b := range def.l.behaviors {
		if at, section := def.section(b); section != nil {
			def.Datatype.SetSection(b.Key().Name, true) // until Read keeps something of its own
			b.Read(def, at, section)
		}
	}
}

// linkBehaviors has the behaviors resolve what they read.
func (def *Definition) linkBehaviors() {
	for _, b := range def.l.behaviors {
		if _, section := def.section(b); section != nil {
			b.Link(def, section)
		}
	}
}

func (def *Definition) section(b Behavior) (at, section *yaml.Node) {
	key := b.Key()
	at, section = node.Pair(def.Root, key.Name)
	there := false
	for _, v := range key.Value.Forms() {
		there = there || v.Form == language.Section && section != nil && section.Kind == yaml.MappingNode ||
			v.Form == language.List && section != nil && section.Kind == yaml.SequenceNode ||
			v.Form == language.Text && section != nil && node.IsText(section) ||
			v.Form == language.Bool && node.True(def.Root, key.Name)
	}
	if !there { // or it was reported
		return nil, nil
	}
	return at, section
}

// Wrong reports a mistake at a node: what is wrong, and what to write instead.
func (def *Definition) Wrong(at *yaml.Node, message, hint string) { def.f.wrong(at, message, hint) }

// Pos returns where a node stands.
func (def *Definition) Pos(n *yaml.Node) model.Pos { return def.f.pos(n) }

// Node returns what declares a field of the definition: the section's key for one that
// AddField added.
func (def *Definition) Node(f *model.Field) *yaml.Node { return def.nodes[f] }

// IndexNode returns what declares an index of the definition.
func (def *Definition) IndexNode(x *model.Index) *yaml.Node { return def.names[x] }

// Role finds the field that a behavior uses for something: the one that is named,
// or the one of the conventional name when it is there and fits.
func (def *Definition) Role(n *yaml.Node, key, conventional string, types ...string) *model.Field {
	at := node.Get(n, key)
	if at == nil {
		for _, f := range def.Datatype.Fields {
			if conventional != "" && f.Name == conventional && !f.Kept && slices.Contains(types, f.Type) {
				return f
			}
		}
		return nil
	}
	if !node.IsText(at) || at.Value == "" {
		return nil
	}
	f := def.Find(at, at.Value)
	if f == nil {
		return nil
	}
	if !slices.Contains(types, f.Type) {
		if key == "field" {
			key = "a state"
		}
		def.f.wrong(at, fmt.Sprintf("%s is of type %s; %s needs type %s", f.Name, f.Type, key, strings.Join(types, " or ")), "")
		return nil
	}
	if f.Kept {
		def.f.wrong(at, fmt.Sprintf("%s keeps %s, so that it cannot be %s as well", def.nodes[f].Value, f.Name, key), "name a field of your own")
		return nil
	}
	return f
}

// Lacks reports that a section cannot do without a field that Role has not found: no
// field has the conventional name, and add says which one to add, or it is of another
// type.
func (def *Definition) Lacks(at *yaml.Node, message, conventional, add string, types ...string) {
	for _, f := range def.Datatype.Fields {
		if f.Name == conventional && !slices.Contains(types, f.Type) {
			def.Wrong(def.Node(f), fmt.Sprintf("%s; %s is of type %s", message, f.Name, f.Type), "give it type "+strings.Join(types, " or "))
			return
		}
	}
	def.Wrong(at, message, add)
}

// State finds the select that holds the states of rows, which a section names under key. It
// returns nil, and has reported why, where there is none that a program may write itself.
func (def *Definition) State(section *yaml.Node, key, conventional string) *model.Field {
	f := def.Role(section, key, conventional, "select")
	if f == nil {
		return nil
	}
	at := node.Or(node.Get(section, key), def.Node(f))
	switch {
	case f.StateOf != "":
		def.Wrong(at, fmt.Sprintf("%s is the state of the %s, which moves rows by itself", f.Name, f.StateOf), "name another field")
	case f.Secret:
		def.Wrong(at, f.Name+" is secret, and errors name states", "name another field")
	case !f.NotNull && len(f.Options) > 0:
		def.Wrong(at, fmt.Sprintf("%s may be null, and a row is always in some state", f.Name), fmt.Sprintf("give it default: %s", f.Options[0].Value))
	case !f.NotNull:
	default:
		return f
	}
	return nil
}

// Option reports whether a node is an option of a select, or has reported that it is not.
func (def *Definition) Option(at *yaml.Node, f *model.Field) bool {
	if slices.Contains(f.Rules.Options, at.Value) {
		return true
	}
	hint := "its options are " + strings.Join(f.Rules.Options, ", ")
	if meant := near.Word(at.Value, f.Rules.Options); meant != "" {
		hint = fmt.Sprintf("write %q", meant)
	}
	for _, o := range f.Options {
		if o.Was == at.Value {
			hint = model.RenameHint(o.Was, o.Value)
		}
	}
	def.Wrong(at, fmt.Sprintf("%s has no option %q", f.Name, at.Value), hint)
	return false
}
