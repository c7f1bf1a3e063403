package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// Ensure is what Open calls: it creates a new database, records the version of one that is older
// than migrations, applies what is missing or reports it, as opts.Migrate says, and compares the tables.
// The error is store.ErrSchema where the database does not go with the program, and store.ErrMigration
// where a step failed.
func (s *Set) Ensure(ctx context.Context, b core.Backend, schema *core.Schema, opts store.Options) error {
	switch {
	case len(s.List) == 0:
		return core.EnsureTables(ctx, b, schema, opts)
	case opts.Migrate == store.MigrateManual:
		return nil
	case opts.Migrate == store.MigrateUp:
		return s.ensureUp(ctx, b, schema, of(opts))
	}
	o := of(opts).filled()
	st, err := s.record(ctx, b, schema, o, &Report{})
	if err != nil {
		return err
	}
	return s.accepted(ctx, b, schema, st, o)
}

// accepted is settled, and logs which indexes are missing.
func (s *Set) accepted(ctx context.Context, b core.Backend, schema *core.Schema, st *state, o Options) error {
	if err := s.settled(ctx, b, schema, st); err != nil {
		return err
	}
	core.WarnOfIndexes(ctx, o.Logger, b.Dialect(), schema, st.found)
	return nil
}

// settled is the verdict on a database at rest: a state that is read while another process migrates may
// have older tables than its record. It reads again until no statement has ended in between.
func (s *Set) settled(ctx context.Context, b core.Backend, schema *core.Schema, st *state) error {
	err := s.verdict(ctx, b, schema, st)
	for errors.Is(err, store.ErrSchema) {
		again, failed := inspect(ctx, b, b, schema)
		if failed != nil {
			return failed
		}
		if err = s.verdict(ctx, b, schema, again); st.asFar(again) {
			return err
		}
		st = again
	}
	return err
}

func (s *Set) ensureUp(ctx context.Context, b core.Backend, schema *core.Schema, o Options) error {
	o = o.filled()
	st, err := s.record(ctx, b, schema, o, &Report{})
	if err != nil {
		return err
	}
	if len(s.pending(st)) == 0 {
		return s.accepted(ctx, b, schema, st, o)
	}
	if _, err := s.Up(ctx, b, schema, o); err != nil {
		return err
	}
	return s.current(ctx, b, schema)
}

// current reads the database again, and refuses one that does not go with the program.
func (s *Set) current(ctx context.Context, b core.Backend, schema *core.Schema) error {
	st, err := inspect(ctx, b, b, schema)
	if err != nil {
		return err
	}
	return s.settled(ctx, b, schema, st)
}

// verdict refuses a database that lacks migrations, or whose tables differ from the schema.
func (s *Set) verdict(ctx context.Context, b core.Backend, schema *core.Schema, st *state) error {
	if err := s.check(b, st); err != nil {
		return err
	}
	e := &store.SchemaError{Database: b.Name(), Migrates: true}
	pending, unknown := s.pending(st), s.unknown(st)
	if len(pending) > 0 {
		waits, err := s.contracts(b, pending)
		if err != nil {
			return err
		}
		if !waits {
			return s.missing(ctx, b, st, pending)
		}
		e.Differences, e.Statements = core.Lacking(b.Dialect(), schema, st.found)
	} else if len(unknown) == 0 {
		e.Differences, e.Statements = core.Unfit(b.Dialect(), schema, st.found)
	} else if err := newer(b, unknown); err != nil {
		return err
	} else {
		e.Differences, e.Statements = core.Lacking(b.Dialect(), schema, st.found)
	}
	if len(e.Differences) > 0 {
		return e
	}
	return nil
}

// contracts reports whether the only missing migration is one that waits for programs from before another one to
// end: this program works without it.
func (s *Set) contracts(b core.Backend, pending []Migration) (bool, error) {
	if len(pending) != 1 {
		return false, nil
	}
	sc, err := s.script(pending[0], b.Dialect())
	return err == nil && sc.After != "" && sc.After != sc.Name, err
}

// newer refuses a database with migrations that the program does not know, unless all of them only
// add.
func newer(b core.Backend, unknown []row) error {
	e := &store.SchemaError{Database: b.Name(), Migrates: true}
	for _, r := range unknown {
		if r.Adds {
			continue
		}
		why := r.Refused
		if why == "" {
			why = "it does more than add"
		}
		e.Differences = append(e.Differences, fmt.Sprintf("%s is newer than this program, which cannot work with it: %s (applied by %s)", r.ID, why, r.Program))
	}
	if len(e.Differences) == 0 {
		return nil
	}
	e.Advice = "run the version of the program that has these migrations, or take them back with it: \"modulagen migrate down --db DSN\""
	return e
}

// missing lists the migrations that are to be applied, with the programs that one of them waits for.
func (s *Set) missing(ctx context.Context, b core.Backend, st *state, pending []Migration) error {
	e := &store.SchemaError{Database: b.Name(), Migrates: true}
	for _, m := range pending {
		line := m.Name
		sc, err := s.script(m, b.Dialect())
		if err != nil {
			sc = &script.Script{} // applying it returns the error
		}
		if what := steps(sc); what != "" {
			line += ": " + what
		}
		if r := st.row(m.Name); r != nil {
			line += " [" + r.begun() + "]"
		}
		waits, err := s.waiting(ctx, b, st, sc)
		if err != nil {
			return err
		}
		if len(waits) > 0 {
			line += " [" + waitsFor(sc, waits) + "]"
			e.Advice = "end the programs from before " + sc.After + ", which removes their announcements, or wait until these end; then apply the migrations " +
				"with \"modulagen migrate up --db DSN\", or have Open do it with Options{Migrate: store.MigrateUp}"
		}
		e.Missing = append(e.Missing, line)
	}
	return e
}

// steps describes what a migration does, in one line.
func steps(sc *script.Script) string {
	var what []string
	for _, step := range sc.Steps {
		what = append(what, fmt.Sprintf("%s (%s)", step.What, step.Class))
	}
	return strings.Join(what, "; ")
}

// waiting returns the programs that a migration waits for; none without a ledger, in which they announce themselves.
func (s *Set) waiting(ctx context.Context, b core.Backend, st *state, sc *script.Script) ([]string, error) {
	if !st.ledger {
		return nil, nil
	}
	return s.older(ctx, b, b, sc.After)
}

// waitsFor says which programs a migration waits for.
func waitsFor(sc *script.Script, programs []string) string {
	return fmt.Sprintf("waits until no program from before %s runs: %s", sc.After, strings.Join(programs, "; "))
}
