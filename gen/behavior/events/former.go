package events

import (
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/hegner123/modulagen/gen/goname"
	"github.com/hegner123/modulagen/gen/model"
)

// former is what a datatype's fields and options were called before: rows in the log that were written
// before the definition changed have those names.
type former struct {
	members map[string]string            // the name before, by the name of now
	options map[string]map[string]string // of a select: the option of now, by the one before
	// documents are members of json fields, as members are those of rows.
	documents map[string]map[string]string
	kept      []string // fields that programs of before still read under their names before
}

func formerOf(d *model.Datatype) former {
	f := former{members: map[string]string{}, options: map[string]map[string]string{}, documents: map[string]map[string]string{}}
	for _, field := range d.Fields {
		if field.Was != "" {
			f.members[field.Name] = field.Was
			if field.Keep {
				f.kept = append(f.kept, field.Name)
			}
		}
		for _, m := range field.JSONFields {
			if m.Was != "" {
				put(f.documents, field.Name, m.Name, m.Was)
			}
		}
		for _, o := range field.Options {
			if o.Was == "" || slices.Contains(field.Rules.Options, o.Was) {
				continue // a row does not show which of two swapped options it means
			}
			put(f.options, field.Name, o.Was, o.Value)
		}
	}
	return f
}

func put(all map[string]map[string]string, field, key, value string) {
	if all[field] == nil {
		all[field] = map[string]string{}
	}
	all[field][key] = value
}

func (f former) any() bool { return len(f.members)+len(f.options)+len(f.documents) > 0 }

// formerName is the variable that has them.
func formerName(d *model.Datatype) string { return goname.Unexported(d.GoRow) + "Former" }

func printFormer(f *jen.File, d *model.Datatype) {
	former := formerOf(d)
	if !former.any() {
		return
	}
	dict := jen.Dict{}
	if len(former.members) > 0 {
		dict[jen.Id("Members")] = literal(former.members)
	}
	for name, fields := range map[string]map[string]map[string]string{"Options": former.options, "Documents": former.documents} {
		if len(fields) == 0 {
			continue
		}
		each := jen.Dict{}
		for field, all := range fields {
			each[jen.Lit(field)] = literal(all)
		}
		dict[jen.Id(name)] = jen.Map(jen.String()).Map(jen.String()).String().Values(each)
	}
	if len(former.kept) > 0 {
		dict[jen.Id("Kept")] = jen.Index().String().ValuesFunc(func(g *jen.Group) {
			for _, name := range former.kept {
				g.Lit(name)
			}
		})
	}
	f.Var().Id(formerName(d)).Op("=").Add(feed("Former")).Values(dict)
	f.Line()
}

func literal(m map[string]string) jen.Code {
	dict := jen.Dict{}
	for k, v := range m {
		dict[jen.Lit(k)] = jen.Lit(v)
	}
	return jen.Map(jen.String()).String().Values(dict)
}
