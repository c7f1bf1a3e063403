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
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// rebuilt makes the table author anew, which article refers to with ON DELETE CASCADE.
func rebuilt() script.Step {
	return script.Step{Class: script.Rewrites, What: "author: make the table anew", Rebuilt: "author", Statements: []script.Statement{
		{SQL: "CREATE TABLE modulagen_new_author (\n  id {ID},\n  name {TEXT} NOT NULL\n){END}"},
		{SQL: "INSERT INTO modulagen_new_author (id, name) SELECT id, name FROM author"},
		{SQL: "DROP TABLE author"},
		{SQL: "ALTER TABLE modulagen_new_author RENAME TO author"},
	}}
}

// TestRebuild keeps the rows that refer to a table that is made anew, and the mark of its ids.
func TestRebuild(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	db := plainDB(t, dsn)
	do(t, db, "INSERT INTO author (id, name) VALUES (40, 'gone')")
	do(t, db, "DELETE FROM author WHERE id = 40")
	do(t, db, "CREATE TRIGGER mine AFTER UPDATE ON author BEGIN UPDATE article SET hits = hits + 1; END")
	mustOpen(t, dsn, store.MigrateUp, first, changed(rebuilt()))
	want(t, db, "SELECT count(*) FROM article", 2)
	want(t, db, "SELECT count(*) FROM author", 2)
	do(t, db, "INSERT INTO author (name) VALUES ('new')")
	want(t, db, "SELECT max(id) FROM author", 41)
	do(t, db, "UPDATE author SET name = 'x' WHERE id = 41")
	want(t, db, "SELECT sum(hits) FROM article", 32)
	matches(t, db, first)
}

// TestRebuildOfEmpty keeps the mark of a table without rows.
func TestRebuildOfEmpty(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	db := plainDB(t, dsn)
	do(t, db, "DELETE FROM author")
	mustOpen(t, dsn, store.MigrateUp, first, changed(rebuilt()))
	do(t, db, "INSERT INTO author (name) VALUES ('new')")
	want(t, db, "SELECT id FROM author", 3)
}

func TestRebuildThatLosesRows(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	step := rebuilt()
	step.Statements[1].SQL += " WHERE id = 1"
	_, err := open(t.Context(), dsn, store.MigrateUp, first, changed(step))
	says(t, err, "author had 2 rows before it was made anew, and has 1 after it", "nothing was changed")
	want(t, plainDB(t, dsn), "SELECT count(*) FROM author", 2)
}

func TestForeignKeysAreChecked(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	_, err := open(t.Context(), dsn, store.MigrateUp, first, changed(dataSQL("DELETE FROM author WHERE id = 2")))
	says(t, err, "foreign keys do not hold after the migration, 1 in all: the row 2 of article refers by author_id to a row of author that does not exist")
	want(t, plainDB(t, dsn), "SELECT count(*) FROM author", 2)
}

// uniqueTitle builds an index concurrently.
func uniqueTitle() version {
	v := first
	v.name = "0002_unique"
	v.ddl += "CREATE UNIQUE INDEX article_title_key ON article (title);\n"
	v.tables = []core.TableDef{authorTable, articleTable("title")}
	v.tables[1].Indexes = []core.Index{{Name: "article_title_key", Columns: []int{2}, Unique: true}}
	v.script = func(sqltext.Dialect) *script.Script {
		return &script.Script{Steps: []script.Step{{Class: script.Blocks, What: "article.title: a unique index", Alone: true, Statements: []script.Statement{{
			SQL:  "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS article_title_key ON article (title)",
			Done: []script.Probe{{Kind: "index", Table: "article", Name: "article_title_key"}},
		}}}}}
	}
	return v
}

// TestInvalidIndex leaves a part of an index behind, which IF NOT EXISTS would take for it.
func TestInvalidIndex(t *testing.T) {
	dsn := storetest.FreshDSN(t, "postgres")
	seed(t, dsn)
	db := plainDB(t, dsn)
	do(t, db, "UPDATE article SET title = 'same'")
	if _, err := open(t.Context(), dsn, store.MigrateUp, first, uniqueTitle()); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("with two rows of one title: %v", err)
	}
	want(t, db, "SELECT count(*) FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid WHERE i.relname = 'article_title_key' AND NOT x.indisvalid", 1)
	do(t, db, "UPDATE article SET title = 'other' WHERE id = 1")
	log, out := newLog()
	opened, err := core.Open(t.Context(), dsn, schema(first, uniqueTitle()), store.Options{Migrate: store.MigrateUp, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	closeDB(t, opened)
	if !strings.Contains(out.String(), "half built") {
		t.Errorf("the log is %s", out)
	}
	want(t, db, "SELECT count(*) FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid WHERE i.relname = 'article_title_key' AND x.indisvalid", 1)
}

// TestLock has another transaction hold what a step changes until the step has been tried in vain.
func TestLock(t *testing.T) {
	for _, d := range []sqltext.Dialect{sqltext.Postgres, sqltext.MySQL} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.FreshDSN(t, d.String())
			seed(t, dsn)
			other := plainDB(t, dsn)
			log, out := newLog()
			done := make(chan error, 1)
			err := other.Tx(t.Context(), func(tx *core.Conn) error {
				var n int64
				if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM article", nil, []any{&n}); err != nil {
					return err
				}
				go func() {
					db, err := core.Open(context.Background(), dsn, schema(first, headline), store.Options{Migrate: store.MigrateUp, Logger: log})
					if err == nil {
						err = db.Close()
					}
					done <- err
				}()
				out.await(t, "a lock was not to be had; trying again")
				return nil
			})
			if err := errors.Join(err, <-done); err != nil {
				t.Fatal(err)
			}
			matches(t, other, first, headline)
		})
	}
}

// TestWaiting has one process wait for another one, within bounds.
func TestWaiting(t *testing.T) {
	for _, d := range []sqltext.Dialect{sqltext.Postgres, sqltext.MySQL} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			dsn := storetest.FreshDSN(t, d.String())
			seed(t, dsn)
			b, _ := core.Below(plainDB(t, dsn))
			m, err := b.(core.Migrator).Migration(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := m.Lock(t.Context()); err != nil || !got {
				t.Fatal(got, err)
			}
			_, err = setOf(first, headline).Up(t.Context(), b, schema(first, headline), migrate.Options{Wait: 1})
			says(t, err, "another process has been migrating for 1ns")
			if !errors.Is(err, store.ErrBusy) {
				t.Errorf("the error is %v", err)
			}
			log, out := newLog()
			done := make(chan error, 1)
			go func() {
				_, err := setOf(first, headline).Up(context.Background(), b, schema(first, headline), migrate.Options{Logger: log})
				done <- err
			}()
			out.await(t, "waiting for another process that migrates")
			if err := errors.Join(m.Close(), <-done); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestWaitingForFile waits for another process that writes to the file.
func TestWaitingForFile(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	other := plainDB(t, dsn)
	log, out := newLog()
	done := make(chan error, 1)
	err := other.Tx(t.Context(), func(*core.Conn) error {
		go func() {
			db, err := core.Open(context.Background(), dsn+"?busy_timeout=50", schema(first, headline), store.Options{Migrate: store.MigrateUp, Logger: log})
			if err == nil {
				err = db.Close()
			}
			done <- err
		}()
		out.await(t, "a lock was not to be had; trying again")
		return nil
	})
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	matches(t, other, first, headline)
}

// TestLockOfSpelledNames has the lock be one for a database, however a DSN spells the server.
func TestLockOfSpelledNames(t *testing.T) {
	dsn := storetest.FreshDSN(t, "mysql")
	b, _ := core.Below(plainDB(t, dsn))
	var socket string
	if err := b.QueryRow(t.Context(), "SELECT @@socket", nil, []any{&socket}); err != nil {
		t.Fatal(err)
	}
	other, _ := core.Below(plainDB(t, dsn+"?socket="+socket))
	var locks []bool
	for _, b := range []core.Backend{b, other} {
		m, err := b.(core.Migrator).Migration(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		got, err := m.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		locks = append(locks, got)
	}
	if !locks[0] || locks[1] {
		t.Errorf("the two have the lock: %v", locks)
	}
}

// TestAlgorithm has MySQL refuse ways to change a table.
func TestAlgorithm(t *testing.T) {
	dsn := storetest.FreshDSN(t, "mysql")
	seed(t, dsn)
	v := first
	v.name = "0002_longer"
	v.ddl = strings.ReplaceAll(first.ddl, "hits {INT} NOT NULL", "hits {TEXT} NOT NULL")
	v.tables = []core.TableDef{authorTable, articleTable("title")}
	v.tables[1].Columns[3].Types = textType
	st := script.Statement{
		SQL: "ALTER TABLE article MODIFY hits varchar(100) NOT NULL, ALGORITHM=INSTANT", Repeatable: true,
		Or: []string{"ALGORITHM=INPLACE, LOCK=NONE"},
	}
	v.script = func(sqltext.Dialect) *script.Script {
		return &script.Script{Steps: []script.Step{{Class: script.Rewrites, What: "article.hits: text", Statements: []script.Statement{st}}}}
	}
	_, err := open(t.Context(), dsn, store.MigrateUp, first, v)
	says(t, err, "the database would have to copy the table", "ALGORITHM=COPY")
	st.Or = append(st.Or, "ALGORITHM=COPY")
	matches(t, mustOpen(t, dsn, store.MigrateUp, first, v), first, v)
}

// TestUnprovable refuses, before anything is done, what could not be found done after a kill.
func TestUnprovable(t *testing.T) {
	dsn := storetest.FreshDSN(t, "mysql")
	seed(t, dsn)
	v := changed(dataSQL("UPDATE article SET hits = 0"), script.Step{Class: script.Safe, What: "w", Statements: []script.Statement{{SQL: "CREATE TABLE late (n int)"}}})
	_, err := open(t.Context(), dsn, store.MigrateUp, first, v)
	says(t, err, "0002_changed/mysql.sql:8: the statement takes effect at once", "done when:")
	want(t, plainDB(t, dsn), "SELECT sum(hits) FROM article", 30)
}
