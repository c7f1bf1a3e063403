package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Up applies the migrations that a database lacks. A new database is created from the schema, and one
// that is older than migrations is recorded first. The error is store.ErrSchema where nothing could be
// begun, and store.ErrMigration where a step failed. The report is never nil.
func (s *Set) Up(ctx context.Context, b core.Backend, schema *core.Schema, o Options) (*Report, error) {
	o = o.filled()
	out := &Report{}
	st, err := s.record(ctx, b, schema, o, out)
	if err != nil {
		return out, err
	}
	if err := s.check(b, st); err != nil {
		return out, err
	}
	pending := s.pending(st)
	if len(pending) == 0 {
		return out, nil
	}
	scripts, err := s.scripts(b, pending)
	if err != nil {
		return out, err
	}
	return out, withLock(ctx, b, o, func(m core.Migration) error {
		if err := s.refuseAhead(ctx, b, m, schema); err != nil {
			return err
		}
		return s.apply(ctx, b, m, scripts, o, out)
	})
}

// Migrate is Up for a database that the program has open, and compares the tables afterwards:
// for programs that open theirs with store.MigrateManual.
func (s *Set) Migrate(ctx context.Context, db *core.DB, schema *core.Schema) error {
	b, opts := core.Below(db)
	if err := core.Nested(b); err != nil {
		return err
	}
	if _, err := s.Up(ctx, b, schema, of(opts)); err != nil {
		return err
	}
	if err := s.current(ctx, b, schema); err != nil {
		return err
	}
	return s.Announce(ctx, db)
}

// Replay applies every migration to an empty database, which shows that together they make the
// tables of the definitions. The first skip of them are recorded and not run, where they lack SQL: ddl
// creates the tables that they end in.
func (s *Set) Replay(ctx context.Context, b core.Backend, skip int, ddl string, o Options) error {
	o = o.filled()
	scripts, err := s.scripts(b, s.List[skip:])
	if err != nil {
		return err
	}
	return withLock(ctx, b, o, func(m core.Migration) error {
		if err := s.insertAll(ctx, m, b.Dialect(), Created, o, skip); err != nil {
			return err
		}
		for _, text := range core.Statements(ddl) {
			if _, err := m.Exec(ctx, text, nil); err != nil {
				return fmt.Errorf("store: creating the tables to begin with: %w", err)
			}
		}
		return s.apply(ctx, b, m, scripts, o, &Report{})
	})
}

// scripts reads the SQL of all migrations before the first of them begins.
func (s *Set) scripts(b core.Backend, list []Migration) ([]*script.Script, error) {
	var out []*script.Script
	var wrong []error
	for _, m := range list {
		sc, err := s.script(m, b.Dialect())
		if err == nil {
			err = runnable(sc, file(m.Name, b.Dialect()), b.Dialect())
		}
		if err != nil {
			wrong = append(wrong, &store.MigrationError{Database: b.Name(), Migration: m.Name, Cause: err})
		}
		out = append(out, sc)
	}
	return out, errors.Join(wrong...)
}

// runnable refuses a script with a part that could not be run, or of which no one could tell after a kill whether it
// has run.
func runnable(sc *script.Script, file string, d sqltext.Dialect) error {
	var wrong []error
	for i := range sc.Steps {
		step := &sc.Steps[i]
		if step.Run != "" && lookUp(step.Run) == nil {
			wrong = append(wrong, fmt.Errorf("%s:%d: step %d runs the data step %q, which this program does not have%s: "+
				"call migrate.Register(%q, ...) before the database is opened, and migrate by that program", file, step.Line, i+1, step.Run, registeredNames(), step.Run))
		}
		if step.Batches != "" && !inBatches(step) {
			wrong = append(wrong, fmt.Errorf("%s:%d: a step in batches has one statement, an UPDATE with a WHERE", file, step.Line))
		}
		for j := range step.Statements {
			st := &step.Statements[j]
			if step.Batches == "" && !together(d, step) && !undoable(d, st) && len(st.Done) == 0 && !st.Repeatable {
				wrong = append(wrong, fmt.Errorf("%s:%d: the statement takes effect at once, and nothing says how the database shows that: "+
					"add \"-- done when: ...\" or \"-- repeatable: ...\" before it", file, st.Line))
			}
		}
	}
	return errors.Join(wrong...)
}

// inBatches reports whether a step's statements can be run on some rows at a time.
func inBatches(step *script.Step) bool {
	if len(step.Statements) != 1 {
		return false
	}
	sql := step.Statements[0].SQL
	_, _, found := script.CutWhere(sql)
	return found && firstWord(sql) == "update"
}

// apply runs scripts, some of which other processes may have run meanwhile.
func (s *Set) apply(ctx context.Context, b core.Backend, m core.Migration, scripts []*script.Script, o Options, out *Report) error {
	for i, sc := range scripts {
		r := newRun(b, m, sc, o)
		waits, err := s.older(ctx, b, m, sc.After)
		if err == nil && len(waits) > 0 {
			err = r.reopen(ctx)
		}
		applied := false
		if err == nil && len(waits) == 0 {
			applied, waits, err = s.forward(ctx, r)
		}
		out.Backups = append(out.Backups, r.backups...)
		if err != nil {
			return err
		}
		if len(waits) > 0 {
			out.Waits = append(out.Waits, sc.Name+" "+waitsFor(sc, waits))
			out.Lacks = sc.After == sc.Name || i < len(scripts)-1
			o.Logger.InfoContext(ctx, "store: a migration waits for programs of the version before", "migration", sc.Name, "programs", waits)
			return nil
		}
		if applied {
			out.Applied = append(out.Applied, sc.Name)
		} else {
			out.Others = append(out.Others, sc.Name)
		}
	}
	return nil
}

// forward runs the whole script, unless older programs have appeared meanwhile, which it returns. applied is false where
// another process has finished it.
func (s *Set) forward(ctx context.Context, r *run) (applied bool, waits []string, err error) {
	r.state = Running
	first := row{
		ID: r.sc.Name, Parent: r.sc.Parent, Checksum: r.digest(0), State: Running, StartedAt: r.o.now(), Program: short(r.o.Program),
		Adds: r.sc.Refused == "", Refused: short(r.sc.Refused),
	}
	found, again, err := r.begin(ctx, first)
	if err != nil || found.State.applied() {
		return false, nil, err
	}
	if found.State == Down {
		return false, nil, r.failed(nil, errors.New("it is being taken back: run \"modulagen migrate down --db DSN\" again"))
	}
	if waits, err := s.closed(ctx, r, found); err != nil || len(waits) > 0 {
		return false, waits, err
	}
	if again {
		if err := r.forgetFailure(ctx); err != nil {
			return false, nil, r.failed(nil, err)
		}
	}
	checksum := s.List[s.find(r.sc.Name)].Checksums[r.d]
	r.finish = func(ctx context.Context, s core.Session) error {
		return set{
			[]string{"statement", "begun", "state", "cursor", "ended_at", "checksum", "adds", "refused"},
			[]any{int64(len(r.units)), false, string(Done), "", r.o.now(), checksum, first.Adds, first.Refused},
		}.update(ctx, s, r.d, r.sc.Name)
	}
	err = r.ending(ctx, r.all(ctx))
	return r.finished, nil, err
}

// begin adds the row of a migration, or returns the existing one; again reports that there was one.
func (r *run) begin(ctx context.Context, first row) (found row, again bool, err error) {
	err = r.patiently(ctx, nil, "beginning "+first.ID, func() error {
		found, err = readRow(ctx, r.m, r.d, first.ID, false)
		if again = err == nil; !errors.Is(err, store.ErrNotFound) {
			return err
		}
		found = first
		return first.insert(ctx, r.m, r.d)
	})
	if err == nil && found.State == Running && found.Checksum != r.digest(found.Statement) {
		err = fmt.Errorf("its first %d statements have taken effect on this database, and the file has others in their place: "+
			"restore those; what follows them may be corrected", found.Statement)
	}
	if err != nil {
		return found, again, r.failed(nil, err)
	}
	return found, again, nil
}

// undoable reports whether a statement that runs by itself can share a transaction with its record.
func undoable(d sqltext.Dialect, st *script.Statement) bool {
	return d == sqltext.MySQL && len(st.Done) == 0 && !st.Repeatable && slices.Contains(rowWords, firstWord(st.SQL))
}

// rowWords begin statements that change rows, and that MySQL can roll back.
var rowWords = []string{"insert", "update", "delete", "replace", "with"}
