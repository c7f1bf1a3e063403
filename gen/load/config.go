package load

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Config reads a project's configuration alone, and of what its behaviors' keys hold only the form.
// Its error is a mistake.List.
func Config[B Behavior](fsys fs.FS, behaviors []B) (model.Config, error) {
	l := &loader{fsys: fsys}
	c := l.config(Configuration(behaviors))
	return c, l.found.Err()
}

// targeted reads which databases the project targets, in the order of model.Databases; nil: all.
func (f *file) targeted() []model.Database {
	at := node.Get(f.root, "databases")
	if at == nil || at.Kind != yaml.SequenceNode {
		return nil
	}
	named := map[model.Database]*yaml.Node{}
	for _, n := range at.Content {
		db := model.Database(n.Value)
		if first := named[db]; first != nil && slices.Contains(model.Databases, db) {
			f.wrong(n, fmt.Sprintf("%s is written twice", db), fmt.Sprintf("remove one of them; the first is on line %d", first.Line))
			continue
		}
		named[db] = n
	}
	var out []model.Database
	for _, db := range model.Databases {
		if named[db] != nil {
			out = append(out, db)
		}
	}
	return out
}

// Configurer is a Behavior that has keys of its own in modulagen.yaml.
type Configurer interface {
	Behavior
	// ConfigurationKeys declares them.
	ConfigurationKeys() []language.Key
	// Configure reads the value of one, when all definitions are read and linked.
	Configure(p *Project, key, value *yaml.Node)
}

// Configuration returns the mapping that modulagen.yaml holds.
func Configuration[B Behavior](behaviors []B) *language.Mapping {
	var keys []language.Key
	for _, b := range behaviors {
		if c, ok := Behavior(b).(Configurer); ok {
			keys = append(keys, c.ConfigurationKeys()...)
		}
	}
	return language.Configuration(keys)
}

// Project is modulagen.yaml, with the definitions that it belongs to.
type Project struct {
	l *loader
	f *file
}

// readConfiguration has the behaviors read their keys.
func (l *loader) readConfiguration() {
	f := l.configuration
	if f == nil || f.root == nil {
		return
	}
	before := len(f.found)
	for _, b := range l.behaviors {
		c, ok := b.(Configurer)
		if !ok {
			continue
		}
		for _, k := range c.ConfigurationKeys() {
			if key, value := node.Pair(f.root, k.Name); value != nil {
				c.Configure(&Project{l, f}, key, value)
			}
		}
	}
	l.found = append(l.found, f.found[before:]...)
}

// Datatypes calls yield with each datatype.
func (p *Project) Datatypes(yield func(d *model.Datatype) bool) {
	for _, def := range p.l.defs {
		if !yield(def.Datatype) {
			return
		}
	}
}

// Wrong reports a mistake at a node: what is wrong, and what to write instead.
func (p *Project) Wrong(at *yaml.Node, message, hint string) { p.f.wrong(at, message, hint) }

// WrongWithin reports a mistake at a character, from 1, of a text, where the text stands in
// the file as it is; otherwise where the text begins.
func (p *Project) WrongWithin(at *yaml.Node, character int, message, hint string) {
	column := at.Column
	switch at.Style {
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		column++
	case 0:
	default:
		p.f.wrong(at, message, hint)
		return
	}
	p.f.wrongAt(at.Line, column+character-1, message, hint)
}

// Value returns what a node says that a field is to hold, as json.Marshal takes it. What the field
// cannot hold is reported.
func (p *Project) Value(at *yaml.Node, f *model.Field) (value any, ok bool) {
	hint := ""
	if f.Rules.Kind == check.Time {
		hint = `write such as "2026-01-02T15:04:05Z"`
	}
	_, value, err := literal(at, f)
	switch {
	case errors.Is(err, errReported):
		p.Wrong(at, fmt.Sprintf("%s is of type %s, and cannot be %s", f.Name, f.Type, kindOf(at)), hint)
		return nil, false
	case err != nil:
		p.Wrong(at, f.Name+" "+err.Error(), hint)
		return nil, false
	}
	if wrong := f.Rules.Check(value); len(wrong) > 0 {
		failure := wrong[0]
		if meant := near.Word(at.Value, f.Rules.Options); failure.Rule == "options" && meant != "" {
			hint = fmt.Sprintf("write %q", meant)
		}
		p.Wrong(at, f.Name+" "+failure.Message, hint)
		return nil, false
	}
	return value, true
}
