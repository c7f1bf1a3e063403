// Package behavior turns what a definition asks for into plain fields, indexes,
// operations and effects. What every datatype gets is a pass in a file of its own;
// what a section asks for is the pass of the behavior that has the section, in a
// package below this one. A user's datatype and a built-in one get the same from
// the same section.
package behavior

import (
	"cmp"
	"slices"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// Behavior is a pass over the datatypes that have its section.
type Behavior interface {
	// Name is the name of the section.
	Name() string
	// Tables adds the tables that no definition declares. It is called once for a project,
	// also where no datatype has the section.
	Tables(p *model.Project)
	// Apply rewrites one datatype that has the section. The passes go datatype by datatype,
	// by name: what another has by then may not be all that it will have.
	Apply(d *model.Datatype) mistake.List
}

// passes run in this order on every datatype, after those of its behaviors. Access
// comes last: it offers what can be done with the fields and indexes that the others
// have left.
var passes = []func(*model.Datatype) mistake.List{reference, rowSize, access}

// Apply runs every pass over every datatype, the behaviors' in their order. Its
// error is a mistake.List: what a pass adds can collide with what a person wrote.
func Apply[B Behavior](p *model.Project, behaviors []B) error {
	for _, b := range behaviors {
		b.Tables(p)
	}
	var found mistake.List
	for _, d := range p.Datatypes {
		for _, b := range behaviors {
			if d.Section(b.Name()) != nil {
				found = append(found, b.Apply(d)...)
			}
		}
		for _, pass := range passes {
			found = append(found, pass(d)...)
		}
	}
	cascades(p)
	return found.Err()
}

// AddField adds a field that the definition does not declare.
func AddField(d *model.Datatype, f *model.Field) *model.Field {
	f.Added, f.Pos, f.GoPos = true, d.Pos, d.Pos
	d.Fields = append(d.Fields, f)
	return f
}

// AddDatatype adds a table that owner's behavior needs and no definition declares.
func AddDatatype(p *model.Project, d, owner *model.Datatype) {
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

// AddIndex adds an index that the definition does not declare.
func AddIndex(d *model.Datatype, x *model.Index) *model.Index {
	x.Added, x.Pos, x.NamePos = true, d.Pos, d.Pos
	d.Indexes = append(d.Indexes, x)
	return x
}
