package evolution_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/load"
)

// draft is a project that changes at random.
type draft struct {
	*rand.Rand
	tables []*draftTable
	drop   []string
	names  int                                  // given so far
	there  map[*draftTable]map[*draftField]bool // in the version before; nil: there is none
}

type draftTable struct {
	name, was string
	wasBefore string // in the version before
	fields    []*draftField
	indexes   []string // the field of each
	drop      []string
}

type draftField struct {
	name, was, typ, to     string
	wasBefore              string
	required, unique, wide bool
	defaulted              string
	options                []string
	optionsWere            map[string]string
	existing               string
	said                   []string // of existing, in any version: what is recorded is not said again
}

// fresh reports whether something was never said of a field's existing rows, and notes that it is.
func (f *draftField) fresh(existing string) bool {
	if existing != "" && slices.Contains(f.said, existing) {
		return false
	}
	f.said = append(f.said, existing)
	return true
}

func (d *draft) name(prefix string) string {
	d.names++
	return fmt.Sprintf("%s%d", prefix, d.names)
}

// draftTypes are the types of random fields.
var draftTypes = []string{"text", "number", "decimal", "float", "boolean", "date", "datetime", "json", "select", "textarea", "bytes"}

func newDraft(r *rand.Rand) *draft {
	d := &draft{Rand: r}
	for range 3 {
		d.addTable()
	}
	return d
}

func (d *draft) addTable() {
	t := &draftTable{name: d.name("t")}
	for range 2 + d.IntN(3) {
		t.fields = append(t.fields, d.newField())
	}
	if len(d.tables) > 0 {
		t.fields = append(t.fields, &draftField{name: d.name("f"), typ: "reference", to: d.tables[d.IntN(len(d.tables))].name})
	}
	d.tables = append(d.tables, t)
}

func (d *draft) newField() *draftField {
	f := &draftField{name: d.name("f"), typ: draftTypes[d.IntN(len(draftTypes))]}
	if f.typ == "select" {
		f.options = []string{"a", "b", "c"}
	}
	if one := examples[f.typ].one; one != "" && d.IntN(3) == 0 {
		f.defaulted = one
	}
	return f
}

// change makes some changes. What the last version said of the one before it is said no more.
func (d *draft) change() {
	d.drop = nil
	for _, t := range d.tables {
		t.wasBefore, t.was, t.drop = t.was, "", nil
		for _, f := range t.fields {
			f.existing = ""
			f.wasBefore, f.was, f.optionsWere = f.was, "", nil
		}
	}
	for range 1 + d.IntN(4) {
		t := d.tables[d.IntN(len(d.tables))]
		changes := []func(*draftTable){
			d.addField, d.dropField, d.renameField, d.swapFields, d.retype, d.options, d.require, d.relax, d.defaults, d.index, d.widen,
			d.renameTable, d.dropTable, d.swapTables, func(*draftTable) { d.addTable() }, d.refer,
		}
		changes[d.IntN(len(changes))](t)
	}
}

func (d *draft) field(t *draftTable) *draftField { return t.fields[d.IntN(len(t.fields))] }

// plain reports whether nothing else is said of a field in this version.
func (f *draftField) plain() bool { return f.was == "" && f.existing == "" && f.optionsWere == nil }

func (d *draft) addField(t *draftTable) {
	f := d.newField()
	if e := existing(f.typ); e != "" && f.defaulted == "" && d.IntN(2) == 0 {
		f.required, f.existing = f.fresh(e), e
	}
	t.fields = append(t.fields, f)
}

func (d *draft) dropField(t *draftTable) {
	f := d.field(t)
	if len(t.fields) < 3 || !f.plain() || slices.Contains(t.drop, f.name) || d.isNew(t, f) {
		return
	}
	t.fields = slices.DeleteFunc(t.fields, func(o *draftField) bool { return o == f })
	t.indexes = slices.DeleteFunc(t.indexes, func(name string) bool { return name == f.name })
	t.drop = append(t.drop, f.name)
}

func (d *draft) renameField(t *draftTable) {
	if f := d.field(t); f.plain() && !d.isNew(t, f) {
		d.called(t, f, d.name("f"))
	}
}

// called gives a field another name.
func (d *draft) called(t *draftTable, f *draftField, name string) {
	if i := slices.Index(t.indexes, f.name); i >= 0 {
		t.indexes[i] = name
	}
	f.was, f.name = f.name, name
}

func (d *draft) swapFields(t *draftTable) {
	a, b := d.field(t), d.field(t)
	if a.wasBefore == b.name || b.wasBefore == a.name {
		return // the words of a swap that is recorded: it would mean nothing
	}
	if a == b || !a.plain() || !b.plain() || d.isNew(t, a) || d.isNew(t, b) || slices.Contains(t.indexes, a.name) || slices.Contains(t.indexes, b.name) {
		return
	}
	one, two := a.name, b.name
	d.called(t, a, two)
	d.called(t, b, one)
}

// isNew reports whether a field was not there before: of such a one, nothing can be said.
func (d *draft) isNew(t *draftTable, f *draftField) bool { return d.there == nil || !d.there[t][f] }

func (d *draft) retype(t *draftTable) {
	f := d.field(t)
	to := map[string][]string{
		"number": {"text", "decimal", "float", "boolean"}, "decimal": {"text", "number", "float"}, "float": {"number", "decimal", "text", "textarea"}, "boolean": {"text", "number"}, "date": {"text", "datetime"},
		"datetime": {"text", "date"}, "text": {"number", "float", "boolean", "textarea"}, "textarea": {"text"}, "json": {"textarea"}, "select": {"text"},
	}[f.typ]
	if len(to) == 0 || !f.plain() || d.isNew(t, f) {
		return
	}
	next := to[d.IntN(len(to))]
	if !f.fresh(existing(next)) {
		return
	}
	f.typ = next
	f.defaulted, f.options, f.unique, f.wide, f.existing = "", nil, false, false, existing(f.typ)
	t.indexes = slices.DeleteFunc(t.indexes, func(name string) bool { return name == f.name })
}

func (d *draft) options(t *draftTable) {
	f := d.field(t)
	if f.typ != "select" || !f.plain() || d.isNew(t, f) || f.defaulted != "" {
		return
	}
	switch d.IntN(3) {
	case 0:
		f.options = append(slices.Clone(f.options), d.name("o"))
	case 1:
		to := d.name("o")
		f.optionsWere, f.options = map[string]string{to: f.options[0]}, append([]string{to}, f.options[1:]...)
	case 2:
		one, two := f.options[0], f.options[1]
		f.optionsWere, f.options = map[string]string{one: two, two: one}, append([]string{two, one}, f.options[2:]...)
	}
}

func (d *draft) require(t *draftTable) {
	f := d.field(t)
	e := existing(f.typ)
	if e == "" || f.required || !f.plain() || d.isNew(t, f) || f.typ == "select" || !f.fresh(e) {
		return
	}
	f.required, f.existing = true, e
}

func (d *draft) relax(t *draftTable) { d.field(t).required = false }

func (d *draft) defaults(t *draftTable) {
	f := d.field(t)
	one := examples[f.typ].one
	if one == "" || f.typ == "select" || !f.plain() || d.isNew(t, f) {
		return
	}
	if f.defaulted != "" {
		f.defaulted = ""
		return
	}
	if f.fresh("existing: default") {
		f.defaulted, f.existing = one, "existing: default"
	}
}

func (d *draft) index(t *draftTable) {
	f := d.field(t)
	if i := slices.Index(t.indexes, f.name); i >= 0 {
		t.indexes = slices.Delete(t.indexes, i, i+1)
	} else if indexed(f.typ) && !f.wide {
		t.indexes = append(t.indexes, f.name)
	}
}

func (d *draft) widen(t *draftTable) {
	if f := d.field(t); f.typ == "text" && !slices.Contains(t.indexes, f.name) {
		f.wide = true
	}
}

func (d *draft) renameTable(t *draftTable) {
	if d.there[t] == nil || t.was != "" {
		return
	}
	old := t.name
	t.was, t.name = old, d.name("t")
	d.point(map[string]string{old: t.name})
}

func (d *draft) swapTables(t *draftTable) {
	o := d.tables[d.IntN(len(d.tables))]
	if o.wasBefore == t.name || t.wasBefore == o.name {
		return // as with fields
	}
	if o == t || d.there[t] == nil || d.there[o] == nil || t.was != "" || o.was != "" {
		return
	}
	t.was, o.was, t.name, o.name = t.name, o.name, o.name, t.name
	d.point(map[string]string{t.was: t.name, o.was: o.name})
}

// point has references follow names.
func (d *draft) point(names map[string]string) {
	for _, t := range d.tables {
		for _, f := range t.fields {
			if to, ok := names[f.to]; ok {
				f.to = to
			}
		}
	}
}

func (d *draft) dropTable(t *draftTable) {
	referred := slices.ContainsFunc(d.tables, func(o *draftTable) bool {
		return o != t && slices.ContainsFunc(o.fields, func(f *draftField) bool { return f.to == t.name })
	})
	if referred || len(d.tables) < 3 || d.there[t] == nil || t.was != "" {
		return
	}
	d.tables = slices.DeleteFunc(d.tables, func(o *draftTable) bool { return o == t })
	d.drop = append(d.drop, t.name)
}

func (d *draft) refer(t *draftTable) {
	t.fields = append(t.fields, &draftField{name: d.name("f"), typ: "reference", to: d.tables[d.IntN(len(d.tables))].name})
}

// settle remembers what there is now, for the next changes.
func (d *draft) settle() {
	d.there = map[*draftTable]map[*draftField]bool{}
	for _, t := range d.tables {
		d.there[t] = map[*draftField]bool{}
		for _, f := range t.fields {
			d.there[t][f] = true
		}
	}
}

// definitions writes the draft as YAML.
func (d *draft) definitions() definitions {
	out := definitions{}
	for _, t := range d.tables {
		var b strings.Builder
		fmt.Fprintf(&b, "name: %s\n", t.name)
		if t.was != "" {
			fmt.Fprintf(&b, "was: %s\n", t.was)
		}
		b.WriteString("fields:\n")
		for _, f := range t.fields {
			fmt.Fprintf(&b, "  - {%s}\n", f.text())
		}
		if len(t.indexes) > 0 {
			b.WriteString("indexes:\n")
		}
		for _, name := range t.indexes {
			fmt.Fprintf(&b, "  - {fields: [%s]}\n", name)
		}
		if len(t.drop) > 0 {
			fmt.Fprintf(&b, "drop: [%s]\n", strings.Join(t.drop, ", "))
		}
		out[t.name+".yaml"] = b.String()
	}
	if len(d.drop) > 0 {
		out[load.ConfigFile] = fmt.Sprintf("drop: [%s]\n", strings.Join(d.drop, ", "))
	}
	return out
}

func (f *draftField) text() string {
	parts := []string{"name: " + f.name, "type: " + f.typ}
	if f.to != "" {
		parts = append(parts, "to: "+f.to, "on_delete: cascade")
	}
	if f.options != nil {
		list := make([]string, len(f.options))
		for i, o := range f.options {
			list[i] = o
			if was, ok := f.optionsWere[o]; ok {
				list[i] = fmt.Sprintf("{value: %s, was: %s}", o, was)
			}
		}
		parts = append(parts, "options: ["+strings.Join(list, ", ")+"]")
	}
	for _, p := range []struct {
		is   bool
		text string
	}{{f.was != "", "was: " + f.was}, {f.required, "required: true"}, {f.defaulted != "", "default: " + f.defaulted}, {f.wide, "max: 2000"}, {f.existing != "", f.existing}} {
		if p.is {
			parts = append(parts, p.text)
		}
	}
	return strings.Join(parts, ", ")
}
