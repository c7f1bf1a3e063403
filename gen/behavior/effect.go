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
