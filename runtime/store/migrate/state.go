package migrate

import (
	"context"
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// state is what was read from a database: its tables, and the record of its migrations.
type state struct {
	found  []core.TableDef // of the schema's tables
	ledger bool            // the table is there
	rows   []row
}

// inspect reads the tables of the schema and the ledger. Where tables are missing, another process
// may be creating them: it looks again until it sees the same twice.
func inspect(ctx context.Context, b core.Backend, s core.Session, schema *core.Schema) (*state, error) {
	st, err := look(ctx, b, s, schema)
	for err == nil && schema != nil && len(st.found) < len(schema.Tables) {
		before := st
		if st, err = look(ctx, b, s, schema); err == nil && len(st.found) == len(before.found) && len(st.rows) == len(before.rows) {
			break
		}
	}
	return st, err
}

func look(ctx context.Context, b core.Backend, s core.Session, schema *core.Schema) (*state, error) {
	var tables []string
	if schema != nil {
		tables = names(schema)
	}
	found, err := b.Inspect(ctx, s, append(tables, Ledger))
	if err != nil {
		return nil, fmt.Errorf("store: reading the database's tables: %w", err)
	}
	st := &state{found: found}
	at := slices.IndexFunc(found, func(t core.TableDef) bool { return t.Name == Ledger })
	if at < 0 {
		return st, nil
	}
	st.ledger = true
	failures := keepsFailures(found[at])
	st.found = slices.Delete(found, at, at+1)
	if st.rows, err = readLedger(ctx, s, b.Dialect()); err != nil {
		return nil, fmt.Errorf("store: reading %s: %w", Ledger, err)
	}
	if failures {
		if err := readFailures(ctx, s, b.Dialect(), st.rows); err != nil {
			return nil, fmt.Errorf("store: reading %s: %w", Ledger, err)
		}
	}
	return st, nil
}

func (st *state) row(name string) *row {
	for i := range st.rows {
		if st.rows[i].ID == name {
			return &st.rows[i]
		}
	}
	return nil
}

// asFar reports whether another state has come equally far. The rows that a step has changed so far do not count:
// they leave the tables as they are, and grow between any two reads.
func (st *state) asFar(other *state) bool {
	return slices.EqualFunc(st.rows, other.rows, func(a, b row) bool {
		return a.ID == b.ID && a.State == b.State && a.Statement == b.Statement && a.Checksum == b.Checksum
	})
}

// creating reports whether a process was killed while it created the tables.
func (st *state) creating() bool {
	return slices.ContainsFunc(st.rows, func(r row) bool { return r.State == Creating })
}

// pending returns the migrations that have not taken effect, in order.
func (s *Set) pending(st *state) []Migration {
	var out []Migration
	for _, m := range s.List {
		if r := st.row(m.Name); r == nil || !r.State.applied() {
			out = append(out, m)
		}
	}
	return out
}

// unknown returns the rows of migrations that the program does not have, and of which something
// has taken effect.
func (s *Set) unknown(st *state) []row {
	var out []row
	for _, r := range st.rows {
		if untouched := r.State == Running && r.Statement == 0 && !r.Begun && r.RowsTotal != closing; s.find(r.ID) < 0 && !untouched {
			out = append(out, r)
		}
	}
	return out
}

// check refuses a database whose record does not match the program's migrations.
func (s *Set) check(b core.Backend, st *state) error {
	e := &store.SchemaError{Database: b.Name(), Migrates: true}
	pending := s.pending(st)
	s.checkSQL(e, b, pending)
	for _, m := range s.List {
		r := st.row(m.Name)
		if r == nil {
			continue
		}
		s.checkRow(e, b, m, r)
		if at := slices.IndexFunc(pending, func(p Migration) bool { return p.Name == m.Parent }); at >= 0 && r.State.applied() {
			e.Differences = append(e.Differences, fmt.Sprintf("%s is applied, and %s before it is not", m.Name, m.Parent))
			e.Advice = fmt.Sprintf("a row of the table %s was removed: restore it", Ledger)
		}
	}
	if unknown := s.unknown(st); len(unknown) > 0 && len(pending) > 0 {
		e.Differences = append(e.Differences, fmt.Sprintf("it has the migration %s, which this program does not know, and lacks %s, which the program has",
			unknown[0].ID, pending[0].Name))
		e.Advice = "the program and the one that migrated the database come from different branches: merge them, and join the migrations as " +
			fmt.Sprintf("\"modulagen migrate check\" says; where that is done, take %s back by \"modulagen migrate down\" in a checkout that has it, or make the database anew", unknown[0].ID)
	}
	if len(e.Differences) > 0 {
		return e
	}
	return nil
}

// checkSQL refuses a database that lacks a migration without SQL for it.
func (s *Set) checkSQL(e *store.SchemaError, b core.Backend, pending []Migration) {
	d := b.Dialect()
	for _, m := range pending {
		if !m.lacksSQL(d) {
			continue
		}
		e.Differences = append(e.Differences, fmt.Sprintf("it lacks %s, which has no SQL for %s: the project did not target %[2]s when that was written", m.Name, d))
		e.Advice = fmt.Sprintf("open a new database, which is created as the definitions are, and copy the rows into it; or write %s by hand, run "+
			"\"modulagen migrate accept %s\" and \"modulagen generate\", and build the program again", file(m.Name, d), m.Name)
	}
}

// checkRow compares what was recorded of a migration with what the program has. Where it had no SQL when the
// database was created, its SQL of today, which someone wrote by hand, has not been run.
func (s *Set) checkRow(e *store.SchemaError, b core.Backend, m Migration, r *row) {
	if r.State == Down {
		e.Differences = append(e.Differences, fmt.Sprintf("%s is being taken back, and that has not ended: it was begun by %s", m.Name, r.Program))
		e.Advice = "finish it: run \"modulagen migrate down --db DSN\" again"
		return
	}
	if r.State != Running && r.Checksum != "" && r.Checksum != m.Checksums[b.Dialect()] { // of one that runs, begin compares what has taken effect
		e.Differences = append(e.Differences, fmt.Sprintf("%s is not what was applied to this database: the file was changed since (%s, by %s)",
			file(m.Name, b.Dialect()), r.State, r.Program))
		e.Advice = "restore the file as it was, from version control, and run \"modulagen generate\"; what it should do beside that belongs into a new " +
			"migration (\"modulagen migrate new NAME\")"
	}
}
