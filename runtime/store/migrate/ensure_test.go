package migrate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

func TestNewDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		db := mustOpen(t, dsn, store.MigrateCheck, first, headline)
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'created' AND ended_at IS NOT NULL", 2)
		matches(t, db, first, headline)
		mustOpen(t, dsn, store.MigrateCheck, first, headline)
	})
}

func TestPending(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		seed(t, dsn)
		_, err := open(t.Context(), dsn, store.MigrateCheck, first, headline, subtitle)
		isSchemaError(t, err, "migrations are missing:", "0002_headline: article.title: rename the column to headline (safe)", "0003_subtitle",
			"modulagen migrate up", "store.MigrateUp")
		if strings.Contains(err.Error(), "by hand") {
			t.Errorf("the error advises to change tables by hand: %v", err)
		}
		mustOpen(t, dsn, store.MigrateManual, first, headline, subtitle)
		db := mustOpen(t, dsn, store.MigrateUp, first, headline, subtitle)
		want(t, db, "SELECT count(*) FROM article WHERE headline IN ('one', 'two') AND subtitle IS NULL", 2)
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'done'", 2)
		matches(t, db, first, headline, subtitle)
		mustOpen(t, dsn, store.MigrateCheck, first, headline, subtitle)
	})
}

func TestManual(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		db := mustOpen(t, dsn, store.MigrateManual, first, headline)
		set := setOf(first, headline)
		for range 2 {
			if err := set.Migrate(t.Context(), db, schema(first, headline)); err != nil {
				t.Fatal(err)
			}
		}
		matches(t, db, first, headline)
		err := db.Tx(t.Context(), func(*core.Conn) error { return set.Migrate(t.Context(), db, schema(first, headline)) })
		if !errors.Is(err, store.ErrInvalid) {
			t.Errorf("in a transaction: %v", err)
		}
	})
}

// TestBaseline opens databases that were made by a program without migrations.
func TestBaseline(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		old := schema(headline)
		old.Ensure = nil
		db, err := core.Open(t.Context(), dsn, old, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer closeDB(t, db)
		do(t, db, "INSERT INTO author (name) VALUES ('ada')")
		mustOpen(t, dsn, store.MigrateUp, first, headline, subtitle)
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'baseline'", 2)
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'done' AND id = '0003_subtitle'", 1)
		want(t, db, "SELECT count(*) FROM author", 1)
	})
}

func TestBaselineByHand(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		db := plainDB(t, dsn)
		old := schema(first)
		old.Ensure = nil
		b, _ := core.Below(db)
		set := setOf(first, headline)
		says(t, set.Baseline(t.Context(), b, schema(first), "0001_init", migrate.Options{}), "is empty")
		if err := core.EnsureTables(t.Context(), b, old, store.Options{}); err != nil {
			t.Fatal(err)
		}
		do(t, db, "ALTER TABLE article ADD COLUMN extra int NULL")
		_, err := open(t.Context(), dsn, store.MigrateUp, first, headline)
		isSchemaError(t, err, "article.extra: the database has a column", "article.headline: the column is missing", "modulagen migrate baseline")
		says(t, set.Baseline(t.Context(), b, schema(first), "0009_none", migrate.Options{}), "there is no migration", "0002_headline")
		if err := set.Baseline(t.Context(), b, schema(first), "0001_init", migrate.Options{}); err != nil {
			t.Fatal(err)
		}
		says(t, set.Baseline(t.Context(), b, schema(first), "0001_init", migrate.Options{}), "has a record of migrations")
		mustOpen(t, dsn, store.MigrateUp, first, headline)
		found, err := migrate.Verify(t.Context(), b, schema(first, headline))
		if err != nil || len(found.Differences) != 1 || !strings.Contains(found.Differences[0], "article.extra: the database has a column") {
			t.Errorf("Verify returned %q, %v", found.Differences, err)
		}
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'done'", 1)
	})
}

func TestNewerDatabase(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		mustOpen(t, dsn, store.MigrateCheck, first, headline, subtitle)
		mustOpen(t, dsn, store.MigrateCheck, first, headline)
		mustOpen(t, dsn, store.MigrateUp, first, headline)
		_, err := open(t.Context(), dsn, store.MigrateUp, first)
		isSchemaError(t, err, "0002_headline is newer than this program", "article.title is renamed", "run the version of the program")
		other := headline
		other.name = "0002_other"
		_, err = open(t.Context(), dsn, store.MigrateUp, first, other)
		isSchemaError(t, err, "0002_headline, which this program does not know, and lacks 0002_other", "modulagen migrate check")
	})
}

func TestChangedFile(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		db := mustOpen(t, dsn, store.MigrateCheck, first, headline)
		edited := headline
		edited.script = func(d sqltext.Dialect) *script.Script {
			s := headline.script(d)
			s.Steps[0].Note = "edited"
			return s
		}
		_, err := open(t.Context(), dsn, store.MigrateUp, first, edited)
		isSchemaError(t, err, "0002_headline/"+d.String()+".sql is not what was applied", "modulagen migrate new")
		b, _ := core.Below(db)
		st, err := setOf(first, edited).Status(t.Context(), b)
		if err != nil || !st.Migrations[1].Edited || st.Migrations[0].Edited {
			t.Errorf("the status is %+v, %v", st, err)
		}
		set := setOf(first, headline)
		set.List[1].Checksums[d] = "other"
		do(t, db, "DELETE FROM modulagen_migrations WHERE id = '0002_headline'")
		_, err = set.Up(t.Context(), b, schema(first, headline), migrate.Options{})
		says(t, err, "was changed after the code was generated", "modulagen generate")
		do(t, db, "DELETE FROM modulagen_migrations WHERE id = '0001_init'")
		mustOpen(t, dsn, store.MigrateCheck, first, headline)
		do(t, db, "DELETE FROM modulagen_migrations WHERE id = '0001_init'")
		_, err = open(t.Context(), dsn, store.MigrateUp, first, headline)
		isSchemaError(t, err, "0002_headline is applied, and 0001_init before it is not")
	})
}

// TestWithoutSQL has a migration that was written before the project targeted the database.
func TestWithoutSQL(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		lacking := setOf(first, headline)
		lacking.List[1].Checksums[d] = ""
		s := schema(first, headline)
		s.Ensure = lacking.Ensure

		mustOpen(t, dsn, store.MigrateCheck, first)
		for _, how := range []store.MigrateMode{store.MigrateCheck, store.MigrateUp} {
			_, err := core.Open(t.Context(), dsn, s, store.Options{Migrate: how})
			isSchemaError(t, err, "it lacks 0002_headline, which has no SQL for "+d.String(), "modulagen migrate accept 0002_headline")
		}
	})
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		lacking := setOf(first, headline)
		lacking.List[1].Checksums[d] = ""
		s := schema(first, headline)
		s.Ensure = lacking.Ensure
		db, err := core.Open(t.Context(), dsn, s, store.Options{})
		if err != nil {
			t.Fatal("a new database needs no SQL: ", err)
		}
		t.Cleanup(func() { closeDB(t, db) })
		b, _ := core.Below(db)
		st, err := lacking.Status(t.Context(), b)
		if err != nil || !st.Migrations[1].Applied() || !st.Migrations[1].NoSQL || st.Migrations[0].NoSQL {
			t.Errorf("the status is %+v, %v", st, err)
		}
		mustOpen(t, dsn, store.MigrateUp, first, headline) // which someone has written meanwhile
		_, err = open(t.Context(), dsn, store.MigrateUp, first)
		isSchemaError(t, err, "0002_headline is newer than this program", "has no SQL for "+d.String())
	})
}

func TestDrift(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		db := mustOpen(t, dsn, store.MigrateCheck, first)
		do(t, db, "ALTER TABLE author ADD COLUMN extra int NULL")
		do(t, db, "CREATE TABLE mine (id bigint)")
		b, _ := core.Below(db)
		found, err := migrate.Verify(t.Context(), b, schema(first))
		if err != nil || len(found.Differences) != 1 || !strings.Contains(found.Differences[0], "author.extra") || len(found.Notes) != 1 || !strings.Contains(found.Notes[0], "mine") {
			t.Errorf("Verify returned %q, %q, %v", found.Differences, found.Notes, err)
		}
		mustOpen(t, dsn, store.MigrateCheck, first) // which can work with that
		do(t, db, "ALTER TABLE author ADD COLUMN more int NOT NULL DEFAULT 1")
		_, err = open(t.Context(), dsn, store.MigrateCheck, first)
		isSchemaError(t, err, "author.more", "modulagen migrate verify")
		if strings.Contains(err.Error(), "author.extra") {
			t.Errorf("the error names what the program can work with: %v", err)
		}
	})
}

// TestDriftOfReferences has a foreign key that does another thing.
func TestDriftOfReferences(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		other := first
		other.ddl = strings.ReplaceAll(first.ddl, "CASCADE", "RESTRICT")
		db := mustOpen(t, dsn, store.MigrateCheck, other)
		b, _ := core.Below(db)
		found, err := migrate.Verify(t.Context(), b, schema(first))
		if err != nil || len(found.Differences) != 1 || !strings.Contains(found.Differences[0], "on delete restrict") || !strings.Contains(found.Differences[0], "on delete cascade") {
			t.Errorf("Verify returned %q, %v", found.Differences, err)
		}
		do(t, db, "DROP TABLE modulagen_migrations")
		_, err = open(t.Context(), dsn, store.MigrateCheck, first)
		isSchemaError(t, err, "are those of none", "on delete")
	})
}

// TestOlderChecks opens databases whose check of JSON does not say "IS NULL OR", with a record of
// migrations and without: they are those of the definitions.
func TestOlderChecks(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	with := func(check string) version {
		v := first
		v.ddl = strings.Replace(first.ddl, "  name {TEXT} NOT NULL", "  name {TEXT} NOT NULL,\n  data TEXT,\n  CONSTRAINT author_data_check CHECK ("+check+")", 1)
		author := authorTable
		author.Columns = append(slices.Clone(author.Columns), core.Column{Name: "data", Null: true, Types: textType})
		v.tables = []core.TableDef{author, articleTable("title")}
		return v
	}
	before, now := with("json_valid(data)"), with("data IS NULL OR json_valid(data)")
	db := mustOpen(t, dsn, store.MigrateCheck, before)
	matches(t, mustOpen(t, dsn, store.MigrateCheck, now), now)
	do(t, db, "DROP TABLE modulagen_migrations")
	matches(t, mustOpen(t, dsn, store.MigrateCheck, now), now)
	want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'baseline'", 1)
}

// TestCreationGoesOn opens databases in which a process was killed while it created the tables,
// as can be on MySQL.
func TestCreationGoesOn(t *testing.T) {
	dsn := storetest.FreshDSN(t, "mysql")
	db := mustOpen(t, dsn, store.MigrateCheck, first)
	do(t, db, "DROP TABLE article")
	do(t, db, "UPDATE modulagen_migrations SET state = 'creating', ended_at = NULL")
	mustOpen(t, dsn, store.MigrateCheck, first)
	want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'created'", 1)
	late := first
	late.ddl = strings.ReplaceAll(first.ddl, "hits {INT} NOT NULL,\n  CONSTRAINT article_author_id_fkey FOREIGN KEY (author_id) REFERENCES author (id) ON DELETE CASCADE\n){END};",
		"hits {INT} NOT NULL\n){END};\nALTER TABLE article ADD CONSTRAINT article_author_id_fkey FOREIGN KEY (author_id) REFERENCES author (id) ON DELETE CASCADE;")
	late.name = first.name
	do(t, db, "ALTER TABLE article DROP FOREIGN KEY article_author_id_fkey")
	do(t, db, "UPDATE modulagen_migrations SET state = 'creating', ended_at = NULL")
	matches(t, mustOpen(t, dsn, store.MigrateCheck, late), late)
}

// TestOpenTogether has several programs open a new database, and then one that lacks migrations.
func TestOpenTogether(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		for _, versions := range [][]version{{first}, {first, headline, subtitle}} {
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					db, err := open(context.Background(), dsn, store.MigrateUp, versions...)
					if err != nil {
						t.Error(err)
						return
					}
					closeDB(t, db)
				})
			}
			group.Wait()
		}
		db := mustOpen(t, dsn, store.MigrateCheck, first, headline, subtitle)
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state IN ('done', 'created')", 3)
	})
}

func TestBehindPooler(t *testing.T) {
	dsn := storetest.FreshPooledDSN(t)
	mustOpen(t, dsn, store.MigrateUp, first)
	_, err := open(t.Context(), dsn, store.MigrateUp, first, headline)
	says(t, err, "is behind a connection pooler", "modulagen migrate up --db DSN")
	_, err = open(t.Context(), dsn, store.MigrateCheck, first, headline)
	isSchemaError(t, err, "migrations are missing")
}

// TestBaselineBeforeARename opens a database without a record in which a table has the name that the
// last migration changes: that is to be applied, and is not taken for done.
func TestBaselineBeforeARename(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		with := func(v version, table string) version {
			v.ddl = first.ddl + "CREATE TABLE " + table + " (\n  id {ID}\n){END};\n"
			v.tables = append([]core.TableDef{{Name: table, Columns: []core.Column{{Name: "id", Types: idType}}}}, first.tables...)
			return v
		}
		before := with(first, "late")
		after := with(changed(script.Step{Class: script.Safe, What: "late: rename the table to later", Statements: []script.Statement{
			{SQL: "ALTER TABLE late RENAME TO later", Done: []script.Probe{{Kind: "table", Table: "later"}}},
		}}), "later")
		old := schema(before)
		old.Ensure = nil
		db, err := core.Open(t.Context(), dsn, old, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer closeDB(t, db)
		do(t, db, "INSERT INTO late (id) VALUES (7)")
		mustOpen(t, dsn, store.MigrateUp, before, after)
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'done' AND id = '0002_changed'", 1)
		want(t, db, "SELECT id FROM later", 7)
	})
}

// TestBaselineBeforeANewTable opens a database without a record that lacks the table which the last
// migration adds.
func TestBaselineBeforeANewTable(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		added := first
		added.name = "0002_late"
		added.ddl += "CREATE TABLE late (\n  id {ID}\n){END};\n"
		added.tables = append([]core.TableDef{{Name: "late", Columns: []core.Column{{Name: "id", Types: idType}}}}, first.tables...)
		added.script = func(sqltext.Dialect) *script.Script {
			return &script.Script{Steps: []script.Step{{Class: script.Safe, What: "late: create the table", Statements: []script.Statement{
				{SQL: "CREATE TABLE late (\n  id {ID}\n){END}", Done: []script.Probe{{Kind: "table", Table: "late"}}},
			}}}}
		}
		old := schema(first)
		old.Ensure = nil
		db, err := core.Open(t.Context(), dsn, old, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer closeDB(t, db)
		mustOpen(t, dsn, store.MigrateUp, first, added)
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'done' AND id = '0002_late'", 1)
		want(t, db, "SELECT count(*) FROM late", 0)
	})
}
