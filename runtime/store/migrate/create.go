package migrate

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// record makes sure that the database has a record of its migrations: a new one is created, and one
// that was made without migrations is recognised by its tables.
func (s *Set) record(ctx context.Context, b core.Backend, schema *core.Schema, o Options, out *Report) (*state, error) {
	st, err := inspect(ctx, b, b, schema)
	if err != nil || len(st.rows) > 0 && !st.creating() || len(s.List) == 0 {
		return st, err
	}
	old, err := s.oldTables(ctx, b, b, schema)
	if err != nil {
		return nil, err
	}
	if len(st.rows) == 0 && len(old) > 0 {
		// Another process may be creating the tables that were found.
		if again, err := inspect(ctx, b, b, nil); err != nil {
			return nil, err
		} else if len(again.rows) > 0 {
			return s.record(ctx, b, schema, o, out)
		}
	}
	if len(st.rows) > 0 || len(old) == 0 {
		out.Created, err = s.create(ctx, b, schema, o)
	} else {
		out.Baseline, err = s.recognize(ctx, b, schema, old, o)
	}
	if err != nil {
		return nil, err
	}
	return inspect(ctx, b, b, schema)
}

// oldTables describes the tables that some version of the definitions has, and that are there.
func (s *Set) oldTables(ctx context.Context, b core.Backend, from core.Session, schema *core.Schema) ([]core.TableDef, error) {
	all := map[string]bool{}
	for _, n := range names(schema) {
		all[n] = true
	}
	for _, m := range s.List {
		tables, err := s.tables(m, b.Dialect())
		if err != nil {
			return nil, err
		}
		for n := range tables {
			all[n] = true
		}
	}
	return b.Inspect(ctx, from, slices.Sorted(maps.Keys(all)))
}

// create makes all tables, while no other process does. The rows of all migrations come first: on MySQL,
// a process that is killed halfway would otherwise leave tables of an unknown version.
func (s *Set) create(ctx context.Context, b core.Backend, schema *core.Schema, o Options) (created bool, err error) {
	d := b.Dialect()
	err = b.Exclusive(ctx, func(sess core.Session) error {
		st, err := inspect(ctx, b, sess, schema)
		if err != nil || len(st.rows) > 0 && !st.creating() {
			return err // another process was faster
		}
		if len(st.rows) == 0 && len(st.found) > 0 {
			return fmt.Errorf("store: %s: another process created tables at the same time, without a record of their version: %w", b.Name(), store.ErrBusy)
		}
		if err := s.insertAll(ctx, sess, d, Creating, o, len(s.List)); err != nil {
			return err
		}
		if err := core.Create(ctx, sess, d, schema, st.found); err != nil {
			return err
		}
		for _, m := range s.List {
			if err := (set{[]string{"state", "ended_at"}, []any{string(Created), o.now()}}).update(ctx, sess, d, m.Name); err != nil {
				return err
			}
		}
		created = true
		return nil
	})
	return created && err == nil, err
}

// insertAll makes the ledger, and a row for each of the first n migrations that has none.
func (s *Set) insertAll(ctx context.Context, sess core.Session, d sqltext.Dialect, state State, o Options, n int) error {
	if _, err := sess.Exec(ctx, ledgerDDL[d], nil); err != nil {
		return fmt.Errorf("store: creating %s: %w", Ledger, err)
	}
	rows, err := readLedger(ctx, sess, d)
	if err != nil {
		return err
	}
	for _, m := range s.List[:n] {
		if slices.ContainsFunc(rows, func(r row) bool { return r.ID == m.Name }) {
			continue
		}
		refused := fmt.Sprintf("it has no SQL for %s, so that what it changes is not known", d)
		if !m.lacksSQL(d) {
			sc, err := s.script(m, d)
			if err != nil {
				return err
			}
			refused = sc.Refused
		}
		r := row{
			ID: m.Name, Parent: m.Parent, Checksum: m.Checksums[d], State: state, StartedAt: o.now(), Program: short(o.Program),
			Adds: refused == "", Refused: short(refused),
		}
		if state == Baseline {
			r.EndedAt = store.Some(r.StartedAt)
		}
		if err := r.insert(ctx, sess, d); err != nil {
			return err
		}
	}
	return nil
}

// recognize finds the version of a database without a record, and records it: the last one whose
// tables are the same, or else the last one whose tables differ only by further indexes that are not unique.
func (s *Set) recognize(ctx context.Context, b core.Backend, schema *core.Schema, old []core.TableDef, o Options) (string, error) {
	found := -1
	for i := len(s.List) - 1; i >= 0; i-- {
		fits, exactly, err := s.fits(b.Dialect(), s.List[i], old)
		if err != nil {
			return "", err
		}
		if exactly || fits && found < 0 {
			found = i
		}
		if exactly {
			break
		}
	}
	if found >= 0 {
		if err := s.alone(b, found); err != nil {
			return "", err
		}
		o.Logger.InfoContext(ctx, "store: the database was made without migrations, and its tables are recorded as those of one",
			"database", b.Name(), "migration", s.List[found].Name)
		return s.List[found].Name, s.baseline(ctx, b, found+1, o)
	}
	return "", s.unrecognized(b, schema, old)
}

// unrecognized says how tables without a record differ from those of the migration that they are nearest to.
func (s *Set) unrecognized(b core.Backend, schema *core.Schema, old []core.TableDef) error {
	at, differ, err := s.nearest(b.Dialect(), old)
	if err != nil {
		return err
	}
	e := &store.SchemaError{Database: b.Name(), Migrates: true}
	if at >= 0 && at < len(s.List)-1 {
		name := s.List[at].Name
		e.Differences = append([]string{"the tables have no record of migrations, and are those of none; nearest are those of " + name + ", but for:"}, differ...)
		e.Advice = fmt.Sprintf("make these tables as %[1]s has them, which schema.sql of the commit with that migration shows (\"modulagen migrate verify --db DSN\" lists their columns beside those of today); or, where they differ on purpose, record that: "+
			"\"modulagen migrate baseline --db DSN %[1]s\"; \"modulagen migrate up --db DSN\" applies those after it", name)
		return e
	}
	e.Differences, e.Statements = core.Compare(b.Dialect(), schema, old)
	e.Differences = append([]string{"the tables have no record of migrations, and are those of none; from those of " + s.head() + " they differ by:"}, e.Differences...)
	e.Advice = "where they are those of a migration but for changes that are meant, record that: \"modulagen migrate baseline --db DSN NAME\"; " +
		"otherwise change the tables until \"modulagen migrate verify --db DSN\" finds no difference"
	return e
}

// alone refuses a version whose tables are also those of an earlier one, where the migrations between
// them have steps: a decimal that SQLite stores as a whole number, for instance, does not show its scale.
func (s *Set) alone(b core.Backend, found int) error {
	tables, err := s.tables(s.List[found], b.Dialect())
	if err != nil {
		return err
	}
	steps := 0
	for i := found; i > 0 && !s.List[i].lacksSQL(b.Dialect()); i-- {
		sc, err := s.script(s.List[i], b.Dialect())
		if err != nil {
			return err
		}
		steps += len(sc.Steps)
		before, err := s.tables(s.List[i-1], b.Dialect())
		if err != nil {
			return err
		}
		if steps > 0 && maps.Equal(tables, before) {
			return &store.SchemaError{
				Database: b.Name(), Migrates: true,
				Differences: []string{fmt.Sprintf("there is no record of migrations, and the tables are those of %s and of %s alike", s.List[i-1].Name, s.List[found].Name)},
				Advice:      "record which of them it is: \"modulagen migrate baseline --db DSN NAME\"",
			}
		}
	}
	return nil
}

// fits reports whether the tables are those of a migration, all of its own and none that only
// other migrations have; and whether that is so without further indexes.
func (s *Set) fits(d sqltext.Dialect, m Migration, old []core.TableDef) (fits, exactly bool, err error) {
	tables, err := s.tables(m, d)
	if err != nil || len(tables) != len(old) {
		return false, false, err
	}
	exactly = true
	for _, t := range old {
		print := core.Fingerprint(d, t)
		wanted, ok := tables[t.Name]
		if !ok || !core.Fits(wanted, print) {
			return false, false, nil
		}
		exactly = exactly && wanted == print
	}
	return true, exactly, nil
}

func (s *Set) baseline(ctx context.Context, b core.Backend, n int, o Options) error {
	return b.Exclusive(ctx, func(sess core.Session) error {
		return s.insertAll(ctx, sess, b.Dialect(), Baseline, o, n)
	})
}

// Baseline records that a database has all migrations up to one, without comparing: for a database
// that was made by hand. It refuses one that has a record already, unless the tables are those of that
// migration, and no longer those of the last one that is recorded.
func (s *Set) Baseline(ctx context.Context, b core.Backend, schema *core.Schema, upTo string, o Options) error {
	o = o.filled()
	at := s.find(upTo)
	if at < 0 {
		return fmt.Errorf("store: there is no migration %q; the last one is %s", upTo, s.head())
	}
	st, err := inspect(ctx, b, b, schema)
	if err != nil {
		return err
	}
	if len(st.found) == 0 && schema != nil {
		return fmt.Errorf("store: %s is empty: opening it creates the tables and records that", b.Name())
	}
	return b.Exclusive(ctx, func(sess core.Session) error {
		if err := unrecorded(ctx, b, sess); err != nil { // another process may have been faster
			if advanced, failed := s.advance(ctx, b, sess, schema, at, o); advanced || failed != nil {
				return failed
			}
			return err
		}
		return s.insertAll(ctx, sess, b.Dialect(), Baseline, o, at+1)
	})
}

func unrecorded(ctx context.Context, b core.Backend, from core.Session) error {
	st, err := inspect(ctx, b, from, nil)
	if err == nil && len(st.rows) > 0 {
		err = fmt.Errorf("store: %s has a record of migrations, of which the last is %s: \"modulagen migrate up\" goes on from there",
			b.Name(), st.rows[len(st.rows)-1].ID)
	}
	return err
}
