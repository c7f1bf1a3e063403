package core

import (
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// checks compares what the database's own checks hold the columns to.
func (e *differenceList) checks(d sqltext.Dialect, wanted TableDef, checks map[string]limits, found TableDef) {
	f := &facts{tables: map[string]map[string]limits{}, checks: map[string]checked{}}
	for _, text := range found.Checks {
		f.table(wanted.Name, tokens(d, text))
	}
	for _, c := range wanted.Columns {
		if !slices.ContainsFunc(found.Columns, func(x Column) bool { return x.Name == c.Name }) {
			continue
		}
		w, has := checks[c.Name], f.tables[wanted.Name][c.Name]
		if !sameSet(w.options, has.options) {
			e.addf("%s.%s: the database allows %s; the definition wants %s", wanted.Name, c.Name, words(has.options), words(w.options))
		}
		if w.length != has.length {
			e.addf("%s.%s: the database allows %s; the definition wants %s", wanted.Name, c.Name, characters(has.length), characters(w.length))
		}
	}
}

func sameSet(a, b []string) bool {
	in := func(list []string) func(string) bool { return func(s string) bool { return !slices.Contains(list, s) } }
	return (a == nil) == (b == nil) && !slices.ContainsFunc(a, in(b)) && !slices.ContainsFunc(b, in(a))
}

func words(options []string) string {
	if options == nil {
		return "any value"
	}
	return strings.Join(options, ", ")
}

func characters(n string) string {
	if n == "" {
		return "text of any length"
	}
	return "at most " + n + " characters"
}
