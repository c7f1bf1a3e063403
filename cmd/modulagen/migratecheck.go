package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/migrate/protocol"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

func (c *command) migrateCheck() *cobra.Command {
	k := migrationCheck{command: c}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check that the migrations are those of the definitions; write nothing (for CI)",
		Long: `Check, and exit with 1 where something is found: definitions without their migration, SQL
that cannot be read, or was edited and not accepted, two migrations after one, steps that block or
rewrite and that no one accepted, and migrations that, run on an empty SQLite database, do not end in
the tables of the definitions.`,
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

// checkOutcome is what check --json prints.
type checkOutcome struct {
	Mistakes   mistake.List `json:"mistakes"`
	Migrations int          `json:"migrations"`
}

func (k *migrationCheck) run(ctx context.Context) error {
	found, result, err := k.found(ctx)
	if err != nil {
		return err
	}
	n := 0
	if result.Migrations != nil {
		n = len(result.Migrations.Migrations)
	}
	if k.asJSON {
		if err := k.printJSON(checkOutcome{append(mistake.List{}, found...), n}); err != nil || len(found) == 0 {
			return err
		}
		return errFound
	}
	if len(found) == 0 && (k.verbose || terminal(k.err)) {
		made := "the tables that they make are those of the definitions"
		if !result.Project.Targets(model.SQLite) {
			made = "they record the definitions; they are run on SQLite alone, which the project does not target"
		}
		fmt.Fprintf(k.err, "%s: %s\n", count(n, "migration", "migrations"), made)
	}
	return found.Err()
}

// found looks at the files, and runs the migrations where those are in order.
func (k *migrationCheck) found(ctx context.Context) (mistake.List, *gen.Result, error) {
	made, result, err := gen.Lacking(ctx, k.options(), "next")
	var found mistake.List
	if err != nil && !errors.As(err, &found) {
		return nil, result, err
	}
	if result.Migrations == nil {
		return found, result, nil // the definitions, or what is recorded, cannot be read
	}
	found = append(found, k.inFiles(result, made)...)
	if len(found) == 0 {
		if found, err = k.replay(ctx, result); err != nil {
			return nil, result, err
		}
	}
	var quoted mistake.List
	if err := gen.Quote(k.dir, found.Err()); err != nil && !errors.As(err, &quoted) {
		return nil, result, err
	}
	return quoted, result, nil
}

// inFiles are mistakes that the files show.
func (k *migrationCheck) inFiles(result *gen.Result, made []*migrate.Migration) mistake.List {
	folder := result.Project.Config.Migrations
	head := result.Migrations.Head()
	var out mistake.List
	if head == nil {
		out = append(out, mistake.Mistake{File: folder, Message: "the project has no migrations", Hint: "run modulagen migrate new init, which records the definitions as they are"})
	} else if len(made) > 0 {
		out = append(out, mistake.Mistake{
			File: result.Project.Config.Datatypes, Message: fmt.Sprintf("the definitions have changed since %s: %s", head.Name, changes(made, folder)),
			Hint: "run modulagen migrate new NAME",
		})
	}
	for _, m := range result.Migrations.Migrations {
		for _, db := range m.Edited() {
			out = append(out, mistake.Mistake{
				File: sqlFile(folder, m, db), Message: "the file was edited after it was recorded",
				Hint: fmt.Sprintf("restore it; or, where no database has it yet, run modulagen migrate accept %s", m.Name),
			})
		}
		for _, u := range unaccepted(folder, m) {
			out = append(out, u.mistake)
		}
	}
	return out
}

func sqlFile(folder string, m *migrate.Migration, db model.Database) string {
	return path.Join(folder, m.Name, string(db)+".sql")
}

// unagreed is a step that holds others up, and that no one has agreed to.
type unagreed struct {
	class   script.Class
	mistake mistake.Mistake
}

// verbs say what steps of a class do.
var verbs = map[script.Class]string{script.Blocks: "holds others up", script.Rewrites: "writes the whole table again"}

// unaccepted returns the first such step of each class.
func unaccepted(folder string, m *migrate.Migration) []unagreed {
	var out []unagreed
	for _, db := range m.Databases() {
		s, err := m.Script(folder, db)
		if err != nil {
			continue // Generate has reported it
		}
		for _, step := range s.Steps {
			seen := slices.ContainsFunc(out, func(u unagreed) bool { return u.class == step.Class })
			if seen || !slices.Contains(acceptable, step.Class) || slices.Contains(m.Accepted, step.Class) {
				continue
			}
			out = append(out, unagreed{step.Class, mistake.Mistake{
				File: sqlFile(folder, m, db), Line: step.Line,
				Message: fmt.Sprintf("the step %s, and no one has agreed to that: %s", verbs[step.Class], step.What),
				Hint:    fmt.Sprintf("run modulagen migrate accept %s --class %s, or change the step", m.Name, step.Class),
			}})
		}
	}
	return out
}

// replay runs the migrations on an empty database, and compares its tables with the definitions. Those
// before the last that has no SQL for SQLite are not run: the tables that it ended in are created.
func (k *migrationCheck) replay(ctx context.Context, result *gen.Result) (mistake.List, error) {
	if !result.Project.Targets(model.SQLite) {
		return nil, nil // there is no server to run them on
	}
	r := protocol.Request{Do: protocol.Replay}
	for i, m := range result.Migrations.Migrations {
		if !slices.Contains(m.Databases(), model.SQLite) {
			r.Skip, r.StartDDL = i+1, migrate.Schema(m.Snapshot.Project()).DDL[sqltext.SQLite]
		}
	}
	a, err := k.onDatabase(ctx, r, result, nil)
	var found mistake.List
	if errors.As(err, &found) {
		for i := range found {
			found[i].Message, found[i].Hint = "run on an empty SQLite database, "+found[i].Message, "correct the SQL that was edited"
		}
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	head := result.Migrations.Head()
	for _, line := range a.Differences {
		found = append(found, mistake.Mistake{
			File: sqlFile(result.Project.Config.Migrations, head, model.SQLite), Message: "run on an empty database, the migrations do not make the tables of the definitions: " + line,
			Hint: "correct the SQL that was edited, here or in a migration before",
		})
	}
	return found, nil
}
