package sqlc

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/model"
)

func findDeclared(v *versions, name string, of func(*written) []declared) (declared, bool) {
	for _, db := range model.Databases {
		for _, d := range of(v.of[db].query) {
			if d.name == name {
				return d, true
			}
		}
	}
	return declared{}, false
}

// usedDeclarations reports declared names that the query does not have.
func (r *reconciler) usedDeclarations(q *UserQuery) bool {
	ok := true
	seen := map[*written]bool{}
	for _, db := range model.Databases {
		w := r.v.of[db].query
		if seen[w] {
			continue
		}
		seen[w] = true
		unknown := func(what string, ds []declared, values []UserValue) {
			for _, d := range ds {
				if !slices.ContainsFunc(values, func(v UserValue) bool { return v.Name == d.name }) {
					w.file.mistake(d.at, "", "the query %s has no %s %s", q.Name, what, d.name)
					ok = false
				}
			}
		}
		unknown("column", w.columns, q.Columns)
		unknown("parameter", w.params, q.Params)
	}
	return ok
}

// parseDeclared reads "last_at datetime null" and "total decimal(2)".
func parseDeclared(text string) (declared, bool) {
	m := declBody.FindStringSubmatch(text)
	if m == nil {
		return declared{}, false
	}
	d := declared{name: strings.ToLower(m[1]), typ: m[2], null: m[4] != ""}
	t, known := fieldtype.Lookup(d.typ)
	if !known || t.Help == "" || d.typ == "select" || d.typ == "reference" || (d.typ == "decimal") != (m[3] != "") {
		return declared{}, false
	}
	d.scale, _ = strconv.Atoi(m[3])
	return d, d.scale <= 18
}
