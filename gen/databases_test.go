package gen_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen"
)

// TestDatabases generates a project for some of the databases: nothing is written for the others, and
// what is written for one is the same as in a project for all.
func TestDatabases(t *testing.T) {
	all := generated(t, "")
	for _, c := range []struct {
		targets       string
		files         []string
		without, says string
	}{
		{"[postgres]", []string{"sql/postgres/queries.sql", "sql/postgres/schema.sql"}, "sqlite mysql AUTOINCREMENT", `DDL: [3]string{"", postgresSchema, ""},`},
		{"[sqlite]", []string{"sql/sqlite/queries.sql", "sql/sqlite/schema.sql"}, "postgres mysql $1", `DDL: [3]string{sqliteSchema, "", ""},`},
		{"[mysql, postgres]", []string{"sql/mysql/queries.sql", "sql/mysql/schema.sql", "sql/postgres/queries.sql", "sql/postgres/schema.sql"}, "sqlite AUTOINCREMENT", `Targets: []string{"postgres", "mysql"},`},
	} {
		t.Run(c.targets, func(t *testing.T) {
			got := generated(t, "databases: "+c.targets+"\n")
			want := append([]string{"article.gen.go", "db.gen.go"}, c.files...)
			want = append(want, "sql/sqlc.yaml")
			slices.Sort(want)
			if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
				t.Errorf("the files are %q, want %q", names, want)
			}
			for _, name := range c.files {
				if string(got[name]) != string(all[name]) {
					t.Errorf("%s is not what it is for all databases", name)
				}
			}
			for name, text := range got {
				for _, word := range strings.Fields(c.without) {
					if strings.Contains(string(text), word) {
						t.Errorf("%s holds %q", name, word)
					}
				}
			}
			if db := string(got["db.gen.go"]); !strings.Contains(strings.Join(strings.Fields(db), " "), c.says) {
				t.Errorf("db.gen.go has no %s:\n%s", c.says, db)
			}
		})
	}
	if db := string(all["db.gen.go"]); strings.Contains(db, "Targets:") {
		t.Errorf("a project that names no databases has a list of them:\n%s", db)
	}
}

// generated returns the files of a project with one datatype.
func generated(t *testing.T, config string) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"modulagen.yaml":         "output: out\n" + config,
		"datatypes/article.yaml": "name: article\nfields:\n  - {name: title, type: text, required: true}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	result, err := gen.Generate(t.Context(), gen.Options{Dir: dir, ReadOnly: true, Cache: "off"})
	if err != nil {
		t.Fatal(err)
	}
	return result.Files
}
