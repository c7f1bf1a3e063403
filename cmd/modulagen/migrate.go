package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

func (c *command) migrate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Change databases as the definitions change",
		Long: `Migrations lead a database from one version of the definitions to the next. "new"
writes one, from the definitions and what the last one recorded; a person reads it,
and commits it with the definitions. Programs apply them when they open a database
with Options{Migrate: store.MigrateUp}, or "up" does.`,
		Args: cobra.NoArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	for _, sub := range append([]*cobra.Command{c.migrateNew(), c.migrateAccept(), c.migrateCheck()}, c.migrateDatabase()...) {
		sub.Args = asUsage(sub.Args)
		cmd.AddCommand(sub)
	}
	return cmd
}

// classFlag is a list of classes of steps.
func classFlag(cmd *cobra.Command, to *[]string, help string) {
	cmd.Flags().StringSliceVar(to, "accept", nil, help)
}

// classes reads such a list.
func classes(names []string) ([]script.Class, error) {
	var out []script.Class
	for _, n := range names {
		class := script.Class(n)
		if class != script.Blocks && class != script.Rewrites {
			return nil, usageError{fmt.Errorf("--accept is %q; it is %s or %s", n, script.Blocks, script.Rewrites)}
		}
		out = append(out, class)
	}
	return out, nil
}

var migrationName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)

// project reads the definitions and the migrations.
func (c *command) project(ctx context.Context) (*gen.Result, error) {
	return gen.Generate(ctx, gen.Options{Dir: c.dir, Version: version(), ReadOnly: true, Until: "migrations"})
}

func (c *command) migrateNew() *cobra.Command {
	n := newMigration{command: c}
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Write the migration that the definitions lack",
		Long: `Write the migration that leads from what the last one recorded to the definitions.
The database is not looked at. What a person has to decide stands in the definitions:
was: where something was renamed, drop: what is to go with its data, existing: what
becomes of rows that do not fit.`,
		Example: "  modulagen migrate new headline",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !migrationName.MatchString(args[0]) {
				return usageError{fmt.Errorf("the name is %q; it is in snake case: a-z, 0-9 and _, 48 characters at most", args[0])}
			}
			var err error
			if n.accepted, err = classes(n.accept); err != nil {
				return err
			}
			return n.run(cmd.Context(), args[0])
		},
	}
	cmd.Flags().BoolVar(&n.dryRun, "dry-run", false, "print the plan, and write nothing")
	cmd.Flags().BoolVar(&n.asJSON, "json", false, "print the plan as JSON")
	classFlag(cmd, &n.accept, "agree to steps of a class, blocks or rewrites, which \"migrate check\" asks for")
	return cmd
}

type newMigration struct {
	*command
	dryRun, asJSON bool
	accept         []string
	accepted       []script.Class
}

func (n *newMigration) run(ctx context.Context, name string) error {
	made, result, err := gen.Lacking(ctx, gen.Options{Dir: n.dir, Version: version()}, name)
	if err != nil {
		return err
	}
	folder := result.Project.Config.Migrations
	if len(made) == 0 {
		fmt.Fprintf(n.err, "nothing to migrate: %s has what the definitions say\n", path.Join(folder, result.Migrations.Head().Name))
		return nil
	}
	if err := n.print(made, folder); err != nil || n.dryRun {
		return err
	}
	for _, m := range made {
		m.Accepted = n.accepted
		if err := m.Write(n.dir, folder); err != nil {
			return fmt.Errorf("writing %s: %w", path.Join(folder, m.Name), err)
		}
		fmt.Fprintf(n.err, "wrote %s; read its SQL before you commit it\n", path.Join(folder, m.Name))
	}
	g := generation{command: n.command}
	return g.run(ctx, false, false)
}

// planned is a step as the table of a plan shows it.
type planned struct {
	Migration string           `json:"migration"`
	Databases []model.Database `json:"databases"`
	Class     script.Class     `json:"class"`
	What      string           `json:"what"`
	Note      string           `json:"note,omitempty"`
}

// plan lists the steps of migrations. A step that several databases have stands once.
func plan(made []*migrate.Migration, folder string) ([]planned, error) {
	var out []planned
	for _, m := range made {
		first := len(out)
		for _, db := range model.Databases {
			s, err := m.Script(folder, db)
			if err != nil {
				return nil, err
			}
			for _, step := range s.Steps {
				i := slices.IndexFunc(out[first:], func(p planned) bool {
					return p.What == step.What && p.Class == step.Class && !slices.Contains(p.Databases, db)
				})
				if i < 0 {
					out = append(out, planned{m.Name, []model.Database{db}, step.Class, step.What, step.Note})
					continue
				}
				out[first+i].Databases = append(out[first+i].Databases, db)
			}
		}
	}
	return out, nil
}

func (n *newMigration) print(made []*migrate.Migration, folder string) error {
	steps, err := plan(made, folder)
	if err != nil {
		return err
	}
	if n.asJSON {
		return n.printJSON(steps)
	}
	for _, m := range made {
		fmt.Fprintf(n.out, "%s\n", m.Name)
		table := tabwriter.NewWriter(n.out, 0, 4, 2, ' ', 0)
		for _, s := range steps {
			if s.Migration == m.Name {
				fmt.Fprintf(table, "  %s\t%s\t%s\n", s.Class, onDatabases(s.Databases), s.What)
			}
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func onDatabases(all []model.Database) string {
	if len(all) == len(model.Databases) {
		return "all"
	}
	names := make([]string, len(all))
	for i, db := range all {
		names[i] = string(db)
	}
	return strings.Join(names, ", ")
}

func (c *command) migrateAccept() *cobra.Command {
	var accept []string
	cmd := &cobra.Command{
		Use:   "accept NAME",
		Short: "Record that a migration was read: SQL that was edited, steps that hold others up",
		Long: `Record the SQL of a migration as it stands, before any database has it, and agree to the
classes of its steps. "migrate check" asks for both.`,
		Example: "  modulagen migrate accept 0002_headline --accept rewrites",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := classes(accept)
			if err != nil {
				return err
			}
			result, err := c.project(cmd.Context())
			if err != nil {
				return err
			}
			m, err := find(result, args[0])
			if err != nil {
				return err
			}
			if err := m.Accept(c.dir, result.Project.Config.Migrations, list); err != nil {
				return err
			}
			g := generation{command: c}
			return g.run(cmd.Context(), false, false)
		},
	}
	classFlag(cmd, &accept, "agree to steps of a class: blocks or rewrites")
	return cmd
}

// find looks a migration up by its name, or by its number.
func find(result *gen.Result, name string) (*migrate.Migration, error) {
	var names []string
	for _, m := range result.Migrations.Migrations {
		if number, _, _ := strings.Cut(m.Name, "_"); m.Name == name || number == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	if len(names) == 0 {
		return nil, usageError{errors.New("the project has no migrations: modulagen migrate new NAME writes the first")}
	}
	return nil, usageError{fmt.Errorf("there is no migration %q; there are %s", name, strings.Join(names, ", "))}
}
