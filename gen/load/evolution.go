package load

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// was returns the name before of what a mapping declares, and where it stands.
func (f *file) was(n *yaml.Node) (string, model.Pos) {
	name := node.Text(n, "was")
	if name == "" {
		return "", model.Pos{}
	}
	return name, f.pos(node.Get(n, "was"))
}

// dropped reads what a mapping removes on purpose.
func (f *file) dropped(n *yaml.Node) []model.Dropped {
	var out []model.Dropped
	for _, at := range node.Items(n, "drop") {
		if node.IsText(at) && at.Value != "" {
			out = append(out, model.Dropped{Name: at.Value, Pos: f.pos(at)})
		}
	}
	return out
}

// declared is one of several things whose names must differ, and that may have had others:
// datatypes, fields of a datatype, options of a select.
type declared struct {
	f         *file
	name, was string
	wasPos    model.Pos
	by        string // the section that adds it; "": a person wrote it
}

// renames holds what is said of names before to the names that there are. A name before may
// be that of another one only if that one was renamed too, as in a swap.
func renames(noun string, all []declared) {
	byName, first := map[string]declared{}, map[string]declared{}
	for _, d := range all {
		byName[d.name] = d
	}
	for _, d := range all {
		if d.was == "" {
			continue
		}
		earlier, taken := first[d.was]
		present, there := byName[d.was]
		switch {
		case d.was == d.name:
			d.wrong(fmt.Sprintf("%s %s has that name still", noun, d.name), "write what it was called before, or remove was")
		case taken:
			d.wrong(fmt.Sprintf("%s and %s cannot both have been %s", earlier.name, d.name, d.was), "remove one was: the other is "+place(d.f, earlier.wasPos))
		case there && present.by != "":
			d.wrong(fmt.Sprintf("%s is a %s that %s adds, so that %s cannot have been it", d.was, noun, present.by, d.name), "remove was")
		case there && present.was == "":
			d.wrong(fmt.Sprintf("%s %s is still there, so that %s cannot have been it", noun, d.was, d.name), fmt.Sprintf("remove %s, or write there what it was before", d.was))
		default:
			first[d.was] = d
		}
	}
}

func (d declared) wrong(message, hint string) {
	d.f.wrongAt(d.wasPos.Line, d.wasPos.Column, message, hint)
}

// place says where something stands, to a reader of a file.
func place(f *file, p model.Pos) string {
	if p.File == f.path {
		return fmt.Sprintf("on line %d", p.Line)
	}
	return fmt.Sprintf("in %s:%d", p.File, p.Line)
}

// drops holds what is removed on purpose to what there is: no migration could delete the data of
// what is still there, or was renamed.
func (f *file) drops(noun string, dropped []model.Dropped, all []declared) {
	seen := map[string]bool{}
	for _, drop := range dropped {
		wrong := func(message, hint string) { f.wrongAt(drop.Pos.Line, drop.Pos.Column, message, hint) }
		now := slices.IndexFunc(all, func(d declared) bool { return d.name == drop.Name })
		before := slices.IndexFunc(all, func(d declared) bool { return d.was == drop.Name })
		switch {
		case seen[drop.Name]:
			wrong(drop.Name+" stands twice in drop", "remove one")
		case now >= 0 && all[now].by != "":
			wrong(fmt.Sprintf("%s is a %s that %s adds, and cannot be dropped", drop.Name, noun, all[now].by), fmt.Sprintf("remove it here, or %s", all[now].by))
		case now >= 0 && all[now].was != "" && before < 0:
			wrong(fmt.Sprintf("%s %s is still there, and cannot be dropped", noun, drop.Name), fmt.Sprintf("make two migrations: one that drops %s, then one in which %s becomes it", drop.Name, all[now].was))
		case now >= 0:
			wrong(fmt.Sprintf("%s %s is still there, and cannot be dropped", noun, drop.Name), "remove it here, or remove the "+noun)
		case before >= 0:
			wrong(fmt.Sprintf("%s %s became %s, and cannot be dropped as well", noun, drop.Name, all[before].name), "remove it here, or was "+place(f, all[before].wasPos))
		}
		seen[drop.Name] = true
	}
}

// evolution reads what a field says of the column that is there already.
func (def *Definition) evolution(n *yaml.Node, f *model.Field) {
	f.Was, f.WasPos = def.f.was(n)
	f.Keep = node.True(n, "keep")
	if f.Keep && node.Get(n, "was") == nil {
		at, _ := node.Pair(n, "keep")
		def.f.wrong(at, "keep stands without was", "write was: and the name before, whose column is kept, or remove keep")
	}
	if f.Was == "id" {
		def.f.wrong(node.Get(n, "was"), fmt.Sprintf("%s cannot have been the id, which every datatype keeps", f.Name), "remove was")
		f.Was = ""
	}
	if at := node.Get(n, "existing"); at != nil {
		f.Existing = def.existing(n, at, f)
	}
}

// existing reads what becomes of the rows that are there.
func (def *Definition) existing(n, at *yaml.Node, f *model.Field) *model.Existing {
	e := &model.Existing{Pos: def.f.pos(at), Default: node.IsText(at) && at.Value == "default", Step: node.Text(at, "step")}
	value := node.Get(at, "value")
	if f.Type != node.Text(n, "type") {
		return e // of an unknown type
	}
	rules := language.RulesOf(fieldtype.MustLookup(f.Type))
	switch takes := slices.Contains(rules.Takes, "default"); {
	case value != nil && !takes:
		def.f.wrong(value, fmt.Sprintf("a value of type %s cannot be written here", f.Type), stepHint)
	case value != nil:
		e.Text, e.Set = def.existingValue(value, f, rules.Values["default"])
	case e.Default && !takes:
		def.f.wrong(at, fmt.Sprintf("a field of type %s has no default", f.Type), stepHint)
	case e.Default && node.Get(n, "default") == nil:
		def.f.wrong(at, fmt.Sprintf("%s has no default, which rows that are there would get", f.Name), "give it one, or write {value: ...}")
	}
	return e
}

const stepHint = "write {step: NAME}, a data step that says what each row gets"

// existingValue reads the value that rows get, and holds it to the field's rules as a default is.
func (def *Definition) existingValue(at *yaml.Node, f *model.Field, form *language.Value) (text string, ok bool) {
	if isNull(at) {
		def.f.wrong(at, "value has no value", "write one, or {step: NAME}")
		return "", false
	}
	hint := ""
	switch f.Rules.Kind {
	case check.Time:
		hint = `write such as "2026-01-02T15:04:05Z", or default: now and existing: default`
	case check.Date:
		hint = `write such as "2026-01-02", or default: now and existing: default`
	}
	if !def.f.isTime(at, f.Rules.Kind, "value", hint) {
		return "", false
	}
	def.f.holds(at, form, "value")
	return def.literal(at, f, "value", hint)
}

// changes holds what the datatype says of its fields before to what fields there are.
func (def *Definition) changes() {
	d := def.Datatype
	all := make([]declared, len(d.Fields))
	for i, f := range d.Fields {
		all[i] = declared{f: def.f, name: f.Name, was: f.Was, wasPos: f.WasPos}
		if f.Added {
			all[i].by = def.nodes[f].Value
		}
	}
	renames("field", all)
	def.f.drops("field", d.Drop, all)
	for _, drop := range d.Drop {
		if drop.Name == "id" {
			def.f.wrongAt(drop.Pos.Line, drop.Pos.Column, "the id cannot be dropped: every datatype has one", "remove it here")
		}
	}
	def.alike()
	def.kept()
}

// alike reports values for rows that are there which only one row could have.
func (def *Definition) alike() {
	for _, x := range def.Datatype.Indexes {
		if !x.Unique || len(x.Columns) > 1 || len(x.Where) > 0 {
			continue
		}
		f := x.Columns[0].Field
		if e := f.Existing; e != nil && (e.Default || e.Set) {
			def.f.wrongAt(e.Pos.Line, e.Pos.Column, fmt.Sprintf("%s is unique, and all rows that are there would get the same value", f.Name), "write {step: NAME}, a data step that gives each row its own; or remove existing, where a migration has recorded it and unique is new")
		}
	}
}

// kept reports columns that are kept under a name that another field has now.
func (def *Definition) kept() {
	for _, f := range def.Datatype.Fields {
		for _, other := range def.Datatype.Fields {
			if f.Keep && f.Was == other.Name && f != other {
				at, _ := node.Pair(def.nodes[f], "keep")
				def.f.wrong(at, fmt.Sprintf("the column %s cannot be kept: another field is called that now", f.Was), "remove keep, or give that field another name")
			}
		}
	}
}

// optionChanges does so for the options of a select.
func (def *Definition) optionChanges(f *model.Field) {
	all := make([]declared, len(f.Options))
	for i, o := range f.Options {
		all[i] = declared{f: def.f, name: o.Value, was: o.Was, wasPos: o.WasPos}
	}
	renames("option", all)
}

// changes does so for datatypes, and for what modulagen.yaml drops.
func (l *loader) changes(c model.Config) {
	var all []declared
	for _, def := range l.defs {
		if d := def.Datatype; d.Name != "" {
			all = append(all, declared{f: def.f, name: d.Name, was: d.Was, wasPos: d.WasPos})
		}
	}
	renames("datatype", all)
	if f := l.configuration; f != nil {
		before := len(f.found)
		f.drops("datatype", c.Drop, all)
		l.found = append(l.found, f.found[before:]...)
	}
}
