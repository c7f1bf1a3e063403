package migrate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Member is a member of the documents of a JSON object with declared fields, or of a [Form]. Its Type is empty where an
// earlier version of the tool recorded it, of which nothing but the name is known.
type Member struct {
	Name     string   `json:"name"`
	Type     string   `json:"type,omitempty"` // a reference has that of the id that it holds
	Required bool     `json:"required,omitempty"`
	Min      string   `json:"min,omitempty"`
	Max      string   `json:"max,omitempty"`
	Scale    int      `json:"scale,omitempty"`
	Options  []string `json:"options,omitempty"`
	Was      string   `json:"was,omitempty"` // as the definition has it; once recorded, it has no further effect
}

// UnmarshalJSON reads a member, or the name alone, which earlier versions of the tool wrote.
func (m *Member) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		*m = Member{}
		return json.Unmarshal(text, &m.Name)
	}
	type plain Member
	return json.Unmarshal(text, (*plain)(m))
}

func takeMembers(fields []*model.Field) (out []Member) {
	for _, f := range fields {
		out = append(out, Member{
			Name: f.Name, Type: typeOf(f), Required: f.Required, Scale: f.Scale, Was: f.Was,
			Min: boundText(f.Rules.Min), Max: boundText(f.Rules.Max), Options: slices.Clone(f.Rules.Options),
		})
	}
	return out
}

func typeOf(f *model.Field) string {
	if f.Type == "" {
		return "" // not recorded
	}
	return f.Storage().Name
}

func (m Member) restore() *model.Field {
	out := &model.Field{Name: m.Name, Type: m.Type, Required: m.Required, NotNull: m.Required, Scale: m.Scale, Was: m.Was}
	if m.Type == "" {
		return out
	}
	t := fieldtype.MustLookup(m.Type)
	out.Rules = check.Rules{Kind: t.Kind, Format: t.Format, Scale: m.Scale, Required: m.Required, Options: m.Options, Min: bound(m.Min), Max: bound(m.Max)}
	for _, o := range m.Options {
		out.Options = append(out.Options, model.Option{Value: o})
	}
	return out
}

func (m Member) check(field string) error {
	if _, known := fieldtype.Lookup(m.Type); m.Type != "" && !known {
		return fmt.Errorf("gen/migrate: the member %s of %s has the type %q, which this version of modulagen does not know", m.Name, field, m.Type)
	}
	if !isBound(m.Min) || !isBound(m.Max) {
		return fmt.Errorf("gen/migrate: the member %s of %s has the bounds %q and %q, which are to be numbers", m.Name, field, m.Min, m.Max)
	}
	return nil
}

// sameMembers reports whether two lists have the same members, in any order. Of those whose type was not recorded,
// the names are compared.
func sameMembers(now, before []Member) bool {
	byName := func(all []Member) []Member {
		return slices.SortedFunc(slices.Values(all), func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
	}
	return slices.EqualFunc(byName(now), byName(before), func(n, b Member) bool {
		if b.Type == "" && b.Name == n.Name {
			return true
		}
		n.Was, b.Was = "", ""
		return reflect.DeepEqual(n, b)
	})
}

// unrecordedMembers are members without any `was`.
func unrecordedMembers(all []Member) []Member {
	out := slices.Clone(all)
	for i := range out {
		out[i].Was = ""
	}
	return out
}

// renamesMembers reports whether any member has a former name, which no snapshot without members has recorded.
func (s *Snapshot) renamesMembers() bool {
	return slices.ContainsFunc(s.Datatypes, func(d Datatype) bool {
		return slices.ContainsFunc(d.Fields, func(f Field) bool {
			return slices.ContainsFunc(f.Members, func(m Member) bool { return m.Was != "" })
		})
	})
}
