// Command kept writes gen/sqlc/kept.txt: what sqlc and SQLite said of the
// queries of a new project, so that nobody has to ask them again.
//
//	go run ./internal/kept          writes it (make generate)
//	go run ./internal/kept -check   fails when it is out of date (make stale)
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
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
	path := filepath.Join("gen", "sqlc", sqlc.Kept)
	have, err := os.ReadFile(path)
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
		return errors.New(path + " is out of date: run make generate")
	}
	return os.WriteFile(path, want, 0o644)
}

// learn makes a new project and has all its queries analysed.
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
	result, err := gen.Generate(ctx, gen.Options{
		Dir: dir, Anew: true, ReadOnly: true, Until: "sqlc",
		Say: func(line string) { fmt.Fprintln(os.Stderr, "kept: "+line) },
	})
	if err != nil {
		return nil, err
	}
	return slices.Clone(result.Analysed.Keep), nil
}
