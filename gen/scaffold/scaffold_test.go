package scaffold

import (
	"errors"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/datatypes"
	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/model"
)

func files(t *testing.T, p Project) map[string][]byte {
	t.Helper()
	out, err := p.Files()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestModuleName(t *testing.T) {
	for dir, want := range map[string]string{
		"shop": "shop", "/a/b/My Shop": "my-shop", "Größe": "gr-e", "...": "app", "/": "app", "2nd_try": "2nd_try", "--x--": "x",
	} {
		if got := ModuleName(dir); got != want {
			t.Errorf("ModuleName(%q) = %q, want %q", dir, got, want)
		}
	}
}

func TestReleaseIsPinned(t *testing.T) {
	mod := string(files(t, Project{Module: "shop", Version: "v1.2.3"})["go.mod"])
	if !strings.Contains(mod, "require github.com/hegner123/modulagen v1.2.3\n") || strings.Contains(mod, "replace") {
		t.Errorf("go.mod:\n%s", mod)
	}
	mod = string(files(t, Project{Module: "shop", Version: "v0.0.0", Replace: "/home/me/my code"})["go.mod"])
	if !strings.HasSuffix(mod, "\nreplace github.com/hegner123/modulagen => \"/home/me/my code\"\n") {
		t.Errorf("go.mod:\n%s", mod)
	}
}

func TestMainIsShortAndFormatted(t *testing.T) {
	for _, targets := range [][]model.Database{nil, {model.Postgres}, {model.SQLite, model.MySQL}} {
		for name, text := range files(t, Project{Module: "example.com/shop", Version: "v1.2.3", Databases: targets}) {
			if filepath.Ext(name) != ".go" {
				continue
			}
			formatted, err := format.Source(text)
			if err != nil || string(formatted) != string(text) {
				t.Errorf("%s is not formatted for %v: %v\n%s", name, targets, err, text)
			}
			most := 60
			if len(targets) == 1 {
				most = 65 // it reads the DSN of a server
			}
			if n := strings.Count(string(text), "\n"); n >= most {
				t.Errorf("%s has %d lines", name, n)
			}
		}
	}
}

func TestProjectLoads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop")
	if _, err := Write(dir, files(t, Project{Module: "shop", Version: "v1.2.3"}), false); err != nil {
		t.Fatal(err)
	}
	p, err := load.Load(os.DirFS(dir), gen.Behaviors)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Datatypes) != len(datatypes.Names()) || len(p.Queries) != 1 {
		t.Errorf("%d datatypes and %d files of queries", len(p.Datatypes), len(p.Queries))
	}
}

func TestNothingIsWrittenOver(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "main.go")
	if err := os.WriteFile(own, []byte("package own\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	all := files(t, Project{Module: "shop", Version: "v1.2.3"})
	if _, err := Write(dir, all, false); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("wrote to a folder that is not empty: %v", entries)
	}
	kept, err := Write(dir, all, true)
	if err != nil || !slices.Equal(kept, []string{"main.go"}) {
		t.Errorf("kept %v, %v", kept, err)
	}
	if text, _ := os.ReadFile(own); string(text) != "package own\n" {
		t.Errorf("main.go holds %q", text)
	}
}

func TestModulePathIsChecked(t *testing.T) {
	for _, path := range []string{"", "a b", "/a", "a/", "a//b", "a\nb", "-a"} {
		if _, err := (Project{Module: path, Version: "v1.2.3"}).Files(); err == nil {
			t.Errorf("%q was taken", path)
		}
	}
}

func TestAdd(t *testing.T) {
	dir := t.TempDir()
	path, err := Add(dir, "defs/own", "blog_post", "")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), "# yaml-language-server: $schema=../../.modulagen/schema.json\nname: blog_post\n") {
		t.Errorf("%v: %s", err, text)
	}
	if _, err := Add(dir, "defs/own", "blog_post", ""); err == nil {
		t.Error("wrote over a definition")
	}
	if _, err := Add(dir, "defs/own", "sms_queue", "email_queue"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "Blog", "a-b", "a__b", "_a", "../a", "a b"} {
		if _, err := Add(dir, "defs/own", name, ""); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
}
