package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen"
)

// TestBehaviors runs the stories of testdata/behaviors: each behavior alone, and with
// each other one.
func TestBehaviors(t *testing.T) { onEveryDatabase(t, "behaviors") }

// TestEveryPairOfBehaviors holds testdata/behaviors to the list of behaviors: each one
// has a story, and each pair of them, and their definitions have the sections that the
// name says and no other.
func TestEveryPairOfBehaviors(t *testing.T) {
	var names []string
	for _, b := range gen.Behaviors {
		names = append(names, b.Name())
	}
	slices.Sort(names)
	wanted := map[string][]string{}
	for i, a := range names {
		wanted[a] = []string{a}
		for _, b := range names[i+1:] {
			wanted[a+"_"+b] = []string{a, b}
		}
	}
	found := stories(t, "behaviors")
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		behaviors := wanted[name]
		story, ok := found[name]
		if !ok {
			t.Errorf("write testdata/behaviors/%s.txtar: a program that uses %s on three databases", name, strings.Join(behaviors, " together with "))
			continue
		}
		if got := sections(t, story, names); !slices.Equal(got, behaviors) {
			t.Errorf("testdata/behaviors/%s.txtar defines datatypes with %v; want %v", name, got, behaviors)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if wanted[name] == nil {
			t.Errorf("testdata/behaviors/%s.txtar is of no behavior and no pair of %v: rename it, names in order, or move it to testdata/live", name, names)
		}
	}
}

// sections returns which behaviors the definitions of a story ask for, in order.
func sections(t *testing.T, story *txtar.Archive, names []string) []string {
	t.Helper()
	var out []string
	for _, f := range story.Files {
		if !strings.HasPrefix(f.Name, "datatypes/") {
			continue
		}
		var keys map[string]any
		if err := yaml.Unmarshal(f.Data, &keys); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", f.Name, err))
		}
		for _, name := range names {
			if section, ok := keys[name]; ok && section != false {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
