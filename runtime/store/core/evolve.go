package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Migrator is implemented by a Backend whose tables can be changed while other processes use them.
type Migrator interface {
	// Migration opens a connection for changing tables. Where the database cannot be migrated
	// over this DSN, the error says what to do.
	Migration(ctx context.Context) (Migration, error)
}

// MigrationWatcher is implemented by a Backend that can tell whether a process migrates.
type MigrationWatcher interface {
	// Migrating reports whether a process holds the lock of a Migration. SQLite has no such lock: there it reports
	// whether another process has been writing for longer than the busy timeout.
	Migrating(ctx context.Context) (bool, error)
}

// Migration is a connection on which tables are changed. It waits only a moment for a lock, and then
// fails with ErrBusy. On SQLite foreign keys are not enforced on it.
type Migration interface {
	Session // each statement by itself
	// Begin starts a transaction.
	Begin(ctx context.Context) (Transaction, error)
	// Lock takes the lock that one process at a time has, until Close; false where another has it. On SQLite,
	// where transactions do that, it is always true.
	Lock(ctx context.Context) (bool, error)
	// Refuses reports whether err says that the database cannot make a change in the required way, such
	// as ALGORITHM=INSTANT.
	Refuses(err error) bool
	Close() error
}

// Attach returns a DB over an open backend, for steps of a migration: its writes wake no
// listeners. Closing it closes b.
func Attach(b Backend, opts store.Options) *DB {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Attempts <= 0 {
		opts.Attempts = defaultAttempts
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return newDB(&shared{opts: opts, done: make(chan struct{})}, b, 0)
}

// Below returns the backend and the options of a DB, for migrations and for the drivers' Pool.
func Below(db *DB) (Backend, store.Options) { return db.backend, db.opts }

// Create creates the tables of a schema that were not found. In those that were, it adds the references that
// are missing because a process was killed while it created them.
func Create(ctx context.Context, s Session, d sqltext.Dialect, schema *Schema, found []TableDef) error {
	return create(ctx, s, schema.DDL[d], func(table, text string) bool {
		i := slices.IndexFunc(found, func(t TableDef) bool { return t.Name == table })
		if i < 0 {
			return true
		}
		wanted := read(d, []string{text}).references
		if !altering.MatchString(text) || len(wanted) == 0 {
			return false
		}
		has := factsOf(d, found[i]).references
		return !slices.ContainsFunc(has, func(r reference) bool { return r.name == wanted[0].name })
	})
}

// Expected returns the tables of a schema as Inspect would find them.
func Expected(d sqltext.Dialect, schema *Schema) []TableDef {
	statements := map[string][]string{}
	for _, text := range Statements(schema.DDL[d]) {
		m := creation.FindStringSubmatch(text)
		if m != nil && !strings.EqualFold(firstWord(text[len("CREATE"):]), "TABLE") {
			continue
		}
		if m == nil {
			m = altering.FindStringSubmatch(text)
		}
		if m != nil {
			statements[m[1]] = append(statements[m[1]], text)
		}
	}
	out := make([]TableDef, len(schema.Tables))
	for i, t := range schema.Tables {
		out[i] = TableDef{Name: t.Name, Columns: t.on(d), Indexes: t.Indexes, Checks: statements[t.Name]}
	}
	return out
}

// Compare returns every difference of the tables that were found from a schema, each a line for
// people: missing tables too, and foreign keys. Beside them it returns the statements, without
// semicolons, that mend those of them that can be mended without touching a value.
func Compare(d sqltext.Dialect, schema *Schema, found []TableDef) (differences, statements []string) {
	return compare(d, schema, found, false)
}

// Unfit is Compare without the differences that do not keep a program from working: further columns that may be
// null, indexes that only make it faster, and checks that allow more than the definition.
func Unfit(d sqltext.Dialect, schema *Schema, found []TableDef) (differences, statements []string) {
	return compare(d, schema, found, true)
}

func compare(d sqltext.Dialect, schema *Schema, found []TableDef, unfit bool) (differences, statements []string) {
	e := newDifferences(d, schema, unfit)
	for _, w := range schema.Tables {
		if !holds(found, w.Name) {
			e.lacksTable(w.Name, found)
		}
	}
	e.tables(d, schema, found, true)
	return e.lines, e.statements
}

// Extra returns the indexes of tables that a schema does not have and that only make queries faster or writes
// slower, each a line for people. Unique ones, which refuse rows, are in Compare.
func Extra(d sqltext.Dialect, schema *Schema, found []TableDef) (lines []string) {
	for _, w := range schema.Tables {
		i := slices.IndexFunc(found, func(t TableDef) bool { return t.Name == w.Name })
		if i < 0 {
			continue
		}
		t := found[i]
		references := factsOf(d, t).references
		for _, x := range t.Indexes {
			known := slices.ContainsFunc(w.Indexes, func(o Index) bool { return strings.EqualFold(o.Name, x.Name) })
			// MySQL makes an index for a foreign key that has none, and names it as the key.
			ofKey := d == sqltext.MySQL && slices.ContainsFunc(references, func(r reference) bool { return strings.EqualFold(r.name, x.Name) })
			if !x.Unique && !known && !ofKey {
				lines = append(lines, fmt.Sprintf("%s: the database has the %s that the definition does not know", t.Name, x.describe(t)))
			}
		}
	}
	return lines
}

func (e *differenceList) lacksTable(name string, found []TableDef) {
	e.addf("%s: the table is missing", name)
	e.mended(e.mends().all(name, found)...)
}

// Lacking is Compare for missing tables and columns alone, which a program cannot do without in a database
// that is newer than it.
func Lacking(d sqltext.Dialect, schema *Schema, found []TableDef) (differences, statements []string) {
	e := newDifferences(d, schema, false)
	for _, w := range schema.Tables {
		i := slices.IndexFunc(found, func(t TableDef) bool { return t.Name == w.Name })
		if i < 0 {
			e.lacksTable(w.Name, found)
			continue
		}
		for _, c := range w.Columns {
			if !slices.ContainsFunc(found[i].Columns, func(f Column) bool { return f.Name == c.Name }) {
				e.lacks(d, w.Name, c)
			}
		}
	}
	return e.lines, e.statements
}

func (e *differenceList) references(d sqltext.Dialect, table string, wanted, found []reference) {
	for _, w := range wanted {
		if w.table != table {
			continue
		}
		i := slices.IndexFunc(found, func(r reference) bool { return r.same(d, w) })
		if i < 0 {
			e.addf("%s: the %s is missing", table, w.describe(d))
			if _, missing := e.unmade[table+"."+w.column]; !missing { // the statement of a column that is has it
				e.mended(e.mends().reference(table, w.column))
			}
		} else if f := found[i].describe(d); f != w.describe(d) {
			e.addf("%s: the database has the %s, the definition wants the %s", table, f, w.describe(d))
		}
	}
	for _, f := range found {
		if !slices.ContainsFunc(wanted, func(r reference) bool { return r.table == table && r.same(d, f) }) {
			e.addf("%s: the database has the %s that the definition does not know", table, f.describe(d))
		}
	}
}

// same reports whether two references are the same one, perhaps with different actions. SQLite does not return
// the names of foreign keys.
func (r reference) same(d sqltext.Dialect, o reference) bool {
	if d == sqltext.SQLite {
		return r.column == o.column
	}
	return strings.EqualFold(r.name, o.name)
}

// describe returns "foreign key name (column to table, on delete restrict)".
func (r reference) describe(d sqltext.Dialect) string {
	action := r.onDelete
	if action == "" && d == sqltext.MySQL { // it has no other
		action = "RESTRICT"
	}
	text := fmt.Sprintf("foreign key %s (%s to %s", strings.ToLower(r.name), r.column, r.to)
	if d == sqltext.SQLite {
		text = fmt.Sprintf("foreign key (%s to %s", r.column, r.to)
	}
	if action != "" {
		text += ", on delete " + strings.ToLower(action)
	}
	return text + ")"
}

// Fingerprint returns what distinguishes a table from other versions of it. It is the same for a table of
// Expected and for the same table as an Inspect finds it. Fits compares two of them.
func Fingerprint(d sqltext.Dialect, t TableDef) string {
	var lines, plain []string
	for _, c := range t.Columns {
		lines = append(lines, fmt.Sprintf("column %s %s %t", c.Name, canonicalType(d, c.Types[d]), c.Null))
	}
	for _, x := range t.Indexes {
		text := x.describe(t)
		switch {
		case x.Unique && d == sqltext.MySQL: // its columns may be generated ones
			lines = append(lines, "unique index "+strings.ToLower(x.Name))
		case x.Unique:
			lines = append(lines, text)
		case d == sqltext.MySQL:
			plain = append(plain, strings.NewReplacer(" desc", "", " on some rows", "").Replace(text))
		default:
			plain = append(plain, text)
		}
	}
	lines = append(lines, constraintLines(d, t)...)
	slices.Sort(lines)
	slices.Sort(plain)
	print := short(strings.Join(lines, "\n"), 16)
	for _, x := range plain {
		print += " " + short(x, 4)
	}
	return print
}

// constraintLines are the checks and foreign keys of a table.
func constraintLines(d sqltext.Dialect, t TableDef) []string {
	var out []string
	f := factsOf(d, t)
	for column, l := range f.tables[t.Name] {
		options := slices.Sorted(slices.Values(l.options))
		if l.options != nil || l.length != "" {
			out = append(out, fmt.Sprintf("check %s %q %s", column, options, l.length))
		}
	}
	for _, r := range f.references {
		out = append(out, r.describe(d))
	}
	return out
}

func short(text string, bytes int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:bytes])
}

// Fits reports whether a table that was found is the one that a fingerprint describes. It may have
// further indexes that are not unique: MySQL adds some, and so do people.
func Fits(wanted, found string) bool {
	w, f := strings.Fields(wanted), strings.Fields(found)
	if len(w) == 0 || len(f) == 0 || w[0] != f[0] {
		return false
	}
	return !slices.ContainsFunc(w[1:], func(x string) bool { return !slices.Contains(f[1:], x) })
}
