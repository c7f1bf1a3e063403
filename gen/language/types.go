package language

import (
	"slices"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// TypeRules is what a field of one type may and must say beside what every
// field may.
type TypeRules struct {
	Type     string
	Takes    []string          // keys that not every type has
	Needs    []string          // of them, those that must stand
	Values   map[string]*Value // what those keys hold, where narrower than for fields at large
	MaxLimit int64             // the greatest max; 0: no limit of its own
}

// special are the keys that not every field has.
var special = []string{"unique", "default", "min", "max", "pattern", "options", "scale", "validation", "to", "on_delete", "go_type", "drop", "fields"}

// SpecialKeys are the keys that depend on a field's type.
func SpecialKeys() []string { return slices.Clone(special) }

// ByType returns the rules of each type, in the order of the types.
func ByType() []TypeRules {
	var out []TypeRules
	for _, t := range fieldtype.Writable() {
		out = append(out, RulesOf(t))
	}
	return out
}

// RulesOf returns the rules of one type.
func RulesOf(t fieldtype.Type) TypeRules {
	r := TypeRules{Type: t.Name, Values: map[string]*Value{}}
	if !t.Opaque && t.Kind != check.Bytes {
		r.Takes = append(r.Takes, "unique")
	}
	if t.Kind != check.Bytes && t.Name != "reference" {
		r.Takes = append(r.Takes, "default", "validation")
		r.Values["default"] = defaultOf(t)
	}
	switch t.Kind {
	case check.Int, check.Decimal:
		if t.Name != "reference" {
			r.bounds(number)
		}
	case check.Float:
		r.bounds(float)
	case check.JSON, check.Bytes:
		r.MaxLimit = MaxSize
		r.bounds(length)
	case check.Text:
		if t.Name != "select" {
			r.MaxLimit = textLimit(t)
			r.bounds(length)
			r.Takes = append(r.Takes, "pattern")
		}
	}
	if t.Kind == check.Int && t.Name != "reference" {
		whole := &Value{Form: Int, Min: -1 << 63}
		r.Values["min"], r.Values["max"] = whole, whole
	}
	switch t.Name {
	case "decimal":
		r.Takes = append(r.Takes, "scale")
	case "select":
		r.Takes = append(r.Takes, "options")
		r.Needs = []string{"options"}
	case "reference":
		r.Takes = append(r.Takes, "to", "on_delete")
		r.Needs = []string{"to"}
	case "json":
		r.Takes = append(r.Takes, "go_type", "drop", "fields")
	}
	return r
}

// bounds lets a type take min and max.
func (r *TypeRules) bounds(v *Value) {
	r.Takes = append(r.Takes, "min", "max")
	r.Values["min"] = v
	if v.Form == Int {
		v = &Value{Form: Int, Min: 1, Max: r.MaxLimit}
	}
	r.Values["max"] = v
}

func textLimit(t fieldtype.Type) int64 {
	switch t.Name {
	case "textarea", "richtext":
		return MaxTextLength
	case "text", "url":
		return MaxLineLength
	}
	return t.Max // an email address or a slug is never longer
}

// defaultOf returns what a default of a type is written as.
func defaultOf(t fieldtype.Type) *Value {
	switch t.Kind {
	case check.Int:
		return &Value{Form: Int, Min: -1 << 63}
	case check.Decimal:
		return number
	case check.Float:
		return float
	case check.Bool:
		return boolean
	case check.JSON:
		return &Value{Form: Any}
	}
	return &Value{Form: Text, Empty: true}
}
