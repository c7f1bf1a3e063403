package behavior

import (
	"slices"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// secret finds fields whose Go name is that of a method by which a row keeps
// its secrets to itself. Structs of JSON and of payloads have them too.
func secret(d *model.Datatype) mistake.List {
	found := secretive(d.Fields)
	for _, f := range d.Fields {
		found = append(found, secretive(f.JSONFields)...)
	}
	if d.Queue != nil {
		for _, k := range d.Queue.Kinds {
			found = append(found, secretive(k.Fields)...)
		}
	}
	return found
}

func secretive(fields []*model.Field) mistake.List {
	if !slices.ContainsFunc(fields, func(f *model.Field) bool { return f.Secret }) {
		return nil
	}
	var found mistake.List
	for _, f := range fields {
		if f.GoName == "Format" || f.GoName == "LogValue" {
			found = append(found, mistake.Mistake{
				File: f.Pos.File, Line: f.Pos.Line, Column: f.Pos.Column,
				Message: f.Name + " is called " + f.GoName + " in Go, and so is a method of everything that has a secret field",
				Hint:    "give it another name in Go: go_name: " + f.GoName + "Field",
			})
		}
	}
	return found
}
