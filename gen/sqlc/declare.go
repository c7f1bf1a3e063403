package sqlc

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/near"
)

func findDeclared(v *versions, name string, of func(*written) []declared) (declared, bool) {
	for _, db := range v.databases() {
		for _, d := range of(v.of[db].query) {
			if d.name == name {
				return d, true
			}
		}
	}
	return declared{}, false
}

// knownDeclarations reports declared names that the query does not have.
func (r *reconciler) knownDeclarations() bool {
	ok := true
	var columns []string
	for _, c := range r.analysed[r.v.first().db].Columns {
		columns = append(columns, strings.ToLower(c.Name))
	}
	params := r.paramNames(r.v.first().db)
	for _, w := range r.v.written() {
		unknown := func(what string, ds []declared, names []string) {
			for _, d := range ds {
				if slices.Contains(names, d.name) {
					continue
				}
				hint := "it has no " + what + "s"
				if len(names) > 0 {
					hint = "its " + what + "s are " + strings.Join(names, ", ")
				}
				if meant := near.Word(d.name, names); meant != "" {
					hint = fmt.Sprintf("write %s; %s", meant, hint)
				}
				w.file.mistake(d.at, hint, "the query %s has no %s %s", r.v.name, what, d.name)
				ok = false
			}
		}
		unknown("column", w.columns, columns)
		unknown("parameter", w.params, params)
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
