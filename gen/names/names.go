// Package names knows every name that the stages print or create: Go types,
// functions, methods and fields, tables, columns, indexes and constraints. Check
// reports those of which two would be the same at the line that a person wrote,
// so that generated Go compiles and generated SQL runs.
//
// What every datatype has is declared here. What a behavior adds it declares
// itself, in the Names of the datatype. A test compares the list with the code that is
// printed, so that nothing is printed that was not declared.
package names

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// Check declares the names of a project, in Project.Names, and returns a
// mistake.List of those that collide. It comes after the behaviors.
func Check(p *model.Project) error {
	p.Names = declare(p)
	taken, found := Taken{}, sameTables(p)
	type places struct{ blamed, other model.Pos }
	reported := map[places]bool{} // one mistake for two things is enough, of which all names collide
	double := map[string]bool{}   // members of Go types of which there are two, which collide in consequence
	for _, n := range p.Names {
		other, ok := taken.Take(n)
		if ok || n.Once && other.Once && n.What == other.What || double[n.Space] || n.Owner != nil && other.Owner != nil && n.Owner != other.Owner && n.Owner.Name == other.Owner.Name {
			continue
		}
		if n.Space == model.SpaceGo {
			double[model.Members(n.Text)] = true
		}
		m, blamed, other := collision(n, other)
		if at := (places{blamed.Pos, other.Pos}); !reported[at] {
			reported[at] = true
			found = append(found, m)
		}
	}
	return found.Err()
}

// sameTables reports datatypes with the name of a table that a behavior adds: all
// that they have collides.
func sameTables(p *model.Project) mistake.List {
	var found mistake.List
	for _, added := range p.Datatypes {
		for _, own := range p.Datatypes {
			if added.AddedFor != "" && own.AddedFor == "" && added.Name == own.Name {
				found = append(found, mistake.Mistake{
					File: own.Pos.File, Line: own.Pos.Line, Column: own.Pos.Column,
					Message: fmt.Sprintf("the table %s is added for %s", added.Name, added.AddedFor),
					Hint:    "give your own datatype another name",
				})
			}
		}
	}
	return found
}

// declare returns every name in a project.
func declare(p *model.Project) []model.Name {
	out := fixed()
	all := slices.Clone(p.Datatypes) // a person's own come first
	slices.SortStableFunc(all, func(a, b *model.Datatype) int { return cmp.Compare(a.AddedFor, b.AddedFor) })
	for _, d := range all {
		out = append(out, row(d)...)
	}
	for _, d := range all {
		out = append(out, columns(d)...) // before the members of structs: that is where a person would look
		out = append(out, fieldTypes(d, d.Name, d.Fields)...)
		out = append(out, structs(d)...)
		out = append(out, keys(d)...)
		out = append(out, d.Names...)
	}
	return append(out, database(all)...)
}

// Taken are names, by space and text.
type Taken map[string]map[string]model.Name

// Of returns the names that Check has declared.
func Of(p *model.Project) Taken {
	t := Taken{}
	for _, n := range p.Names {
		t.Take(n)
	}
	return t
}

// Take adds a name, or returns the one that is the same and was there before.
func (t Taken) Take(n model.Name) (other model.Name, ok bool) {
	space := t[n.Space]
	if space == nil {
		space = map[string]model.Name{}
		t[n.Space] = space
	}
	if other, taken := space[n.Text]; taken {
		return other, false
	}
	space[n.Text] = n
	return model.Name{}, true
}

// collision puts into words that two names are the same. The later one is to be
// changed, unless only the earlier one was chosen by a person.
func collision(later, earlier model.Name) (m mistake.Mistake, blamed, other model.Name) {
	blamed, other = later, earlier
	if later.Added && !earlier.Added && earlier.Pos.Line > 0 {
		blamed, other = earlier, later
	}
	where := where(later.Space)
	m = mistake.Mistake{File: blamed.Pos.File, Line: blamed.Pos.Line, Column: blamed.Pos.Column, Hint: blamed.Hint}
	if earlier.Pos.Line == 0 {
		m.Message = fmt.Sprintf("%s would be %s %s, which %s already", later.What, later.Text, where, earlier.What)
		return m, blamed, other
	}
	m.Message = fmt.Sprintf("%s and %s would both be %s %s", earlier.What, later.What, later.Text, where)
	if own := other.Added && other.Owner == blamed.Owner; !own && other.Pos.Line != 0 {
		m.Hint += fmt.Sprintf("; the other is in %s:%d", other.Pos.File, other.Pos.Line)
	}
	return m, blamed, other
}

// where puts a space into words.
func where(space string) string {
	switch {
	case space == model.SpaceGo, strings.HasPrefix(space, model.Members("")):
		return "in Go"
	case space == model.SpaceRelations, space == model.SpaceForeignKeys, space == model.SpaceChecks:
		return "in the database"
	}
	return "in " + space
}
