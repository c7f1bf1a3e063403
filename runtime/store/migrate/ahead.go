package migrate

import (
	"context"
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// A database can be ahead of its record: a program ran whose definitions had no migration yet, and made it, or
// someone made a change by hand that the definitions then took over. The migration that follows finds its columns there.

// ahead names the last migration that is pending and whose tables are there already, where those of the one before
// the pending ones are not; empty: there is none. What was begun counts as none, as its tables are on their way.
func (s *Set) ahead(ctx context.Context, b core.Backend, from core.Session, schema *core.Schema) (string, error) {
	old, err := s.oldTables(ctx, b, from, schema) // before the record: another process may be applying what is pending
	if err != nil {
		return "", err
	}
	st, err := inspect(ctx, b, from, schema)
	if err != nil {
		return "", err
	}
	pending := s.pending(st)
	if len(pending) == 0 || st.creating() || slices.ContainsFunc(pending, func(m Migration) bool { return st.begun(m.Name) }) {
		return "", nil
	}
	first := s.find(pending[0].Name)
	if first == 0 {
		return "", nil
	}
	if fits, _, err := s.fits(b.Dialect(), s.List[first-1], old); err != nil || fits {
		return "", err
	}
	for _, m := range slices.Backward(s.List[first:]) {
		if fits, _, err := s.fits(b.Dialect(), m, old); err != nil || fits {
			return m.Name, err
		}
	}
	return "", nil
}

// begun reports whether a statement of a migration has been run, or may have been.
func (st *state) begun(name string) bool {
	r := st.row(name)
	return r != nil && (r.Statement > 0 || r.Begun)
}

// refuseAhead refuses to run migrations whose tables are there already.
func (s *Set) refuseAhead(ctx context.Context, b core.Backend, from core.Session, schema *core.Schema) error {
	name, err := s.ahead(ctx, b, from, schema)
	if err != nil || name == "" {
		return err
	}
	return &store.SchemaError{
		Database: b.Name(), Migrates: true,
		Differences: []string{fmt.Sprintf("its tables are those of %s already, which it has no record of", name)},
		Advice: "so they are after a program ran whose definitions had no migration yet, or after a change by hand. Where the rows are as that migration leaves them too, " +
			fmt.Sprintf("record that: \"modulagen migrate baseline --db DSN %s\"; otherwise make the database anew, or take the change back", name),
	}
}

// advance records that a database with a record is ahead of it, up to a migration.
func (s *Set) advance(ctx context.Context, b core.Backend, sess core.Session, schema *core.Schema, at int, o Options) (advanced bool, err error) {
	name, err := s.ahead(ctx, b, sess, schema)
	if err != nil || name != s.List[at].Name {
		return false, err
	}
	st, err := inspect(ctx, b, sess, schema)
	if err != nil {
		return false, err
	}
	if err := s.check(b, st); err != nil {
		return false, err
	}
	for _, m := range s.pending(st) {
		if st.row(m.Name) == nil || s.find(m.Name) > at {
			continue
		}
		if err := deleteRow(ctx, sess, b.Dialect(), m.Name); err != nil { // an attempt that failed before its first statement
			return false, err
		}
	}
	return true, s.insertAll(ctx, sess, b.Dialect(), Baseline, o, at+1)
}
