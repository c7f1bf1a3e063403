package migrate_test

import (
	"context"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// TestTakenBackAtOnce has another process begin to take a migration back as soon as it is applied, which on SQLite
// no lock prevents: the one that applied it does not run it once more.
func TestTakenBackAtOnce(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	db := plainDB(t, dsn)
	b, _ := core.Below(db)
	v := changed(dataSQL("UPDATE article SET hits = hits + 1"))
	rival := &rival{Backend: b, then: func() {
		do(t, db, "UPDATE modulagen_migrations SET state = 'down', statement = 0 WHERE id = '0002_changed'")
	}}
	if _, err := setOf(first, v).Up(t.Context(), rival, schema(first, v), migrate.Options{NoBackup: true}); err != nil {
		t.Fatal(err)
	}
	want(t, db, "SELECT sum(hits) FROM article", 32)
	_, err := open(t.Context(), dsn, store.MigrateUp, first, v)
	isSchemaError(t, err, "0002_changed is being taken back")
}

// rival is a backend that does something after the first commit of a migration.
type rival struct {
	core.Backend
	then func()
}

func (b *rival) Migration(ctx context.Context) (core.Migration, error) {
	m, err := b.Backend.(core.Migrator).Migration(ctx)
	return &rivalMigration{m, b}, err
}

type rivalMigration struct {
	core.Migration
	b *rival
}

func (m *rivalMigration) Begin(ctx context.Context) (core.Transaction, error) {
	tx, err := m.Migration.Begin(ctx)
	return &rivalTx{tx, m.b}, err
}

type rivalTx struct {
	core.Transaction
	b *rival
}

func (t *rivalTx) Commit(ctx context.Context) error {
	err := t.Transaction.Commit(ctx)
	if then := t.b.then; err == nil && then != nil {
		t.b.then = nil
		then()
	}
	return err
}
