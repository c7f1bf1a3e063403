package sqlc_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/fieldtype"
)

// TestDatatypesNeedNoSQLC generates from definitions that are not kept as a whole,
// without a program to ask: all their queries are proven by their parts. And when sqlc
// and SQLite are asked nevertheless, they accept them all.
func TestDatatypesNeedNoSQLC(t *testing.T) {
	stories, err := filepath.Glob("../../testdata/definitions/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, path := range stories {
		t.Run(filepath.Base(path), func(t *testing.T) {
			story, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{}
			for _, f := range story.Files {
				files[f.Name] = string(f.Data)
			}
			delete(files, "want")
			// Of a query of its own sqlc must be asked: this is about the datatypes.
			maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasSuffix(name, ".sql") })
			withoutSQLC(t, files)
			if slices.Contains(asked, strings.TrimSuffix(filepath.Base(path), ".txtar")) {
				accepted(t, files)
			}
		})
	}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			files := randomDefinitions(rand.New(rand.NewPCG(seed, 0)))
			withoutSQLC(t, files)
			accepted(t, files)
		})
	}
}

// asked are the stories about which sqlc is asked, in spite of what is kept: asking
// takes a second for each.
var asked = []string{"cache", "events", "indexes", "queue_flow", "types"}

// withoutSQLC generates with no program to ask.
func withoutSQLC(t *testing.T, files map[string]string) {
	t.Helper()
	t.Setenv("MODULAGEN_SQLC", "nowhere")
	if _, err := gen.Generate(t.Context(), gen.Options{Dir: projectOf(t, files), ReadOnly: true, Until: "sqlc", Cache: "off"}); err != nil {
		t.Fatalf("without sqlc: %v\n%s", err, files)
	}
}

// accepted has sqlc and SQLite look at all queries, whatever is kept of them.
func accepted(t *testing.T, files map[string]string) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("MODULAGEN_SQLC", path)
	result, err := gen.Generate(t.Context(), gen.Options{Dir: projectOf(t, files), ReadOnly: true, Until: "sqlc", Cache: "off", Anew: true})
	if err != nil {
		t.Fatalf("proven, and not accepted: %v\n%s", err, files)
	}
	if s := result.Analysed.Stats; s.Queries == 0 || s.Cached != 0 {
		t.Errorf("%d queries, of which %d were not asked about", s.Queries, s.Cached)
	}
}

// projectOf writes the files of a project.
func projectOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module shop\n"
	for name, text := range files {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// randomDefinitions returns datatypes with random fields in a random order, some of
// them unique, alone or together.
func randomDefinitions(r *rand.Rand) map[string]string {
	var names []string
	for i := range 4 {
		names = append(names, fmt.Sprint("thing_", i))
	}
	out := map[string]string{}
	for _, name := range names {
		var b strings.Builder
		fmt.Fprintf(&b, "name: %s\nid: %s\nfields:\n", name, []string{"integer", "ulid"}[r.IntN(2)])
		var short []string
		for i := range 1 + r.IntN(12) {
			f := fmt.Sprint("field_", i)
			text, indexed := randomField(r, f, names)
			fmt.Fprintf(&b, "  - {name: %s, %s}\n", f, text)
			if indexed {
				short = append(short, f)
			}
		}
		r.Shuffle(len(short), func(i, j int) { short[i], short[j] = short[j], short[i] })
		if len(short) > 0 {
			b.WriteString("indexes:\n")
		}
		for len(short) > 0 {
			n := 1 + r.IntN(min(3, len(short)))
			fmt.Fprintf(&b, "  - {fields: [%s], unique: %t}\n", strings.Join(short[:n], ", "), r.IntN(2) == 0)
			short = short[n:]
		}
		out["datatypes/"+name+".yaml"] = b.String()
	}
	return out
}

// randomField returns a field of any type, and whether an index may hold it.
func randomField(r *rand.Rand, name string, datatypes []string) (text string, indexed bool) {
	types := fieldtype.Writable()
	t := types[r.IntN(len(types))]
	text = "type: " + t.Name
	switch t.Name {
	case "select":
		text += ", options: [a, b, c]"
	case "reference":
		text += ", to: " + datatypes[r.IntN(len(datatypes))]
	case "text", "slug", "email":
		text += ", max: 100"
	}
	if t.Name != "reference" && r.IntN(2) == 0 { // required references may go round in a circle
		text += ", required: true"
	}
	return text, !t.Opaque && !slices.Contains([]string{"bytes", "textarea", "richtext", "url"}, t.Name)
}
