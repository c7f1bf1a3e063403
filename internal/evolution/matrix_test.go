package evolution_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/language"
	"github.com/hegner123/modulagen/gen/model"
)

// single is one change of one datatype.
type single struct {
	what          string
	before, after []string // its fields, beside those of every datatype here
	indexes       [2][]string
	drop          []string
	same          bool // nothing is to be done
}

// batch is how many changes are made in one migration. When it fails, each of them is made
// by itself, so that the one at fault shows.
const batch = 50

// TestEverySingleChange makes each change that the definition of a field allows, on every database.
func TestEverySingleChange(t *testing.T) {
	var right []single
	for _, s := range matrix() {
		before, after := s.versions(t)
		if before == nil {
			continue
		}
		steps, wrong := begin(t, before).add(t, after)
		switch {
		case len(wrong) > 0:
			for _, m := range wrong {
				if m.Hint == "" || m.File == "" || m.Line == 0 {
					t.Errorf("%s: the mistake does not say where it is and what to do: %#v", s.what, m)
				}
			}
		case s.same != (len(steps) == 0):
			t.Errorf("%s: %d migrations", s.what, len(steps))
		case !s.same:
			right = append(right, s)
		}
	}
	t.Logf("%d changes", len(right))
	onEach(t, func(t *testing.T, s *server) {
		for all := range slices.Chunk(s.share(right), batch) {
			t.Run(all[0].what, func(t *testing.T) { s.inBatch(t, all) })
		}
	})
}

var everything = flag.Bool("all", false, "every change on servers too, also of types that have the columns of another one")

// alike are types whose columns and conversions are those of text or textarea.
var alike = []string{"richtext", "email", "url", "slug"}

// share leaves out on servers, where each statement takes its time, changes of types that are like others.
func (s *server) share(all []single) []single {
	if s.kind == model.SQLite || *everything {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(one single) bool {
		return slices.ContainsFunc(alike, func(typ string) bool {
			return strings.HasPrefix(one.what, typ+"_") || strings.Contains(one.what, "_type_to_"+typ)
		})
	})
}

// inBatch makes changes together, and one by one where that fails.
func (s *server) inBatch(t *testing.T, all []single) {
	before, after := project(all)
	p := &probe{TB: t}
	p.try(func() { s.migrated(p, before.must(p), after.must(p)) })
	if !p.failed {
		return
	}
	found := false
	for _, one := range all {
		t.Run(one.what, func(t *testing.T) {
			before, after := project([]single{one})
			s.migrated(t, before.must(t), after.must(t))
		})
		found = found || t.Failed()
	}
	if !found {
		t.Errorf("only together:\n%s", strings.Join(p.said, "\n"))
	}
}

// probe is a test whose failure is not that of the test around it.
type probe struct {
	testing.TB
	failed bool
	said   []string
}

type ended struct{}

func (p *probe) try(f func()) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(ended); !ok {
				panic(r)
			}
		}
	}()
	f()
}

func (p *probe) Errorf(format string, args ...any) {
	p.failed, p.said = true, append(p.said, fmt.Sprintf(format, args...))
}
func (p *probe) Fatalf(format string, args ...any) { p.Errorf(format, args...); panic(ended{}) }
func (p *probe) Error(args ...any)                 { p.Errorf("%s", fmt.Sprint(args...)) }
func (p *probe) Fatal(args ...any)                 { p.Fatalf("%s", fmt.Sprint(args...)) }
func (p *probe) Failed() bool                      { return p.failed }

// versions are the definitions before and after one change; none where they are no definitions
// that load.
func (s single) versions(t *testing.T) (before, after *version) {
	t.Helper()
	d, e := project([]single{s})
	before, err := d.read()
	if err == nil {
		after, err = e.read()
	}
	if err != nil {
		t.Logf("%s is no change: %v", s.what, err)
		return nil, nil
	}
	return before, after
}

// project is the definitions of several changes, with a table that each of theirs refers to, and
// one that refers to each of theirs, of which the rows go with those that they refer to.
func project(all []single) (before, after definitions) {
	parents := "name: %s\nfields:\n  - {name: title, type: text}\n"
	b := []string{fmt.Sprintf(parents, "parent"), fmt.Sprintf(parents, "other")}
	a := slices.Clone(b)
	var child strings.Builder
	child.WriteString("name: child\nfields:\n  - {name: title, type: text}\n")
	for i, s := range all {
		name := fmt.Sprintf("c%02d", i)
		b, a = append(b, s.definition(name, s.before, s.indexes[0], nil)), append(a, s.definition(name, s.after, s.indexes[1], s.drop))
		fmt.Fprintf(&child, "  - {name: %s_id, type: reference, to: %[1]s, on_delete: cascade}\n", name)
	}
	return of(append(b, child.String())...), of(append(a, child.String())...)
}

func (s single) definition(name string, fields, indexes, drop []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "name: %s\nfields:\n  - {name: first, type: text, max: 40}\n", name)
	for _, f := range fields {
		fmt.Fprintf(&b, "  - {%s}\n", f)
	}
	b.WriteString("  - {name: last, type: number}\n  - {name: parent_id, type: reference, to: parent, on_delete: cascade}\n")
	if len(indexes) > 0 {
		b.WriteString("indexes:\n")
	}
	for _, x := range indexes {
		fmt.Fprintf(&b, "  - {%s}\n", strings.ReplaceAll(x, "TABLE", name))
	}
	if len(drop) > 0 {
		fmt.Fprintf(&b, "drop: [%s]\n", strings.Join(drop, ", "))
	}
	return b.String()
}

// example is what fields of a type say: what they need, and two values that are its own.
type example struct{ needs, one, two string }

var examples = map[string]example{
	"text":      {"", "so", "it's"},
	"textarea":  {"", "so", "other"},
	"richtext":  {"", "so", "other"},
	"number":    {"", "7", "-8"},
	"decimal":   {"", "7.25", "-8.5"},
	"float":     {"", "7.25", "-8.5e-7"},
	"boolean":   {"", "true", "false"},
	"date":      {"", "2026-01-02", "1999-12-31"},
	"datetime":  {"", `"2026-01-02T15:04:05Z"`, `"1999-12-31T23:59:59.5Z"`},
	"json":      {"", "{a: [1, so]}", "[]"},
	"select":    {", options: [a, b, c]", "a", "b"},
	"email":     {"", "a@example.com", "b@example.com"},
	"url":       {"", "https://example.com/", "https://example.org/"},
	"slug":      {"", "so", "other"},
	"bytes":     {"", "", ""},
	"reference": {", to: parent", "", ""},
}

// f is a field named x of a type, with what it needs and more.
func f(typ, more string) string { return named("x", typ, more) }

func named(name, typ, more string) string {
	if more != "" {
		more = ", " + more
	}
	needs := examples[typ].needs
	if strings.Contains(more, needs[:max(0, min(len(needs), 9))]) && needs != "" {
		needs = "" // more says it
	}
	return fmt.Sprintf("name: %s, type: %s%s%s", name, typ, needs, more)
}

// matrix is every change.
func matrix() []single {
	var out []single
	for _, r := range language.ByType() {
		for _, k := range language.Field.Keys {
			make := keys[k.Name]
			if make == nil || slices.Contains(language.SpecialKeys(), k.Name) && !slices.Contains(r.Takes, k.Name) {
				continue
			}
			for _, s := range make(r) {
				s.what = r.Type + "_" + k.Name + "_" + strings.ReplaceAll(s.what, " ", "_")
				out = append(out, s)
			}
		}
	}
	return append(out, indexChanges()...)
}

// TestEveryKeyIsChanged holds that a new key of fields has a row in the matrix.
func TestEveryKeyIsChanged(t *testing.T) {
	for _, k := range language.Field.Keys {
		if keys[k.Name] == nil {
			t.Errorf("the key %s of fields has no change in the matrix: add what it changes to keys", k.Name)
		}
	}
	for _, typ := range fieldtype.Writable() {
		if _, ok := examples[typ.Name]; !ok {
			t.Errorf("the field type %s has no example: add it to examples", typ.Name)
		}
	}
}

// alter is the change of one field from saying one thing to saying another.
func alter(typ, what, before, after string) single {
	return single{what: what, before: []string{f(typ, before)}, after: []string{f(typ, after)}}
}

// both is alter there and back.
func both(typ, what, one, two string) []single {
	return []single{alter(typ, what, one, two), alter(typ, what+" back", two, one)}
}

// unchanged is alter that is no change of the table.
func unchanged(after string) func(language.TypeRules) []single {
	return func(r language.TypeRules) []single {
		s := alter(r.Type, "nothing", "", after)
		s.same = true
		return []single{s}
	}
}

// existing is what of a type can stand as the value of existing; "" where none can.
func existing(typ string) string {
	if one := examples[typ].one; one != "" {
		return "existing: {value: " + one + "}"
	}
	return ""
}
