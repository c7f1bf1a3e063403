package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// Comparison is what differs between two versions of a project's tables.
type Comparison struct {
	Tables  []*Table          // those of now, each after those that it refers to, as far as possible
	Dropped []*model.Datatype // those that are dropped, as they were
	After   string            // the migration from before which no program may still run; empty: any may
	Left    map[string]bool   // names of members that earlier migrations dropped from JSON objects: documents may have them still
}

// Table is one table of now, with what it was.
type Table struct {
	Before  *model.Datatype // as it was; nil: it is new
	Moved   *model.Datatype // as it was, under the names of now
	Now     *model.Datatype
	Columns []*Column      // of Now's fields, in order
	Dropped []*model.Field // columns of Moved that are dropped
	Kept    []kept         // columns that triggers have kept equal since the last migration

	unrecorded bool // no members of JSON objects were recorded of what it was
}

// Column is one column of now, with what it was.
type Column struct {
	Before *model.Field // nil: it is new
	Moved  *model.Field
	Now    *model.Field
	Values map[string]string // options to write in place of others
	Keeps  string            // the column of the old name that is kept equal to this one; empty: none

	Members []member // of a JSON object that had declared fields and has them; nil otherwise

	Becomes *model.Field // what the column is once that one is dropped; nil: there is none
}

// Compare finds what differs. Its error is a mistake.List: what a person has to decide first.
// The project's behaviors must have been applied.
func Compare(before *Snapshot, p *model.Project) (*Comparison, error) {
	was, now := before.Project(), dialect.InOrder(p.Datatypes)
	old, found := renamedTables(now, was)
	c := &Comparison{}
	kept := map[string]bool{}
	for _, d := range now {
		t := &Table{Now: d}
		if name, ok := old[d.Name]; ok {
			t.Before, t.unrecorded = byName(was, name), !before.Members
			kept[name] = true
		}
		c.Tables = append(c.Tables, t)
	}
	columns := map[string]map[string]string{} // by table of before and column of before, the column of now
	for _, t := range c.Tables {
		if t.Before != nil {
			names, wrong := renamed(namedFields(t.Now), namedFields(t.Before))
			found = append(found, wrong...)
			columns[t.Before.Name] = flipped(names)
		}
	}
	for _, d := range was {
		if !kept[d.Name] {
			c.Dropped = append(c.Dropped, d)
			found = append(found, undeclaredTable(p, d, c.Tables)...)
		}
	}
	c.move(before, flipped(old), columns)
	for _, t := range c.Tables {
		found = append(found, t.compare()...)
		found = append(found, t.spent(before, p.Databases())...)
	}
	return c, found.Err()
}

func flipped(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[v] = k
	}
	return out
}

func byName(all []*model.Datatype, name string) *model.Datatype {
	if i := slices.IndexFunc(all, func(d *model.Datatype) bool { return d.Name == name }); i >= 0 {
		return all[i]
	}
	return nil
}

// move restores what was a second time, and renames it as it is called now.
func (c *Comparison) move(before *Snapshot, tables map[string]string, columns map[string]map[string]string) {
	moved := before.Project()
	byOld := map[string]*model.Datatype{}
	for _, d := range moved {
		byOld[d.Name] = d
	}
	for old, d := range byOld {
		for _, f := range d.Fields {
			if now, ok := columns[old][f.Name]; ok {
				f.Name = now
			} else if _, ok := columns[old]; ok && slices.Contains(valuesOf(columns[old]), f.Name) {
				f.Name = leaving(f.Name) // another column takes its name
			}
		}
		if now, ok := tables[old]; ok {
			d.Name = now
		}
	}
	for _, t := range c.Tables {
		if t.Before != nil {
			t.Moved = byOld[t.Before.Name]
			t.Kept = before.kept(t.Before.Name)
		}
	}
}

func valuesOf(m map[string]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// leaving is the name of a column that is about to be dropped, where another one takes its name.
func leaving(name string) string { return model.ShortName("modulagen_old_" + name) }

// compare pairs the columns of a table, and reports what cannot be done or was not said.
func (t *Table) compare() (found mistake.List) {
	if t.Before != nil && t.Before.ID != t.Now.ID {
		found = append(found, at(t.Now.Pos, fmt.Sprintf("the id of %s was %s and cannot become %s: rows of other tables and programs name them", t.Now.Name, t.Before.ID, t.Now.ID),
			"make a new datatype, fill it by a data step, and drop this one"))
	}
	for _, f := range t.Now.Fields {
		col := &Column{Now: f}
		if t.Before != nil {
			if i := slices.IndexFunc(t.Moved.Fields, func(m *model.Field) bool { return m.Name == f.Name }); i >= 0 {
				col.Before, col.Moved = t.Before.Fields[i], t.Moved.Fields[i]
				col.Values = renamedOptions(col.Before, f)
				found = append(found, inconvertible(t, col)...)
				found = append(found, t.compareMembers(col)...)
			}
		}
		t.Columns = append(t.Columns, col)
	}
	if t.Before == nil {
		return found
	}
	var gone []*model.Field
	for i, m := range t.Moved.Fields {
		if fieldOf(t.Now, m.Name) == nil {
			t.Dropped = append(t.Dropped, m)
			gone = append(gone, t.Before.Fields[i])
		}
	}
	return append(found, t.undeclared(gone)...)
}

func at(pos model.Pos, message, hint string) mistake.Mistake {
	return mistake.Mistake{File: pos.File, Line: pos.Line, Column: pos.Column, Message: message, Hint: hint}
}

// undeclared reports columns that are gone, and whose values the definition does not drop: each field by itself, as it may have been
// renamed, and those of sections together.
func (t *Table) undeclared(gone []*model.Field) mistake.List {
	var found mistake.List
	var added []string
	hint := fmt.Sprintf("add to the datatype: drop: [%s]", strings.Join(t.gone(), ", "))
	for _, f := range gone {
		switch declared := slices.ContainsFunc(t.Now.Drop, func(d model.Dropped) bool { return d.Name == f.Name }); {
		case declared || t.keeps(f.Name):
		case f.Added:
			added = append(added, f.Name)
		default:
			found = append(found, at(t.Now.Pos, fmt.Sprintf("the field %s of %s is gone, and its values would be lost", f.Name, t.Now.Name),
				t.renamed(f)+"where the column and its values are to go, "+hint))
		}
	}
	switch len(added) {
	case 0:
	case 1:
		found = append(found, at(t.Now.Pos, fmt.Sprintf("the column %s of %s, which a section of the datatype added, is gone, and its values would be lost", added[0], t.Now.Name),
			"where the column and its values are to go, "+hint))
	default:
		found = append(found, at(t.Now.Pos, fmt.Sprintf("the columns %s of %s, which a section of the datatype added, are gone, and their values would be lost", strings.Join(added, ", "), t.Now.Name),
			"where the columns and their values are to go, "+hint))
	}
	return found
}

// renamed is the hint for a field that may have been renamed, before the one to drop it; empty where no field is new.
func (t *Table) renamed(f *model.Field) string {
	added := t.appeared()
	if len(added) == 0 {
		return ""
	}
	return fmt.Sprintf("where it was renamed, add was: %s to the field that it is now (new are %s); otherwise ", f.Name, strings.Join(added, ", "))
}

// gone lists what drop has to name, beginning with what it names already.
func (t *Table) gone() []string {
	var out []string
	for _, d := range t.Now.Drop {
		out = append(out, d.Name)
	}
	for i, m := range t.Moved.Fields {
		if name := t.Before.Fields[i].Name; fieldOf(t.Now, m.Name) == nil && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// appeared lists the fields that were no column before.
func (t *Table) appeared() []string {
	var out []string
	for _, f := range t.Now.Fields {
		if !f.Added && fieldOf(t.Moved, f.Name) == nil {
			out = append(out, f.Name)
		}
	}
	return out
}

// undeclaredTable reports a table that is gone, and whose rows modulagen.yaml does not drop.
func undeclaredTable(p *model.Project, d *model.Datatype, tables []*Table) mistake.List {
	if slices.ContainsFunc(p.Config.Drop, func(x model.Dropped) bool { return x.Name == d.Name }) {
		return nil
	}
	var names, added []string
	for _, x := range p.Config.Drop {
		names = append(names, x.Name)
	}
	for _, t := range tables {
		if t.Before == nil && t.Now.AddedFor == "" {
			added = append(added, t.Now.Name)
		}
	}
	hint := fmt.Sprintf("where the table and its rows are to go, write in modulagen.yaml: drop: [%s]", strings.Join(append(names, d.Name), ", "))
	what := fmt.Sprintf("the datatype %s is gone, and its rows would be lost", d.Name)
	if d.AddedFor != "" {
		what = fmt.Sprintf("the table %s, which a section of %s added, is gone, and its rows would be lost", d.Name, d.AddedFor)
	} else if len(added) > 0 {
		hint = fmt.Sprintf("where it was renamed, add was: %s to the datatype that it is now (new are %s); otherwise %s", d.Name, strings.Join(added, ", "), hint)
	}
	return mistake.List{{File: "modulagen.yaml", Message: what, Hint: hint}}
}
