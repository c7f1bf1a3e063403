// Package program finds the program modulagen-sqlc, and builds it with the go
// command where there is none.
//
// The tool links neither sqlc nor SQLite's engine: they take minutes to compile,
// and most runs need neither, because the analysis of every query is kept. The
// first run that needs them builds modulagen-sqlc from the same sources as the
// tool, and keeps it in the user's cache folder, under the version that it was
// built from; a checkout's is kept under the content of the files that it is
// made of. [Finder.Find] tries, in this order:
//
//   - the program that $MODULAGEN_SQLC names, for machines without Go or without
//     a network;
//   - the one in the cache folder;
//   - a build from the folder that the tool itself was built from: a checkout, a
//     module in Go's cache, or a project's vendor folder;
//   - a build from the module that the go command downloads, at the version that
//     the tool was built from;
//   - a build from the module that the project's go.mod asks for.
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

// Env is the environment variable that names a modulagen-sqlc built elsewhere.
const Env = "MODULAGEN_SQLC"

// Module is this module, and Package the program's package.
const (
	Module  = "github.com/hegner123/modulagen"
	Package = Module + "/" + command
)

const command = "cmd/modulagen-sqlc"

// interruptTime is how long an interrupted go command has to tidy up.
const interruptTime = 10 * time.Second

// Finder finds the program. The zero value finds it for the current folder.
type Finder struct {
	Project string // the project's folder
	Cache   string // as sqlc.Analyser has it; "off" is the user's cache folder here
	// Say, if set, is called with a line about each step of building the program.
	Say func(line string)
}

// Find returns the program's path.
func (f Finder) Find(ctx context.Context) (string, error) {
	if path := os.Getenv(Env); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fmt.Errorf("gen/sqlc/program: $%s names no program: %w", Env, err)
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
		return "", fmt.Errorf("gen/sqlc/program: %w", err)
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
			return store{}, noFolder(err)
		}
		dir = filepath.Join(user, "modulagen")
	}
	dir, err := sqlc.CacheFolder(dir)
	if err != nil {
		return store{}, noFolder(err)
	}
	dir = filepath.Join(dir, "programs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return store{}, noFolder(err)
	}
	return store{dir: dir}, nil
}

func noFolder(err error) error {
	return fmt.Errorf("gen/sqlc/program: there is no folder to keep modulagen-sqlc in: %w: set %s to a folder", err, sqlc.CacheEnv)
}

// build builds the program into the store.
func (f Finder) build(ctx context.Context, store store, s source) (string, error) {
	dir, err := s.find(ctx)
	if err != nil {
		return "", err
	}
	f.say("building modulagen-sqlc, which analyses queries, once for this version: %s", expectation(store.took()))
	tmp, err := os.MkdirTemp(store.dir, "new-")
	if err != nil {
		return "", noFolder(err)
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, fileName())
	start := time.Now()
	if _, err := goCommand(ctx, dir, s.flags, "build", "-o", out, s.pkg); err != nil {
		return "", fmt.Errorf("gen/sqlc/program: modulagen-sqlc, which analyses queries, could not be built from %s: %w\n%s", dir, err, remedy(s))
	}
	path, err := store.put(s.key, out)
	if err != nil {
		return "", noFolder(err)
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

func expectation(last time.Duration) string {
	if last == 0 {
		return "some minutes"
	}
	return "last time it took " + last.Round(time.Second).String()
}

// remedy says what to do where the program cannot be built.
func remedy(s source) string {
	what := Package + "@" + s.version
	if s.version == "" {
		what = Package
	}
	return fmt.Sprintf("without a network: build it where there is one (go install %s), and set %s to its path here", what, Env)
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
