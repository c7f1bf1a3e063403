package migrate_test

import (
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// TestAhead makes a change by hand, which the definitions then take over: its migration is not run, and can be recorded.
func TestAhead(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		db := mustOpen(t, dsn, store.MigrateCheck, first, headline)
		b, _ := core.Below(db)
		all := setOf(first, headline, subtitle)
		baseline := func(name string) error {
			return all.Baseline(t.Context(), b, schema(first, headline, subtitle), name, migrate.Options{})
		}
		says(t, baseline("0003_subtitle"), "has a record of migrations, of which the last is 0002_headline")
		do(t, db, words[d].Replace("ALTER TABLE article ADD COLUMN subtitle {TEXT} NULL"))
		do(t, db, words[d].Replace("INSERT INTO author (name) VALUES ('a')"))
		for range 2 {
			_, err := open(t.Context(), dsn, store.MigrateUp, first, headline, subtitle)
			isSchemaError(t, err, "its tables are those of 0003_subtitle already", "modulagen migrate baseline --db DSN 0003_subtitle")
		}
		want(t, db, "SELECT count(*) FROM modulagen_migrations", 2)
		says(t, baseline("0002_headline"), "has a record of migrations")
		if err := baseline("0003_subtitle"); err != nil {
			t.Fatal(err)
		}
		matches(t, mustOpen(t, dsn, store.MigrateCheck, first, headline, subtitle), subtitle)
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'baseline'", 1)
		want(t, db, "SELECT count(*) FROM author", 1)
	})
}

// TestAheadWithMore has another difference too: the tables are those of no migration, and the statement fails, as before.
func TestAheadWithMore(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	db := mustOpen(t, dsn, store.MigrateCheck, first, headline)
	do(t, db, "ALTER TABLE article ADD COLUMN subtitle TEXT")
	do(t, db, "ALTER TABLE author ADD COLUMN extra TEXT")
	_, err := open(t.Context(), dsn, store.MigrateUp, first, headline, subtitle)
	says(t, err, "duplicate column name: subtitle")
}
