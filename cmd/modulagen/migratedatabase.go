package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/migrate/protocol"
	"github.com/hegner123/modulagen/gen/migrate/remote"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/program"
)

// dsnEnv names the database where --db does not: a password is better not in a list of processes.
const dsnEnv = "MODULAGEN_DB"

// databaseCommand is a command that opens a database.
type databaseCommand struct {
	*command
	dsn      string
	asJSON   bool
	noBackup bool
	wait     time.Duration
}

func (c *command) migrateDatabase() []*cobra.Command {
	return []*cobra.Command{c.migrateUp(), c.migrateStatus(), c.migrateVerify(), c.migrateDown(), c.migrateBaseline()}
}

// onDatabase makes a command with the flags that all of them have.
func (c *command) onDatabase(use, short, long string, run func(ctx context.Context, d *databaseCommand, args []string) error) (*cobra.Command, *databaseCommand) {
	d := &databaseCommand{command: c}
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			d.dsn = cmp.Or(d.dsn, os.Getenv(dsnEnv))
			if d.dsn == "" {
				return usageError{fmt.Errorf("name the database with --db sqlite:app.db, postgres://... or mysql://..., or with $%s", dsnEnv)}
			}
			return run(cmd.Context(), d, args)
		},
	}
	cmd.Flags().StringVar(&d.dsn, "db", "", "the database's DSN; $"+dsnEnv+" by default")
	cmd.Flags().BoolVar(&d.asJSON, "json", false, "print the outcome as JSON")
	return cmd, d
}

func (c *command) migrateUp() *cobra.Command {
	cmd, d := c.onDatabase("up", "Apply the migrations that a database lacks",
		"Apply the migrations that a database lacks, in order. One that was interrupted goes on\nwhere it was. A new database is made from the definitions at once.",
		func(ctx context.Context, d *databaseCommand, _ []string) error {
			a, err := d.ask(ctx, protocol.Request{Do: protocol.Up, NoBackup: d.noBackup, Wait: d.wait}, nil)
			if err != nil || d.asJSON {
				return err
			}
			d.applied(a)
			return nil
		})
	d.changes(cmd)
	return cmd
}

// changes adds the flags of what changes a database.
func (d *databaseCommand) changes(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&d.noBackup, "no-backup", false, "make no copy of an SQLite file")
	cmd.Flags().DurationVar(&d.wait, "wait", 0, "how long to wait for another process that migrates; 10m by default")
}

func (d *databaseCommand) applied(a *protocol.Answer) {
	if a.Created {
		fmt.Fprintf(d.err, "%s was new, and has the tables of the definitions\n", a.Database)
		return
	}
	if a.Baseline != "" {
		fmt.Fprintf(d.err, "%s had no record of migrations; by its tables it was at %s\n", a.Database, a.Baseline)
	}
	for _, file := range a.Backups {
		fmt.Fprintf(d.err, "the file as it was is in %s\n", file)
	}
	for _, name := range a.Applied {
		fmt.Fprintf(d.err, "applied %s\n", name)
	}
	if len(a.Applied) == 0 {
		fmt.Fprintf(d.err, "%s lacks no migration\n", a.Database)
	}
}

func (c *command) migrateStatus() *cobra.Command {
	cmd, _ := c.onDatabase("status", "List the migrations, and which of them a database has",
		"List the migrations, and which of them a database has. It exits with 1 when one is missing.",
		func(ctx context.Context, d *databaseCommand, _ []string) error {
			a, err := d.ask(ctx, protocol.Request{Do: protocol.Status}, nil)
			if err != nil {
				return err
			}
			missing := false
			table := tabwriter.NewWriter(d.out, 0, 4, 2, ' ', 0)
			for _, m := range a.Migrations {
				missing = missing || m.Ended == ""
				if !d.asJSON {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", m.Name, m.State, m.Ended, cmp.Or(m.Detail, m.Program))
				}
			}
			if err := table.Flush(); err != nil {
				return err
			}
			if missing {
				return errFound
			}
			return nil
		})
	return cmd
}

func (c *command) migrateVerify() *cobra.Command {
	cmd, _ := c.onDatabase("verify", "Compare the tables of a database with the definitions",
		"Compare the tables of a database with the definitions, and list how they differ. It changes nothing,\nand exits with 1 when something differs.",
		func(ctx context.Context, d *databaseCommand, _ []string) error {
			a, err := d.ask(ctx, protocol.Request{Do: protocol.Verify}, nil)
			if err != nil {
				return err
			}
			if !d.asJSON {
				for _, line := range a.Differences {
					fmt.Fprintln(d.out, line)
				}
				for _, line := range a.Notes {
					fmt.Fprintf(d.err, "note: %s\n", line)
				}
			}
			if len(a.Differences) > 0 {
				return errFound
			}
			return nil
		})
	return cmd
}

func (c *command) migrateDown() *cobra.Command {
	cmd, d := c.onDatabase("down", "Take the last migration of a database back, where that can be",
		"Take the last migration of a database back. One that dropped data or ran a data step cannot be. What was\nwritten to columns that it added is lost.",
		func(ctx context.Context, d *databaseCommand, _ []string) error { return d.down(ctx) })
	d.changes(cmd)
	return cmd
}

func (d *databaseCommand) down(ctx context.Context) error {
	status, err := d.quietly().ask(ctx, protocol.Request{Do: protocol.Status}, nil)
	if err != nil {
		return err
	}
	result, err := d.project(ctx)
	if err != nil {
		return err
	}
	back, err := reverse(result, last(status.Migrations))
	if err != nil {
		return err
	}
	a, err := d.ask(ctx, protocol.Request{Do: protocol.Down, Back: back, NoBackup: d.noBackup, Wait: d.wait}, result)
	if err != nil || d.asJSON {
		return err
	}
	for _, file := range a.Backups {
		fmt.Fprintf(d.err, "the file as it was is in %s\n", file)
	}
	fmt.Fprintf(d.err, "took %s back\n", back.Name)
	return nil
}

// last is the last migration that a database has begun.
func last(all []protocol.State) string {
	name := ""
	for _, m := range all {
		if m.State != "pending" {
			name = m.Name
		}
	}
	return name
}

// reverse plans the way back from a migration.
func reverse(result *gen.Result, name string) (*protocol.Script, error) {
	if name == "" {
		return nil, errors.New("the database has no migration to take back")
	}
	chain := result.Migrations.Migrations
	for i, m := range chain {
		if m.Name != name {
			continue
		}
		if i == 0 {
			return nil, fmt.Errorf("%s made the tables: remove the database to take it back", name)
		}
		back := &protocol.Script{Name: name}
		scripts, err := migrate.Back(m, chain[i-1].Snapshot, result.Project.Config.Migrations)
		if err != nil {
			return nil, err
		}
		for j, db := range model.Databases {
			back.SQL[j] = scripts[db].String()
		}
		return back, nil
	}
	return nil, fmt.Errorf("the database has %s, which is no migration of this project", name)
}

func (c *command) migrateBaseline() *cobra.Command {
	cmd, _ := c.onDatabase("baseline NAME", "Record that a database has the migrations up to one, without running them",
		"Record that a database that was made by hand has the migrations up to one. A database whose tables are\nthose of a migration needs this not: it is recognised when it is opened, or by up.",
		func(ctx context.Context, d *databaseCommand, args []string) error {
			result, err := d.project(ctx)
			if err != nil {
				return err
			}
			m, err := find(result, args[0])
			if err != nil {
				return err
			}
			a, err := d.ask(ctx, protocol.Request{Do: protocol.Baseline, Name: m.Name}, result)
			if err != nil || d.asJSON {
				return err
			}
			fmt.Fprintf(d.err, "%s counts as being at %s\n", a.Database, a.Baseline)
			return nil
		})
	cmd.Args = cobra.ExactArgs(1)
	return cmd
}

// quietly is the command without output of its own.
func (d *databaseCommand) quietly() *databaseCommand {
	c := *d.command
	c.out, c.err = io.Discard, io.Discard
	quiet := *d
	quiet.command, quiet.asJSON = &c, false
	return &quiet
}

// ask has modulagen-migrate do something on the database, with the project's migrations.
func (d *databaseCommand) ask(ctx context.Context, r protocol.Request, result *gen.Result) (*protocol.Answer, error) {
	if result == nil {
		var err error
		if result, err = d.project(ctx); err != nil {
			return nil, err
		}
	}
	if result.Migrations.Head() == nil {
		return nil, errors.New("the project has no migrations: modulagen migrate new init records the definitions as they are")
	}
	r.DSN = d.dsn
	a, err := d.run(ctx, r, result)
	if err != nil {
		return nil, err
	}
	if d.asJSON {
		return a, d.printJSON(a)
	}
	return a, nil
}

func (d *databaseCommand) run(ctx context.Context, r protocol.Request, result *gen.Result) (*protocol.Answer, error) {
	path, err := program.Finder{Program: program.Migrate, Project: d.dir, Say: d.say}.Find(ctx)
	if err != nil {
		return nil, err
	}
	return remote.Ask(ctx, path, remote.With(r, result.Migrations, result.Project), func(line string) {
		fmt.Fprintln(d.err, line)
	})
}

// replay runs the migrations on an empty database, and compares its tables with the definitions.
func (k *migrationCheck) replay(ctx context.Context, result *gen.Result) ([]migrationFinding, error) {
	d := databaseCommand{command: k.command}
	a, err := d.quietly().run(ctx, protocol.Request{Do: protocol.Replay}, result)
	if err != nil {
		return nil, err
	}
	var out []migrationFinding
	for _, line := range a.Differences {
		out = append(out, migrationFinding{
			File: result.Project.Config.Migrations, Message: "the migrations, run on an empty SQLite database, do not make the tables of the definitions: " + line,
			Hint: "compare the SQL that was edited with what migrate new writes",
		})
	}
	return out, nil
}
