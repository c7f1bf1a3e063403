package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// TestQueriesOnEveryDatabase generates, for each story in testdata/live, a
// project with queries of its own, builds it once and runs it on each database:
// it prints the same, and what the story says.
func TestQueriesOnEveryDatabase(t *testing.T) { onEveryDatabase(t, "live") }

// TestQueriesOnOneDatabase is the same for projects that target a single database, which their story
// is named after: its own SQL is free in their queries, and their program links no other driver.
func TestQueriesOnOneDatabase(t *testing.T) {
	for db, story := range stories(t, "single") {
		t.Run(db, func(t *testing.T) {
			t.Parallel()
			dir, want := probe(t, story, "--db", db)
			runs(t, dir, dsns[db](t), want)
			text, err := os.ReadFile(filepath.Join(dir, "generated", "queries.gen.go"))
			if err != nil {
				t.Fatal(err)
			}
			if unrun := strings.Contains(string(text), "The generator has not run it"); unrun != (db != "sqlite") {
				t.Errorf("the methods' docs say that their queries were not run: %v", unrun)
			}
			list := exec.Command("go", "list", "-deps", ".")
			list.Dir = dir
			deps, err := list.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, deps)
			}
			for other := range dsns {
				if linked := strings.Contains(string(deps), "/runtime/store/"+other+"\n"); linked != (other == db) {
					t.Errorf("the driver of %s is linked: %v", other, linked)
				}
			}
		})
	}
}

// onEveryDatabase runs the stories of a folder of testdata, each in a subtest.
func onEveryDatabase(t *testing.T, folder string) {
	all := stories(t, folder)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of it is the compiler, which waits for its own parts
			dir, want := live(t, all[name])
			if folder == "live" {
				t.Run("postgres in English", func(t *testing.T) { runs(t, dir, storetest.FreshEnglishDSN(t), want) })
			}
		})
	}
}

// stories reads a folder of testdata, by the names of its stories.
func stories(t *testing.T, folder string) map[string]*txtar.Archive {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", folder, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	out := map[string]*txtar.Archive{}
	for _, path := range paths {
		story, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(path), ".txtar")] = story
	}
	return out
}

// live runs one story, and returns the folder of its project, and what it prints.
func live(t *testing.T, story *txtar.Archive) (dir, want string) {
	dir, want = probe(t, story)
	for db, dsn := range dsns {
		t.Run(db, func(t *testing.T) { runs(t, dir, dsn(t), want) })
	}
	return dir, want
}

// dsns make a new database of each kind.
var dsns = map[string]func(t *testing.T) string{
	"sqlite":   func(*testing.T) string { return "sqlite::memory:" },
	"postgres": func(t *testing.T) string { return storetest.FreshDSN(t, "postgres") },
	"mysql":    func(t *testing.T) string { return storetest.FreshDSN(t, "mysql") },
}

// runs has a story's program print what the story says.
func runs(t *testing.T, dir, dsn, want string) {
	t.Helper()
	out, err := exec.Command(filepath.Join(dir, "probe.bin"), dsn).CombinedOutput()
	if err != nil || string(out) != want {
		t.Errorf("%v; got:\n%s\nwant:\n%s", err, out, want)
	}
}

// probe makes the project of a story, by init with some flags, and builds its program, probe.bin.
func probe(t *testing.T, story *txtar.Archive, flags ...string) (dir, want string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "probe")
	run := func(program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", program, args, err, out)
		}
		return string(out)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	run(binary, append([]string{"init", "--module", "probe", "--replace", root}, flags...)...)
	for _, f := range story.Files {
		if f.Name == "want" {
			want = string(f.Data)
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(f.Name)), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(binary, "generate")
	run("go", "mod", "tidy")
	run("go", "build", unsymbolised, "-o", "probe.bin", ".")
	return dir, want
}
