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

// needs are the behaviors without which another one cannot be: it is alone together with them.
var needs = map[string][]string{"cron": {"queue"}, "mail": {"queue"}, "webhook": {"queue"}}

// TestEveryPairOfBehaviors holds testdata/behaviors to the list of behaviors: each one
// has a story, and each pair of them a story in which both are, alone or with others, and
// the definitions of a story have the sections that its name lists and no other.
func TestEveryPairOfBehaviors(t *testing.T) {
	var names []string
	for _, b := range gen.Behaviors {
		names = append(names, b.Name())
	}
	slices.Sort(names)
	found := stories(t, "behaviors")
	together := map[[2]string]bool{} // of two that are the same: alone
	for _, name := range slices.Sorted(maps.Keys(found)) {
		behaviors := strings.Split(name, "_")
		if got := sections(t, found[name], names); !slices.Equal(got, behaviors) {
			t.Errorf("testdata/behaviors/%s.txtar defines datatypes with %v; name it by these, in order, or move it to testdata/live", name, got)
		}
		for i, a := range behaviors {
			for _, b := range behaviors[i+1:] {
				together[[2]string{a, b}] = true
			}
		}
		for _, b := range behaviors {
			if alone := append([]string{b}, needs[b]...); slices.Equal(slices.Sorted(slices.Values(alone)), behaviors) {
				together[[2]string{b, b}] = true
			}
		}
	}
	for i, a := range names {
		alone := strings.Join(slices.Sorted(slices.Values(append([]string{a}, needs[a]...))), "_")
		if !together[[2]string{a, a}] {
			t.Errorf("write testdata/behaviors/%s.txtar: a program that uses %s alone on three databases", alone, a)
		}
		for _, b := range names[i+1:] {
			if !together[[2]string{a, b}] {
				t.Errorf("write testdata/behaviors/%s_%s.txtar, or add one of them to a story of the other: a program that uses both on three databases", a, b)
			}
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
