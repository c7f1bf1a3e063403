package load

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// field reads one column.
func (def *Definition) field(n *yaml.Node) *model.Field {
	f := def.plainField(n, def.Datatype.GoRow)
	f.Unique = node.True(n, "unique")
	if f.Type == "reference" {
		f.Reference = &model.Reference{To: node.Text(n, "to"), OnDelete: cmp.Or(node.Text(n, "on_delete"), "restrict")}
		if f.Reference.OnDelete == "set_null" && f.Required {
			def.f.wrong(node.Get(n, "on_delete"), fmt.Sprintf("%s is required, so that set_null cannot empty it", f.Name), "write cascade or restrict, or leave required out")
		}
	}
	if f.Type == "json" {
		def.inlineFields(n, f)
	}
	def.defaultOf(n, f)
	f.NotNull = f.Required || f.Default != nil
	def.evolution(n, f)
	return f
}

// plainField reads what columns and members of JSON objects share. Owner is
// the Go name that the names of the field's own types start with.
func (def *Definition) plainField(n *yaml.Node, owner string) *model.Field {
	name := node.Text(n, "name")
	f := &model.Field{
		Pos: def.f.pos(node.Or(node.Get(n, "name"), n)), GoPos: def.f.pos(node.Or(node.Get(n, "go_name"), node.Get(n, "name"), n)), Name: name, GoName: cmp.Or(node.Text(n, "go_name"), goname.Exported(name)),
		Type: node.Text(n, "type"), Label: cmp.Or(node.Text(n, "label"), fieldLabel(name, node.Text(n, "type"))), Help: node.Text(n, "help"),
		Required: node.True(n, "required"), Secret: node.True(n, "secret"), GoType: node.Text(n, "go_type"), Scale: 2,
	}
	t, known := fieldtype.Lookup(f.Type)
	if !known {
		f.Type = "text" // reported; the other parts go on
		t = fieldtype.MustLookup(f.Type)
	}
	if f.Type != "decimal" {
		f.Scale = 0
	} else if s, ok := node.Int(n, "scale"); ok && s >= 0 && s <= check.MaxScale {
		f.Scale = int(s)
	}
	f.Rules = check.Rules{Kind: t.Kind, Format: t.Format, Scale: f.Scale, Secret: f.Secret}
	if known {
		def.bounds(n, f, t)
		def.pattern(n, f)
		def.options(n, f, owner)
		def.validation(n, f)
	}
	f.Rules.Required = f.Required
	return f
}

// fieldLabel leaves out what only a programmer would call the author: its id.
func fieldLabel(name, typ string) string {
	if short, ok := strings.CutSuffix(name, "_id"); ok && typ == "reference" && short != "" {
		name = short
	}
	return sentenceCase(name)
}

// bounds reads min and max, and fills in what the type allows at most.
func (def *Definition) bounds(n *yaml.Node, f *model.Field, t fieldtype.Type) {
	if t.Max > 0 {
		f.Rules.Max = check.AtInt(t.Max)
	}
	rules := language.RulesOf(t)
	if !slices.Contains(rules.Takes, "max") {
		return
	}
	least, most := def.bound(n, "min", f, rules), def.bound(n, "max", f, rules)
	if most.IsSet() {
		f.Rules.Max = most
	}
	if !least.IsSet() {
		return
	}
	if f.Rules.Max.IsSet() && least.Compare(f.Rules.Max) > 0 {
		hint := "swap them"
		if !most.IsSet() {
			hint = fmt.Sprintf("a %s has at most %s unless max says more", f.Type, f.Rules.Max)
		}
		def.f.wrong(node.Get(n, "min"), fmt.Sprintf("min %s is more than max %s", least, f.Rules.Max), hint)
		return
	}
	f.Rules.Min = least
}

// bound reads one of them, when it is what the type asks for; what is not was
// reported, but for what the tables cannot say.
func (def *Definition) bound(n *yaml.Node, key string, f *model.Field, rules language.TypeRules) check.Bound {
	v := node.Get(n, key)
	if f.Type == "float" {
		return floatBound(v)
	}
	if v == nil || v.Kind != yaml.ScalarNode || !plainNumber.MatchString(v.Value) {
		return check.Bound{}
	}
	want := rules.Values[key]
	if !isForm(v, want.Form) {
		return check.Bound{}
	}
	b, err := check.ParseBound(v.Value)
	if err != nil {
		return check.Bound{}
	}
	if want.Form == language.Int && b.Int() < want.Min || want.Max > 0 && b.Int() > want.Max {
		if f.Type == "text" && b.Int() > want.Max {
			def.f.hint(v, "write type: textarea")
		}
		return check.Bound{}
	}
	if f.Type == "decimal" {
		r := check.Rules{Kind: check.Decimal, Scale: f.Scale}
		for _, failure := range r.Check(b.Decimal()) {
			def.f.wrong(v, key+" "+failure.Message, fmt.Sprintf("the field's scale is %d", f.Scale))
			return check.Bound{}
		}
	}
	return b
}

// floatBound reads a limit of a float, which is the float nearest to what is written.
func floatBound(v *yaml.Node) check.Bound {
	if v == nil || !isForm(v, language.Float) {
		return check.Bound{}
	}
	f, err := node.ParseFloat(v.Value)
	if err != nil {
		return check.Bound{} // reported
	}
	return check.AtFloat(f)
}

// hint adds to a mistake that was reported at a place.
func (f *file) hint(n *yaml.Node, hint string) {
	for i := range f.found {
		if m := &f.found[i]; m.Line == n.Line && m.Column == n.Column && m.Hint == "" {
			m.Hint = hint
		}
	}
}

func (def *Definition) pattern(n *yaml.Node, f *model.Field) {
	p := node.Get(n, "pattern")
	if p == nil || !node.IsText(p) || p.Value == "" || len(p.Value) > check.MaxPattern || f.Rules.Kind != check.Text || f.Type == "select" {
		return
	}
	if _, err := check.CompilePattern(p.Value); err != nil {
		def.f.wrong(p, "pattern cannot be read: "+cause(err), "patterns are RE2: https://github.com/google/re2/wiki/Syntax")
		return
	}
	f.Rules.Pattern = p.Value
}

// cause returns the innermost error's text, without the packages it came through.
func cause(err error) string {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || u.Unwrap() == nil {
			return err.Error()
		}
		err = u.Unwrap()
	}
}

// options reads a select's values and names its type.
func (def *Definition) options(n *yaml.Node, f *model.Field, owner string) {
	if f.Type != "select" {
		return
	}
	f.EnumGoName = goname.Enum(owner, f.GoName)
	for _, o := range node.Items(n, "options") {
		value, at := o.Value, o
		opt := model.Option{Value: value, GoName: goname.Option(f.EnumGoName, value)}
		if o.Kind == yaml.MappingNode {
			at = node.Or(node.Get(o, "value"), o)
			value = node.Text(o, "value")
			opt = model.Option{Value: value, Label: node.Text(o, "label"), GoName: goname.Option(f.EnumGoName, value)}
			if own := node.Text(o, "go_name"); own != "" {
				opt.GoName = f.EnumGoName + own
			}
		} else if !node.IsText(o) {
			continue
		}
		if value == "" {
			continue
		}
		if slices.Contains(f.Rules.Options, value) {
			def.f.wrong(at, fmt.Sprintf("option %q stands twice", value), "remove one")
			continue
		}
		if i := slices.IndexFunc(f.Options, func(p model.Option) bool { return p.GoName == opt.GoName }); i >= 0 {
			def.f.wrong(at, fmt.Sprintf("options %q and %q would both be %s in Go", f.Options[i].Value, value, opt.GoName), "write one as {value: ..., go_name: ...}")
			continue
		}
		opt.Label = cmp.Or(opt.Label, optionLabel(value))
		opt.Was, opt.WasPos = def.f.was(o)
		f.Options = append(f.Options, opt)
		f.Rules.Options = append(f.Rules.Options, value)
	}
	def.optionChanges(f)
}

// optionLabel makes a label of a value that is written as a name; others, such
// as GET or -1, are labels already.
func optionLabel(value string) string {
	if name := strings.ReplaceAll(value, "-", "_"); node.Matches(language.NamePattern, name) {
		return sentenceCase(name)
	}
	return value
}

// inlineFields reads the members of a JSON field's document.
func (def *Definition) inlineFields(n *yaml.Node, f *model.Field) {
	if f.GoType != "" && node.Get(n, "fields") != nil {
		def.f.wrong(node.Get(n, "fields"), "go_type and fields exclude each other", "remove one: the struct is either yours or made from fields")
		return
	}
	if len(node.Items(n, "fields")) == 0 {
		if at, _ := node.Pair(n, "drop"); at != nil && f.Type == "json" {
			def.f.wrong(at, "drop stands without fields, of which it names some that are gone", "remove it: a document that is read as a whole loses nothing")
		}
		return
	}
	f.JSONGoName = def.Datatype.GoRow + f.GoName
	f.JSONFields = def.MemberFields(n, f.JSONGoName)
	f.Rules.Fields = membersOf(f.JSONFields)
	f.Drop = def.f.dropped(n)
	var all []declared
	for _, m := range f.JSONFields {
		m.Was, m.WasPos = def.f.was(def.nodes[m])
		all = append(all, declared{f: def.f, name: m.Name, was: m.Was, wasPos: m.WasPos})
	}
	renames("member", all)
	def.f.drops("member", f.Drop, all)
}

// MemberFields reads the fields of a JSON object.
func (def *Definition) MemberFields(n *yaml.Node, owner string) []*model.Field {
	var out []*model.Field
	for _, m := range node.Items(n, "fields") {
		if m.Kind != yaml.MappingNode {
			continue
		}
		f := def.plainField(m, owner)
		f.NotNull = f.Required
		def.nodes[f] = m
		if f.Name == "" {
			continue
		}
		if i := slices.IndexFunc(out, func(o *model.Field) bool { return o.Name == f.Name }); i >= 0 {
			def.f.wrong(node.Or(node.Get(m, "name"), m), fmt.Sprintf("field %s is declared twice", f.Name), fmt.Sprintf("the first is on line %d", out[i].Pos.Line))
			continue
		}
		out = append(out, f)
	}
	return out
}

func membersOf(fields []*model.Field) []check.Member {
	var out []check.Member
	for _, f := range fields {
		out = append(out, check.Member{Name: f.Name, Rules: f.Rules})
	}
	return out
}
