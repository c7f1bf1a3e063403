package workflow

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
)

// Read reads the section.
func (Behavior) Read(def *load.Definition, at, section *yaml.Node) {
	r := &reader{def: def, f: def.State(section, fieldKey, ""), keys: map[string]*yaml.Node{}}
	if r.f == nil {
		return
	}
	def.Datatype.SetSection(Name, r.f)
	whole := r.moves(section)
	if whole && len(targets(r.f)) == 0 {
		def.Wrong(at, "workflow has no moves", fmt.Sprintf("write, for example, %s: [%s]", r.f.Options[0].Value, r.f.Options[len(r.f.Options)-1].Value))
		return
	}
	if whole {
		r.unmentioned(section)
		r.unreached()
	}
}

// reader reads the section of one definition.
type reader struct {
	def  *load.Definition
	f    *model.Field          // the state
	keys map[string]*yaml.Node // of the states, as written
}

// moves reads the moves, and reports whether all of them could be read.
func (r *reader) moves(section *yaml.Node) bool {
	whole := true
	r.f.Moves = []model.Moves{} // there is a workflow, whatever it holds
	for i := 0; i+1 < len(section.Content); i += 2 {
		key, list := section.Content[i], section.Content[i+1]
		if key.Value == fieldKey {
			continue
		}
		if list.Kind != yaml.SequenceNode || r.keys[key.Value] != nil || !r.option(key) { // it was reported
			whole = false
			continue
		}
		r.keys[key.Value] = key
		m := model.Moves{From: key.Value}
		for _, to := range list.Content {
			if r.target(to, m) {
				m.To = append(m.To, to.Value)
			} else {
				whole = false
			}
		}
		r.f.Moves = append(r.f.Moves, m)
	}
	return whole
}

// target reports whether a node is a state that one may lead to.
func (r *reader) target(to *yaml.Node, m model.Moves) bool {
	switch {
	case !node.IsText(to) || to.Value == "": // it was reported
	case !r.option(to):
	case to.Value == m.From:
		r.def.Wrong(to, to.Value+" leads to itself", "remove it: a row in a state stays in it without a move")
	case slices.Contains(m.To, to.Value):
		r.def.Wrong(to, to.Value+" stands there twice", "remove one of them")
	default:
		return true
	}
	return false
}

// option reports whether a node is an option of the field.
func (r *reader) option(at *yaml.Node) bool {
	return r.def.Option(at, r.f)
}

// unmentioned reports the options that no move is about.
func (r *reader) unmentioned(section *yaml.Node) {
	for _, o := range r.f.Options {
		if r.keys[o.Value] != nil || len(r.f.Sources(o.Value)) > 0 {
			continue
		}
		hint := fmt.Sprintf("add %s to a list, or %s: [...], or remove the option", o.Value, o.Value)
		if o.Value == fieldKey {
			hint = "rename the option: the key field names the select"
		}
		r.def.Wrong(node.Get(section, fieldKey), fmt.Sprintf("no move of the workflow leads to %s or from it", o.Value), hint)
	}
}

// unreached reports the states to which no moves lead from the default. Without a default
// rows begin in any state.
func (r *reader) unreached() {
	begin := r.f.Default
	if begin == nil {
		return
	}
	reached := []string{begin.Text}
	for i := 0; i < len(reached); i++ {
		for _, m := range r.f.Moves {
			if m.From != reached[i] {
				continue
			}
			for _, to := range m.To {
				if !slices.Contains(reached, to) {
					reached = append(reached, to)
				}
			}
		}
	}
	for _, m := range r.f.Moves {
		if !slices.Contains(reached, m.From) {
			r.def.Wrong(r.keys[m.From], fmt.Sprintf("no row reaches %s: rows begin as %s, and no moves lead from there to it", m.From, begin.Text),
				fmt.Sprintf("add %s to the list of %s", m.From, orList(reached)))
		}
	}
}
