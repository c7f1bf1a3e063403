package migrate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
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

// TestAppliedByAnother has another process apply a migration while this one is about to, which on SQLite no lock
// prevents: the report says whose it is.
func TestAppliedByAnother(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	db := plainDB(t, dsn)
	b, _ := core.Below(db)
	all := []version{first, changed(dataSQL("UPDATE article SET hits = hits + 1"))}
	late := &late{Backend: b, before: func() { mustOpen(t, dsn, store.MigrateUp, all...) }}
	r, err := setOf(all...).Up(t.Context(), late, schema(all...), migrate.Options{NoBackup: true})
	if err != nil || len(r.Applied) > 0 || !slices.Equal(r.Others, []string{"0002_changed"}) {
		t.Errorf("Up returned %+v, %v", r, err)
	}
	want(t, db, "SELECT sum(hits) FROM article", 32)

	third := headline
	third.name = "0003_headline"
	late.before = nil
	if r, err = setOf(append(all, third)...).Up(t.Context(), late, schema(append(all, third)...), migrate.Options{NoBackup: true}); err != nil ||
		len(r.Others) > 0 || !slices.Equal(r.Applied, []string{"0003_headline"}) {
		t.Errorf("Up returned %+v, %v", r, err)
	}
}

// late is a backend that does something before the first transaction of a migration.
type late struct {
	core.Backend
	before func()
}

func (b *late) Migration(ctx context.Context) (core.Migration, error) {
	m, err := b.Backend.(core.Migrator).Migration(ctx)
	return &lateMigration{m, b}, err
}

type lateMigration struct {
	core.Migration
	b *late
}

func (m *lateMigration) Begin(ctx context.Context) (core.Transaction, error) {
	if before := m.b.before; before != nil {
		m.b.before = nil
		before()
	}
	return m.Migration.Begin(ctx)
}

// TestDuplicatesWrittenMeanwhile has rows appear that a unique index refuses after the step has looked for them: the
// error lists them, in the same attempt and in the next one.
func TestDuplicatesWrittenMeanwhile(t *testing.T) {
	for _, d := range []sqltext.Dialect{sqltext.Postgres, sqltext.MySQL} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			dsn := freshDSN(t, d)
			seed(t, dsn)
			db := plainDB(t, dsn)
			b, _ := core.Below(db)
			v := uniqueTitle()
			v.script = unique
			meanwhile := &meanwhile{Backend: b, then: func() { do(t, db, "UPDATE article SET title = 'same'") }}
			for range 2 {
				_, err := setOf(first, v).Up(t.Context(), meanwhile, schema(first, v), migrate.Options{})
				says(t, err, "2 rows do not fit, with the id 1, 2: change one of them", "0002_unique/"+d.String()+".sql:4")
				if !errors.Is(err, store.ErrConflict) || !errors.Is(err, store.ErrInvalid) {
					t.Errorf("the error is %v", err)
				}
			}
			do(t, db, "UPDATE article SET title = 'other' WHERE id = 2")
			matches(t, mustOpen(t, dsn, store.MigrateUp, first, v), first, v)
		})
	}
}

// unique builds an index for which the step looks for rows first.
func unique(d sqltext.Dialect) *script.Script {
	sc := uniqueTitle().script(d)
	step := &sc.Steps[0]
	step.Refuse = []script.Refusal{{
		Query:   "SELECT id FROM article WHERE title IN (SELECT title FROM article GROUP BY title HAVING count(*) > 1)",
		Because: "change one of them",
	}}
	if d == sqltext.MySQL {
		step.Statements[0].SQL = "ALTER TABLE article ADD UNIQUE KEY article_title_key (title)"
	}
	return sc
}

// meanwhile is a backend that does something before the first statement that makes an index.
type meanwhile struct {
	core.Backend
	then func()
}

func (b *meanwhile) Migration(ctx context.Context) (core.Migration, error) {
	m, err := b.Backend.(core.Migrator).Migration(ctx)
	return &meanwhileMigration{m, b}, err
}

type meanwhileMigration struct {
	core.Migration
	b *meanwhile
}

func (m *meanwhileMigration) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	if then := m.b.then; then != nil && strings.Contains(sql, "article_title_key") {
		m.b.then = nil
		then()
	}
	return m.Migration.Exec(ctx, sql, args)
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
