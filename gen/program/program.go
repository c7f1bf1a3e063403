// Package program finds the programs that the tool starts, and builds them with the go
// command where there is none.
//
// The tool links neither sqlc nor a database: they take minutes to compile, and most runs
// need neither. The first run that needs one of them builds it from the same sources as the
// tool, and keeps it in the user's cache folder, under the version that it was
// built from; a checkout's is kept under the content of the files that it is
// made of. [Finder.Find] tries, in this order:
//
//   - the program that an environment variable names, for machines without Go or without
//     a network;
//   - the one in the cache folder;
//   - a build from the folder that the tool itself was built from: a checkout, a
//     module in Go's cache, or a project's vendor folder;
//   - a build from the module that the go command downloads, at the version that
//     the tool was built from;
//   - a build from the module that the project's go.mod requires.
package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/hegner123/modulagen/gen/internal/process"
	"github.com/hegner123/modulagen/gen/sqlc"
)

// Module is this module.
const Module = "github.com/hegner123/modulagen"

// Program is one of those that the tool starts.
type Program struct {
	Name    string // of the program, and of its folder in cmd
	Env     string // the environment variable that names one built elsewhere
	Does    string // for people: "analyses queries"
	Because string // why it is needed now: "a query must be analysed"
	Takes   string // how long the first build takes: "some minutes"
	parts   []string
}

// Sqlc analyses queries.
var Sqlc = Program{
	Name: "modulagen-sqlc", Env: "MODULAGEN_SQLC", Does: "analyses queries", Because: "a query must be analysed", Takes: "some minutes",
	parts: []string{"cmd/modulagen-sqlc", "gen/sqlc/child", "gen/sqlc/engine", "gen/sqlc/protocol", "runtime/store/check"},
}

// Migrate changes databases.
var Migrate = Program{
	Name: "modulagen-migrate", Env: "MODULAGEN_MIGRATE", Does: "opens databases", Because: "a database must be opened", Takes: "a minute or two",
	parts: []string{
		"cmd/modulagen-migrate", "gen/migrate/protocol", "runtime/store", "runtime/store/check", "runtime/store/core", "runtime/store/internal/filter",
		"runtime/store/internal/remote", "runtime/store/internal/value", "runtime/store/migrate", "runtime/store/migrate/script", "runtime/store/mysql",
		"runtime/store/postgres", "runtime/store/sqlite", "runtime/store/sqltext",
	},
}

func (p Program) command() string { return "cmd/" + p.Name }

// Package is the program's package.
func (p Program) Package() string { return Module + "/" + p.command() }

// interruptTime is how long an interrupted go command has to tidy up.
const interruptTime = 10 * time.Second

// Finder finds a program.
type Finder struct {
	Program Program
	Project string // the project's folder
	Cache   string // as sqlc.Analyser has it; "off" is the user's cache folder here
	// Say, if set, is called with a line about each step of building the program.
	Say func(line string)
}

// Find returns the program's path.
func (f Finder) Find(ctx context.Context) (string, error) {
	if path := os.Getenv(f.Program.Env); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fmt.Errorf("gen/program: $%s names no program: %w", f.Program.Env, err)
		}
		return filepath.Abs(found)
	}
	store, err := f.store()
	if err != nil {
		return "", err
	}
	s, err := f.source(ctx, ownBuild())
	if err != nil {
		return "", err
	}
	if path, ok := store.get(s.key); ok {
		return path, nil
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(store.dir, "lock")).Lock()
	if err != nil {
		return "", fmt.Errorf("gen/program: %w", err)
	}
	defer unlock()
	if path, ok := store.get(s.key); ok { // another run has built it meanwhile
		return path, nil
	}
	return f.build(ctx, store, s)
}

func (f Finder) store() (store, error) {
	dir := f.Cache
	if dir == "off" || dir == "" && os.Getenv(sqlc.CacheEnv) == "off" {
		user, err := os.UserCacheDir()
		if err != nil {
			return store{}, f.noFolder(err)
		}
		dir = filepath.Join(user, "modulagen")
	}
	dir, err := sqlc.CacheFolder(dir)
	if err != nil {
		return store{}, f.noFolder(err)
	}
	dir = filepath.Join(dir, "programs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return store{}, f.noFolder(err)
	}
	return store{dir: dir, name: f.Program.Name}, nil
}

func (f Finder) noFolder(err error) error {
	return fmt.Errorf("gen/program: there is no folder to keep %s in: %w: set %s to a folder", f.Program.Name, err, sqlc.CacheEnv)
}

// build builds the program into the store.
func (f Finder) build(ctx context.Context, store store, s source) (string, error) {
	dir, err := s.find(ctx)
	if err != nil {
		return "", err
	}
	f.say("building %s, which %s, once for this version: %s", f.Program.Name, f.Program.Does, f.Program.expectation(store.took()))
	tmp, err := os.MkdirTemp(store.dir, "new-")
	if err != nil {
		return "", f.noFolder(err)
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, store.fileName())
	start := time.Now()
	if _, err := goCommand(ctx, dir, s.flags, "build", "-o", out, s.pkg); err != nil {
		return "", fmt.Errorf("gen/program: %s, which %s, could not be built from %s: %w\n%s", f.Program.Name, f.Program.Does, dir, err, f.Program.remedy(s))
	}
	path, err := store.put(s.key, out)
	if err != nil {
		return "", f.noFolder(err)
	}
	store.setTook(time.Since(start))
	store.prune(path)
	return path, nil
}

func (f Finder) say(format string, args ...any) {
	if f.Say != nil {
		f.Say(fmt.Sprintf(format, args...))
	}
}

func (p Program) expectation(last time.Duration) string {
	if last == 0 {
		return p.Takes
	}
	return "last time it took " + last.Round(time.Second).String()
}

// remedy says what to do where the program cannot be built.
func (p Program) remedy(s source) string {
	what := p.Package() + "@" + s.version
	if s.version == "" {
		what = p.Package()
	}
	return fmt.Sprintf("without a network: build it where there is one (go install %s), and set %s to its path here", what, p.Env)
}

var errNoGo = errors.New("there is no go command on the PATH")

// goCommand runs the go command in a folder and returns what it printed.
func goCommand(ctx context.Context, dir, flags string, args ...string) ([]byte, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, errNoGo
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	// A build for this machine, whatever the caller's builds are for, and of this
	// module as its go.mod has it.
	cmd.Env = append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GOWORK=off", "GOFLAGS="+flags)
	process.Apart(cmd)
	cmd.Cancel = func() error { return process.Interrupt(cmd) }
	cmd.WaitDelay = interruptTime
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, fmt.Errorf("go %s: %w\n%s", args[0], err, exit.Stderr)
	}
	return out, err
}
