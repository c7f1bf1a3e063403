package migrate_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// meddling is a backend in which something happens before a look at the tables, or an exclusive section.
type meddling struct {
	core.Backend
	beforeInspect, beforeExclusive func()
}

func (m *meddling) Inspect(ctx context.Context, s core.Session, tables []string) ([]core.TableDef, error) {
	if m.beforeInspect != nil {
		m.beforeInspect()
	}
	return m.Backend.Inspect(ctx, s, tables)
}

func (m *meddling) Exclusive(ctx context.Context, fn func(core.Session) error) error {
	if m.beforeExclusive != nil {
		m.beforeExclusive()
	}
	return m.Backend.Exclusive(ctx, fn)
}

// TestCheckDuringBatches opens a database while a step changes rows in batches: the record has changed with
// every look, and the answer does not wait for the end.
func TestCheckDuringBatches(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		seed(t, dsn)
		db := plainDB(t, dsn)
		do(t, db, "INSERT INTO modulagen_migrations SELECT '0002_headline', '0001_init', checksum, 0, begun, 'running', 'a', 1, 2, started_at, NULL, program, adds, 'x', NULL "+
			"FROM modulagen_migrations WHERE id = '0001_init'")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		b, _ := core.Below(db)
		looks := 0
		m := &meddling{Backend: b, beforeInspect: func() {
			looks++
			do(t, db, "UPDATE modulagen_migrations SET rows_done = rows_done + 1 WHERE id = '0002_headline'")
		}}
		err := setOf(first, headline).Ensure(ctx, m, schema(first, headline), store.Options{})
		isSchemaError(t, err, "0002_headline")
		if looks > 10 {
			t.Errorf("it looked %d times", looks)
		}
	})
}

// TestTwoBaselines records a database while another process records it as an older one.
func TestTwoBaselines(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		seed(t, dsn)
		db := plainDB(t, dsn)
		do(t, db, "DELETE FROM modulagen_migrations")
		b, _ := core.Below(db)
		set := setOf(first, headline)
		m := &meddling{Backend: b, beforeExclusive: func() {
			if err := set.Baseline(t.Context(), b, schema(first), "0001_init", migrate.Options{}); err != nil {
				t.Error(err)
			}
		}}
		says(t, set.Baseline(t.Context(), m, schema(first), "0002_headline", migrate.Options{}), "has a record of migrations, of which the last is 0001_init")
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'baseline'", 1)
	})
}

// TestFileOfAnotherMigration has a folder that was copied from another one.
func TestFileOfAnotherMigration(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		seed(t, dsn)
		for _, c := range []struct{ name, from, to, want string }{
			{"name", "migration 0002_headline", "migration 0001_init", `0002_headline/` + d.String() + `.sql:1: the file is of the migration 0001_init, after "0001_init": write "-- migration 0002_headline, after 0001_init"`},
			{"parent", "after 0001_init", "after 0000_none", `write "-- migration 0002_headline, after 0001_init"`},
			{"waits", "\n\n", "\n-- waits until no program runs from before 0002_other\n\n", "waits for programs from before 0002_other, which is neither it nor a migration before it"},
		} {
			set := setOf(first, headline)
			file := set.Files.(fstest.MapFS)["m/0002_headline/"+d.String()+".sql"]
			file.Data = []byte(strings.Replace(string(file.Data), c.from, c.to, 1))
			set.List[1].Checksums[d] = script.Checksum(string(file.Data))
			db := plainDB(t, dsn)
			b, _ := core.Below(db)
			_, err := set.Up(t.Context(), b, schema(first, headline), migrate.Options{NoBackup: true})
			says(t, err, c.want)
			want(t, db, "SELECT count(*) FROM modulagen_migrations", 1)
		}
	})
}

// TestProgramThatWasSuspended renews the lease of a program whose row was removed as one of a program that was killed.
func TestProgramThatWasSuspended(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		seed(t, dsn)
		db := plainDB(t, dsn)
		if err := migrate.Extend(setOf(first), t.Context(), db, "program x"); err != nil {
			t.Fatal(err)
		}
		want(t, db, "SELECT count(*) FROM modulagen_migrations WHERE state = 'open' AND id = 'program x' AND parent = '0001_init'", 1)
	})
}

// TestLockOutlivesIdleConnections asks a migration's connection how long MySQL leaves it idle.
func TestLockOutlivesIdleConnections(t *testing.T) {
	b, _ := core.Below(plainDB(t, storetest.FreshDSN(t, "mysql")))
	m, err := b.(core.Migrator).Migration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var seconds int64
	if err := m.QueryRow(t.Context(), "SELECT @@wait_timeout", nil, []any{&seconds}); err != nil || seconds < 2000000 {
		t.Errorf("%d seconds, %v", seconds, err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}
