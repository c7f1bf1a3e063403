package load

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
)

// Behavior reads a section of its own in definitions.
type Behavior interface {
	// Key declares the section: its name and what may stand in it. The loader holds
	// definitions to that before the section is read.
	Key() language.Key
	// Read reads the section of one definition, whose fields and indexes are read. The
	// section is a mapping; at is its key.
	Read(def *Definition, at, section *yaml.Node)
	// Link resolves what the section says about other definitions, once all are read.
	Link(def *Definition, section *yaml.Node)
}

// read has the behaviors read their sections.
func (def *Definition) read() {
	for _, b := range def.l.behaviors {
		if at, section := def.section(b); section != nil {
			b.Read(def, at, section)
		}
	}
}

// linkBehaviors has the behaviors resolve what they read.
func (def *Definition) linkBehaviors() {
	for _, b := range def.l.behaviors {
		if _, section := def.section(b); section != nil && def.Datatype.Section(b.Key().Name) != nil {
			b.Link(def, section)
		}
	}
}

func (def *Definition) section(b Behavior) (at, section *yaml.Node) {
	at, section = node.Pair(def.Root, b.Key().Name)
	if section == nil || section.Kind != yaml.MappingNode {
		return nil, nil // there is none, or it was reported
	}
	return at, section
}

// Wrong reports a mistake at a node: what is wrong, and what to write instead.
func (def *Definition) Wrong(at *yaml.Node, message, hint string) { def.f.wrong(at, message, hint) }

// Pos returns where a node stands.
func (def *Definition) Pos(n *yaml.Node) model.Pos { return def.f.pos(n) }

// Node returns what declares a field of the definition; nil for an added one.
func (def *Definition) Node(f *model.Field) *yaml.Node { return def.nodes[f] }

// IndexNode returns what declares an index of the definition.
func (def *Definition) IndexNode(x *model.Index) *yaml.Node { return def.names[x] }

// Role finds the field that a behavior uses for something: the one that is named,
// or the one of the conventional name when it is there and fits.
func (def *Definition) Role(n *yaml.Node, key, conventional string, types ...string) *model.Field {
	at := node.Get(n, key)
	if at == nil {
		for _, f := range def.Datatype.Fields {
			if conventional != "" && f.Name == conventional && slices.Contains(types, f.Type) {
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
	return f
}
