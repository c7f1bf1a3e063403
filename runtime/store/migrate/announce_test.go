package migrate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Of programs that were killed, rows stay: those that ended long ago are removed, and no others.
func TestPrune(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		db := mustOpen(t, dsn, store.MigrateCheck, first)
		if err := setOf(first).Announce(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		leases := map[string]time.Time{"program old": time.Now().Add(-90 * time.Minute), "program late": time.Now().Add(-30 * time.Minute)}
		columns := `id, ended_at, parent, checksum, statement, begun, state, "cursor", rows_done, rows_total, started_at, program, adds, refused`
		if d == sqltext.MySQL {
			columns = strings.ReplaceAll(columns, `"`, "`")
		}
		others := "INSERT INTO modulagen_migrations (" + columns + ")\nSELECT " +
			strings.NewReplacer("id, ended_at", d.Placeholder(1)+", "+d.Placeholder(2)).Replace(columns) +
			"\nFROM modulagen_migrations WHERE id LIKE 'program %' AND id NOT IN ('program old', 'program late')"
		for id, ended := range leases {
			if _, err := db.Conn().Exec(t.Context(), others, []any{id, ended}); err != nil {
				t.Fatal(err)
			}
		}
		if err := migrate.Prune(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'open'", 2)
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE id = 'program late'", 1)
	})
}
