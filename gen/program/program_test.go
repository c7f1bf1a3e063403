package program

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// write writes a file and the folders that it needs.
func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// module makes a folder with the sources that the program is made of.
func module(t *testing.T, dir string) {
	t.Helper()
	for _, p := range Sqlc.parts {
		write(t, filepath.Join(dir, p, "x.go"), "package x\n")
	}
	write(t, filepath.Join(dir, "go.mod"), "module "+Module+"\n")
	write(t, filepath.Join(dir, "go.sum"), "")
}

// TestPartsAreTheProgramsImports holds that the key of a checkout's program
// changes with every file of this module that the program is made of.
func TestPartsAreTheProgramsImports(t *testing.T) {
	for _, p := range []Program{Sqlc, Migrate} {
		out, err := exec.Command("go", "list", "-deps", "-f", "{{if .Module}}{{if eq .Module.Path \""+Module+"\"}}{{.ImportPath}}{{end}}{{end}}", p.Package()).Output()
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Fields(strings.ReplaceAll(string(out), Module+"/", ""))
		slices.Sort(got)
		if !slices.Equal(got, p.parts) {
			t.Errorf("%s is made of %v, and parts has %v", p.Name, got, p.parts)
		}
	}
}

func TestContentKeyChangesWithTheSources(t *testing.T) {
	dir := t.TempDir()
	module(t, dir)
	key := func() string {
		t.Helper()
		k, err := Sqlc.contentKey(dir, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum"))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := key()
	write(t, filepath.Join(dir, "gen", "load", "x.go"), "package load\n")
	write(t, filepath.Join(dir, Sqlc.parts[0], "x_test.go"), "package x\n")
	if key() != first {
		t.Error("the key changes with what is no part of the program")
	}
	seen := map[string]bool{first: true}
	for _, p := range append(slices.Clone(Sqlc.parts), "go.mod", "go.sum") {
		if p == "go.mod" || p == "go.sum" {
			write(t, filepath.Join(dir, p), "module "+Module+"\n// changed\n")
		} else {
			write(t, filepath.Join(dir, p, "x.go"), "package x // changed\n")
		}
		if k := key(); seen[k] {
			t.Errorf("a change of %s does not change the key", p)
		} else {
			seen[k] = true
		}
	}
}

func TestSourceOfEachKindOfBuild(t *testing.T) {
	const file = "gen/program/source.go"
	checkout, project := t.TempDir(), t.TempDir()
	module(t, checkout)
	vendored := filepath.Join(project, "vendor", Module)
	module(t, vendored)
	if err := os.Remove(filepath.Join(vendored, "go.mod")); err != nil { // go mod vendor copies none
		t.Fatal(err)
	}
	write(t, filepath.Join(project, "vendor", "modules.txt"), "# "+Module+" v1.2.0\n")
	for _, c := range []struct {
		name               string
		build              build
		dir, pkg, flags, v string
	}{
		{"a checkout", build{file: filepath.Join(checkout, file)}, checkout, "./cmd/modulagen-sqlc", "-mod=readonly", ""},
		{"a module in Go's cache", build{filepath.Join(checkout, file), "v1.2.0", "h1:x"}, checkout, "./cmd/modulagen-sqlc", "-mod=readonly", "v1.2.0"},
		{"vendored", build{file: filepath.Join(vendored, file)}, project, Sqlc.Package(), "-mod=vendor", ""},
		{"vendored, of a release", build{filepath.Join(vendored, file), "v1.2.0", "h1:x"}, project, Sqlc.Package(), "-mod=vendor", ""},
	} {
		s, err := Finder{Program: Sqlc}.source(t.Context(), c.build)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		dir, err := s.find(t.Context())
		if err != nil || dir != c.dir || s.pkg != c.pkg || s.flags != c.flags || s.version != c.v || s.key == "" {
			t.Errorf("%s: %+v from %s, %v", c.name, s, dir, err)
		}
	}
}

// TestKeyOfAVersionNeedsNoSources holds that a released tool finds its program
// when Go's cache was cleaned.
func TestKeyOfAVersionNeedsNoSources(t *testing.T) {
	checkout := t.TempDir()
	module(t, checkout)
	with, err := Finder{Program: Sqlc}.source(t.Context(), build{filepath.Join(checkout, "gen/program/source.go"), "v1.2.0", "h1:x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []build{{"/gone/gen/program/source.go", "v1.2.0", "h1:x"}, {Module + "@v1.2.0/gen/program/source.go", "v1.2.0", "h1:x"}} {
		without, err := Finder{Program: Sqlc}.source(t.Context(), b)
		if err != nil || without.key != with.key {
			t.Errorf("%s: %v, %v", b.file, without.key, err)
		}
	}
	other, err := Finder{Program: Sqlc}.source(t.Context(), build{"", "v1.2.0", "h1:y"})
	if err != nil || other.key == with.key {
		t.Errorf("another sum has the same key, %v", err)
	}
}

// TestWhatToDo holds that each way to fail says what to do.
func TestWhatToDo(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOMODCACHE", t.TempDir())
	find := func(b build) error {
		s, err := Finder{Program: Sqlc, Project: t.TempDir()}.source(t.Context(), b)
		if err == nil {
			_, err = s.find(t.Context())
		}
		return err
	}
	for _, c := range []struct {
		name  string
		err   error
		wants []string
	}{
		{"no network", find(build{version: "v1.2.0", sum: "h1:x"}), []string{"could not be downloaded", "GOPROXY=off", "go install " + Sqlc.Package() + "@v1.2.0", Sqlc.Env}},
		{"no module", find(build{}), []string{"not to be found", "go tool modulagen", Sqlc.Env}},
	} {
		for _, want := range c.wants {
			if c.err == nil || !strings.Contains(c.err.Error(), want) {
				t.Errorf("%s: %v does not say %q", c.name, c.err, want)
			}
		}
	}
	t.Setenv(Sqlc.Env, "")
	t.Setenv("PATH", t.TempDir())
	if _, err := (Finder{Program: Sqlc, Cache: t.TempDir()}).Find(t.Context()); err == nil || !strings.Contains(err.Error(), errNoGo.Error()) || !strings.Contains(err.Error(), Sqlc.Env) {
		t.Errorf("without a go command: %v", err)
	}
	t.Setenv(Sqlc.Env, "/nonexistent")
	if _, err := (Finder{Program: Sqlc}).Find(t.Context()); err == nil || !strings.Contains(err.Error(), Sqlc.Env) {
		t.Errorf("a program that is not there: %v", err)
	}
}

func TestStoreKeepsTheProgramsUsedLast(t *testing.T) {
	s := store{dir: t.TempDir(), name: Sqlc.Name}
	now := time.Now()
	for i, key := range []string{"a", "b", "c", "d", "e"} {
		built := filepath.Join(s.dir, "new-1", s.fileName())
		write(t, built, key)
		path, err := s.put(key, built)
		if err != nil {
			t.Fatal(err)
		}
		used := now.Add(-time.Duration(i) * time.Hour)
		if err := os.Chtimes(path, used, used); err != nil {
			t.Fatal(err)
		}
	}
	last, ok := s.get("e")
	if !ok {
		t.Fatal("a program that was put is not there")
	}
	left := filepath.Join(s.dir, "new-0")
	write(t, filepath.Join(left, s.fileName()), "of a run that was killed")
	old := now.Add(-48 * time.Hour)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	s.prune(last)
	for key, want := range map[string]bool{"a": true, "b": true, "c": false, "d": false, "e": true} {
		if _, ok := s.get(key); ok != want {
			t.Errorf("%s is kept: %v", key, ok)
		}
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what a killed run left is still there")
	}
	if s.took() != 0 {
		t.Error("a time of a build that never was")
	}
	s.setTook(90 * time.Second)
	if s.took() != 90*time.Second || Sqlc.expectation(s.took()) != "last time it took 1m30s" {
		t.Errorf("it took %v", s.took())
	}
}

// TestFindBuilds builds the program from this checkout, and finds it again.
func TestFindBuilds(t *testing.T) {
	t.Setenv(Sqlc.Env, "")
	var said []string
	f := Finder{Program: Sqlc, Cache: t.TempDir(), Say: func(line string) { said = append(said, line) }}
	first, err := f.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 || !strings.Contains(said[0], "building modulagen-sqlc") {
		t.Errorf("said %q", said)
	}
	out, err := exec.Command(first).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "a part of modulagen") {
		t.Errorf("it is not the program: %v %s", err, out)
	}
	second, err := f.Find(t.Context())
	if err != nil || second != first || len(said) != 1 {
		t.Errorf("found %s, %v; said %q", second, err, said)
	}
	if runtime.GOOS != "windows" && !strings.HasSuffix(first, "/modulagen-sqlc") {
		t.Errorf("its name is %s", first)
	}
}
