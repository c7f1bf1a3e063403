// Package behavior turns what a definition asks for into plain fields, indexes
// and operations. Each behaviour is a pass in a file of its own; no later stage
// knows the word that caused it. A user's datatype and a built-in one get the
// same from the same section.
package behavior

import (
	"cmp"
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
	addGates(p)
	addCacheTables(p)
	var found mistake.List
	for _, d := range p.Datatypes {
		for _, pass := range passes {
			found = append(found, pass.apply(d)...)
		}
	}
	cascades(p)
	return found.Err()
}

// addField adds a field that the definition does not declare.
func addField(d *model.Datatype, f *model.Field) *model.Field {
	f.Added, f.Pos, f.GoPos = true, d.Pos, d.Pos
	d.Fields = append(d.Fields, f)
	return f
}

// addDatatype adds a table that owner's behavior needs and no definition declares.
func addDatatype(p *model.Project, d, owner *model.Datatype) {
	d.AddedFor, d.Pos, d.GoPos = owner.Name, owner.Pos, owner.Pos
	for _, f := range d.Fields {
		f.Added, f.Pos, f.GoPos = true, d.Pos, d.Pos
	}
	for _, x := range d.Indexes {
		x.Added, x.Pos, x.NamePos = true, d.Pos, d.Pos
	}
	p.Datatypes = append(p.Datatypes, d)
	slices.SortStableFunc(p.Datatypes, func(a, b *model.Datatype) int { return cmp.Compare(a.Name, b.Name) })
}

// addIndex adds an index that the definition does not declare.
func addIndex(d *model.Datatype, x *model.Index) *model.Index {
	x.Added, x.Pos, x.NamePos = true, d.Pos, d.Pos
	d.Indexes = append(d.Indexes, x)
	return x
}
