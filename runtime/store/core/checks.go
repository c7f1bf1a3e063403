package core

import (
	"slices"
	"strconv"
	"strings"
)

// checks compares what the database's own checks hold the columns to.
func (e *differenceList) checks(wanted TableDef, checks map[string]limits, has *facts, found TableDef) {
	held := has.tables[wanted.Name]
	for _, c := range wanted.Columns {
		if !slices.ContainsFunc(found.Columns, func(x Column) bool { return x.Name == c.Name }) {
			continue
		}
		w, h := checks[c.Name], held[c.Name]
		if !sameSet(w.options, h.options) && !(e.unfit && within(w.options, h.options)) {
			e.addf("%s.%s: the database allows %s; the definition wants %s", wanted.Name, c.Name, words(h.options), words(w.options))
			if h.options == nil || within(h.options, w.options) {
				e.mended(e.mends().check(wanted.Name, c.Name, has.checksOf(c.Name)))
			}
		}
		if w.length != h.length && !(e.unfit && shorter(w.length, h.length)) {
			e.addf("%s.%s: the database allows %s; the definition wants %s", wanted.Name, c.Name, characters(h.length), characters(w.length))
		}
	}
}

// checksOf are the names of a column's checks.
func (f *facts) checksOf(column string) (names []string) {
	for name, on := range f.checks {
		if on.column == column {
			names = append(names, name)
		}
	}
	return names
}

// within reports whether every one of some options is allowed.
func within(options, allowed []string) bool {
	return allowed == nil || options != nil && !slices.ContainsFunc(options, func(o string) bool { return !slices.Contains(allowed, o) })
}

// shorter reports whether a text of at most so many characters is allowed.
func shorter(length, allowed string) bool {
	if allowed == "" || length == "" {
		return allowed == ""
	}
	l, err := strconv.Atoi(length)
	a, wrong := strconv.Atoi(allowed)
	return err == nil && wrong == nil && l <= a
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
