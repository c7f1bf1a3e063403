package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/mistake"
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
	}
	cmd.Args = knownCommand(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	for _, sub := range append([]*cobra.Command{c.migrateNew(), c.migrateAccept(), c.migrateCheck()}, c.migrateDatabase()...) {
		sub.Args = asUsage(sub.Args)
		cmd.AddCommand(sub)
	}
	return cmd
}

// acceptable are the classes of steps that a person has to agree to: the others need no one's
// agreement, or the definitions have it.
var acceptable = []script.Class{script.Blocks, script.Rewrites}

// classFlag is a list of such classes.
func classFlag(cmd *cobra.Command, to *[]string, name string) {
	cmd.Flags().StringSliceVar(to, name, nil, "agree to steps of these classes: blocks, rewrites")
}

// classes reads such a list.
func classes(flag string, names []string) ([]script.Class, error) {
	var out []script.Class
	for _, n := range names {
		if !slices.Contains(acceptable, script.Class(n)) {
			return nil, usageError{fmt.Errorf("--%s is %q; it is %s or %s, or both with a comma between them", flag, n, script.Blocks, script.Rewrites)}
		}
		out = append(out, script.Class(n))
	}
	return out, nil
}

var migrationName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)

// options are those of commands that read a project.
func (c *command) options() gen.Options {
	return gen.Options{Dir: c.dir, Version: version(), ReadOnly: true}
}

// project reads the definitions and the migrations.
func (c *command) project(ctx context.Context) (*gen.Result, error) {
	opts := c.options()
	opts.Until = "migrations"
	return gen.Generate(ctx, opts)
}

func (c *command) migrateNew() *cobra.Command {
	n := newMigration{command: c}
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Write the migration that the definitions lack",
		Long: `Write the migration that leads from what the last one recorded to the definitions, and
generate. No database is looked at. What a person has to decide stands in the
definitions: was: where something was renamed, drop: what is to go with its data,
existing: what becomes of rows that do not fit.`,
		Example: "  modulagen migrate new headline\n  modulagen migrate new headline --dry-run",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !migrationName.MatchString(args[0]) {
				return usageError{fmt.Errorf("the name is %q; write it in snake case: a-z, 0-9 and _, a letter first, 48 characters at most; the number comes by itself", args[0])}
			}
			var err error
			if n.accepted, err = classes("accept", n.accept); err != nil {
				return err
			}
			return n.run(cmd.Context(), args[0])
		},
	}
	cmd.Flags().BoolVar(&n.dryRun, "dry-run", false, "print the plan, and write nothing")
	cmd.Flags().BoolVar(&n.asJSON, "json", false, "print the plan, or the mistakes, as JSON")
	classFlag(cmd, &n.accept, "accept")
	return cmd
}

type newMigration struct {
	*command
	dryRun, asJSON bool
	accept         []string
	accepted       []script.Class
}

// planOutcome is what new --json prints.
type planOutcome struct {
	Mistakes   mistake.List    `json:"mistakes"`
	Migrations []migrationPlan `json:"migrations"`
	Written    bool            `json:"written"`
}

func (n *newMigration) run(ctx context.Context, name string) error {
	made, result, err := gen.Lacking(ctx, n.options(), name)
	out := planOutcome{Mistakes: mistake.List{}, Migrations: []migrationPlan{}}
	if n.asJSON && errors.As(err, &out.Mistakes) {
		return errors.Join(n.printJSON(out), errFound)
	}
	if err != nil {
		return err
	}
	folder := result.Project.Config.Migrations
	for _, m := range made {
		m.Accepted = n.accepted
		p, err := planOf(m, folder)
		if err != nil {
			return err
		}
		out.Migrations = append(out.Migrations, p)
	}
	if !n.dryRun {
		if err := n.write(made, folder); err != nil {
			return err
		}
		out.Written = len(made) > 0
	}
	if err := n.print(out, result); err != nil || !out.Written {
		return err
	}
	n.advise(made, folder)
	return n.generated(ctx)
}

// write writes all migrations.
func (n *newMigration) write(made []*migrate.Migration, folder string) error {
	for _, m := range made {
		if err := m.Write(n.dir, folder); err != nil {
			return fmt.Errorf("writing %s: %w", path.Join(folder, m.Name), err)
		}
	}
	return nil
}

func (n *newMigration) print(out planOutcome, result *gen.Result) error {
	if n.asJSON {
		return n.printJSON(out)
	}
	if len(out.Migrations) == 0 {
		last := path.Join(result.Project.Config.Migrations, result.Migrations.Head().Name)
		fmt.Fprintf(n.err, "nothing to migrate: %s has what the definitions say\n", last)
		if fields := result.Migrations.Unrecorded(result.Project); len(fields) > 0 {
			fmt.Fprintf(n.err, "except existing of %s, which was written later: where no database has been migrated by it, run rm -r %s, and modulagen migrate new again\n", strings.Join(fields, ", "), last)
		}
	}
	for _, p := range out.Migrations {
		if err := p.print(n.out); err != nil {
			return err
		}
	}
	return nil
}

// advise says what is left to do with migrations that were written.
func (n *newMigration) advise(made []*migrate.Migration, folder string) {
	for _, m := range made {
		fmt.Fprintf(n.err, "wrote %s; read its SQL before you commit it\n", path.Join(folder, m.Name))
		var missing []string
		for _, f := range unaccepted(folder, m) {
			missing = append(missing, string(f.class))
		}
		if len(missing) > 0 {
			fmt.Fprintf(n.err, "agree to its steps that hold others up: modulagen migrate accept %s --class %s\n", m.Name, strings.Join(missing, ","))
		}
	}
}

// generated has the generated package embed the migrations as they are now.
func (c *command) generated(ctx context.Context) error {
	g := generation{command: c}
	return g.run(ctx, false, false)
}

func (c *command) migrateAccept() *cobra.Command {
	var accept []string
	cmd := &cobra.Command{
		Use:   "accept NAME",
		Short: "Record that a migration was read: SQL that was edited, steps that hold others up",
		Long: `Record the SQL of a migration as it stands, before any database has it, agree to the
classes of its steps, and generate. "migrate check" requires both.`,
		Example: "  modulagen migrate accept 0002_headline\n  modulagen migrate accept 0002_headline --class blocks,rewrites",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := classes("class", accept)
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
			folder := result.Project.Config.Migrations
			if err := m.Accept(c.dir, folder, list); err != nil {
				return fmt.Errorf("recording %s: %w", path.Join(folder, m.Name), err)
			}
			return c.generated(cmd.Context())
		},
	}
	classFlag(cmd, &accept, "class")
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
		return nil, errNoMigrations
	}
	return nil, usageError{fmt.Errorf("there is no migration %q; there are %s", withoutSecrets(name), strings.Join(names, ", "))}
}

var errNoMigrations = errors.New("the project has no migrations: modulagen migrate new init records the definitions as they are")

// withoutSecrets is what a person wrote in the place of another argument, without what comes after the
// scheme of a DSN.
func withoutSecrets(arg string) string {
	if scheme, _, ok := strings.Cut(arg, ":"); ok {
		return scheme + ":..."
	}
	return arg
}
