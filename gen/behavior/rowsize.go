package behavior

import (
	"cmp"
	"slices"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// rowBytes is what we let text take of a MySQL row. The limit of the engine is
// 65,535; the rest is for the other columns.
const rowBytes = 48_000

// rowSize moves the longest texts out of the row where a MySQL row could not
// hold them all. Indexed ones stay: MySQL indexes only what is in the row.
func rowSize(d *model.Datatype) mistake.List {
	var inRow []*model.Field
	total := int64(0)
	for _, f := range d.Fields {
		t := f.Storage()
		if t.Kind != check.Text || f.Rules.Max.Int() > fieldtype.VarcharMax {
			continue
		}
		total += 4 * f.Rules.Max.Int()
		if !indexed(d, f) {
			inRow = append(inRow, f)
		}
	}
	slices.SortStableFunc(inRow, func(a, b *model.Field) int {
		return cmp.Compare(b.Rules.Max.Int(), a.Rules.Max.Int())
	})
	for _, f := range inRow {
		if total <= rowBytes {
			break
		}
		f.Wide = true
		total -= 4 * f.Rules.Max.Int()
	}
	return nil
}

func indexed(d *model.Datatype, f *model.Field) bool {
	return slices.ContainsFunc(d.Indexes, func(x *model.Index) bool {
		return slices.ContainsFunc(x.Columns, func(c model.IndexColumn) bool { return c.Field == f })
	})
}
