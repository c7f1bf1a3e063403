package migrate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// member is a member of a JSON object with declared fields, with what it was.
type member struct {
	before *model.Field // nil: it is new
	now    *model.Field
}

// typed reports whether the types before and now are known. Earlier versions of the tool recorded no types, neither of
// what was nor, on the way back, of what is to be.
func (m member) typed() bool { return m.before.Type != "" && m.now.Type != "" }

// compareMembers pairs the members of a JSON object. It reports those that are gone and not in drop, because each
// write of a row would leave their values out of its document, and those that programs could not read.
// A field without declared members keeps documents as they are.
func (t *Table) compareMembers(c *Column) (found mistake.List) {
	if len(c.Now.JSONFields) == 0 {
		return nil
	}
	before := c.Before.JSONFields
	if t.unrecorded {
		before = assumed(c.Now.JSONFields)
	}
	old, found := renamed(namedMembers(c.Now.JSONFields), namedMembers(before))
	if len(before) == 0 { // documents of any kind
		return found
	}
	var added []string
	for _, f := range c.Now.JSONFields {
		m := member{now: f}
		if name, was := old[f.Name]; was {
			m.before = memberOf(before, name)
			found = append(found, t.unreadable(c, m)...)
		} else if f.Was == "" {
			added = append(added, f.Name)
		}
		c.Members = append(c.Members, m)
	}
	return append(found, t.lostMembers(c, before, added)...)
}

// assumed are the members of a JSON object of before of which nothing was recorded, by what is said of those of now.
func assumed(now []*model.Field) (before []*model.Field) {
	for _, f := range now {
		name := f.Name
		if f.Was != "" {
			name = f.Was
		}
		before = append(before, &model.Field{Name: name})
	}
	return before
}

func memberOf(all []*model.Field, name string) *model.Field {
	if i := slices.IndexFunc(all, func(f *model.Field) bool { return f.Name == name }); i >= 0 {
		return all[i]
	}
	return nil
}

func namedMembers(all []*model.Field) (out []named) {
	for _, f := range all {
		out = append(out, named{name: f.Name, was: f.Was, kind: "member", pos: f.WasPos})
	}
	return out
}

// lostMembers reports members that are gone.
func (t *Table) lostMembers(c *Column, before []*model.Field, added []string) (found mistake.List) {
	var gone []string
	for _, f := range before {
		if !slices.ContainsFunc(c.Members, func(m member) bool { return m.before == f }) {
			gone = append(gone, f.Name)
		}
	}
	for _, name := range gone {
		if slices.ContainsFunc(c.Now.Drop, func(d model.Dropped) bool { return d.Name == name }) {
			continue
		}
		hint := fmt.Sprintf("where it is to go, add to the field: drop: [%s]", strings.Join(dropping(c.Now.Drop, gone), ", "))
		if len(added) > 0 {
			hint = fmt.Sprintf("where it was renamed, add was: %s to the member that it is now (new are %s); otherwise %s", name, strings.Join(added, ", "), hint)
		}
		found = append(found, at(c.Now.Pos, fmt.Sprintf("the member %s of %s is gone, and its values would be lost when rows are written", name, t.column(c.Now.Name)), hint))
	}
	return found
}

// droppedMembers are the names of members that one of the migrations does not have of a field, and the one before it
// has. Those of a field that was renamed are among them.
func (c *Chain) droppedMembers() map[string]bool {
	out := map[string]bool{}
	for i := 1; i < len(c.Migrations); i++ {
		after := c.Migrations[i].Snapshot
		for _, d := range c.Migrations[i-1].Snapshot.Datatypes {
			for _, f := range d.Fields {
				stay := after.members(d.Name, f.Name)
				for _, m := range f.Members {
					if !slices.ContainsFunc(stay, func(s Member) bool { return s.Name == m.Name }) {
						out[m.Name] = true
					}
				}
			}
		}
	}
	return out
}

// dropping lists what drop has to name, beginning with what it names already.
func dropping(said []model.Dropped, gone []string) (names []string) {
	for _, d := range said {
		names = append(names, d.Name)
	}
	for _, name := range gone {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// unreadable reports a member whose values no program of now can read: encoding/json does not convert them.
func (t *Table) unreadable(c *Column, m member) mistake.List {
	if !m.typed() || m.readable() {
		return nil
	}
	return mistake.List{at(m.now.Pos, fmt.Sprintf("the member %s of %s was a %s, and what documents hold of it cannot be read as a %s", m.before.Name, t.column(c.Now.Name), m.before.Type, m.now.Type),
		fmt.Sprintf("leave %s as it was, add a member of another name, and write a step that fills it, an UPDATE or -- run: NAME, into the SQL of the migration; drop %[1]s in a later one", m.before.Name))}
}

// readable reports whether programs of now can read what was written as the member was declared before, all of it or
// where rows show that they can: as text all that is a string in JSON.
func (m member) readable() bool {
	from, to := m.before.Storage().Kind, m.now.Storage().Kind
	switch to {
	case from, check.JSON:
		return true
	case check.Text:
		return from == check.Date || from == check.Time || from == check.Decimal
	case check.Int:
		return from == check.Float
	case check.Float, check.Decimal:
		return from == check.Int
	}
	return false
}

// membersRefused is memberRefused of the first member of which there is something to say.
func (p *planner) membersRefused(t *Table, c *Column) string {
	for _, m := range c.Members {
		if why := p.memberRefused(t, c, m); why != "" {
			return why
		}
	}
	return ""
}

// memberRefused says why programs of the version before cannot work with a member of now; empty where they can.
func (p *planner) memberRefused(t *Table, c *Column, m member) string {
	name, of := m.now.Name, t.column(c.Now.Name)
	switch {
	case m.before == nil && m.now.Required:
		return fmt.Sprintf("the new member %s of %s must have a value", name, of)
	case m.before == nil:
		return ""
	case m.before.Name != name:
		return fmt.Sprintf("the member %s of %s is %s now", m.before.Name, of, name)
	case !m.typed():
		return ""
	case m.before.Storage().Kind != m.now.Storage().Kind:
		return fmt.Sprintf("the member %s of %s is a %s now", name, of, m.now.Type)
	case m.before.Scale != m.now.Scale:
		return fmt.Sprintf("the member %s of %s has %d digits behind the point now, not %d", name, of, m.now.Scale, m.before.Scale)
	case m.now.Required && !m.before.Required:
		return fmt.Sprintf("the member %s of %s must have a value now", name, of)
	case m.before.Required && !m.now.Required:
		return fmt.Sprintf("the member %s of %s may have no value now", name, of)
	case len(p.memberMisfits(c, m)) > 0:
		return fmt.Sprintf("the member %s of %s holds less than before", name, of)
	}
	return ""
}

// keptMembers refuses to keep a column of documents under its old name whose members change: programs of each version
// would read and write what those of the other do.
func keptMembers(column Field, f *model.Field) mistake.List {
	same := sameMembers(takeMembers(f.JSONFields), column.Members)
	if len(column.Members) == 0 { // of documents of any kind, or not recorded
		same = !slices.ContainsFunc(f.JSONFields, func(m *model.Field) bool { return m.Was != "" })
	}
	if same {
		return nil
	}
	return mistake.List{at(f.WasPos, fmt.Sprintf("keep: the documents of %s and %s do not have the same members, so that programs of one version would not find or lose what those of the other write", column.Name, f.Name),
		"rename it with the members that it has, and change them in a migration after that")}
}

// reverseMembers sets `was` of the members of before to their names of now.
func reverseMembers(back, now *model.Field) error {
	names, found := renamed(namedMembers(now.JSONFields), namedMembers(back.JSONFields))
	if len(found) > 0 {
		return errors.New("no migration before it has recorded which members documents had")
	}
	old := flipped(names)
	for _, m := range back.JSONFields {
		m.Was = ""
		if name := old[m.Name]; name != m.Name {
			m.Was = name
		}
	}
	for _, m := range now.JSONFields { // documents keep them
		back.Drop = append(back.Drop, model.Dropped{Name: m.Name})
	}
	return nil
}
