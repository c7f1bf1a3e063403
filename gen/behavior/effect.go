package behavior

import (
	"slices"

	"github.com/hegner123/modulagen/gen/model"
)

// cascades adds to each datatype by which references a delete of its rows reaches
// an effect: the database follows every reference by itself, and the store only
// those, because it has to read the rows first.
func cascades(p *model.Project) {
	for grew := true; grew; { // until no datatype is found any more that leads to another
		grew = false
		for _, d := range p.Datatypes {
			for _, f := range d.Fields {
				if !follows(d, f) || slices.ContainsFunc(f.References.Cascades, func(c model.Cascade) bool { return c.Field == f }) {
					continue
				}
				f.References.Cascades = append(f.References.Cascades, model.Cascade{Datatype: d, Field: f})
				grew = true
			}
		}
	}
}

// follows reports whether the deletion of the row that a field refers to has
// effects on the row that has the field, or on those that go with it.
func follows(d *model.Datatype, f *model.Field) bool {
	if f.References == nil || f.Reference == nil {
		return false
	}
	switch f.Reference.OnDelete {
	case "cascade":
		return affected(d, model.Deletes) || len(d.Cascades) > 0
	case "set_null":
		return affected(d, model.Updates)
	}
	return false
}

func affected(d *model.Datatype, on model.Writes) bool {
	return slices.ContainsFunc(d.Effects, func(e model.Effect) bool { return e.On&on != 0 })
}

// GoesWith returns a datatype that is meant and with whose rows the database does to rows
// of d what onDelete lists: it follows references with one of these, and beyond the first
// those that cascade. It returns nil if there is none. A behavior that deletes rows by
// statements of its own runs no effects on what refers to them.
func GoesWith(d *model.Datatype, meant func(*model.Datatype) bool, onDelete ...string) *model.Datatype {
	return goesWith(d, meant, onDelete, map[*model.Datatype]bool{})
}

func goesWith(d *model.Datatype, meant func(*model.Datatype) bool, onDelete []string, seen map[*model.Datatype]bool) *model.Datatype {
	for _, f := range d.Fields {
		to := f.References
		if to == nil || !slices.Contains(onDelete, f.Reference.OnDelete) || seen[to] {
			continue
		}
		if meant(to) {
			return to
		}
		seen[to] = true
		if with := goesWith(to, meant, []string{"cascade"}, seen); with != nil {
			return with
		}
	}
	return nil
}
