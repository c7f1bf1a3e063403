// Package jsonschema prints the definition language as JSON Schema (draft
// 2020-12), with which editors complete and check what a person writes.
//
// It prints the tables of gen/language, which the loader holds files to, and
// adds nothing of its own: what the schema refuses, the loader refuses. The
// other way round, the loader sees more: names that collide, references to
// nothing, a default that its own pattern refuses.
package jsonschema

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/runtime/store/check"
)

const draft = "https://json-schema.org/draft/2020-12/schema"

// Schema returns the schema of definition files, which hold a mapping of that grammar;
// always alike byte for byte.
func Schema(definition *language.Mapping) []byte {
	return document(definition, "modulagen datatype")
}

// Config returns the schema of modulagen.yaml, which holds a mapping of that grammar.
func Config(configuration *language.Mapping) []byte {
	return document(configuration, "modulagen configuration")
}

func document(m *language.Mapping, title string) []byte {
	p := &printer{names: map[*language.Mapping]string{}}
	root := object{{"$schema", draft}, {"title", title}}
	root = append(root, p.mapping(m)...)
	if len(p.defs) > 0 {
		root = append(root, member{"$defs", p.defs})
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		panic(fmt.Sprintf("jsonschema: %v", err)) // the tables hold nothing but strings and numbers
	}
	return b.Bytes()
}

// object is a JSON object that keeps the order of its members: editors show
// keys in the order of the schema.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := marshal(&b, m.name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := marshal(&b, m.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func marshal(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printer collects the definitions that mappings refer to.
type printer struct {
	names map[*language.Mapping]string
	defs  object
}

// ref returns a reference to a mapping, which it prints when it is new.
func (p *printer) ref(m *language.Mapping) object {
	name, ok := p.names[m]
	if !ok {
		name = strings.ReplaceAll(strings.TrimPrefix(m.Name, "the "), " ", "_")
		switch m {
		case language.Member:
			name = "member"
		case language.ColumnMember:
			name = "column_member"
		}
		p.names[m] = name
		at := len(p.defs)
		p.defs = append(p.defs, member{name, nil})
		p.defs[at].value = p.mapping(m)
	}
	return object{{"$ref", "#/$defs/" + name}}
}

func (p *printer) mapping(m *language.Mapping) object {
	var properties object
	var required []string
	for _, k := range m.Keys {
		if k.Later {
			continue
		}
		schema := object{{"description", k.Help}}
		if k.Name == "type" {
			schema = object{{"description", k.Help + ": " + typesHelp(k.Value.Choices)}}
		}
		properties = append(properties, member{k.Name, append(schema, p.value(k.Value)...)})
		if k.Needed {
			required = append(required, k.Name)
		}
	}
	out := object{{"description", m.Help}, {"type", "object"}, {"properties", properties}}
	if len(required) > 0 {
		out = append(out, member{"required", required})
	}
	if m.Others != nil {
		out = append(out, member{"additionalProperties", p.value(m.Others)})
	} else {
		out = append(out, member{"additionalProperties", false})
	}
	if len(m.OneOf) > 0 {
		out = append(out, member{"oneOf", alternatives(m.OneOf)})
	}
	switch m {
	case language.Field, language.Member, language.ColumnMember:
		out = append(out, member{"allOf", p.byType(m)})
	case language.Rule:
		out = append(out, member{"allOf", byOp()})
	}
	return out
}

func typesHelp(names []string) string {
	var parts []string
	for _, n := range names {
		parts = append(parts, n+" ("+fieldtype.MustLookup(n).Help+")")
	}
	return strings.Join(parts, ", ")
}

func alternatives(keys []string) []object {
	var out []object
	for _, k := range keys {
		out = append(out, object{{"required", []string{k}}})
	}
	return out
}

func (p *printer) value(v *language.Value) object {
	forms := v.Forms()
	if len(forms) == 1 {
		return p.form(v)
	}
	var any []object
	for _, f := range forms {
		any = append(any, p.form(&f))
	}
	return object{{"anyOf", any}}
}

func (p *printer) form(v *language.Value) object {
	switch v.Form {
	case language.Text:
		return text(v)
	case language.Bool:
		return object{{"type", "boolean"}}
	case language.Null:
		return object{{"type", "null"}}
	case language.Number, language.Float:
		return object{{"type", "number"}}
	case language.Duration:
		return object{{"type", "string"}, {"pattern", language.DurationPattern}, {"maxLength", language.MaxDurationText}}
	case language.Int:
		out := object{{"type", "integer"}}
		if v.Min > -1<<63 {
			out = append(out, member{"minimum", v.Min})
		}
		if v.Max > 0 {
			out = append(out, member{"maximum", v.Max})
		}
		return out
	case language.List:
		out := object{{"type", "array"}, {"items", p.value(v.Of)}}
		return bounds(out, v, "minItems", "maxItems")
	case language.Map:
		out := object{
			{"type", "object"},
			{"propertyNames", object{{"pattern", cmp.Or(v.Pattern, language.NamePattern)}, {"maxLength", language.MaxName}}},
			{"additionalProperties", p.value(v.Of)},
		}
		return bounds(out, v, "minProperties", "maxProperties")
	case language.Section:
		return p.ref(v.Keys)
	}
	return object{}
}

func text(v *language.Value) object {
	out := object{{"type", "string"}}
	if len(v.Choices) > 0 {
		return append(out, member{"enum", v.Choices})
	}
	if !v.Empty {
		out = append(out, member{"minLength", 1})
	}
	if v.Max > 0 {
		out = append(out, member{"maxLength", v.Max})
	}
	if v.Pattern != "" {
		out = append(out, member{"pattern", v.Pattern})
	}
	return out
}

func bounds(out object, v *language.Value, least, most string) object {
	if v.Min > 0 {
		out = append(out, member{least, v.Min})
	}
	if v.Max > 0 {
		out = append(out, member{most, v.Max})
	}
	return out
}

// when returns the part of a schema that holds for one value of a key.
func when(key, value string, then object) object {
	return object{
		{"if", object{{"properties", object{{key, object{{"const", value}}}}}, {"required", []string{key}}}},
		{"then", then},
	}
}

// byType says what a field of each type takes and needs.
func (p *printer) byType(m *language.Mapping) []object {
	var out []object
	typ, _ := m.Key("type")
	for _, r := range language.ByType() {
		if !slices.Contains(typ.Value.Choices, r.Type) {
			continue
		}
		var properties object
		for _, name := range language.SpecialKeys() {
			if _, ok := m.Key(name); !ok {
				continue
			}
			if !slices.Contains(r.Takes, name) {
				properties = append(properties, member{name, false})
			} else if v, ok := r.Values[name]; ok && v.Form != language.Any {
				properties = append(properties, member{name, p.value(v)})
			}
		}
		then := object{{"properties", properties}}
		if len(r.Needs) > 0 {
			then = append(then, member{"required", r.Needs})
		}
		out = append(out, when("type", r.Type, then))
	}
	return out
}

// byOp says what a validation rule of each operator takes and needs.
func byOp() []object {
	var out []object
	for _, op := range check.Ops {
		takes := map[string]bool{}
		var required []string
		var either []string
		for _, part := range op.Takes() {
			name, optional := strings.CutSuffix(part, "?")
			alternatives := strings.Split(name, "|")
			for _, a := range alternatives {
				takes[a] = true
			}
			switch {
			case optional:
			case len(alternatives) > 1:
				either = alternatives
			default:
				required = append(required, name)
			}
		}
		out = append(out, when("op", string(op), ruleOf(op, takes, required, either)))
	}
	return out
}

func ruleOf(op check.Op, takes map[string]bool, required, either []string) object {
	var properties object
	for _, name := range []string{"value", "values", "class", "cmp", "n", "negate"} {
		switch {
		case takes[name] && name == "n" && op != check.OpRange:
			properties = append(properties, member{name, object{{"type", "integer"}, {"minimum", 0}, {"maximum", 1_000_000}}})
		case takes[name]:
		case name == "negate":
			properties = append(properties, member{name, object{{"const", false}}})
		default:
			properties = append(properties, member{name, false})
		}
	}
	then := object{{"properties", properties}}
	if len(required) > 0 {
		then = append(then, member{"required", required})
	}
	if len(either) > 0 {
		then = append(then, member{"oneOf", alternatives(either)})
	}
	return then
}
