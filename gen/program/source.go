package program

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// build is what a program knows about its own build.
type build struct {
	file         string // of a source of this package, as the compiler saw it
	version, sum string // of this module, when it is a version that can be downloaded
}

// ownBuild returns the running program's.
func ownBuild() build {
	var b build
	_, b.file, _, _ = runtime.Caller(0)
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		// "v1.2.0+dirty" is a checkout's.
		if m.Path == Module && m.Replace == nil && m.Sum != "" && !strings.Contains(m.Version, "+") {
			b.version, b.sum = m.Version, m.Sum
		}
	}
	return b
}

// source is what the program is built from.
type source struct {
	key     string                                // names what is built
	version string                                // to be downloaded; "" for a checkout's
	pkg     string                                // for go build, in the folder
	flags   string                                // GOFLAGS
	find    func(context.Context) (string, error) // the folder
}

// source finds what to build from. It calls the go command only where neither
// the version nor the folder of the tool's own sources is known.
func (f Finder) source(ctx context.Context, b build) (source, error) {
	dir, vendored := f.Program.ownFolder(b.file)
	s := source{pkg: "./" + f.Program.command(), flags: "-mod=readonly"}
	if dir != "" {
		s.find = func(context.Context) (string, error) { return dir, nil }
	}
	switch {
	case vendored:
		s.pkg, s.flags = f.Program.Package(), "-mod=vendor"
		module := filepath.Join(dir, "vendor", filepath.FromSlash(Module))
		var err error
		s.key, err = f.Program.contentKey(module, filepath.Join(dir, "vendor", "modules.txt"))
		return s, err
	case b.version != "":
		s.version, s.key = b.version, keyOf(b.version, b.sum)
		if dir == "" {
			s.find = func(ctx context.Context) (string, error) { return f.Program.download(ctx, b) }
		}
		return s, nil
	case dir == "":
		var err error
		if dir, err = f.required(ctx); err != nil {
			return s, err
		}
		s.find = func(context.Context) (string, error) { return dir, nil }
	}
	var err error
	s.key, err = f.Program.contentKey(dir, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum"))
	return s, err
}

// ownFolder returns the module's folder, if the file that this program was built
// from is still there; or, vendored, the project's folder in whose vendor folder
// it is, if the program's sources are there too.
func (p Program) ownFolder(file string) (dir string, vendored bool) {
	const below = "/gen/program/"
	file = filepath.ToSlash(file)
	i := strings.LastIndex(file, below)
	if i < 0 || !filepath.IsAbs(filepath.FromSlash(file)) { // built with -trimpath
		return "", false
	}
	module := filepath.FromSlash(file[:i])
	if info, err := os.Stat(filepath.Join(module, filepath.FromSlash(p.command()))); err != nil || !info.IsDir() {
		return "", false
	}
	if data, err := os.ReadFile(filepath.Join(module, "go.mod")); err == nil && strings.HasPrefix(string(data), "module "+Module+"\n") {
		return module, false
	}
	if project, ok := strings.CutSuffix(filepath.ToSlash(module), "/vendor/"+Module); ok {
		return filepath.FromSlash(project), true
	}
	return "", false
}

// download has the go command download the version that the tool was built from.
func (p Program) download(ctx context.Context, b build) (string, error) {
	out, err := goCommand(ctx, os.TempDir(), "-mod=mod", "mod", "download", "-json", Module+"@"+b.version)
	var m struct{ Dir, Sum, Error string }
	jerr := json.Unmarshal(out, &m)
	switch {
	case m.Error != "": // the go command prints it as JSON, and exits with 1
		err = errors.New(m.Error)
	case err == nil:
		err = jerr
	}
	if err == nil && m.Sum != b.sum {
		err = fmt.Errorf("its sum is %s, and the tool was built from %s", m.Sum, b.sum)
	}
	if err != nil {
		return "", fmt.Errorf("gen/program: %s, for which %s is built, and its module %s@%s could not be downloaded: %w\n%s",
			p.Because, p.Name, Module, b.version, err, p.remedy(source{version: b.version}))
	}
	return m.Dir, nil
}

// required returns the folder of the module that the project's go.mod requires.
func (f Finder) required(ctx context.Context) (string, error) {
	out, err := goCommand(ctx, f.Project, "-mod=readonly", "list", "-m", "-f", "{{.Dir}}", Module)
	dir := strings.TrimSpace(string(out))
	if err == nil && dir == "" {
		err = errors.New("it is not downloaded: run go mod download " + Module)
	}
	if err != nil {
		return "", fmt.Errorf("gen/program: %s, for which %s is built from %s, and its sources are not to be found: %w\n"+
			"run modulagen as a tool of the project (go tool modulagen), or build %s and set %s to its path", f.Program.Because, f.Program.Name, Module, err, f.Program.Package(), f.Program.Env)
	}
	return dir, nil
}

func keyOf(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		io.WriteString(h, t+"\x00")
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// contentKey makes a key out of the program's sources and the given files.
func (p Program) contentKey(module string, files ...string) (string, error) {
	for _, part := range p.parts {
		found, err := filepath.Glob(filepath.Join(module, filepath.FromSlash(part), "*.go"))
		if err != nil {
			return "", fmt.Errorf("gen/program: %w", err)
		}
		files = append(files, slices.DeleteFunc(found, func(f string) bool { return strings.HasSuffix(f, "_test.go") })...)
	}
	h := sha256.New()
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("gen/program: %w", err)
		}
		fmt.Fprintf(h, "%s %d\n", filepath.Base(name), len(data))
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}
