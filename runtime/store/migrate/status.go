package migrate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// Status says which migrations a database has.
type Status struct {
	Recorded   bool // the database has a record; false: it is new, or was made without migrations
	Migrations []Entry
}

// Entry is one migration: those of the program in their order, then those that only the database has.
type Entry struct {
	Name, Parent        string
	State               State
	Unknown             bool      // the program does not have it
	Adds                bool      // if it is recorded: a program of the version before can go on
	Refused             string    // why it cannot
	NoSQL               bool      // the project did not target this database when it was written
	Edited              bool      // the file was changed after it was applied
	Next                string    // if it was begun, where it resumes: "0002_headline/sqlite.sql:7, step 2 (WHAT)"
	Failure             string    // if it failed, or failed while it was undone: where and why
	Statements, Of      int64     // how many have taken effect, of how many; Of is 0 where the script is not known
	RowsDone, RowsTotal int64     // of the data step that runs; a total of 0 means that it is not known
	StartedAt           time.Time // zero: not begun
	EndedAt             time.Time // zero: not ended
	Program             string    // the one that applied it, or that began it
	Waits               []string  // programs of the version before that have to end first, each with the end of its lease
}

// Applied reports whether the database has the migration as a whole, and as the program has it.
func (e Entry) Applied() bool { return !e.Edited && e.State.applied() }

// Status reads what is recorded; it changes nothing.
func (s *Set) Status(ctx context.Context, b core.Backend) (*Status, error) {
	st, working, err := atWorkOrNot(ctx, b)
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
			e.goesOn(newRun(b, nil, sc, Options{}), working)
		}
		for i := range sc.Steps {
			e.Of += int64(sc.Steps[i].Units())
		}
		if e.State == Pending || e.State == Interrupted && e.Statements == 0 {
			if e.Waits, err = s.waiting(ctx, b, st, sc); err != nil {
				return nil, err
			}
			if e.State == Interrupted && len(e.Waits) > 0 { // it was about to begin
				e.State, e.Next = Pending, ""
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

// atWorkOrNot reads what is recorded, and whether a process is working on the migration that is recorded as running.
func atWorkOrNot(ctx context.Context, b core.Backend) (st *state, working bool, err error) {
	if st, err = inspect(ctx, b, b, nil); err != nil {
		return nil, false, err
	}
	running := func(r row) bool { return r.State == Running }
	if !slices.ContainsFunc(st.rows, running) {
		return st, false, nil
	}
	if working, err = migrating(ctx, b); err != nil {
		return nil, false, err
	}
	if st, err = inspect(ctx, b, b, nil); err != nil { // it may have ended meanwhile
		return nil, false, err
	}
	now, err := clock(ctx, b, b)
	leased := func(r row) bool { return running(r) && r.EndedAt.Valid && r.EndedAt.V.After(now) }
	return st, working || slices.ContainsFunc(st.rows, leased), err
}

// migrating reports whether a process holds the lock for migrations; true where the backend cannot tell.
func migrating(ctx context.Context, b core.Backend) (bool, error) {
	w, ok := b.(core.MigrationWatcher)
	if !ok {
		return true, nil
	}
	busy, err := w.Migrating(ctx)
	if err != nil {
		err = fmt.Errorf("store: looking for a process that migrates: %w", err)
	}
	return busy, err
}

// goesOn fills in what has become of a migration that was begun, and where it resumes.
func (e *Entry) goesOn(r *run, working bool) {
	if e.State.applied() {
		e.Failure = ""
		return
	}
	e.EndedAt = time.Time{}
	if e.State != Running {
		return
	}
	switch {
	case working:
		e.Failure = ""
	case e.Failure != "":
		e.State = Failed
	default:
		e.State = Interrupted
	}
	if e.Statements < int64(len(r.units)) {
		u := &r.units[e.Statements]
		line := u.step.Line
		if u.st != nil {
			line = u.st.Line
		}
		e.Next = fmt.Sprintf("%s:%d, step %d (%s)", file(e.Name, r.d), line, u.number, u.step.What)
	}
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
		RowsDone: r.RowsDone, RowsTotal: max(r.RowsTotal, 0), StartedAt: r.StartedAt, EndedAt: r.EndedAt.V, Program: r.Program, Failure: r.Failure,
	}
}
