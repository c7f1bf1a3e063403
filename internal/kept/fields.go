package main

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/fieldtype"
)

// variants are what a field of each type can say that its column shows: that it is
// optional, required or has a default. The lengths are those between which a text
// changes its column type.
var variants = map[string][]string{
	"text":      {"", "required: true", `default: "it's so"`, `default: ""`, "max: 2000", "max: 2000, required: true", "max: 2000, default: so", "max: 16000"},
	"textarea":  {"", "required: true", "default: so", "max: 300", "max: 10000", "max: 10000, required: true", "max: 4000000", "max: 4000000, required: true"},
	"richtext":  {"", "required: true", "default: so"},
	"number":    {"", "required: true", "default: 7", "default: -7"},
	"decimal":   {"", "required: true", "default: 7.25", "default: -7.25", "default: 7", "default: -7", "scale: 6"},
	"float":     {"", "required: true", "default: 7.25", "default: -7.25", "default: 7", "default: -1e-7", "default: 1e300"},
	"boolean":   {"", "required: true", "default: true", "default: false"},
	"date":      {"", "required: true", "default: now", "default: 2026-01-02"},
	"datetime":  {"", "required: true", "default: now", `default: "2026-01-02T15:04:05Z"`},
	"json":      {"", "required: true", "default: {a: [1, so]}", "default: []"},
	"select":    {"options: [a, b]", "options: [a, b], required: true", "options: [a, b], default: a", "options: [a]"},
	"email":     {"", "required: true", "default: a@example.com"},
	"url":       {"", "required: true", "default: https://example.com/", "max: 100", "max: 100, required: true"},
	"slug":      {"", "required: true", "default: so"},
	"bytes":     {"", "required: true"},
	"reference": {"to: %s", "to: %s, required: true", "to: %s, on_delete: cascade", "to: %s, required: true, on_delete: cascade", "to: %s, on_delete: set_null"},
}

// column is one field of the table of examples.
type column struct {
	name, text string
	indexed    bool // an index may hold it
}

// columns returns a field of every type in every variant.
func columns(to string) ([]column, error) {
	var out []column
	for _, t := range fieldtype.Writable() {
		list := variants[t.Name]
		if list == nil {
			return nil, fmt.Errorf("internal/kept: the field type %s has no examples: add them to variants", t.Name)
		}
		for i, v := range list {
			if strings.Contains(v, "%s") {
				v = fmt.Sprintf(v, to)
			}
			c := column{name: fmt.Sprintf("%s_%d", t.Name, i), indexed: !t.Opaque && t.Name != "bytes" && !long(t, v)}
			c.text = fmt.Sprintf("{name: %s, type: %s", c.name, t.Name)
			if v != "" {
				c.text += ", " + v
			}
			c.text += "}"
			out = append(out, c)
		}
	}
	return out, nil
}

// long reports whether a text is too long for an index.
func long(t fieldtype.Type, variant string) bool {
	n := t.Max
	if _, after, found := strings.Cut(variant, "max: "); found {
		fmt.Sscanf(after, "%d", &n)
	}
	return t.Text && n > fieldtype.VarcharMax
}

// mostIndexes is how many of the columns of one example have an index; a datatype
// may have no more than 64.
const mostIndexes = 30

// everyField returns definitions whose fields are of every type in every variant,
// with each column that can be alone in a unique index, in an index downwards, and
// beside another one.
func everyField(id, to string) (map[string][]byte, error) {
	all, err := columns(to)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for part := 0; len(all) > 0; part++ {
		n := min(mostIndexes, len(all))
		name := fmt.Sprintf("every_%s_%d", id, part)
		out[name] = definition(name, id, all[:n])
		all = all[n:]
	}
	return out, nil
}

func definition(name, id string, columns []column) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "name: %s\nid: %s\nfields:\n", name, id)
	for _, c := range columns {
		fmt.Fprintf(&b, "  - %s\n", c.text)
	}
	b.WriteString("indexes:\n")
	last := ""
	for _, c := range columns {
		if !c.indexed {
			continue
		}
		fmt.Fprintf(&b, "  - {fields: [%s], unique: true, name: %s_%s_u}\n", c.name, name, c.name)
		if last == "" {
			fmt.Fprintf(&b, "  - {fields: [%s desc], name: %s_%s_d}\n", c.name, name, c.name)
		} else {
			fmt.Fprintf(&b, "  - {fields: [%s, %s desc], unique: true, name: %s_%s_p}\n", last, c.name, name, c.name)
		}
		last = c.name
	}
	return []byte(b.String())
}
