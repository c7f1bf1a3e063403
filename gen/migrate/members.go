package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// lostMembers reports members of a JSON object that are gone and not in drop: each write of a row would leave
// their values out of its document. A field without declared members keeps documents as they are.
func lostMembers(t *Table, c *Column) (found mistake.List) {
	if len(c.Now.JSONFields) == 0 {
		return nil
	}
	gone, added := without(c.Before.JSONFields, c.Now.JSONFields), without(c.Now.JSONFields, c.Before.JSONFields)
	for _, name := range gone {
		if slices.ContainsFunc(c.Now.Drop, func(d model.Dropped) bool { return d.Name == name }) {
			continue
		}
		hint := fmt.Sprintf("where it is to go, add to the field: drop: [%s]", strings.Join(dropping(c.Now.Drop, gone), ", "))
		if len(added) > 0 {
			hint += fmt.Sprintf("; where it was renamed (new are %s), also write an UPDATE that moves its values into the SQL of the migration, as docs/evolution.md shows", strings.Join(added, ", "))
		}
		found = append(found, at(c.Now.Pos, fmt.Sprintf("the member %s of %s is gone, and its values would be lost when rows are written", name, t.column(c.Now.Name)), hint))
	}
	return found
}

// without lists the members that are not among the others.
func without(all, others []*model.Field) (names []string) {
	for _, f := range all {
		if !slices.ContainsFunc(others, func(o *model.Field) bool { return o.Name == f.Name }) {
			names = append(names, f.Name)
		}
	}
	return names
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
