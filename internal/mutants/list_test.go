package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// Every entry of the lists still applies to the code as it is: `make mutants`
// runs on demand, and a list that nobody holds to the code would rot.
func TestEntriesApply(t *testing.T) {
	all, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatalf("no entries in %s", folder)
	}
	seen := map[string]string{}
	for _, m := range all {
		if err := m.check(root); err != nil {
			t.Errorf("%s/%s.yaml, %s:\n%v", folder, m.area, m.Name, err)
		}
		if other, twice := seen[m.Name]; twice {
			t.Errorf("%s stands in %s.yaml and in %s.yaml: names are unique", m.Name, other, m.area)
		}
		seen[m.Name] = m.area
	}
}

// project makes a module with a function, its test, and lists.
func project(t *testing.T, lists map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26\n",
		"sum/sum.go": `package sum

func Add(a, b int) int { return a + b }

func Half(a int) int { return a / 2 }
`,
		"sum/sum_test.go": `package sum

import (
	"os"
	"testing"
)

func TestAdd(t *testing.T) {
	if Add(2, 3) != 5 {
		t.Fatal("2 + 3 is not 5")
	}
}

func TestServer(t *testing.T) {
	if os.Getenv("MODULAGEN_REDIS_ADDR") == "" {
		t.Skip("no server")
	}
}

func TestHolds(t *testing.T) {
	t.Run("redis", TestServer)
	t.Run("none", TestAdd)
}

func TestFails(t *testing.T) { t.Fatal("always") }
`,
	}
	for name, text := range lists {
		files[folder+"/"+name+".yaml"] = text
	}
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Each thing that can be wrong with an entry is said.
func TestCheckEntry(t *testing.T) {
	dir := project(t, nil)
	good := mutant{
		Name: "add", File: "sum/sum.go", Old: "a + b", New: "a - b", Why: "sums are wrong",
		Test: []string{"./sum", "-run", "TestAdd/with[/]slash"},
	}
	if err := good.check(dir); err != nil {
		t.Fatalf("a good entry: %v", err)
	}
	for _, test := range []struct {
		want string
		ruin func(*mutant)
	}{
		{"name is missing", func(m *mutant) { m.Name = "" }},
		{"why is missing", func(m *mutant) { m.Why = "" }},
		{"no such file", func(m *mutant) { m.File = "sum/gone.go" }},
		{"0 times, not once", func(m *mutant) { m.Old = "a * b" }},
		{"2 times, not once", func(m *mutant) { m.Old = "func " }},
		{"nothing is broken", func(m *mutant) { m.New = m.Old }},
		{"new does not parse", func(m *mutant) { m.New = "a -" }},
		{"is not postgres, mysql, redis or pgbouncer", func(m *mutant) { m.Needs = []string{"oracle"} }},
		{"no package", func(m *mutant) { m.Test = []string{"-run", "TestAdd"} }},
		{"holds no tests", func(m *mutant) { m.Test = []string{"./nowhere"} }},
		{"no test of", func(m *mutant) { m.Test = []string{"./sum", "-run=TestGone"} }},
	} {
		m := good
		test.ruin(&m)
		if err := m.check(dir); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]string{
		"- name: a\n  fiel: b\n":       "fiel",
		"name: a\n":                    "cannot unmarshal",
		"- {name: a, test: ./sum}\n":   "cannot unmarshal",
		"- {name: a}\n- {name: a\n":    "yaml",
		"- name: a\n  name: b\n":       "already defined",
		"- {name: a, needs: [redis]}":  "",
		"# a list of nothing so far\n": "",
	} {
		_, err := decode([]byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
