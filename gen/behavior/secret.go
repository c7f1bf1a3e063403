package behavior

import (
	"slices"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// secret marks the payloads of a queue as veiled when a kind has secrets, and
// finds fields whose Go name is that of a method by which a row keeps
// its secrets to itself. Structs of JSON and of payloads have them too.
func secret(d *model.Datatype) mistake.List {
	var found mistake.List
	if d.Queue != nil {
		for _, k := range d.Queue.Kinds {
			forms := [][]*model.Field{k.Fields}
			for _, old := range k.Older {
				forms = append(forms, old.Fields)
			}
			for _, fields := range forms {
				found = append(found, secretive(fields)...)
				d.Queue.PayloadField.Veiled = d.Queue.PayloadField.Veiled || slices.ContainsFunc(fields, isSecret)
			}
		}
	}
	for _, f := range d.Fields {
		found = append(found, secretive(f.JSONFields)...)
	}
	return append(secretive(d.Fields), found...)
}

func secretive(fields []*model.Field) mistake.List {
	if !slices.ContainsFunc(fields, isSecret) {
		return nil
	}
	var found mistake.List
	for _, f := range fields {
		if slices.Contains(model.SecretMethods, f.GoName) {
			found = append(found, mistake.Mistake{
				File: f.Pos.File, Line: f.Pos.Line, Column: f.Pos.Column,
				Message: f.Name + " is called " + f.GoName + " in Go, and so is a method of everything that has a secret field",
				Hint:    "give it another name in Go: go_name: " + f.GoName + "Field",
			})
		}
	}
	return found
}

func isSecret(f *model.Field) bool { return f.Hidden() }
