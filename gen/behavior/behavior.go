// Package behavior turns what a definition asks for into plain fields, indexes
// and operations. Each behaviour is a pass in a file of its own; no later stage
// knows the word that caused it. A user's datatype and a built-in one get the
// same from the same section.
package behavior

import (
	"slices"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// pass rewrites one datatype.
type pass struct {
	name  string
	apply func(*model.Datatype) mistake.List
}

// passes run in this order on every datatype. Access comes last: it offers
// what can be done with the fields and indexes that the others have left.
var passes = []pass{
	{"queue", queue},
	{"cache", cache},
	{"secret", secret},
	{"reference", reference},
	{"rowsize", rowSize},
	{"access", access},
}

// Apply runs every pass over every datatype. Its error is a mistake.List: what
// a pass adds can collide with what a person wrote.
func Apply(p *model.Project) error {
	found := append(addGates(p), addCacheTables(p)...)
	for _, d := range p.Datatypes {
		for _, pass := range passes {
			found = append(found, pass.apply(d)...)
		}
	}
	cascades(p)
	return found.Err()
}

// addField gives a datatype a field that its definition does not have.
func addField(d *model.Datatype, f *model.Field) (*model.Field, mistake.List) {
	if i := slices.IndexFunc(d.Fields, func(o *model.Field) bool { return o.Name == f.Name }); i >= 0 {
		other := d.Fields[i]
		return other, mistake.List{{
			File: other.Pos.File, Line: other.Pos.Line, Column: other.Pos.Column,
			Message: "field " + f.Name + " is added by a behaviour of this datatype",
			Hint:    "give your own field another name",
		}}
	}
	f.Added = true
	f.Pos = d.Pos
	d.Fields = append(d.Fields, f)
	return f, nil
}
