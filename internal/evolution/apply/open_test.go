package apply_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
)

var (
	plain   = definitions{"note": "fields:\n  - {name: title, type: text, max: 100}\n"}
	added   = definitions{"note": "fields:\n  - {name: title, type: text, max: 100}\n  - {name: body, type: textarea}\n"}
	renamed = definitions{"note": "fields:\n  - {name: headline, was: title, type: text, max: 100}\n  - {name: body, type: textarea}\n"}
)

// TestOpen goes through what Open does with databases of each age.
func TestOpen(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		ctx := t.Context()
		p := history(t, plain, added, renamed)
		first, second, third := p[0], p[1], p[2]
		dsn := fresh()
		opens := func(p program, mode store.MigrateMode) error {
			db, err := p.open(ctx, dsn, store.Options{Migrate: mode, NoBackup: true})
			if err != nil {
				return err
			}
			return db.Close()
		}
		if err := opens(first, store.MigrateCheck); err != nil {
			t.Fatalf("a new database: %v", err)
		}
		run(t, dsn, "INSERT INTO note (title) VALUES ('a')")
		err := opens(second, store.MigrateCheck)
		if e, ok := errors.AsType[*store.SchemaError](err); !ok || len(e.Missing) != 1 || !strings.HasPrefix(e.Missing[0], "0002_change: note.body: add the column (safe)") || !errors.Is(err, store.ErrSchema) {
			t.Errorf("a migration that is missing: %v", err)
		}
		if err := opens(second, store.MigrateUp); err != nil {
			t.Fatalf("applying what is missing: %v", err)
		}
		if err := opens(first, store.MigrateCheck); err != nil {
			t.Errorf("a program of before, where the database has only more: %v", err)
		}
		if err := opens(third, store.MigrateUp); err != nil {
			t.Fatalf("applying what is missing: %v", err)
		}
		err = opens(second, store.MigrateUp)
		if err == nil || !strings.Contains(err.Error(), "the column note.title is headline now") || !errors.Is(err, store.ErrSchema) {
			t.Errorf("a program of before, where a column has another name: %v", err)
		}
		if got := rows(t, dsn, "SELECT headline FROM note"); !slices.Equal(got, []string{"a"}) {
			t.Errorf("the rows are %q", got)
		}
		run(t, dsn, "ALTER TABLE note DROP COLUMN body")
		err = opens(third, store.MigrateUp)
		if err == nil || !strings.Contains(err.Error(), "note.body: the column is missing") {
			t.Errorf("a column that someone dropped: %v", err)
		}
	})
}

// TestBaseline opens databases that were made before there were migrations.
func TestBaseline(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		ctx := t.Context()
		p := history(t, plain, added, renamed)
		dsn := fresh()
		old, err := core.Open(ctx, dsn, p[1].schema, store.Options{}) // as the version without migrations did
		if err != nil {
			t.Fatal(err)
		}
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		run(t, dsn, "INSERT INTO note (title) VALUES ('a')")
		r, err := p[2].up(ctx, dsn)
		if err != nil || r.Baseline != "0002_change" || !slices.Equal(r.Applied, []string{"0003_change"}) {
			t.Fatalf("%+v, %v", r, err)
		}
		if got := rows(t, dsn, "SELECT headline FROM note"); !slices.Equal(got, []string{"a"}) {
			t.Errorf("the rows are %q", got)
		}

		other := fresh()
		run(t, other, "CREATE TABLE note (id int PRIMARY KEY, title varchar(3))")
		_, err = p[2].up(ctx, other)
		if err == nil || !strings.Contains(err.Error(), "migrate baseline") || !errors.Is(err, store.ErrSchema) {
			t.Errorf("tables of someone else: %v", err)
		}
	})
}

// TestBaselineAlike has a database without a record that could be at either of two versions: those of
// SQLite, which keeps a decimal as a whole number, do not show its scale.
func TestBaselineAlike(t *testing.T) {
	ctx, dsn := t.Context(), "sqlite:"+t.TempDir()+"/app.db"
	p := history(t, definitions{"note": "fields:\n  - {name: price, type: decimal}\n"}, definitions{"note": "fields:\n  - {name: price, type: decimal, scale: 4}\n"})
	old, err := core.Open(ctx, dsn, p[0].schema, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	run(t, dsn, "INSERT INTO note (price) VALUES (150)")
	if _, err := p[1].up(ctx, dsn); err == nil || !strings.Contains(err.Error(), "those of 0001_change and of 0002_change alike") || !errors.Is(err, store.ErrSchema) {
		t.Fatalf("%v", err)
	}
	err = with(ctx, dsn, func(db *core.DB) error {
		b, _ := core.Below(db)
		return p[1].set.Baseline(ctx, b, p[1].schema, "0001_change", migrate.Options{})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p[1].up(ctx, dsn); err != nil {
		t.Fatal(err)
	}
	if got := rows(t, dsn, "SELECT CAST(price AS TEXT) FROM note"); !slices.Equal(got, []string{"15000"}) {
		t.Errorf("the prices are %q", got)
	}
}

// TestChangedFile refuses a migration that is not what was applied.
func TestChangedFile(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		dsn := fresh()
		p := history(t, plain, added)[1]
		if _, err := p.up(t.Context(), dsn); err != nil {
			t.Fatal(err)
		}
		list := slices.Clone(p.set.List)
		list[1].Checksums = [3]string{"x", "x", "x"}
		p.set = &migrate.Set{Files: p.set.Files, Folder: p.set.Folder, List: list}
		_, err := p.open(t.Context(), dsn, store.Options{})
		if err == nil || !strings.Contains(err.Error(), "the file was changed since") {
			t.Errorf("%v", err)
		}
	})
}

// TestSeveralStartAtOnce has eight programs apply the same migration: one does.
func TestSeveralStartAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		ctx, dsn := t.Context(), fresh()
		p := history(t, plain, renamedAtOnce)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		start := func(p program) {
			for i := range errs {
				wg.Go(func() {
					db, err := p.open(ctx, dsn, store.Options{Migrate: store.MigrateUp, NoBackup: true})
					if err == nil {
						err = db.Close()
					}
					errs[i] = err
				})
			}
			wg.Wait()
			for _, err := range errs {
				if err != nil {
					t.Error(err)
				}
			}
		}
		start(p[0])
		run(t, dsn, "INSERT INTO note (title) VALUES ('a'), ('b')")
		start(p[1])
		if got := rows(t, dsn, "SELECT headline FROM note ORDER BY id"); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("the rows are %q", got)
		}
	})
}

var renamedAtOnce = definitions{"note": "fields:\n  - {name: headline, was: title, type: text, max: 100}\n  - {name: at, type: datetime, default: now}\n"}

// TestRefusedChangesNothing has rows that do not fit.
func TestRefusedChangesNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		ctx, dsn := t.Context(), fresh()
		p := history(t, plain, definitions{"note": "fields:\n  - {name: headline, was: title, type: text, max: 3, required: true}\n"})
		if _, err := p[0].up(ctx, dsn); err != nil {
			t.Fatal(err)
		}
		run(t, dsn, "INSERT INTO note (title) VALUES ('ok'), ('too long'), (NULL)")
		_, err := p[1].up(ctx, dsn)
		misfit, ok := errors.AsType[*migrate.RowsError](err)
		if !ok || misfit.Rows != 2 || !slices.Equal(misfit.IDs, []string{"2", "3"}) || !errors.Is(err, store.ErrMigration) {
			t.Fatalf("%v", err)
		}
		if got := rows(t, dsn, "SELECT title FROM note ORDER BY id"); !slices.Equal(got, []string{"ok", "too long", "NULL"}) {
			t.Errorf("the rows are %q", got)
		}
		if db, err := p[0].open(ctx, dsn, store.Options{}); err != nil {
			t.Errorf("a program of before: %v", err)
		} else if err := db.Close(); err != nil {
			t.Error(err)
		}
		run(t, dsn, "UPDATE note SET title = 'new' WHERE id > 1")
		if _, err := p[1].up(ctx, dsn); err != nil {
			t.Error(err)
		}
	})
}

// TestBackup copies a SQLite file before a migration that rewrites a table.
func TestBackup(t *testing.T) {
	ctx, path := t.Context(), t.TempDir()+"/app.db"
	p := history(t, plain, renamedAtOnce)
	if _, err := p[0].up(ctx, "sqlite:"+path); err != nil {
		t.Fatal(err)
	}
	run(t, "sqlite:"+path, "INSERT INTO note (title) VALUES ('a')")
	db, err := p[1].open(ctx, "sqlite:"+path, store.Options{Migrate: store.MigrateUp})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	copied := path + ".0002_change.bak"
	if got := rows(t, "sqlite:"+copied, "SELECT title FROM note"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("the copy has %q", got)
	}
	left, err := os.ReadDir(t.TempDir() + "/..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if strings.Contains(e.Name(), ".bak.") {
			t.Errorf("%s is left behind", e.Name())
		}
	}
}

// TestDataStep runs functions of a program, in batches, and goes on where one failed.
func TestDataStep(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		ctx, dsn := t.Context(), fresh()
		name := "fill_" + strings.ToLower(rand.Text()) // of the whole process
		p := history(t, plain, definitions{"note": "fields:\n  - {name: title, type: text, max: 100}\n  - {name: slug, type: text, required: true, existing: {step: " + name + "}}\n"})
		if _, err := p[0].up(ctx, dsn); err != nil {
			t.Fatal(err)
		}
		run(t, dsn, "INSERT INTO note (title) VALUES ('A'), ('B'), ('C')")
		_, err := p[1].up(ctx, dsn)
		if err == nil || !strings.Contains(err.Error(), `"`+name+`"`) {
			t.Fatalf("without the function: %v", err)
		}
		var cursors []string
		fail := true
		migrate.Register(name, migrate.DataStep{
			Count: func(context.Context, *core.Conn) (int64, error) { return 3, nil },
			Batch: func(ctx context.Context, tx *core.Conn, cursor string) (string, int, error) {
				cursors = append(cursors, cursor)
				if cursor == "2" && fail {
					fail = false
					return "", 0, errors.New("out of luck")
				}
				next := map[string]string{"": "1", "1": "2", "2": ""}[cursor]
				r, err := tx.Exec(ctx, "UPDATE note SET slug = lower(title) WHERE id = "+map[string]string{"": "1", "1": "2", "2": "3"}[cursor], nil)
				return next, int(r.RowsAffected), err
			},
		})
		if _, err := p[1].up(ctx, dsn); err == nil || !strings.Contains(err.Error(), "out of luck") {
			t.Fatalf("a function that fails: %v", err)
		}
		if _, err := p[1].up(ctx, dsn); err != nil {
			t.Fatal(err)
		}
		if want := []string{"", "1", "2", "2"}; !slices.Equal(cursors, want) {
			t.Errorf("the cursors are %q, not %q", cursors, want)
		}
		if got := rows(t, dsn, "SELECT slug FROM note ORDER BY id"); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("the rows are %q", got)
		}
	})
}
