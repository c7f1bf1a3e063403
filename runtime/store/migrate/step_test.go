package migrate_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// changed is a version of the first's tables whose migration has the steps.
func changed(steps ...script.Step) version {
	v := first
	v.name = "0002_changed"
	v.script = func(sqltext.Dialect) *script.Script { return &script.Script{Steps: steps} }
	return v
}

// dataSQL is a step of one statement that changes rows.
func dataSQL(sql string) script.Step {
	return script.Step{Class: script.Data, What: "rows change", Statements: []script.Statement{{SQL: sql}}}
}

func TestRefusal(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		seed(t, dsn)
		db := plainDB(t, dsn)
		for range 12 {
			do(t, db, "INSERT INTO article (author_id, title, hits) VALUES (2, 'none', 0)")
		}
		step := dataSQL("UPDATE article SET hits = -1")
		step.Refuse = []script.Refusal{
			{Query: "SELECT id FROM article WHERE hits < 0", Because: "never"},
			{Query: "SELECT id FROM article WHERE hits = 0 ORDER BY id", Because: "article.hits is at least 1: write \"existing: default\""},
			{Query: "SELECT id FROM article WHERE title = 'none' ORDER BY id DESC", Because: "article.title is taken"},
		}
		_, err := open(t.Context(), dsn, store.MigrateUp, first, changed(step))
		says(t, err, "migration 0002_changed failed in step 1 (rows change)", "0002_changed/"+d.String()+".sql:4",
			"12 rows do not fit, with the id 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 and 2 more", "existing: default", "12 rows do not fit, with the id 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 and 2 more: article.title is taken", "has changed nothing")
		rows, ok := errors.AsType[*migrate.RowsError](err)
		if !errors.Is(err, store.ErrMigration) || !ok || rows.Rows != 12 || len(rows.More) != 1 {
			t.Errorf("the error is %#v", err)
		}
		want(t, db, "SELECT count(*) FROM article WHERE hits < 0", 0)
		do(t, db, "UPDATE article SET hits = 1, title = 'one' WHERE hits = 0")
		mustOpen(t, dsn, store.MigrateUp, first, changed(step))
		want(t, db, "SELECT count(*) FROM article WHERE hits = -1", 14)
	})
}

// TestRefusalNamesTexts refuses rows whose ids are text.
func TestRefusalNamesTexts(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		seed(t, dsn)
		step := dataSQL("UPDATE article SET hits = -1")
		step.Refuse = []script.Refusal{{Query: "SELECT title AS id FROM article", Because: "never"}}
		_, err := open(t.Context(), dsn, store.MigrateUp, first, changed(step))
		says(t, err, "2 rows do not fit, with the id one, two: never")
	})
}

// TestFailure has a statement fail in the midst; with it mended by hand the migration goes on.
func TestFailure(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		seed(t, dsn)
		v := changed(dataSQL("UPDATE article SET hits = hits + 1"), dataSQL("UPDATE late SET n = 1"), dataSQL("UPDATE article SET hits = hits + 1"))
		_, err := open(t.Context(), dsn, store.MigrateUp, first, v)
		e, ok := errors.AsType[*store.MigrationError](err)
		if !ok || e.Step != 2 || e.Migration != "0002_changed" || e.Line != 8 || e.Cause == nil {
			t.Fatalf("the error is %v", err)
		}
		db := plainDB(t, dsn)
		applied := int64(1)
		if d == sqltext.SQLite {
			applied = 0
		}
		want(t, db, "SELECT sum(hits) FROM article", 30+2*applied)
		_, err = open(t.Context(), dsn, store.MigrateCheck, first, v)
		isSchemaError(t, err, "0002_changed: rows change (data)", "begun by")
		do(t, db, "CREATE TABLE late (n int)")
		mustOpen(t, dsn, store.MigrateUp, first, v)
		want(t, db, "SELECT sum(hits) FROM article", 34)
	})
}

// TestCorrectedFile corrects a statement that fails: those before it stay as they were.
func TestCorrectedFile(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		seed(t, dsn)
		add := "UPDATE article SET hits = hits + 1"
		_, err := open(t.Context(), dsn, store.MigrateUp, first, changed(dataSQL(add), dataSQL("UPDATE late SET n = 1"), dataSQL(add)))
		if !errors.Is(err, store.ErrMigration) {
			t.Fatalf("the error is %v", err)
		}
		if d != sqltext.SQLite { // where all of it is one transaction, nothing has taken effect
			_, err = open(t.Context(), dsn, store.MigrateUp, first, changed(dataSQL("UPDATE article SET hits = hits + 2"), dataSQL(add)))
			says(t, err, "its first 1 statements have taken effect", "restore those")
			_, err = open(t.Context(), dsn, store.MigrateUp, first, changed())
			says(t, err, "its first 1 statements have taken effect")
		}
		corrected := changed(dataSQL(add), dataSQL("UPDATE article SET hits = hits + 10"), dataSQL(add))
		db := mustOpen(t, dsn, store.MigrateUp, first, corrected)
		want(t, db, "SELECT sum(hits) FROM article", 54)
		mustOpen(t, dsn, store.MigrateCheck, first, corrected)
	})
}

// TestDataStep runs a step in Go in batches, which fails once in the midst.
func TestDataStep(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		seed(t, dsn)
		db := plainDB(t, dsn)
		for range 8 {
			do(t, db, "INSERT INTO article (author_id, title, hits) VALUES (2, 'more', 100)")
		}
		name := "add_one_" + d.String()
		step := dataSQL("UPDATE article SET hits = hits * 10")
		step.Run = name
		v := changed(step, dataSQL("UPDATE article SET hits = hits + 5"))
		_, err := open(t.Context(), dsn, store.MigrateUp, first, v)
		says(t, err, "runs the data step \""+name+"\", which this program does not have", "migrate.Register(")
		want(t, db, "SELECT max(hits) FROM article", 100)
		broken := errors.New("the third batch fails")
		calls := 0
		migrate.Register(name, migrate.DataStep{
			Count: func(ctx context.Context, c *core.Conn) (n int64, err error) {
				err = c.QueryRow(ctx, "SELECT count(*) FROM article", nil, []any{&n})
				return n, err
			},
			Batch: func(ctx context.Context, tx *core.Conn, cursor string) (string, int, error) {
				if calls++; calls == 3 {
					return "", 0, broken
				}
				return addOne(ctx, tx, cursor)
			},
		})
		if _, err := open(t.Context(), dsn, store.MigrateUp, first, v); !errors.Is(err, broken) {
			t.Fatalf("the error is %v", err)
		}
		if e := settled(t, db, first, v); e.State != migrate.Failed || e.RowsDone != 6 || e.RowsTotal != 10 || e.Statements != 1 || e.Of != 3 {
			t.Errorf("the status is %+v", e)
		}
		mustOpen(t, dsn, store.MigrateUp, first, v)
		want(t, db, "SELECT count(*) FROM article WHERE hits = 1006", 8)
		want(t, db, "SELECT sum(hits) FROM article", 8*1006+106+206)
	})
}

// addOne adds one to article.hits, three rows at a time.
func addOne(ctx context.Context, tx *core.Conn, cursor string) (string, int, error) {
	after := int64(0)
	if cursor != "" {
		var err error
		if after, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return "", 0, err
		}
	}
	var id int64
	var ids []string
	text := "SELECT id FROM article WHERE id > " + strconv.FormatInt(after, 10) + " ORDER BY id LIMIT 3"
	if err := tx.Query(ctx, text, nil, []any{&id}, func() error {
		ids = append(ids, strconv.FormatInt(id, 10))
		return nil
	}); err != nil || len(ids) == 0 {
		return "", 0, err
	}
	_, err := tx.Exec(ctx, "UPDATE article SET hits = hits + 1 WHERE id IN ("+strings.Join(ids, ", ")+")", nil)
	return ids[len(ids)-1], len(ids), err
}

// TestBatches runs an UPDATE, whose condition has an OR in it, on all rows once, and one without a condition not at all.
func TestBatches(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		seed(t, dsn)
		db := plainDB(t, dsn)
		const batches = 3 // of 500 rows
		values := strings.TrimSuffix(strings.Repeat("(2, 'more', 1), ", 500), ", ")
		for range batches {
			do(t, db, "INSERT INTO article (author_id, title, hits) VALUES "+values)
		}
		step := dataSQL("UPDATE article SET hits = hits + 1")
		step.Batches = "article"
		_, err := open(t.Context(), dsn, store.MigrateUp, first, changed(step))
		says(t, err, "a step in batches has one statement, an UPDATE with a WHERE")
		step = dataSQL("UPDATE article SET hits = hits + 1 WHERE title = 'more' OR hits < 0 -- all")
		step.Batches = "article"
		mustOpen(t, dsn, store.MigrateUp, first, changed(step))
		want(t, db, "SELECT count(*) FROM article WHERE hits = 2", batches*500)
		want(t, db, "SELECT count(*) FROM article WHERE hits IN (10, 20)", 2)
	})
}

func TestDataStepThatNeverEnds(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		seed(t, dsn)
		name := "never_ends_" + d.String()
		migrate.Register(name, migrate.DataStep{Batch: func(context.Context, *core.Conn, string) (string, int, error) { return "x", 1, nil }})
		_, err := open(t.Context(), dsn, store.MigrateUp, first, changed(script.Step{Class: script.Data, What: "w", Run: name}))
		says(t, err, "returned the cursor \"x\" that it was given")
	})
}

func TestDown(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		seed(t, dsn)
		db := mustOpen(t, dsn, store.MigrateUp, first, headline, subtitle)
		b, _ := core.Below(db)
		set := setOf(first, headline, subtitle)
		back := &script.Script{Name: "0002_headline", Steps: []script.Step{rename("headline", "title")}}
		_, err := set.Down(t.Context(), b, "0002_headline", back, migrate.Options{})
		says(t, err, "0003_subtitle comes after it")
		drop := &script.Script{Name: "0003_subtitle", Steps: []script.Step{
			{Class: script.Destroys, What: "article.subtitle: drop the column", Statements: []script.Statement{{
				SQL: "ALTER TABLE article DROP COLUMN subtitle", Done: []script.Probe{{Missing: true, Kind: "column", Table: "article", Name: "subtitle"}},
			}}},
			dataSQL("UPDATE late SET n = 1"),
		}}
		if _, err := set.Down(t.Context(), b, "0003_subtitle", drop, migrate.Options{}); !errors.Is(err, store.ErrMigration) {
			t.Fatalf("without the table late: %v", err)
		}
		_, err = open(t.Context(), dsn, store.MigrateUp, first, headline, subtitle)
		isSchemaError(t, err, "0003_subtitle is being taken back", "modulagen migrate down")
		do(t, db, "CREATE TABLE late (n int)")
		for _, sc := range []*script.Script{drop, back} {
			if _, err := set.Down(t.Context(), b, sc.Name, sc, migrate.Options{}); err != nil {
				t.Fatal(err)
			}
		}
		matches(t, db, first)
		want(t, db, "SELECT count(*) FROM article WHERE title IN ('one', 'two')", 2)
		mustOpen(t, dsn, store.MigrateUp, first, headline, subtitle)
		matches(t, db, first, headline, subtitle)
		_, err = set.Down(t.Context(), b, "0009_none", back, migrate.Options{})
		says(t, err, "the database does not have it")
	})
}

// TestBackup reads the copy that is made of a file before a step that is more than safe.
func TestBackup(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	path := strings.TrimPrefix(dsn, "sqlite:")
	v := changed(dataSQL("UPDATE article SET hits = 0"))
	mustOpen(t, dsn, store.MigrateUp, first, v)
	copied := plainDB(t, dsn+".0002_changed.bak")
	want(t, copied, "SELECT sum(hits) FROM article", 30)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("a temporary file is left: %s", e.Name())
		}
	}

	for _, c := range []struct {
		name string
		opts store.Options
		v    version
	}{
		{"no backup", store.Options{Migrate: store.MigrateUp, NoBackup: true}, v},
		{"safe", store.Options{Migrate: store.MigrateUp}, headline},
	} {
		dsn := freshDSN(t, sqltext.SQLite)
		seed(t, dsn)
		db, err := core.Open(t.Context(), dsn, schema(first, c.v), c.opts)
		if err != nil {
			t.Fatal(err)
		}
		closeDB(t, db)
		if found, err := filepath.Glob(strings.TrimPrefix(dsn, "sqlite:") + "*.bak"); err != nil || len(found) > 0 {
			t.Errorf("%s: %q, %v", c.name, found, err)
		}
	}
}

// TestBackupOfDown takes a migration back, which leaves the copy from before it as it is.
func TestBackupOfDown(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	db := mustOpen(t, dsn, store.MigrateUp, first, changed(dataSQL("UPDATE article SET hits = 0")))
	b, _ := core.Below(db)
	back := &script.Script{Name: "0002_changed", Steps: []script.Step{dataSQL("UPDATE article SET hits = 7")}}
	r, err := setOf(first, changed()).Down(t.Context(), b, back.Name, back, migrate.Options{})
	if want := strings.TrimPrefix(dsn, "sqlite:") + ".0002_changed.down.bak"; err != nil || len(r.Backups) != 1 || r.Backups[0] != want {
		t.Fatalf("the report is %+v, %v, want the copy %s", r, err, want)
	}
	want(t, plainDB(t, dsn+".0002_changed.bak"), "SELECT sum(hits) FROM article", 30)
	want(t, plainDB(t, dsn+".0002_changed.down.bak"), "SELECT sum(hits) FROM article", 0)
}

func TestBackupFails(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	if err := os.Mkdir(strings.TrimPrefix(dsn, "sqlite:")+".0002_changed.bak", 0o755); err != nil {
		t.Fatal(err)
	}
	v := changed(dataSQL("UPDATE article SET hits = 0"))
	_, err := open(t.Context(), dsn, store.MigrateUp, first, v)
	says(t, err, "copying the database", "nothing was changed", "--no-backup")
	want(t, plainDB(t, dsn), "SELECT sum(hits) FROM article", 30)
}

// TestMemory migrates a database that has one connection.
func TestMemory(t *testing.T) {
	db := mustOpen(t, "sqlite::memory:", store.MigrateCheck, first)
	do(t, db, "INSERT INTO author (name) VALUES ('ada')")
	do(t, db, "INSERT INTO article (author_id, title, hits) VALUES (1, 'one', 1)")
	v := changed(rebuilt())
	if err := setOf(first, v).Migrate(t.Context(), db, schema(first, v)); err != nil {
		t.Fatal(err)
	}
	want(t, db, "SELECT count(*) FROM article", 1)
	if _, err := db.Conn().Exec(t.Context(), "INSERT INTO article (author_id, title, hits) VALUES (9, 'x', 1)", nil); !errors.Is(err, store.ErrReference) {
		t.Errorf("foreign keys are off after the migration: %v", err)
	}
}

// TestBackupIsOfTheBeginning has a migration fail after a part of it, and go on: the copy stays that of
// before it.
func TestBackupIsOfTheBeginning(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	migrate.Register("nothing", migrate.DataStep{Batch: func(context.Context, *core.Conn, string) (string, int, error) { return "", 0, nil }})
	begin := dataSQL("UPDATE article SET hits = 0")
	begin.Run = "nothing"
	v := changed(begin, dataSQL("UPDATE late SET n = 1"))
	if _, err := open(t.Context(), dsn, store.MigrateUp, first, v); !errors.Is(err, store.ErrMigration) {
		t.Fatalf("without the table late: %v", err)
	}
	do(t, plainDB(t, dsn), "CREATE TABLE late (n int)")
	mustOpen(t, dsn, store.MigrateUp, first, v)
	want(t, plainDB(t, dsn+".0002_changed.bak"), "SELECT sum(hits) FROM article", 30)
}

// TestDataStepOfAnotherName has a program register a step under another name than the migration has.
func TestDataStepOfAnotherName(t *testing.T) {
	migrate.Register("fill_slag", migrate.DataStep{Batch: func(context.Context, *core.Conn, string) (string, int, error) { return "", 0, nil }})
	migrate.Register("fill_nothing", migrate.DataStep{})
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	step := dataSQL("UPDATE article SET hits = hits * 10")
	step.Run = "fill_slogan"
	_, err := open(t.Context(), dsn, store.MigrateUp, first, changed(step))
	says(t, err, `the data step "fill_slogan", which this program does not have (it has `, "fill_slag")
	if strings.Contains(err.Error(), "fill_nothing") {
		t.Errorf("a step without a Batch is none: %v", err)
	}
}
