package migrate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// TestNearest opens a database without a record that was made by hand, and is almost the first of three versions: what
// the later ones do is no difference, and nothing is said to mend it, as that would keep them from being applied.
func TestNearest(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		db := mustOpen(t, dsn, store.MigrateCheck, first)
		do(t, db, "DROP TABLE modulagen_migrations")
		if v := verify(t, db, first, headline, subtitle); len(v.Pending) != 2 || len(v.Differences)+len(v.Statements) > 0 || !has(v.Expected, "article.headline: the column is missing") {
			t.Errorf("without a difference, Verify returned %+v", v)
		}
		do(t, db, "ALTER TABLE author ADD COLUMN rank1 int NOT NULL DEFAULT 1")
		_, err := open(t.Context(), dsn, store.MigrateUp, first, headline, subtitle)
		isSchemaError(t, err, "nearest are those of 0001_init, but for:\n  author: the table is not as 0001_init has it\n", "modulagen migrate baseline --db DSN 0001_init")
		if e, ok := errors.AsType[*store.SchemaError](err); !ok || len(e.Statements) > 0 || strings.Contains(e.Error(), "headline") {
			t.Errorf("the error is %v", err)
		}
		if v := verify(t, db, first, headline, subtitle); len(v.Pending) != 2 || len(v.Differences) != 1 || !has(v.Differences, "author.rank1") {
			t.Errorf("Verify returned %+v", v)
		}
		b, _ := core.Below(db)
		if err := setOf(first, headline, subtitle).Baseline(t.Context(), b, schema(first, headline, subtitle), "0001_init", migrate.Options{}); err != nil {
			t.Fatal(err)
		}
		if _, err := setOf(first, headline, subtitle).Up(t.Context(), b, schema(first, headline, subtitle), migrate.Options{NoBackup: true}); err != nil {
			t.Fatal(err)
		}
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'done'", 2)
	})
}

// TestNearestTables has tables that are missing, and some that the nearest version does not have.
func TestNearestTables(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	db := mustOpen(t, dsn, store.MigrateCheck, first)
	do(t, db, "DROP TABLE modulagen_migrations")
	do(t, db, "DROP TABLE article")
	do(t, db, "CREATE TABLE writer (id int)")
	writer := headline
	for _, n := range []string{"writer", "editor"} {
		writer.tables = append([]core.TableDef{{Name: n, Columns: []core.Column{{Name: "id", Types: idType}}}}, writer.tables...)
		writer.ddl += "CREATE TABLE " + n + " (\n  id {ID}\n){END};\n"
	}
	_, err := open(t.Context(), dsn, store.MigrateUp, first, writer)
	isSchemaError(t, err, "nearest are those of 0001_init, but for:", "writer: the table is there, and 0001_init has none", "article: the table is missing")
}

// TestNoStatementForWhatIsPending has a table changed by hand that a pending migration changes too: to add its column by
// hand would have that migration fail.
func TestNoStatementForWhatIsPending(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		db := mustOpen(t, dsn, store.MigrateCheck, first)
		do(t, db, "ALTER TABLE article ADD COLUMN stars int NULL")
		v := verify(t, db, first, headline, subtitle)
		if !has(v.Differences, "article.stars") || !has(v.Differences, "article.subtitle: the column is missing") || len(v.Statements) > 0 {
			t.Errorf("Verify returned %+v", v)
		}
		mustOpen(t, dsn, store.MigrateUp, first, headline, subtitle)
		db = plainDB(t, dsn)
		do(t, db, "ALTER TABLE article DROP COLUMN subtitle")
		if v := verify(t, db, first, headline, subtitle); !has(v.Statements, "ADD COLUMN subtitle") {
			t.Errorf("where nothing is pending, Verify returned %+v", v)
		}
	})
}
