package migrate

import (
	"context"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// Status is what a database has of the migrations.
type Status struct {
	Recorded   bool // the database has a record; false: it is new, or was made without migrations
	Migrations []Entry
}

// Entry is one migration: those of the program in their order, then those that only the database has.
type Entry struct {
	Name, Parent        string
	State               State
	Unknown             bool      // the program does not have it
	Adds                bool      // of one that is recorded: a program of the version before can go on
	Refused             string    // why it cannot
	NoSQL               bool      // the project did not target this database when it was written
	Edited              bool      // the file was changed after it was applied
	Statements, Of      int64     // that have taken effect; Of is 0 where the script is not known
	RowsDone, RowsTotal int64     // of the data step that runs
	StartedAt           time.Time // zero: not begun
	EndedAt             time.Time // zero: not ended
	Program             string    // that applied it, or is at it
	Waits               []string  // programs of the version before that have to end first
}

// Applied reports whether the database has the migration as a whole, and as the program has it.
func (e Entry) Applied() bool { return !e.Edited && e.State.applied() }

// Status reads what is recorded; it changes nothing.
func (s *Set) Status(ctx context.Context, b core.Backend) (*Status, error) {
	st, err := inspect(ctx, b, b, nil)
	if err != nil {
		return nil, err
	}
	out := &Status{Recorded: len(st.rows) > 0}
	for _, m := range s.List {
		e := Entry{Name: m.Name, Parent: m.Parent, State: Pending, NoSQL: m.lacksSQL(b.Dialect())}
		sc := &script.Script{}
		if !e.NoSQL {
			if sc, err = s.script(m, b.Dialect()); err != nil {
				return nil, err
			}
		}
		if r := st.row(m.Name); r != nil {
			noSQL := e.NoSQL
			e = r.entry()
			e.NoSQL = noSQL
			e.Edited = edited(r, m, sc, b)
		}
		for i := range sc.Steps {
			e.Of += int64(sc.Steps[i].Units())
		}
		if e.State == Pending && st.ledger {
			if e.Waits, err = s.older(ctx, b, b, sc.After); err != nil {
				return nil, err
			}
		}
		if e.State.applied() {
			e.Statements = e.Of
		}
		out.Migrations = append(out.Migrations, e)
	}
	for _, r := range s.unknown(st) {
		e := r.entry()
		e.Unknown = true
		out.Migrations = append(out.Migrations, e)
	}
	return out, nil
}

// edited reports whether the file is not what has taken effect.
func edited(r *row, m Migration, sc *script.Script, b core.Backend) bool {
	switch {
	case r.State == Down, r.Checksum == "":
		return false
	case r.State == Running:
		return r.Checksum != newRun(b, nil, sc, Options{}).digest(r.Statement)
	}
	return r.Checksum != m.Checksums[b.Dialect()]
}

func (r *row) entry() Entry {
	return Entry{
		Name: r.ID, Parent: r.Parent, State: r.State, Adds: r.Adds, Refused: r.Refused, Statements: r.Statement,
		RowsDone: r.RowsDone, RowsTotal: r.RowsTotal, StartedAt: r.StartedAt, EndedAt: r.EndedAt.V, Program: r.Program,
	}
}

// Found is how the tables of a database differ from a schema.
type Found struct {
	Differences []string // each a line for people; none, and the database is what the definitions say
	Statements  []string // that mend some of them without touching a value, without semicolons
	Notes       []string // tables that the schema does not know, such as those of other programs
}

// Verify compares the tables of a database with a schema. It changes nothing.
func Verify(ctx context.Context, b core.Backend, schema *core.Schema) (Found, error) {
	st, err := inspect(ctx, b, b, schema)
	if err != nil {
		return Found{}, err
	}
	var out Found
	out.Differences, out.Statements = core.Compare(b.Dialect(), schema, st.found)
	out.Notes, err = otherTables(ctx, b, schema)
	return out, err
}

var tableLists = [...]string{
	"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name",
	"SELECT relname FROM pg_class AS c WHERE relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) AND relnamespace = current_schema()::regnamespace ORDER BY relname",
	"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME",
}

func otherTables(ctx context.Context, b core.Backend, schema *core.Schema) (out []string, err error) {
	known := map[string]bool{Ledger: true}
	for _, n := range names(schema) {
		known[n] = true
	}
	var name string
	err = b.Query(ctx, tableLists[b.Dialect()], nil, []any{&name}, func() error {
		if !known[name] {
			out = append(out, name+": the database has a table that the definitions do not know")
		}
		return nil
	})
	return out, err
}
