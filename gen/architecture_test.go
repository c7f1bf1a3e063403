package gen_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hegner123/modulagen/"

// ban is an import that must not be, and why. Paths are relative to the module
// where they name our own packages; a path stands for what is below it too.
type ban struct {
	from    []string
	imports []string
	except  []string // packages below from that may
	deep    bool     // not through others either
	why     string
}

var bans = []ban{
	{
		from: []string{"runtime"}, imports: []string{"gen", "generated", "cmd", "datatypes"}, deep: true,
		why: "a user's program must not carry the generator, and must build when the generated code is broken",
	},
	{
		from:    []string{"runtime", "generated"},
		imports: []string{"github.com/sqlc-dev", "github.com/dave/jennifer", "gopkg.in/yaml.v3", "go.yaml.in/yaml", "github.com/spf13/cobra"}, deep: true,
		why: "they would add 70 MB and minutes of building to a user's program",
	},
	{
		from: []string{"generated"}, imports: []string{"gen", "cmd", "datatypes"}, deep: true,
		why: "a user's program must not carry the generator",
	},
	{
		from: []string{"gen", "cmd", "datatypes"}, imports: []string{"generated"}, deep: true,
		why: "broken output must not stop the tool from building: it is what mends it",
	},
	{
		from: []string{"gen"}, imports: []string{"runtime/store/sqlite", "runtime/store/postgres", "runtime/store/mysql"}, deep: true,
		why: "the generator shares the leaves of the runtime, rules and statements, and opens no database of a user",
	},
	{
		from: []string{"gen"}, imports: []string{"cmd"}, deep: true,
		why: "the generator can be used without its command line",
	},
	{
		from: []string{"gen/fieldtype"}, imports: []string{"gen"}, deep: true,
		why: "every stage reads the table of types; it can read none of them",
	},
	{
		from: []string{"gen/model"}, imports: []string{"gen/load", "gen/behavior", "gen/dialect", "gen/golang", "gen/sqlc", "gen/output", "gen/language", "gen/jsonschema"}, deep: true,
		why: "the model is the vocabulary of the stages and decides nothing",
	},
	{
		from: []string{"gen/load"}, imports: []string{"gen/behavior", "gen/dialect", "gen/golang", "gen/sqlc", "gen/output"}, deep: true,
		why: "stages meet in the model only, so that each can be printed and tested alone",
	},
	{
		from: []string{"gen/behavior"}, imports: []string{"gen/load", "gen/dialect", "gen/golang", "gen/sqlc", "gen/output"}, deep: true,
		why: "stages meet in the model only, so that each can be printed and tested alone",
	},
	{
		from: []string{"gen/dialect"}, imports: []string{"gen/load", "gen/behavior", "gen/golang", "gen/sqlc", "gen/output"}, deep: true,
		why: "stages meet in the model only, so that each can be printed and tested alone",
	},
	{
		// It takes what the two stages before it made, as data.
		from: []string{"gen/golang"}, imports: []string{"gen/load", "gen/behavior", "gen/output"}, deep: true,
		why: "stages meet in the model only, so that each can be printed and tested alone",
	},
	{
		from: []string{"gen/sqlc"}, imports: []string{"gen/load", "gen/behavior", "gen/dialect", "gen/golang", "gen/output"}, deep: true,
		why: "stages meet in the model only, so that each can be printed and tested alone",
	},
	{
		from: []string{"gen"}, except: []string{"gen/sqlc/child"}, imports: []string{"github.com/sqlc-dev"}, deep: true,
		why: "sqlc leaves through os.Exit, so it runs in a process of its own; and linking it into a test takes a minute",
	},
	{
		from: []string{"gen", "cmd"}, except: []string{"gen/golang"}, imports: []string{"github.com/dave/jennifer"},
		why: "one package prints Go",
	},
	{
		from: []string{"runtime/store/check", "runtime/store/sqltext"}, imports: []string{"runtime/queue", "runtime/store/sqlite", "runtime/store/postgres", "runtime/store/mysql"}, deep: true,
		why: "the generator imports them, and they are to stay leaves",
	},
	{
		from: []string{"runtime/store"}, imports: []string{"runtime/queue"}, deep: true,
		why: "the queue stands on the store",
	},
}

// listed is what `go list` says of a package.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// below tells whether a package is one of some, or in a folder of theirs.
func below(pkg string, paths []string) bool {
	pkg = strings.TrimPrefix(pkg, module)
	return slices.ContainsFunc(paths, func(p string) bool { return pkg == p || strings.HasPrefix(pkg, p+"/") })
}

func TestImports(t *testing.T) {
	all := packages(t)
	for _, b := range bans {
		matched := false
		for _, p := range all {
			if !below(p.ImportPath, b.from) || slices.Contains(b.except, strings.TrimPrefix(p.ImportPath, module)) {
				continue
			}
			matched = true
			imports := p.Imports
			if b.deep {
				imports = p.Deps
			}
			for _, i := range imports {
				if below(i, b.imports) && i != p.ImportPath {
					t.Errorf("%s imports %s: %s", p.ImportPath, i, b.why)
				}
			}
		}
		if !matched {
			t.Errorf("no package is below %v: the ban holds nothing", b.from)
		}
	}
}
