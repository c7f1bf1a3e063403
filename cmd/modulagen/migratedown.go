package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/migrate/protocol"
	"github.com/hegner123/modulagen/gen/model"
)

func (c *command) migrateDown() *cobra.Command {
	to := ""
	cmd, d := c.forDatabase(&cobra.Command{
		Use:   "down",
		Short: "Take the last migration of a database back, where that can be",
		Long: `Take the last migration of a database back, or all after another. One that removed data or
ran a data step cannot be taken back. What was written to columns and tables that it added is lost.`,
		Example: "  modulagen migrate down --db sqlite:app.db\n  modulagen migrate down --db sqlite:app.db --to 0001_init",
	}, func(ctx context.Context, d *database, _ []string) error { return d.down(ctx, to) })
	d.changes(cmd)
	cmd.Flags().StringVar(&to, "to", "", "the migration that stays the last one, instead of the one before")
	return cmd
}

// downOutcome is what down --json prints.
type downOutcome struct {
	Database  string   `json:"database"`
	TakenBack []string `json:"taken_back"`
	Backups   []string `json:"backups"`
}

func (d *database) down(ctx context.Context, to string) error {
	result, err := d.recorded(ctx)
	if err != nil {
		return err
	}
	if to != "" {
		m, err := find(result, to)
		if err != nil {
			return err
		}
		to = m.Name
	}
	status, err := d.ask(ctx, protocol.Request{Do: protocol.Status}, result)
	if err != nil {
		return err
	}
	leaving, err := after(status, to)
	if err != nil {
		return err
	}
	var scripts []*protocol.Script
	for _, name := range leaving { // all of them, before the first is run
		s, err := d.back(result, name)
		if err != nil {
			return err
		}
		scripts = append(scripts, s)
	}
	return d.takeBack(ctx, result, scripts)
}

func (d *database) takeBack(ctx context.Context, result *gen.Result, scripts []*protocol.Script) error {
	out := downOutcome{TakenBack: []string{}, Backups: []string{}}
	for _, s := range scripts {
		a, err := d.ask(ctx, protocol.Request{Do: protocol.Down, Back: s, NoBackup: d.noBackup, Wait: d.wait}, result)
		if err != nil {
			return err
		}
		out.Database = a.Database
		out.TakenBack = append(out.TakenBack, s.Name)
		out.Backups = append(out.Backups, a.Backups...)
		if !d.asJSON {
			d.copied(a)
			fmt.Fprintf(d.err, "took %s back; a program that has it applies it again: remove %s and change the definitions back\n",
				s.Name, path.Join(result.Project.Config.Migrations, s.Name))
		}
	}
	if d.asJSON {
		return d.printJSON(out)
	}
	return nil
}

// after lists the migrations of a database that come after one, the last first; without a name it is
// the last one alone.
func after(status *protocol.Answer, to string) ([]string, error) {
	var there []string
	for _, m := range status.Migrations {
		if m.Unknown {
			return nil, fmt.Errorf("%s has the migration %s, which is none of this project: take it back with the version of the project that has it", status.Database, m.Name)
		}
		if m.State != "pending" {
			there = append(there, m.Name)
		}
	}
	if len(there) == 0 {
		return nil, fmt.Errorf("%s has no migration to take back", status.Database)
	}
	from := len(there) - 1
	if to != "" {
		at := slices.Index(there, to)
		if at < 0 {
			return nil, fmt.Errorf("%s does not have %s: modulagen migrate status lists what it has", status.Database, to)
		}
		if from = at + 1; from == len(there) {
			return nil, fmt.Errorf("%s is the last migration of %s: nothing comes after it", to, status.Database)
		}
	}
	out := slices.Clone(there[from:])
	slices.Reverse(out)
	return out, nil
}

// back plans the way back from a migration.
func (d *database) back(result *gen.Result, name string) (*protocol.Script, error) {
	chain := result.Migrations.Migrations
	i := slices.IndexFunc(chain, func(m *migrate.Migration) bool { return m.Name == name })
	if i == 0 {
		return nil, fmt.Errorf("%s is the first migration: to take it back, remove the database", name)
	}
	if db, ok := databaseOf(d.dsn); ok && !slices.Contains(chain[i].Databases(), db) {
		return nil, fmt.Errorf("%s cannot be taken back on %s: it has no SQL for it, since the project did not target it when that was written", name, db)
	}
	scripts, err := migrate.Back(chain[i], chain[i-1].Snapshot, result.Project.Config.Migrations)
	if errors.Is(err, migrate.ErrOneWay) {
		return nil, fmt.Errorf("%w; restore a backup, or write a further migration that brings back what is missing", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be taken back: %s", name, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	s := &protocol.Script{Name: name}
	for j, db := range model.Databases {
		if one := scripts[db]; one != nil {
			s.SQL[j] = one.String()
		}
	}
	return s, nil
}
