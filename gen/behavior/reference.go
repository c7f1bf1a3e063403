package behavior

import (
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// reference gives each reference an index, unless one already starts with it:
// without one, deleting the row that is pointed to reads the whole table, and
// MySQL would make an index of its own under a name of its own.
func reference(d *model.Datatype) mistake.List {
	for _, f := range d.Fields {
		if f.Reference == nil || Leads(d, f) {
			continue
		}
		d.Indexes = append(d.Indexes, &model.Index{
			Pos:     f.Pos,
			NamePos: f.Pos,
			Added:   true,
			Name:    model.ShortName(d.Name + "_" + f.Name + "_idx"),
			Columns: []model.IndexColumn{{Field: f}},
		})
	}
	return nil
}

// Leads reports whether an index over all rows starts with the field.
func Leads(d *model.Datatype, f *model.Field) bool {
	for _, x := range d.Indexes {
		if len(x.Where) == 0 && x.Columns[0].Field == f {
			return true
		}
	}
	return false
}
