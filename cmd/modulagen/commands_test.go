package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hegner123/modulagen/gen/program"
	"github.com/hegner123/modulagen/gen/sqlc/protocol"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

// binary is this program, analyser the one that it asks about queries, and migrator the one that
// opens databases, each built once without the race detector: the stories run them as a person does.
var binary, analyser, migrator string

// unsymbolised leaves out what only debuggers read, which takes the linker half its time.
const unsymbolised = "-ldflags=-s -w"

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "modulagen-test-")
	if err != nil {
		panic(err)
	}
	binary, analyser, migrator = filepath.Join(dir, "modulagen"), filepath.Join(dir, "modulagen-sqlc"), filepath.Join(dir, "modulagen-migrate")
	for path, pkg := range map[string]string{binary: ".", analyser: "../modulagen-sqlc", migrator: "../modulagen-migrate"} {
		if out, err := exec.Command("go", "build", unsymbolised, "-o", path, pkg).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building %s: %v\n%s", pkg, err, out)
			os.RemoveAll(dir)
			os.Exit(1)
		}
	}
	os.Setenv(program.Sqlc.Env, analyser)
	os.Setenv(program.Migrate.Env, migrator)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// goEnv is what the go command needs to find what was built and downloaded
// already: a story has no home.
var goEnv = []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GOFLAGS", "GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN"}

func TestCommands(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir() // shared: the stories analyse the same built-ins
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join(root, "testdata", "commands"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(binary)+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("MODULAGEN_CACHE", cache)
			env.Setenv("TOOL", binary)
			env.Setenv("PROTOCOL", protocol.Version)
			env.Setenv("CHECKOUT", root)
			env.Setenv(program.Sqlc.Env, analyser)
			env.Setenv(program.Migrate.Env, migrator)
			for _, name := range goEnv {
				out, err := exec.Command("go", "env", name).Output()
				if err != nil {
					return err
				}
				env.Setenv(name, string(out[:len(out)-1]))
			}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits, "sql": sql},
	})
}

// sql runs a statement on a database, as a person beside the project would:
//
//	sql sqlite:app.db 'DROP TABLE article'
func sql(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql DSN STATEMENT")
	}
	path, isFile := strings.CutPrefix(args[0], "sqlite:")
	if !isFile {
		ts.Fatalf("%s is no file of SQLite", args[0])
	}
	db, err := core.Open(context.Background(), "sqlite:"+ts.MkAbs(path), nil, store.Options{})
	ts.Check(err)
	_, err = db.Conn().Exec(context.Background(), args[1], nil)
	ts.Check(errors.Join(err, db.Close()))
}

// exits runs a command that must end with a given code:
//
//	exits 2 modulagen nonsense
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGS]")
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("%v", err)
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
