package evolution_test

import (
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/language"
)

// keys are the changes of each key of a field.
var keys = map[string]func(language.TypeRules) []single{
	"name":       nameChanges,
	"was":        wasChanges,
	"keep":       keepChanges,
	"type":       typeChanges,
	"required":   requiredChanges,
	"existing":   addedAndDropped,
	"default":    defaultChanges,
	"unique":     func(r language.TypeRules) []single { return both(r.Type, "on", "", "unique: true") },
	"min":        boundChanges("min"),
	"max":        boundChanges("max"),
	"options":    optionChanges,
	"scale":      scaleChanges,
	"to":         toChanges,
	"on_delete":  deleteChanges,
	"label":      unchanged("label: Other"),
	"help":       unchanged("help: Some help."),
	"go_name":    unchanged("go_name: Other"),
	"secret":     unchanged("secret: true"),
	"pattern":    unchanged(`pattern: "^a"`),
	"validation": validationChanges,
	"go_type":    unchanged("go_type: github.com/hegner123/modulagen/runtime/store.JSON"),
	"fields":     memberChanges,
	"drop": func(r language.TypeRules) []single {
		return []single{alter(r.Type, "a member", members("a", "b"), members("a")+", drop: [b]"), alter(r.Type, "a member unsaid", members("a", "b"), members("a"))}
	},
}

func memberChanges(r language.TypeRules) []single {
	out := append(both(r.Type, "declared", "", members("a")), alter(r.Type, "added", members("a"), members("b", "a")))
	other := alter(r.Type, "in another order", members("a", "b"), members("b", "a"))
	other.same = true
	return append(out, other)
}

func members(names ...string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = "{name: " + n + ", type: text}"
	}
	return "fields: [" + strings.Join(list, ", ") + "]"
}

func nameChanges(r language.TypeRules) []single {
	s := single{what: "gone and new", before: []string{f(r.Type, "")}, after: []string{named("y", r.Type, "")}, drop: []string{"x"}}
	return []single{s}
}

func wasChanges(r language.TypeRules) []single {
	two := func(a, b, moreA, moreB string) []string {
		return []string{named(a, r.Type, moreA), named(b, "number", moreB)}
	}
	out := []single{
		{what: "renamed", before: []string{f(r.Type, "")}, after: []string{named("y", r.Type, "was: x")}},
		{what: "renamed to a keyword", before: []string{f(r.Type, "")}, after: []string{named("order", r.Type, "was: x")}},
		{what: "swapped", before: two("x", "y", "", ""), after: two("y", "x", "was: x", "was: y")},
		{what: "shifted", before: two("x", "y", "", ""), after: two("y", "z", "was: x", "was: y")},
	}
	if indexed(r.Type) {
		out = append(out, single{
			what: "renamed with indexes", before: []string{f(r.Type, "unique: true")}, after: []string{named("y", r.Type, "unique: true, was: x")},
			indexes: [2][]string{{"fields: [x, last desc]", "fields: [last], unique: true, where: {x: not_null}"}, {"fields: [y, last desc]", "fields: [last], unique: true, where: {y: not_null}"}},
		})
	}
	return out
}

// indexed reports whether an index takes fields of a type.
func indexed(typ string) bool {
	return !slices.Contains([]string{"json", "bytes", "textarea", "richtext", "url"}, typ)
}

func keepChanges(r language.TypeRules) []single {
	var out []single
	if indexed(r.Type) {
		out = append(out,
			single{what: "kept unique", before: []string{f(r.Type, "unique: true")}, after: []string{named("y", r.Type, "unique: true, was: x, keep: true")}},
			single{
				what: "kept with a new index", before: []string{f(r.Type, "")}, after: []string{named("y", r.Type, "was: x, keep: true")},
				indexes: [2][]string{nil, {"fields: [y, last]"}},
			})
	}
	return append(
		out,
		single{what: "kept", before: []string{f(r.Type, "")}, after: []string{named("y", r.Type, "was: x, keep: true")}},
		single{what: "kept required", before: []string{f(r.Type, "required: true")}, after: []string{named("y", r.Type, "required: true, was: x, keep: true")}},
	)
}

// typeChanges are those to every other type, with and without a word about values that do not fit.
func typeChanges(r language.TypeRules) []single {
	var out []single
	for _, to := range fieldtype.Writable() {
		if to.Name == r.Type {
			continue
		}
		change := func(what, before, after string) {
			out = append(out, single{what: "to " + to.Name + what, before: []string{f(r.Type, before)}, after: []string{f(to.Name, after)}})
		}
		change("", "", "")
		if e := existing(to.Name); e != "" {
			change(" required with a value", "", "required: true, "+e)
		}
	}
	return out
}

func requiredChanges(r language.TypeRules) []single {
	out := both(r.Type, "on", "", "required: true")
	if e := existing(r.Type); e != "" {
		out = append(out, alter(r.Type, "on with a value", "", "required: true, "+e))
	}
	return out
}

// addedAndDropped are fields that are new or gone.
func addedAndDropped(r language.TypeRules) []single {
	out := []single{
		{what: "added", after: []string{f(r.Type, "")}},
		{what: "added required", after: []string{f(r.Type, "required: true")}},
		{what: "dropped", before: []string{f(r.Type, "")}, drop: []string{"x"}},
		{what: "dropped required", before: []string{f(r.Type, "required: true")}, drop: []string{"x"}},
	}
	conditional := []string{"fields: [last], unique: true, where: {last: {not: null}}"} // MySQL has a generated column for it
	out = append(out,
		single{what: "added beside a condition", after: []string{f(r.Type, "")}, indexes: [2][]string{conditional, conditional}},
		single{what: "dropped beside a condition", before: []string{f(r.Type, "")}, drop: []string{"x"}, indexes: [2][]string{conditional, conditional}},
	)
	if e := existing(r.Type); e != "" {
		one := examples[r.Type].one
		out = append(out,
			single{what: "added with a default", after: []string{f(r.Type, "default: "+one)}},
			single{what: "added with a default and another value", after: []string{f(r.Type, "default: "+examples[r.Type].two+", "+e)}},
			single{what: "added required with a value", after: []string{f(r.Type, "required: true, "+e)}},
			single{what: "added with a value", after: []string{f(r.Type, e)}},
			single{what: "dropped with a default", before: []string{f(r.Type, "default: "+one)}, drop: []string{"x"}},
		)
	}
	if indexed(r.Type) {
		out = append(out,
			single{what: "added unique", after: []string{f(r.Type, "unique: true")}},
			single{what: "dropped unique", before: []string{f(r.Type, "unique: true")}, drop: []string{"x"}},
		)
	}
	if r.Type == "date" || r.Type == "datetime" {
		out = append(out, single{what: "added with now", after: []string{f(r.Type, "default: now")}})
	}
	return out
}

func defaultChanges(r language.TypeRules) []single {
	one, two := examples[r.Type].one, examples[r.Type].two
	out := both(r.Type, "on", "", "default: "+one)
	out = append(out, alter(r.Type, "on for rows", "", "default: "+one+", existing: default"))
	out = append(out, alter(r.Type, "another", "default: "+one, "default: "+two))
	out = append(out, alter(r.Type, "off and required", "default: "+one, "required: true"))
	if r.Type == "text" || r.Type == "textarea" {
		out = append(out, both(r.Type, "odd", "default: "+one, "default: "+odd)...)
		out = append(out, alter(r.Type, "odd for rows", "", "required: true, existing: {value: "+odd+"}"))
	}
	if r.Type == "date" || r.Type == "datetime" {
		out = append(out, both(r.Type, "now", "", "default: now")...)
		out = append(out, alter(r.Type, "now for rows", "", "default: now, existing: default"))
	}
	return out
}

func boundChanges(key string) func(language.TypeRules) []single {
	return func(r language.TypeRules) []single {
		low, high := "3", "20"
		if key == "min" {
			low, high = "1", "3"
		}
		say := func(n string) string { return key + ": " + n }
		out := both(r.Type, "more", say(low), say(high))
		out = append(out, both(r.Type, "set", "", say(high))...)
		if e := existing(r.Type); e != "" && r.Type != "json" && (key == "max" || r.Type != "decimal" && r.Type != "number" && r.Type != "float") {
			value := map[string]string{"number": "2", "decimal": "2", "float": "2", "text": "so", "textarea": "so", "richtext": "so", "slug": "so"}[r.Type]
			if key == "min" {
				value = "longer"
			}
			if value != "" {
				out = append(out, alter(r.Type, "set with a value", "", say(high)+", existing: {value: "+value+"}"))
			}
		}
		if key == "max" {
			out = append(out, widths(r)...)
		}
		return out
	}
}

// widths are lengths between which a text has other column types.
func widths(r language.TypeRules) []single {
	var out []single
	if r.Type != "textarea" {
		return nil
	}
	lengths := []string{"63", "64", "672", "673", "16383", "16384", "4000000"}
	for i, n := range lengths[1:] {
		out = append(out, both(r.Type, lengths[i]+" to "+n, "max: "+lengths[i], "max: "+n)...)
	}
	return append(out, both(r.Type, "63 to 4000000", "max: 63", "max: 4000000")...)
}

// Values that must not be taken for anything else in a file of SQL.
const (
	odd       = `"it's \"q\" \\ \\' -- ; $$ %s\r\n--   x;\r;\n\n-- step 1, safe: x\nEND;\n"`
	otherOdd  = `"';\r\n\u240d\\"`
	oddOption = "{value: " + odd + ", go_name: Odd}"
)

func optionChanges(r language.TypeRules) []single {
	o := func(list string) string { return "options: [" + list + "]" }
	return []single{
		alter(r.Type, "more", o("a, b"), o("a, b, c")),
		alter(r.Type, "fewer", o("a, b, c"), o("a, b")),
		alter(r.Type, "fewer with a value", o("a, b, c"), o("a, b")+", existing: {value: b}"),
		alter(r.Type, "in another order", o("a, b"), o("b, a")),
		alter(r.Type, "renamed", o("a, b"), o("a, {value: c, was: b}")),
		alter(r.Type, "swapped", o("a, b"), o("{value: b, was: a}, {value: a, was: b}")),
		alter(r.Type, "shifted", o("a, b"), o("{value: b, was: a}, {value: c, was: b}")),
		alter(r.Type, "two become one", o("a, b"), o("{value: b, was: a}")),
		alter(r.Type, "renamed and fewer", o("a, b, c"), o("{value: d, was: a}, b")),
		alter(r.Type, "renamed with a default", o("a, b")+", default: a", o("{value: c, was: a}, b")+", default: c"),
		alter(r.Type, "odd added", o("a, b"), o("a, b, "+oddOption)),
		alter(r.Type, "odd renamed", o("a, "+oddOption), o("{value: b, was: a}, {value: "+otherOdd+", was: "+odd+", go_name: Other}")),
		alter(r.Type, "odd removed", o("a, "+oddOption), o("a")+", existing: {value: a}"),
		alter(r.Type, "odd instead", o("a, b"), o("a, "+oddOption)+", existing: {value: "+odd+"}"),
		alter(r.Type, "odd default", o("a, "+oddOption), o("a, "+oddOption)+", default: "+odd),
		{
			what: "odd kept", before: []string{f(r.Type, o("a, "+oddOption)+", default: "+odd+", required: true")},
			after: []string{named("y", r.Type, o("a, "+oddOption)+", default: "+odd+", required: true, was: x, keep: true")},
		},
		alter(r.Type, "beyond ASCII", o("a, b"), o("a, {value: \"b\u00e9\", was: b}")),
		{what: "renamed with the field", before: []string{f(r.Type, o("a, b"))}, after: []string{named("y", r.Type, o("a, {value: c, was: b}")+", was: x")}},
		{
			what: "renamed in an index", before: []string{f(r.Type, o("a, b"))}, after: []string{f(r.Type, o("a, {value: c, was: b}"))},
			indexes: [2][]string{{"fields: [last], unique: true, where: {x: b}"}, {"fields: [last], unique: true, where: {x: c}"}},
		},
	}
}

func scaleChanges(r language.TypeRules) []single {
	var out []single
	for _, s := range [][2]string{{"2", "4"}, {"0", "9"}, {"0", "2"}} {
		out = append(out, both(r.Type, s[0]+" to "+s[1], "scale: "+s[0], "scale: "+s[1])...)
	}
	return append(out,
		alter(r.Type, "down with a value", "scale: 4", "scale: 2, existing: {value: 1.5}"),
		alter(r.Type, "up with a default", "scale: 2, default: 1.25", "scale: 4, default: 1.25"),
		alter(r.Type, "up with a bound", "scale: 2, max: 1000.5", "scale: 4, max: 1000.5"),
		single{what: "up in an index", before: []string{f(r.Type, "scale: 2, unique: true")}, after: []string{f(r.Type, "scale: 4, unique: true")}})
}

func toChanges(r language.TypeRules) []single {
	return append(both(r.Type, "other", "to: parent", "to: other"), alter(r.Type, "other required", "to: parent, required: true", "to: other, required: true"))
}

func deleteChanges(r language.TypeRules) []single {
	var out []single
	all := []string{"restrict", "cascade", "set_null"}
	for _, a := range all {
		for _, b := range all {
			if a != b {
				out = append(out, alter(r.Type, a+" to "+b, "to: parent, on_delete: "+a, "to: parent, on_delete: "+b))
			}
		}
	}
	return out
}

func validationChanges(r language.TypeRules) []single {
	op := `{op: equals, value: "` + "a" + `"}`
	if !slices.Contains(r.Takes, "pattern") {
		return nil
	}
	s := alter(r.Type, "nothing", "", "validation: {rules: [{rule: "+op+"}]}")
	s.same = true
	return []single{s}
}

func indexChanges() []single {
	fields := []string{"name: a, type: text, max: 50", "name: b, type: number", "name: s, type: select, options: [x, y]"}
	states := map[string]string{
		"none": "", "plain": "fields: [a]", "named": "fields: [a], name: TABLE_other", "unique": "fields: [a], unique: true", "desc": "fields: [a desc]", "two": "fields: [a, b]",
		"where": "fields: [a], where: {s: x}", "unique where": "fields: [a], unique: true, where: {s: x}",
		"unique other where": "fields: [a], unique: true, where: {s: y}", "unique where null": "fields: [a, b], unique: true, where: {s: null}",
	}
	var out []single
	for from, b := range states {
		for to, a := range states {
			if from == to {
				continue
			}
			s := single{what: "index_" + from + "_to_" + to, before: fields, after: fields}
			for i, text := range []string{b, a} {
				if text != "" {
					s.indexes[i] = []string{text}
				}
			}
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b single) int { return strings.Compare(a.what, b.what) })
	return out
}
