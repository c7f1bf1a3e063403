package behavior

import (
	"slices"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// secret marks the payloads of a queue as veiled when a kind has secrets.
func secret(d *model.Datatype) mistake.List {
	if d.Queue == nil {
		return nil
	}
	for _, k := range d.Queue.Kinds {
		forms := [][]*model.Field{k.Fields}
		for _, old := range k.Older {
			forms = append(forms, old.Fields)
		}
		for _, fields := range forms {
			d.Queue.PayloadField.Veiled = d.Queue.PayloadField.Veiled || slices.ContainsFunc(fields, (*model.Field).Hidden)
		}
	}
	return nil
}
