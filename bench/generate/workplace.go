package generate

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// workplace is a temporary Go module outside the repository. It has this
// module's own requirements, so that the generated code of both sides builds in
// it without asking the network for anything.
type workplace struct {
	dir       string // the module's root
	cache     string // where ours keeps its analysis; emptied for "from nothing"
	cgo       string
	modulagen string // the built binary
	analyser  string // modulagen-sqlc, built: its building is not what is measured
	ent       string // entprogram, built
}

func newWorkplace(ctx context.Context, parent string) (*workplace, error) {
	dir, err := os.MkdirTemp("", "modulagen-bench-")
	if err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	w := &workplace{
		dir: dir, cache: filepath.Join(dir, "_cache"),
		modulagen: filepath.Join(dir, "_bin", "modulagen"), ent: filepath.Join(dir, "_bin", "entprogram"),
		analyser: filepath.Join(dir, "_bin", "modulagen-sqlc"),
	}
	if err := w.furnish(ctx, parent); err != nil {
		w.remove()
		return nil, err
	}
	return w, nil
}

func (w *workplace) furnish(ctx context.Context, parent string) error {
	bench := filepath.Join(parent, "bench")
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := copyFile(filepath.Join(bench, name), filepath.Join(w.dir, name)); err != nil {
			return err
		}
	}
	for _, c := range []struct {
		dir  string
		args []string
	}{
		{w.dir, []string{"mod", "edit", "-module=benchwork", "-replace=github.com/hegner123/modulagen=" + parent}},
		{parent, []string{"build", "-o", w.modulagen, "./cmd/modulagen"}},
		{parent, []string{"build", "-o", w.analyser, "./cmd/modulagen-sqlc"}},
		{bench, []string{"build", "-o", w.ent, "./generate/entprogram"}},
	} {
		if _, err := w.goTool(ctx, c.dir, c.args...); err != nil {
			return err
		}
	}
	enabled, err := w.goTool(ctx, bench, "env", "CGO_ENABLED")
	if err != nil {
		return err
	}
	w.cgo = "on"
	if strings.TrimSpace(enabled) == "0" {
		w.cgo = "off"
	}
	return nil
}

// goTool runs the go command. The binaries are built with cgo as the machine
// has it, whatever this program was built with.
func (w *workplace) goTool(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = dir, environment()
	out, err := cmd.Output()
	if err != nil {
		detail := ""
		if exit, ok := err.(*exec.ExitError); ok {
			detail = string(exit.Stderr)
		}
		return "", fmt.Errorf("generate: go %s: %w\n%s", args[0], err, detail)
	}
	return string(out), nil
}

// environment is ours without CGO_ENABLED, which the Makefile sets for this
// program only, plus extra.
func environment(extra ...string) []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "CGO_ENABLED=") {
			env = append(env, entry)
		}
	}
	return append(env, extra...)
}

func (w *workplace) path(elements ...string) string {
	return filepath.Join(append([]string{w.dir}, elements...)...)
}

func (w *workplace) remove() { os.RemoveAll(w.dir) }

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	return writeFile(to, text)
}

func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	if err := os.WriteFile(path, text, 0o666); err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	return nil
}
