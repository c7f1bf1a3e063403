package migrate_test

import (
	"flag"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/behavior"
	"github.com/hegner123/modulagen/gen/internal/story"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
)

var update = flag.Bool("update", false, "write the plans and mistakes of the stories into them; read every change")

// TestStories plans the change from the definitions in before/ to those in after/, with the
// modulagen.yaml beside them, and compares the SQL of each database, or the mistakes.
func TestStories(t *testing.T) {
	all, err := story.Read("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			got := planned(t, s.Project)
			if got == s.Want {
				return
			}
			if !*update {
				t.Fatalf("%s\n--- got\n%s--- want\n%s", s.About, got, s.Want)
			}
			if err := s.Rewrite(got); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// planned is the SQL of each migration of a story, or what is wrong with its definitions.
func planned(t *testing.T, files fstest.MapFS) string {
	before := project(t, version(files, "before", false))
	chain := &migrate.Chain{Folder: "migrations", Migrations: []*migrate.Migration{{Name: "0001_init", Snapshot: migrate.Take(before)}}}
	now := version(files, "after", true)
	next, err := chain.Next("change", project(t, now))
	if err != nil {
		return load.Quote(now, err).Error() + "\n"
	}
	if len(next) == 0 {
		return "no migration\n"
	}
	var b strings.Builder
	for _, m := range next {
		for _, db := range model.Databases {
			fmt.Fprintf(&b, "== %s of %s\n%s", db, m.Name, m.SQL[db])
			parsed, err := m.Script("migrations", db)
			if err != nil {
				t.Errorf("the SQL of %s cannot be read: %v", db, err)
			} else if parsed.String() != m.SQL[db] {
				t.Errorf("the SQL of %s is not the same once it is read:\n%s", db, parsed)
			}
		}
	}
	return b.String()
}

// version is the project of one of a story's folders.
func version(files fstest.MapFS, folder string, configured bool) fs.FS {
	out := fstest.MapFS{}
	for name, f := range files {
		if dir, base := path.Split(name); dir == folder+"/" {
			out["datatypes/"+base] = f
		} else if name == load.ConfigFile && configured {
			out[name] = f
		}
	}
	return out
}

func project(t testing.TB, fsys fs.FS) *model.Project {
	t.Helper()
	p, err := load.Load(fsys, gen.Behaviors)
	if err == nil {
		err = behavior.Apply(p, gen.Behaviors)
	}
	if err != nil {
		t.Fatal(load.Quote(fsys, err))
	}
	return p
}
