package migrate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Set is the migrations of a program. Generated code has one; it must not be changed.
type Set struct {
	Files  fs.FS
	Folder string      // of Files, with a folder for each migration
	List   []Migration // in order, each after its parent
}

// Migration is one version of the definitions.
type Migration struct {
	Name      string
	Parent    string    // of the one before; empty: it is the first
	Checksums [3]string // of its SQL (script.Checksum), by sqltext.Dialect; empty: it has none for that database
}

// lacksSQL reports whether the project did not target a database when the migration was written. A
// database that is created later counts as having the migration; an older one cannot be migrated.
func (m Migration) lacksSQL(d sqltext.Dialect) bool { return m.Checksums[d] == "" }

// Options say how migrations are run. The zero value is the sensible choice.
type Options struct {
	Logger   *slog.Logger  // steps, with rows and durations, and waits; nil is silent
	NoBackup bool          // makes no copy of an SQLite file
	Wait     time.Duration // for another process that migrates, and for locks on SQLite; 0 is 10 minutes
	Program  string        // recorded as the program that applied a migration; empty: executable, host and process id
	Store    store.Options // of the database that data steps in Go are given
}

const defaultWait = 10 * time.Minute

func (o Options) filled() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Wait = cmp.Or(o.Wait, defaultWait)
	o.Program = cmp.Or(o.Program, programName())
	return o
}

// of returns the options for a database that was opened with others.
func of(opts store.Options) Options {
	return Options{Logger: opts.Logger, NoBackup: opts.NoBackup, Wait: opts.MigrateWait, Store: opts}
}

func programName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "a host without a name"
	}
	return fmt.Sprintf("%s on %s, process %d", filepath.Base(os.Args[0]), host, os.Getpid())
}

// Report is what Up did.
type Report struct {
	Created  bool     // the database was new, and has been made from the schema
	Baseline string   // the migration at which a database without a record of them was found to be; empty: it had one
	Applied  []string // in order
	Others   []string // in order: migrations that another process has finished meanwhile
	Waits    []string // migrations that wait for programs of the version before, a line each
	Lacks    bool     // a migration is missing without which Open refuses the database: one that waits, or that follows one
	Backups  []string // files to which SQLite's database was copied first
}

func (s *Set) find(name string) int {
	return slices.IndexFunc(s.List, func(m Migration) bool { return m.Name == name })
}

func (s *Set) head() string {
	if len(s.List) == 0 {
		return ""
	}
	return s.List[len(s.List)-1].Name
}

// file is the path of a migration's SQL in the folder of migrations.
func file(name string, d sqltext.Dialect) string { return name + "/" + d.String() + ".sql" }

// script reads the SQL of a migration, and checks that it is what was generated. It must not be called
// for one that lacks SQL.
func (s *Set) script(m Migration, d sqltext.Dialect) (*script.Script, error) {
	text, err := fs.ReadFile(s.Files, path.Join(s.Folder, file(m.Name, d)))
	if err != nil {
		return nil, fmt.Errorf("store: the program's migration %s: %w", m.Name, err)
	}
	if script.Checksum(string(text)) != m.Checksums[d] {
		return nil, fmt.Errorf("store: %s was changed after the code was generated: run \"modulagen generate\" and build the program anew", file(m.Name, d))
	}
	sc, err := script.Parse(file(m.Name, d), string(text))
	if err != nil {
		return nil, err
	}
	return sc, s.belongs(m, sc, d)
}

// belongs refuses the file of another migration, which would be recorded under the wrong name.
func (s *Set) belongs(m Migration, sc *script.Script, d sqltext.Dialect) error {
	if err := sc.Belongs(file(m.Name, d), m.Name, m.Parent); err != nil {
		return err
	}
	if at := s.find(sc.After); sc.After != "" && (at < 0 || at > s.find(m.Name)) {
		return fmt.Errorf("store: %s waits for programs from before %s, which is neither it nor a migration before it: correct the line", file(m.Name, d), sc.After)
	}
	return nil
}

// tables returns the fingerprints of a migration's tables on one database, by name.
func (s *Set) tables(m Migration, d sqltext.Dialect) (map[string]string, error) {
	text, err := fs.ReadFile(s.Files, path.Join(s.Folder, m.Name, "tables.json"))
	if err != nil {
		return nil, fmt.Errorf("store: the program's migration %s: %w", m.Name, err)
	}
	var all map[string]map[string]string
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("store: %s/tables.json: %w", m.Name, err)
	}
	return all[d.String()], nil
}

// names returns the names of a schema's tables.
func names(schema *core.Schema) []string {
	out := make([]string, len(schema.Tables))
	for i, t := range schema.Tables {
		out[i] = t.Name
	}
	return out
}

// now is the moment by the clock of the options.
func (o Options) now() time.Time {
	if o.Store.Now != nil {
		return core.Moment(o.Store.Now())
	}
	return core.Moment(time.Now())
}
