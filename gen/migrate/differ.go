package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/model"
)

// wasUnique reports whether a unique index did the same before, under whatever name.
func (p *planner) wasUnique(t *Table, x *model.Index) bool {
	if t.Before == nil {
		return true
	}
	now := p.indexKey(t.Now, x)
	keeping := t.keeping()
	return slices.ContainsFunc(t.Moved.Indexes, func(old *model.Index) bool {
		return p.indexKey(t.Moved, old) == now || p.keyUnder(t, old, keeping) == now
	})
}

// indexKey describes what an index does, without its name.
func (p *planner) indexKey(d *model.Datatype, x *model.Index) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v", x.Unique)
	for _, c := range x.Columns {
		fmt.Fprintf(&b, " %s %v", c.Field.Name, c.Desc)
	}
	if len(x.Where) > 0 {
		b.WriteString(" " + p.Conditions(x.Where))
	}
	return b.String()
}

func (p *planner) columnOf(l dialect.Layout, name string) dialect.Column {
	if i := slices.IndexFunc(l.Columns, func(c dialect.Column) bool { return c.Name == name }); i >= 0 {
		return l.Columns[i]
	}
	return dialect.Column{}
}

// changedChecks returns the old checks that are gone and the new ones.
func (p *planner) changedChecks(t *Table) (gone, added []dialect.Check) {
	return difference(p.moved[t].Checks, p.now[t].Checks, func(c dialect.Check) string { return c.DDL })
}

func (p *planner) changedKeys(t *Table) (gone, added []dialect.ForeignKey) {
	return difference(p.moved[t].ForeignKeys, p.now[t].ForeignKeys, func(k dialect.ForeignKey) string { return k.DDL })
}

// changedIndexes returns the old indexes that are gone and the new ones, and apart from them those that only get
// another name.
func (p *planner) changedIndexes(t *Table) (gone, added []dialect.Index, moves []move) {
	gone, added = difference(p.moved[t].Indexes, p.now[t].Indexes, func(x dialect.Index) string { return x.DDL })
	for i := 0; i < len(gone); i++ {
		for j, a := range added {
			if p.sameBut(t, gone[i], a) {
				moves = append(moves, move{gone[i].Name, a.Name})
				gone, added = slices.Delete(gone, i, i+1), slices.Delete(added, j, j+1)
				i--
				break
			}
		}
	}
	return gone, added, moves
}

// sameBut reports whether two indexes differ in their names alone.
func (p *planner) sameBut(t *Table, old, now dialect.Index) bool {
	if slices.ContainsFunc(old.Fields, func(f string) bool { return p.retyped(t, f) }) {
		return false
	}
	without := func(x dialect.Index) string { return strings.Replace(x.DDL, p.Quote(x.Name), "", 1) }
	if p.db == model.MySQL && strings.Contains(old.DDL, model.ShortName(old.Name+"_when")) {
		return false // its generated column has another name
	}
	return without(old) == without(now)
}

// retyped reports whether an existing column gets another type in the database.
func (p *planner) retyped(t *Table, name string) bool {
	old, now := p.columnOf(p.moved[t], name), p.columnOf(p.now[t], name)
	return old.Name != "" && now.Name != "" && old.Type != now.Type
}

// difference returns what only the first of two lists has, and what only the second has, by a key.
func difference[T any](before, now []T, key func(T) string) (gone, added []T) {
	in := func(list []T, k string) bool {
		return slices.ContainsFunc(list, func(x T) bool { return key(x) == k })
	}
	for _, x := range before {
		if !in(now, key(x)) {
			gone = append(gone, x)
		}
	}
	for _, x := range now {
		if !in(before, key(x)) {
			added = append(added, x)
		}
	}
	return gone, added
}

// tableMoves and columnMoves are the renames, in an order in which they can be made.
func (p *planner) tableMoves() []move {
	var moves []move
	for _, t := range p.kept() {
		moves = append(moves, move{t.Before.Name, t.Now.Name})
	}
	return inOrder(moves)
}

func (t *Table) columnMoves() []move {
	var moves []move
	for i, f := range t.Before.Fields {
		moves = append(moves, move{f.Name, t.Moved.Fields[i].Name})
	}
	return inOrder(moves)
}

// pairs are the renames of the parts of a table of which the name is made from others.
func pairs[T any](before, moved []T, name func(T) string) []move {
	var moves []move
	for i := range before {
		moves = append(moves, move{name(before[i]), name(moved[i])})
	}
	return inOrder(moves)
}
