package behavior

import (
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// access offers the operations that every datatype of a person has.
func access(d *model.Datatype) mistake.List {
	if d.AddedFor != "" { // it is read and written by the behavior's own statements
		return nil
	}
	ops := []*model.Operation{
		{Name: "Insert" + d.GoRow, Kind: model.OpInsert},
		{Name: "Get" + d.GoRow, Kind: model.OpGet},
	}
	for _, key := range d.Keys() {
		ops = append(ops, &model.Operation{Name: "Get" + d.GoRow + "By" + key.GoName, Kind: model.OpGet, Key: key})
	}
	ops = append(ops, &model.Operation{Name: "Update" + d.GoRow, Kind: model.OpUpdate})
	for _, key := range d.Keys() {
		ops = append(ops, &model.Operation{Name: "Upsert" + d.GoRow + "By" + key.GoName, Kind: model.OpUpsert, Key: key})
	}
	ops = append(ops,
		&model.Operation{Name: "Delete" + d.GoRow, Kind: model.OpDelete},
		&model.Operation{Name: "List" + d.GoRow, Kind: model.OpList},
	)
	d.Operations = append(ops, d.Operations...)
	return nil
}
