package main

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

func (c *command) migrateCheck() *cobra.Command {
	k := migrationCheck{command: c}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check that the migrations are those of the definitions; write nothing (for CI)",
		Long: `Check, and exit with 1 where something is found: definitions without their migration, SQL
that was edited and not accepted, two migrations after one, steps that block or rewrite and
that no one accepted, and migrations that, replayed on an empty SQLite database, do not end in the
tables of the definitions.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return k.run(cmd.Context()) },
	}
	cmd.Flags().BoolVar(&k.asJSON, "json", false, "print what was found as JSON")
	return cmd
}

type migrationCheck struct {
	*command
	asJSON bool
}

// migrationFinding is one thing that is not in order.
type migrationFinding struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

func (k *migrationCheck) run(ctx context.Context) error {
	result, err := k.project(ctx)
	if err != nil {
		return err
	}
	found := findings(result)
	if len(found) == 0 && result.Migrations.Head() != nil {
		replayed, err := k.replay(ctx, result)
		if err != nil {
			return err
		}
		found = replayed
	}
	if k.asJSON {
		if found == nil {
			found = []migrationFinding{}
		}
		if err := k.printJSON(found); err != nil {
			return err
		}
	} else {
		k.print(found, result)
	}
	if len(found) > 0 {
		return errFound
	}
	return nil
}

func (k *migrationCheck) print(found []migrationFinding, result *gen.Result) {
	for _, f := range found {
		at := f.File
		if f.Line > 0 {
			at += fmt.Sprintf(":%d", f.Line)
		}
		fmt.Fprintf(k.err, "%s: %s\n    %s\n", at, f.Message, f.Hint)
	}
	if len(found) == 0 && (k.verbose || terminal(k.err)) {
		fmt.Fprintf(k.err, "%s: the tables that they make are those of the definitions\n", count(len(result.Migrations.Migrations), "migration", "migrations"))
	}
}

// findings are those that the files show.
func findings(result *gen.Result) []migrationFinding {
	folder := result.Project.Config.Migrations
	var out []migrationFinding
	if result.Migrations.Head() == nil {
		out = append(out, migrationFinding{File: folder, Message: "the project has no migrations", Hint: "run modulagen migrate new init"})
	}
	for _, m := range result.Migrations.Migrations {
		for _, db := range m.Edited() {
			out = append(out, migrationFinding{
				File: path.Join(folder, m.Name, string(db)+".sql"), Message: "the file was edited after it was recorded",
				Hint: fmt.Sprintf("restore it, or, before any database has it, run modulagen migrate accept %s", m.Name),
			})
		}
		out = append(out, unaccepted(folder, m)...)
	}
	if result.Unrecorded() {
		out = append(out, migrationFinding{
			File: result.Project.Config.Datatypes, Message: fmt.Sprintf("the definitions have changed since %s", result.Migrations.Head().Name), Hint: "run modulagen migrate new NAME",
		})
	}
	return out
}

// unaccepted are steps that hold others up and that no one has agreed to.
func unaccepted(folder string, m *migrate.Migration) []migrationFinding {
	var out []migrationFinding
	seen := map[script.Class]bool{}
	for _, db := range model.Databases {
		s, err := m.Script(folder, db)
		if err != nil {
			continue // Generate has reported it
		}
		for _, step := range s.Steps {
			asks := step.Class == script.Blocks || step.Class == script.Rewrites
			if !asks || slices.Contains(m.Accepted, step.Class) || seen[step.Class] {
				continue
			}
			seen[step.Class] = true
			what := strings.TrimSuffix(string(step.Class), "s")
			out = append(out, migrationFinding{
				File: path.Join(folder, m.Name, string(db)+".sql"), Line: step.Line,
				Message: fmt.Sprintf("a step would %s, and no one has agreed to that: %s", what, step.What),
				Hint:    fmt.Sprintf("run modulagen migrate accept %s --accept %s", m.Name, step.Class),
			})
		}
	}
	return out
}
