package migrate_test

import (
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// TestForeignKeysOfBefore has rows that refer to none from before a migration: it is not blamed for them, and
// changes nothing.
func TestForeignKeysOfBefore(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	db := plainDB(t, dsn)
	for range 7 {
		do(t, db, "INSERT INTO article (author_id, title, hits) VALUES (2, 'more', 1)")
	}
	withoutKeys(t, db, "DELETE FROM author WHERE id = 2")
	for _, v := range []version{changed(dataSQL("UPDATE article SET hits = 0")), changed(rebuilt())} {
		_, err := open(t.Context(), dsn, store.MigrateUp, first, v)
		says(t, err, "0002_changed", "foreign keys did not hold before the migration, 8 in all",
			"the row 2 of article refers by author_id to a row of author that does not exist", "and 3 more", "nothing was changed", "PRAGMA foreign_key_check")
	}
	want(t, db, "SELECT sum(hits) FROM article", 37)
	do(t, db, "INSERT INTO author (id, name) VALUES (2, 'bob')")
	mustOpen(t, dsn, store.MigrateUp, first, changed(dataSQL("UPDATE article SET hits = 0")))
	want(t, db, "SELECT sum(hits) FROM article", 0)
}

// TestSafeStepsLookForNoKeys migrates a database in which foreign keys do not hold by steps that cannot change that.
func TestSafeStepsLookForNoKeys(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	withoutKeys(t, plainDB(t, dsn), "DELETE FROM author WHERE id = 2")
	matches(t, mustOpen(t, dsn, store.MigrateUp, first, headline), first, headline)
}

// withoutKeys runs a statement on a connection that enforces no foreign keys.
func withoutKeys(t *testing.T, db *core.DB, text string) {
	t.Helper()
	b, _ := core.Below(db)
	m, err := b.(core.Migrator).Migration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Exec(t.Context(), text, nil); err != nil {
		t.Error(err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}
