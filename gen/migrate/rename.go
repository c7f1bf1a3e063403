package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
)

// renamed returns the old name of each new one, by what `was` says. A `was` that was recorded
// with the name has no further effect: that is what makes a swap happen once.
func renamed(now, before []named) (old map[string]string, found mistake.List) {
	old = map[string]string{}
	taken := map[string]bool{}
	for _, n := range now {
		if n.was == "" || recorded(before, n) {
			continue
		}
		switch {
		case has(before, n.was):
			old[n.name], taken[n.was] = n.was, true
		case !has(before, n.name):
			found = append(found, mistake.Mistake{
				File: n.pos.File, Line: n.pos.Line, Column: n.pos.Column,
				Message: fmt.Sprintf("was: there was no %s %s in the last migration", n.kind, n.was), Hint: meant(n.was, before, now),
			})
		}
	}
	for _, n := range now {
		if _, set := old[n.name]; !set && has(before, n.name) && !taken[n.name] {
			old[n.name] = n.name
		}
	}
	return old, found
}

// named is something that may have had another name.
type named struct {
	name, was string
	kind      string // "datatype", "field"
	pos       model.Pos
}

func has(all []named, name string) bool {
	return slices.ContainsFunc(all, func(n named) bool { return n.name == name })
}

func recorded(before []named, n named) bool {
	return slices.ContainsFunc(before, func(b named) bool { return b.name == n.name && b.was == n.was })
}

// meant is a hint that names what is gone and is nearest to what was written.
func meant(was string, before, now []named) string {
	var gone []string
	for _, b := range before {
		if !has(now, b.name) {
			gone = append(gone, b.name)
		}
	}
	if word := near.Word(was, gone); word != "" {
		return fmt.Sprintf("write %q", word)
	}
	if len(gone) > 0 && len(gone) <= 20 {
		return "gone since then: " + strings.Join(gone, ", ")
	}
	return "remove it; nothing has gone since then"
}

func namedDatatypes(all []*model.Datatype) []named {
	var out []named
	for _, d := range all {
		if d.AddedFor == "" {
			out = append(out, named{name: d.Name, was: d.Was, kind: "datatype", pos: d.WasPos})
		}
	}
	return out
}

func namedFields(d *model.Datatype) []named {
	var out []named
	for _, f := range d.Fields {
		out = append(out, named{name: f.Name, was: f.Was, kind: "field", pos: f.WasPos})
	}
	return out
}

// renamedTables returns the old names of datatypes, and of the tables that behaviors made for
// them: article_tags was post_tags where article was post.
func renamedTables(now, before []*model.Datatype) (old map[string]string, found mistake.List) {
	old, found = renamed(namedDatatypes(now), namedDatatypes(before))
	for _, d := range now {
		if d.AddedFor == "" {
			continue
		}
		name := d.Name
		if owner := old[d.AddedFor]; owner != "" {
			if rest, ok := strings.CutPrefix(d.Name, d.AddedFor); ok && slices.ContainsFunc(before, isAdded(owner+rest)) {
				name = owner + rest
			}
		}
		if slices.ContainsFunc(before, isAdded(name)) {
			old[d.Name] = name
		}
	}
	return old, found
}

func isAdded(name string) func(*model.Datatype) bool {
	return func(d *model.Datatype) bool { return d.AddedFor != "" && d.Name == name }
}

// renamedOptions returns the options of a select that replace others, by the old ones: those
// that `was` names and that are not recorded.
func renamedOptions(before, now *model.Field) map[string]string {
	var out map[string]string
	for _, o := range now.Options {
		done := slices.ContainsFunc(before.Options, func(b model.Option) bool { return b.Value == o.Value && b.Was == o.Was })
		if o.Was == "" || done || !slices.ContainsFunc(before.Options, func(b model.Option) bool { return b.Value == o.Was }) {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[o.Was] = o.Value
	}
	return out
}

// move is a rename of one thing in the database.
type move struct{ from, to string }

// inOrder sorts renames so that they can be made one after the other: b becomes c before a becomes b. Where
// that is a circle, as when a and b change places, one of them takes a detour by a third name.
func inOrder(moves []move) []move {
	var out []move
	waiting := slices.DeleteFunc(slices.Clone(moves), func(m move) bool { return m.from == m.to })
	for len(waiting) > 0 {
		i := slices.IndexFunc(waiting, func(m move) bool {
			return !slices.ContainsFunc(waiting, func(o move) bool { return o.from == m.to })
		})
		if i >= 0 {
			out = append(out, waiting[i])
			waiting = slices.Delete(waiting, i, i+1)
			continue
		}
		detour := model.ShortName("modulagen_" + waiting[0].from)
		out = append(out, move{waiting[0].from, detour})
		waiting[0].from = detour
	}
	return out
}
