package migrate_test

import (
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
)

// TestContractionWaits removes a column that is kept under its old name, in a migration by itself, as where the
// second of the two was lost in a merge: it waits for programs of before all the same.
func TestContractionWaits(t *testing.T) {
	note := func(fields string) *model.Project {
		return project(t, fstest.MapFS{"datatypes/note.yaml": &fstest.MapFile{Data: []byte("name: note\nfields:\n" + fields)}})
	}
	const (
		before = "  - {name: title, type: text}\n"
		kept   = "  - {name: headline, was: title, keep: true, type: text}\n"
		more   = "  - {name: n, type: number}\n"
		other  = "  - {name: m, was: n, keep: true, type: number}\n"
	)
	chain := &migrate.Chain{}
	add := func(p *model.Project, most int, after ...string) {
		t.Helper()
		next, err := chain.Next("change", p)
		if err != nil {
			t.Fatal(err)
		}
		if len(next) != len(after) {
			t.Fatalf("there are %d migrations, want %d", len(next), len(after))
		}
		for i, m := range next {
			for _, db := range model.Databases {
				s, err := m.Script("migrations", db)
				if err != nil {
					t.Fatal(err)
				}
				if s.After != after[i] {
					t.Errorf("%s on %s waits until no program runs from before %q, want %q", m.Name, db, s.After, after[i])
				}
			}
		}
		chain = &migrate.Chain{Migrations: append(chain.Migrations, next[:most]...)}
	}
	add(note(before+more), 1, "")
	add(note(kept+more), 1, "", "0002_change") // the second is lost
	add(note(kept+more), 0, "0002_change")
	add(note(kept+other), 2, "0002_change", "0003_change")
}
