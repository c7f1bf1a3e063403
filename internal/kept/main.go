// Command kept writes gen/sqlc/kept.txt: what sqlc and SQLite said of the
// queries of a new project, so that nobody has to ask them again.
//
//	go run ./internal/kept          writes it (make generate)
//	go run ./internal/kept -check   fails when it is out of date (make stale)
package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/scaffold"
	"github.com/hegner123/modulagen/gen/sqlc"
)

func main() {
	check := flag.Bool("check", false, "write nothing, and fail when the file is out of date")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *check); err != nil {
		fmt.Fprintf(os.Stderr, "kept: %v\n", err)
		os.Exit(1)
	}
}

// run is called in the module's folder.
func run(ctx context.Context, check bool) error {
	name := filepath.Join("gen", "sqlc", sqlc.Kept)
	have, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("run it in the module's folder: %w", err)
	}
	lines, err := learn(ctx)
	if err != nil {
		return err
	}
	want := []byte(strings.Join(lines, "\n") + "\n")
	switch {
	case bytes.Equal(have, want):
		return nil
	case check:
		return errors.New(name + " is out of date: run make generate")
	}
	return os.WriteFile(name, want, 0o644)
}

//go:embed examples/*.yaml
var examples embed.FS

// learn makes a new project, with examples of everything that definitions can
// hold, and has all its queries analysed.
func learn(ctx context.Context) ([]string, error) {
	dir, err := os.MkdirTemp("", "modulagen-kept-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	files, err := scaffold.Project{Module: "shop", Version: "v0.0.0"}.Files()
	if err != nil {
		return nil, err
	}
	if _, err := scaffold.Write(dir, files, true); err != nil {
		return nil, err
	}
	if err := exemplify(filepath.Join(dir, "datatypes")); err != nil {
		return nil, err
	}
	result, err := gen.Generate(ctx, gen.Options{
		Dir: dir, Anew: true, ReadOnly: true, Until: "sqlc",
		Say: func(line string) { fmt.Fprintln(os.Stderr, "kept: "+line) },
	})
	if err != nil {
		return nil, err
	}
	return slices.Clone(result.Analysed.Keep), nil
}

// exemplify adds the examples to a project's definitions.
func exemplify(dir string) error {
	all := map[string][]byte{}
	for _, e := range [][2]string{{"integer", "author"}, {"ulid", "tag"}} {
		every, err := everyField(e[0], e[1])
		if err != nil {
			return err
		}
		maps.Copy(all, every)
	}
	files, err := examples.ReadDir("examples")
	if err != nil {
		return err
	}
	for _, f := range files {
		data, err := examples.ReadFile(path.Join("examples", f.Name()))
		if err != nil {
			return err
		}
		all[strings.TrimSuffix(f.Name(), ".yaml")] = data
	}
	for name, data := range all {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
