package migrate_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

func verify(t *testing.T, db *core.DB, versions ...version) migrate.Verification {
	t.Helper()
	b, _ := core.Below(db)
	v, err := setOf(versions...).Verify(t.Context(), b, schema(versions...))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func has(all []string, word string) bool {
	return slices.ContainsFunc(all, func(line string) bool { return strings.Contains(line, word) })
}

// TestVerifyWhatIsPending tells what a pending migration changes from what someone did.
func TestVerifyWhatIsPending(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		db := mustOpen(t, dsn, store.MigrateCheck, first)
		v := verify(t, db, first, headline)
		if len(v.Pending) != 1 || !strings.HasPrefix(v.Pending[0], "0002_headline: article.title: rename the column") || len(v.Differences)+len(v.Notes) > 0 ||
			len(v.Expected) != 2 || !has(v.Expected, "article.headline: the column is missing") || !has(v.Expected, "article.title: ") {
			t.Errorf("Verify returned %+v", v)
		}
		do(t, db, "ALTER TABLE author ADD COLUMN extra int NULL")
		do(t, db, "CREATE INDEX mine ON article (hits)")
		do(t, db, "CREATE TABLE other (id int)")
		v = verify(t, db, first, headline)
		if len(v.Differences) != 1 || !has(v.Differences, "author.extra") || len(v.Expected) != 2 || len(v.Notes) != 2 ||
			!has(v.Notes, "article: the database has the index mine (hits)") || !has(v.Notes, "other: ") {
			t.Errorf("with drift, Verify returned %+v", v)
		}
		do(t, db, "ALTER TABLE article ADD COLUMN stars int NULL")
		if v = verify(t, db, first, headline); len(v.Expected) > 0 || !has(v.Differences, "article.stars") || !has(v.Differences, "article.headline") {
			t.Errorf("with drift of a table that a pending migration changes, Verify returned %+v", v)
		}
	})
}

// TestVerifyATableThatComesAndOneThatGoes compares tables that the definitions do not have any more, and those of which
// no migration has run.
func TestVerifyATableThatComesAndOneThatGoes(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		db := mustOpen(t, dsn, store.MigrateCheck, first)
		renamed := first
		renamed.name = "0002_writer"
		renamed.ddl = "CREATE TABLE writer (\n  id {ID},\n  name {TEXT} NOT NULL\n){END};\n"
		writer := authorTable
		writer.Name = "writer"
		renamed.tables = []core.TableDef{writer}
		v := verify(t, db, first, renamed)
		if len(v.Differences)+len(v.Notes) > 0 || len(v.Expected) != 1 || !has(v.Expected, "writer: the table is missing") {
			t.Errorf("Verify returned %+v", v)
		}
		do(t, db, "ALTER TABLE article ADD COLUMN extra int NULL")
		do(t, db, strings.Replace("CREATE TABLE writer (id int)", "int", "bigint", 1))
		v = verify(t, db, first, renamed)
		if len(v.Expected) > 0 || !has(v.Differences, "article: the table is not as 0001_init left it") || !has(v.Differences, "writer.name: the column is missing") {
			t.Errorf("with drift, Verify returned %+v", v)
		}
	})
}

// TestVerifyWhatWasBegun compares tables of which a migration has changed a part.
func TestVerifyWhatWasBegun(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		seed(t, dsn)
		v := headline
		step := headline.script(d).Steps[0]
		v.script = changed(step, dataSQL("UPDATE late SET n = 1")).script
		if _, err := open(t.Context(), dsn, store.MigrateUp, first, v, subtitle); !errors.Is(err, store.ErrMigration) {
			t.Fatalf("without the table late: %v", err)
		}
		got := verify(t, plainDB(t, dsn), first, v, subtitle)
		if len(got.Pending) != 2 || !strings.Contains(got.Pending[0], "and failed: step 2") || len(got.Differences) > 0 || !has(got.Expected, "article.subtitle: the column is missing") {
			t.Errorf("Verify returned %+v", got)
		}
	})
}
