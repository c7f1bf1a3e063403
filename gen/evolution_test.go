package gen_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/internal/story"
)

// What becomes of data that is there is a migration's matter alone: without it, a project is
// generated into the same files.
func TestEvolutionChangesNoGeneratedFile(t *testing.T) {
	all, err := story.Read(filepath.Join("..", "testdata", "definitions"))
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all, func(s *story.Story) bool { return s.Name == "evolution" })
	with, without := t.TempDir(), t.TempDir()
	removed := map[string]bool{}
	for name, file := range all[at].Project {
		write(t, with, name, file.Data)
		var n yaml.Node
		if err := yaml.Unmarshal(file.Data, &n); err != nil {
			t.Fatal(err)
		}
		remove(&n, removed)
		text, err := yaml.Marshal(&n)
		if err != nil {
			t.Fatal(err)
		}
		write(t, without, name, text)
	}
	if got := strings.Join(slices.Sorted(maps.Keys(removed)), " "); got != "drop existing keep was" {
		t.Fatalf("the story has %s", got)
	}
	a, b := generate(t, with), generate(t, without)
	if !maps.EqualFunc(a, b, bytes.Equal) {
		for name := range a {
			if !bytes.Equal(a[name], b[name]) {
				t.Errorf("%s differs", name)
			}
		}
		t.Errorf("%v are not %v", slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b)))
	}
}

// remove removes the keys of evolution.
func remove(n *yaml.Node, removed map[string]bool) {
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); {
		switch key := n.Content[i].Value; key {
		case "was", "keep", "existing", "drop":
			removed[key] = true
			n.Content = slices.Delete(n.Content, i, i+2)
		default:
			i += 2
		}
	}
	for _, c := range n.Content {
		remove(c, removed)
	}
}

func write(t *testing.T, dir, name string, text []byte) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func generate(t *testing.T, dir string) map[string][]byte {
	r, err := gen.Generate(t.Context(), gen.Options{Dir: dir, ReadOnly: true, Until: "golang", Cache: "off"})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Files) == 0 {
		t.Fatal("nothing is generated")
	}
	return r.Files
}
