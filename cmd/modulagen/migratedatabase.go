package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hegner123/modulagen/gen"
	"github.com/hegner123/modulagen/gen/migrate/protocol"
	"github.com/hegner123/modulagen/gen/migrate/remote"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/program"
	"github.com/hegner123/modulagen/runtime/store"
)

// dsnEnv names the database where --db does not: a password is better not in a list of processes.
const dsnEnv = "MODULAGEN_DB"

// database is a command that opens a database.
type database struct {
	*command
	dsn      string
	asJSON   bool
	noBackup bool
	wait     time.Duration
}

func (c *command) migrateDatabase() []*cobra.Command {
	return []*cobra.Command{c.migrateUp(), c.migrateStatus(), c.migrateVerify(), c.migrateDown(), c.migrateBaseline()}
}

// forDatabase makes a command with the flags that all of them have.
func (c *command) forDatabase(cmd *cobra.Command, run func(ctx context.Context, d *database, args []string) error) (*cobra.Command, *database) {
	d := &database{command: c}
	if cmd.Args == nil {
		cmd.Args = noDSN
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		d.dsn = cmp.Or(d.dsn, os.Getenv(dsnEnv))
		if d.dsn == "" {
			return usageError{fmt.Errorf("name the database with --db sqlite:app.db, --db postgres://... or --db mysql://..., or in $%s", dsnEnv)}
		}
		if _, ok := databaseOf(d.dsn); !ok {
			return usageError{fmt.Errorf("the DSN in --db or $%s starts with none of sqlite:, postgres:// and mysql://", dsnEnv)}
		}
		return run(cmd.Context(), d, args)
	}
	cmd.Flags().StringVar(&d.dsn, "db", "", "the database's DSN (default: $"+dsnEnv+")")
	cmd.Flags().BoolVar(&d.asJSON, "json", false, "print the outcome as JSON")
	return cmd, d
}

// noDSN refuses arguments, of which one may be a DSN, without printing it.
func noDSN(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%q takes no argument, and has %q: the database is named with --db", cmd.CommandPath(), withoutSecrets(args[0]))
	}
	return nil
}

// changes adds the flags of what changes a database.
func (d *database) changes(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&d.noBackup, "no-backup", false, "make no copy of an SQLite file first")
	cmd.Flags().DurationVar(&d.wait, "wait", 0, "how long to wait for another process that migrates (default 10m)")
}

func (c *command) migrateUp() *cobra.Command {
	cmd, d := c.forDatabase(&cobra.Command{
		Use:   "up",
		Short: "Apply the migrations that a database lacks",
		Long: `Apply the migrations that a database lacks, in order. One that was interrupted goes on
where it was. A new database is made from the definitions at once. The file of an SQLite
database is copied first, unless every step is safe. One that waits for programs of the
version before is left, and named; the exit code is 1 where programs of these definitions
cannot open the database without it.`,
		Example: "  modulagen migrate up --db sqlite:app.db\n  MODULAGEN_DB=postgres://... modulagen migrate up --wait 1m",
	}, func(ctx context.Context, d *database, _ []string) error { return d.up(ctx) })
	d.changes(cmd)
	return cmd
}

// upOutcome is what up --json prints.
type upOutcome struct {
	Database string   `json:"database"`
	Created  bool     `json:"created"`
	Baseline string   `json:"baseline"`
	Applied  []string `json:"applied"`
	Others   []string `json:"others"`
	Waits    []string `json:"waits"`
	Lacks    bool     `json:"lacks"`
	Backups  []string `json:"backups"`
}

func (d *database) up(ctx context.Context) error {
	result, err := d.recorded(ctx)
	if err != nil {
		return err
	}
	a, err := d.ask(ctx, protocol.Request{Do: protocol.Up, NoBackup: d.noBackup, Wait: d.wait}, result)
	if err != nil {
		return err
	}
	if d.asJSON {
		err = d.printJSON(upOutcome{a.Database, a.Created, a.Baseline, list(a.Applied), list(a.Others), list(a.Waits), a.Lacks, list(a.Backups)})
	} else {
		d.applied(a)
	}
	if err == nil && a.Lacks {
		err = errFound
	}
	return err
}

// list is a list that JSON shows as one where it is empty.
func list(all []string) []string { return append([]string{}, all...) }

func (d *database) applied(a *protocol.Answer) {
	if a.Created {
		fmt.Fprintf(d.err, "%s was new, and has the tables of the definitions\n", a.Database)
		return
	}
	if a.Baseline != "" {
		fmt.Fprintf(d.err, "%s had no record of migrations; by its tables it was at %s\n", a.Database, a.Baseline)
	}
	d.copied(a)
	for _, name := range a.Applied {
		fmt.Fprintf(d.err, "applied %s\n", name)
	}
	for _, name := range a.Others {
		fmt.Fprintf(d.err, "another process applied %s meanwhile\n", name)
	}
	for _, line := range a.Waits {
		fmt.Fprintln(d.err, line)
	}
	if a.Lacks {
		fmt.Fprintln(d.err, "programs of these definitions cannot open the database before: end those that are named, and run modulagen migrate up again")
	}
	if len(a.Applied)+len(a.Others)+len(a.Waits) == 0 {
		fmt.Fprintf(d.err, "%s lacks no migration\n", a.Database)
	}
}

func (d *database) copied(a *protocol.Answer) {
	for _, file := range a.Backups {
		fmt.Fprintf(d.err, "the file as it was is in %s\n", file)
	}
}

func (c *command) migrateStatus() *cobra.Command {
	cmd, _ := c.forDatabase(&cobra.Command{
		Use:   "status",
		Short: "List the migrations, and which of them a database has",
		Long: `List the migrations, and which of them a database has. It changes nothing, and exits with 1
when one is missing, unknown or not done.`,
		Example: "  modulagen migrate status --db sqlite:app.db",
	}, func(ctx context.Context, d *database, _ []string) error { return d.status(ctx) })
	return cmd
}

// statusOutcome is what status --json prints.
type statusOutcome struct {
	Database   string           `json:"database"`
	Recorded   bool             `json:"recorded"`
	Migrations []protocol.State `json:"migrations"`
}

func (d *database) status(ctx context.Context) error {
	result, err := d.recorded(ctx)
	if err != nil {
		return err
	}
	a, err := d.ask(ctx, protocol.Request{Do: protocol.Status}, result)
	if err != nil {
		return err
	}
	if d.asJSON {
		err = d.printJSON(statusOutcome{a.Database, a.Recorded, a.Migrations})
	} else {
		err = d.table(a)
	}
	if err != nil {
		return err
	}
	for _, m := range a.Migrations {
		if !m.Applied || m.Unknown {
			return errFound
		}
	}
	return nil
}

func (d *database) table(a *protocol.Answer) error {
	table := tabwriter.NewWriter(d.out, 0, 4, 2, ' ', 0)
	for _, m := range a.Migrations {
		cells := []string{m.Name, m.State, m.Ended, cmp.Or(m.Detail, m.Program)}
		for len(cells) > 2 && cells[len(cells)-1] == "" {
			cells = cells[:len(cells)-1] // no spaces at the end of a line
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	if !a.Recorded {
		fmt.Fprintf(d.err, "%s has no record of migrations: modulagen migrate up finds by its tables which it has\n", a.Database)
	}
	return table.Flush()
}

func (c *command) migrateVerify() *cobra.Command {
	cmd, _ := c.forDatabase(&cobra.Command{
		Use:   "verify",
		Short: "Compare the tables of a database with the definitions",
		Long: `Compare the tables of a database with the definitions, and list how they differ, with the statements
that mend what can be mended without touching a value. Where migrations are pending, they come
first, and each difference for which they account says so. It changes nothing, and exits with 1
when something differs or is pending.`,
		Example: "  modulagen migrate verify --db sqlite:app.db",
	}, func(ctx context.Context, d *database, _ []string) error { return d.verify(ctx) })
	return cmd
}

// verifyOutcome is what verify --json prints.
type verifyOutcome struct {
	Database    string   `json:"database"`
	Pending     []string `json:"pending"`
	Differences []string `json:"differences"`
	Statements  []string `json:"statements"` // that mend some of the differences
	Expected    []string `json:"expected"`
	Notes       []string `json:"notes"`
}

func (d *database) verify(ctx context.Context) error {
	result, err := d.recorded(ctx)
	if err != nil {
		return err
	}
	a, err := d.ask(ctx, protocol.Request{Do: protocol.Verify}, result)
	if err != nil {
		return err
	}
	if d.asJSON {
		if err := d.printJSON(verifyOutcome{a.Database, list(a.Pending), list(a.Differences), list(a.Statements), list(a.Expected), list(a.Notes)}); err != nil {
			return err
		}
	} else {
		for _, line := range a.Pending {
			fmt.Fprintf(d.out, "pending: %s\n", line)
		}
		for _, line := range a.Differences {
			fmt.Fprintln(d.out, line)
		}
		fmt.Fprint(d.out, (&store.SchemaError{Statements: a.Statements}).Mends(0))
		for _, line := range a.Expected {
			fmt.Fprintf(d.out, "%s; a pending migration accounts for that\n", line)
		}
		for _, line := range a.Notes {
			fmt.Fprintf(d.err, "note: %s\n", line)
		}
	}
	if len(a.Pending)+len(a.Differences)+len(a.Expected) > 0 {
		return errFound
	}
	return nil
}

func (c *command) migrateBaseline() *cobra.Command {
	cmd, _ := c.forDatabase(&cobra.Command{
		Use:   "baseline NAME",
		Short: "Record that a database has the migrations up to one, without running them",
		Long: `Record that a database that was made by hand has the migrations up to one. Where its tables are
those of a migration, nothing has to be recorded: opening it, or up, recognises that. A database that
has a record is refused, unless its tables are ahead of it: those of that migration already.`,
		Example: "  modulagen migrate baseline --db sqlite:app.db 0001_init",
		Args:    exactly(1),
	}, func(ctx context.Context, d *database, args []string) error { return d.baseline(ctx, args[0]) })
	return cmd
}

// baselineOutcome is what baseline --json prints.
type baselineOutcome struct {
	Database string `json:"database"`
	Baseline string `json:"baseline"`
}

func (d *database) baseline(ctx context.Context, name string) error {
	result, err := d.recorded(ctx)
	if err != nil {
		return err
	}
	m, err := find(result, name)
	if err != nil {
		return err
	}
	a, err := d.ask(ctx, protocol.Request{Do: protocol.Baseline, Name: m.Name}, result)
	if err != nil {
		return err
	}
	if d.asJSON {
		return d.printJSON(baselineOutcome{a.Database, a.Baseline})
	}
	fmt.Fprintf(d.err, "%s counts as being at %s\n", a.Database, a.Baseline)
	return nil
}

// recorded reads a project that has migrations.
func (c *command) recorded(ctx context.Context) (*gen.Result, error) {
	result, err := c.project(ctx)
	if err == nil && result.Migrations.Head() == nil {
		err = errNoMigrations
	}
	return result, err
}

// ask has something done on the database, and prints what happens.
func (d *database) ask(ctx context.Context, r protocol.Request, result *gen.Result) (*protocol.Answer, error) {
	if db, _ := databaseOf(d.dsn); !result.Project.Targets(db) {
		return nil, fmt.Errorf("the database is one of %s, and the project targets %s: name another one, or add %s to databases in modulagen.yaml and run modulagen generate",
			db, model.List(result.Project.Databases()), db)
	}
	r.DSN = d.dsn
	return d.onDatabase(ctx, r, result, func(line string) { fmt.Fprintln(d.err, line) })
}

// databaseOf returns which database a DSN is of; false: Open would refuse it.
func databaseOf(dsn string) (model.Database, bool) {
	scheme, _, found := strings.Cut(dsn, ":")
	db, known := map[string]model.Database{
		"sqlite": model.SQLite, "postgres": model.Postgres, "postgresql": model.Postgres, "mysql": model.MySQL, "mariadb": model.MySQL,
	}[scheme]
	return db, found && known
}

// onDatabase has modulagen-migrate do something, with the project's migrations; say, if set, is called
// with what happens. Where a file of a migration is at fault, the error is a mistake.List.
func (c *command) onDatabase(ctx context.Context, r protocol.Request, result *gen.Result, say func(line string)) (*protocol.Answer, error) {
	path, err := program.Finder{Program: program.Migrate, Project: c.dir, Say: c.say}.Find(ctx)
	if err != nil {
		return nil, err
	}
	a, err := remote.Ask(ctx, path, remote.With(r, result.Migrations, result.Project), say)
	var failure *protocol.Failure
	if errors.As(err, &failure) && failure.File != "" {
		return nil, gen.Quote(c.dir, inFile(failure, result.Project.Config.Migrations))
	}
	return a, err
}

// inFile is the failure of a migration, at its line.
func inFile(f *protocol.Failure, folder string) error {
	m := mistake.Mistake{File: path.Join(folder, f.File), Line: f.Line, Message: f.Cause}
	if f.Step > 0 {
		m.Message = fmt.Sprintf("step %d (%s) failed: %s", f.Step, f.What, f.Cause)
	}
	m.Hint = goesOn(f)
	return mistake.List{m}
}

// goesOn says where the next attempt begins: on SQLite steps share a transaction.
func goesOn(f *protocol.Failure) string {
	switch {
	case f.Step == 0:
		return "what was done before is recorded: modulagen migrate up goes on there"
	case path.Base(f.File) == "sqlite.sql":
		return "the steps that share a transaction with that one were undone with it: modulagen migrate up runs them again"
	}
	return "what was done before that step is recorded: modulagen migrate up goes on there"
}
