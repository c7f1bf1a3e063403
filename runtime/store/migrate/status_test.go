package migrate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// entry returns what Status says of the last migration.
func entry(t *testing.T, db *core.DB, versions ...version) migrate.Entry {
	t.Helper()
	b, _ := core.Below(db)
	st, err := setOf(versions...).Status(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return st.Migrations[len(st.Migrations)-1]
}

// settled is entry once the server knows that the connection is closed which had the lock.
func settled(t *testing.T, db *core.DB, versions ...version) migrate.Entry {
	t.Helper()
	e := entry(t, db, versions...)
	for e.State == migrate.Running && db.Conn().Dialect() != sqltext.SQLite && t.Context().Err() == nil {
		e = entry(t, db, versions...)
	}
	return e
}

// failing is a migration whose second step needs a table that is not there.
func failing() version {
	return changed(dataSQL("UPDATE article SET hits = hits + 1"), dataSQL("UPDATE late SET n = 1"))
}

// TestStatusOfAFailure follows a migration that fails, is tried by a process that is killed, and ends. The ledger may
// be one of before, without a column for the failure.
func TestStatusOfAFailure(t *testing.T) {
	for _, old := range []bool{false, true} {
		onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
			seed(t, dsn)
			db := plainDB(t, dsn)
			if old {
				do(t, db, "ALTER TABLE modulagen_migrations DROP COLUMN failure")
			}
			v := failing()
			if _, err := open(t.Context(), dsn, store.MigrateUp, first, v); !errors.Is(err, store.ErrMigration) {
				t.Fatalf("without the table late: %v", err)
			}
			file := "0002_changed/" + d.String() + ".sql:"
			next := file + "8, step 2 (rows change)"
			if d == sqltext.SQLite { // of which nothing has taken effect
				next = file + "5, step 1 (rows change)"
			}
			e := settled(t, db, first, v)
			if e.State != migrate.Failed || !strings.HasPrefix(e.Failure, "step 2 (rows change), "+file+"8: ") || !strings.Contains(e.Failure, "late") ||
				e.Next != next || !e.EndedAt.IsZero() || e.Of != 2 {
				t.Errorf("the status is %+v", e)
			}
			_, err := open(t.Context(), dsn, store.MigrateCheck, first, v)
			isSchemaError(t, err, "and failed: step 2 (rows change), "+file+"8: ")

			unlock := busy(t, dsn)
			if e := entry(t, impatient(t, dsn), first, v); e.State != migrate.Running || e.Failure != "" || e.Next != next {
				t.Errorf("while a process is at it, the status is %+v", e)
			}
			unlock()
			do(t, db, "UPDATE modulagen_migrations SET failure = NULL")
			if e := settled(t, db, first, v); e.State != migrate.Interrupted || e.Next != next {
				t.Errorf("of a process that was killed, the status is %+v", e)
			}
			if _, err := open(t.Context(), dsn, store.MigrateUp, first, v); !errors.Is(err, store.ErrMigration) {
				t.Fatalf("without the table late: %v", err)
			}
			do(t, db, "CREATE TABLE late (n int)")
			mustOpen(t, dsn, store.MigrateUp, first, v)
			if e := entry(t, db, first, v); e.State != migrate.Done || e.Failure != "" || e.Next != "" || e.EndedAt.IsZero() {
				t.Errorf("at the end, the status is %+v", e)
			}
		})
	}
}

// impatient opens a database; on SQLite it waits for other writers for a moment only.
func impatient(t *testing.T, dsn string) *core.DB {
	if strings.HasPrefix(dsn, "sqlite:") {
		dsn += "?busy_timeout=50"
	}
	return plainDB(t, dsn)
}

// busy has another connection hold what a process holds that migrates, until the function is called.
func busy(t *testing.T, dsn string) (end func()) {
	t.Helper()
	b, _ := core.Below(plainDB(t, dsn))
	m, err := b.(core.Migrator).Migration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.Lock(t.Context()); err != nil || !got {
		t.Fatal(got, err)
	}
	tx, err := m.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(tx.Rollback(context.Background()), m.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestAttemptClearsTheFailure has a second attempt end without one of its own: it was cancelled.
func TestAttemptClearsTheFailure(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		seed(t, dsn)
		db := plainDB(t, dsn)
		ctx, cancel := context.WithCancel(t.Context())
		calls, broken := 0, errors.New("broken")
		name := "cancelled_" + d.String()
		migrate.Register(name, migrate.DataStep{Batch: func(ctx context.Context, tx *core.Conn, cursor string) (string, int, error) {
			switch calls++; calls {
			case 1:
				return "", 0, broken
			case 3:
				cancel()
				return "", 0, ctx.Err()
			}
			return addOne(ctx, tx, cursor)
		}})
		v := changed(script.Step{Class: script.Data, What: "w", Run: name})
		if _, err := open(ctx, dsn, store.MigrateUp, first, v); !errors.Is(err, broken) {
			t.Fatal(err)
		}
		if e := settled(t, db, first, v); e.State != migrate.Failed || !strings.Contains(e.Failure, "broken") {
			t.Errorf("the status is %+v", e)
		}
		if _, err := open(ctx, dsn, store.MigrateUp, first, v); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		e := settled(t, db, first, v)
		wanted := migrate.Interrupted
		if d == sqltext.SQLite { // whose lease has not ended
			wanted = migrate.Running
		}
		if e.State != wanted || e.Failure != "" || e.RowsDone != 2 {
			t.Errorf("the status is %+v", e)
		}
		do(t, db, "UPDATE modulagen_migrations SET ended_at = '2020-01-01 00:00:00' WHERE state = 'running'")
		if e := settled(t, db, first, v); e.State != migrate.Interrupted {
			t.Errorf("after the lease, the status is %+v", e)
		}
	})
}

// TestStatusHasNoTotalThatIsNone reads the row of a migration that is about to begin, after a process was killed.
func TestStatusHasNoTotalThatIsNone(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		seed(t, dsn)
		db := plainDB(t, dsn)
		v := failing()
		if _, err := open(t.Context(), dsn, store.MigrateUp, first, v); !errors.Is(err, store.ErrMigration) {
			t.Fatal(err)
		}
		do(t, db, "UPDATE modulagen_migrations SET rows_total = -1 WHERE state = 'running'")
		if e := entry(t, db, first, v); e.RowsTotal != 0 {
			t.Errorf("the status is %+v", e)
		}
	})
}

// contract waits until no program from before 0002_headline runs.
func contract() version {
	v := headline
	v.name = "0003_contract"
	v.script = func(sqltext.Dialect) *script.Script {
		return &script.Script{After: "0002_headline", Refused: "nothing", Steps: []script.Step{dataSQL("UPDATE article SET hits = 0")}}
	}
	return v
}

// TestOpenNamesTheProgramsThatItWaitsFor checks a database that lacks a migration which waits, and one after it.
func TestOpenNamesTheProgramsThatItWaitsFor(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		seed(t, dsn)
		old := mustOpen(t, dsn, store.MigrateCheck, first)
		if err := setOf(first).Announce(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		mustOpen(t, dsn, store.MigrateUp, first, headline)
		more := subtitle
		more.name = "0004_subtitle"
		all := []version{first, headline, contract(), more}
		program := []string{"0003_contract", "waits until no program from before 0002_headline runs: ", ", process ", ", at 0001_init, announced until 20"}
		_, err := open(t.Context(), dsn, store.MigrateCheck, all...)
		isSchemaError(t, err, append(program, "0004_subtitle", "end the programs from before 0002_headline")...)
		_, err = open(t.Context(), dsn, store.MigrateUp, all...)
		isSchemaError(t, err, program...)

		b, _ := core.Below(plainDB(t, dsn))
		r, err := setOf(all...).Up(t.Context(), b, schema(all...), migrate.Options{NoBackup: true})
		if err != nil || !r.Lacks || len(r.Waits) != 1 || !strings.Contains(r.Waits[0], strings.Join(program[:2], " ")) || !strings.Contains(r.Waits[0], program[3]) {
			t.Errorf("Up returned %+v, %v", r, err)
		}
		if e := entry(t, old, all[:3]...); e.State != migrate.Pending || len(e.Waits) != 1 || !strings.Contains(e.Waits[0], program[3]) {
			t.Errorf("the status is %+v", e)
		}
		r, err = setOf(all[:3]...).Up(t.Context(), b, schema(all[:3]...), migrate.Options{NoBackup: true})
		if err != nil || r.Lacks || len(r.Waits) != 1 {
			t.Errorf("Up of the one that waits alone, which programs work without, returned %+v, %v", r, err)
		}
		closeDB(t, old)
		mustOpen(t, dsn, store.MigrateUp, all...)
	})
}

// TestWaitsForItsOwn applies a migration that no program of before may see: Open refuses a database that lacks
// it, as its program relies on it.
func TestWaitsForItsOwn(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		seed(t, dsn)
		old := mustOpen(t, dsn, store.MigrateCheck, first)
		if err := setOf(first).Announce(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		alone := headline
		alone.script = func(d sqltext.Dialect) *script.Script {
			s := headline.script(d)
			s.After, s.Refused = headline.name, "it is new to them"
			return s
		}
		for _, mode := range []store.MigrateMode{store.MigrateCheck, store.MigrateUp} {
			_, err := open(t.Context(), dsn, mode, first, alone)
			isSchemaError(t, err, "0002_headline", "waits until no program from before 0002_headline runs: ", ", at 0001_init, announced until 20")
		}
		b, _ := core.Below(plainDB(t, dsn))
		if r, err := setOf(first, alone).Up(t.Context(), b, schema(first, alone), migrate.Options{NoBackup: true}); err != nil || !r.Lacks || len(r.Waits) != 1 {
			t.Errorf("Up returned %+v, %v", r, err)
		}
		closeDB(t, old)
		mustOpen(t, dsn, store.MigrateUp, first, alone)
		_, err := open(t.Context(), dsn, store.MigrateCheck, first)
		isSchemaError(t, err, "it is new to them")
	})
}
