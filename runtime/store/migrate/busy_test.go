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
)

// shortWait waits for SQLite's lock for a moment, as every program does for less long than a large table takes.
const shortWait = "?busy_timeout=20"

// writing has another process write, until the function that it returns is called.
func writing(t *testing.T, dsn string) (end func()) {
	t.Helper()
	b, _ := core.Below(plainDB(t, dsn))
	tx, err := b.Begin(context.WithoutCancel(t.Context()), store.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
}

// TestBegunByAnother has another process, which began a migration, hold SQLite's lock for longer than the busy
// timeout: this one waits for it, forward and back.
func TestBegunByAnother(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	v := changed(dataSQL("UPDATE article SET hits = hits + 1"))
	set := setOf(first, v)
	db := plainDB(t, dsn)
	begun := func(state, checksum string) {
		t.Helper()
		do(t, db, "DELETE FROM modulagen_migrations WHERE id = '0002_changed'")
		do(t, db, "INSERT INTO modulagen_migrations SELECT '0002_changed', '0001_init', '"+checksum+"', 0, 0, '"+state+"', '', 0, 0, started_at, NULL, program, adds, '', NULL "+
			"FROM modulagen_migrations WHERE id = '0001_init'")
	}
	back := func(ctx context.Context, b core.Backend, o migrate.Options) error {
		_, err := set.Down(ctx, b, "0002_changed", &script.Script{Steps: []script.Step{dataSQL("UPDATE article SET hits = hits - 1")}}, o)
		return err
	}
	forward := func(ctx context.Context, b core.Backend, o migrate.Options) error {
		_, err := set.Up(ctx, b, schema(first, v), o)
		return err
	}
	for _, c := range []struct {
		what, state, checksum string
		run                   func(context.Context, core.Backend, migrate.Options) error
		hits                  int64
	}{
		{"forward", "running", script.Checksum(""), forward, 32},
		{"back", "done", "", back, 30},
	} {
		begun(c.state, c.checksum)
		end := writing(t, dsn)
		b, _ := core.Below(plainDB(t, dsn+shortWait))
		logger, log := newLog()
		ended := make(chan error, 1)
		go func() {
			err := c.run(t.Context(), b, migrate.Options{NoBackup: true, Logger: logger})
			logger.Info("it has ended")
			ended <- err
		}()
		log.awaitEither(t, "a lock was not to be had", "it has ended")
		end()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		want(t, db, "SELECT sum(hits) FROM article", c.hits)
	}
}

// awaitEither waits for one of two lines of the log.
func (l *lines) awaitEither(t testing.TB, a, b string) {
	t.Helper()
	for !strings.Contains(l.String(), a) && !strings.Contains(l.String(), b) {
		select {
		case <-l.more:
		case <-t.Context().Done():
			t.Fatalf("the log lacks %q and %q:\n%s", a, b, l.String())
		}
	}
}

// TestAnnouncedLater opens a database on SQLite while another process writes, as one does that migrates: the program
// is announced when its lease would be renewed.
func TestAnnouncedLater(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	logger, log := newLog()
	db, err := core.Open(t.Context(), dsn+shortWait, nil, store.Options{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	end := writing(t, dsn)
	err = setOf(first).Announce(t.Context(), db)
	end()
	if err != nil || !strings.Contains(log.String(), "this program is announced when its lease would be renewed") {
		t.Errorf("Announce returned %v and logged %s", err, log)
	}
	if err := db.Close(); err != nil { // which ends the renewal
		t.Error(err)
	}
}

// TestReadOnlyServer applies a migration on a server of PostgreSQL that takes no writes.
func TestReadOnlyServer(t *testing.T) {
	dsn := freshDSN(t, sqltext.Postgres)
	seed(t, dsn)
	_, err := open(t.Context(), dsn+"&default_transaction_read_only=on", store.MigrateUp, first, headline)
	says(t, err, "0002_headline failed: postgres: cannot execute INSERT in a read-only transaction: the server is a standby, or default_transaction_read_only is on; name one that takes writes")
	if !errors.Is(err, store.ErrMigration) {
		t.Errorf("the error is %v", err)
	}
	matches(t, mustOpen(t, dsn, store.MigrateUp, first, headline), first, headline)
}

// TestFullDisk fills the disk while a table is made anew, at which SQLite ends the transaction by itself: nothing has
// changed, and the next attempt succeeds. No warning says otherwise.
func TestFullDisk(t *testing.T) {
	dsn := freshDSN(t, sqltext.SQLite)
	seed(t, dsn)
	db := plainDB(t, dsn)
	v := changed(rebuilt())
	b, _ := core.Below(db)
	logger, log := newLog()
	o := migrate.Options{NoBackup: true, Logger: logger}
	_, err := setOf(first, v).Up(t.Context(), full{b}, schema(first, v), o)
	says(t, err, "0002_changed/sqlite.sql")
	if !errors.Is(err, store.ErrFull) || strings.Contains(log.String(), "level=WARN") {
		t.Errorf("the error is %v, and the log:\n%s", err, log)
	}
	if _, err := setOf(first, v).Up(t.Context(), b, schema(first, v), o); err != nil {
		t.Error(err)
	}
	want(t, db, "SELECT count(*) FROM author", 2)
	matches(t, db, first, v)
}

// full is a backend whose disk is full when rows are copied: the engine rolls back.
type full struct{ core.Backend }

func (b full) Migration(ctx context.Context) (core.Migration, error) {
	m, err := b.Backend.(core.Migrator).Migration(ctx)
	return fullMigration{m}, err
}

type fullMigration struct{ core.Migration }

func (m fullMigration) Begin(ctx context.Context) (core.Transaction, error) {
	tx, err := m.Migration.Begin(ctx)
	return fullTx{tx}, err
}

type fullTx struct{ core.Transaction }

func (t fullTx) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	if !strings.HasPrefix(sql, "INSERT INTO modulagen_new_") {
		return t.Transaction.Exec(ctx, sql, args)
	}
	_, err := t.Transaction.Exec(ctx, "ROLLBACK", nil)
	return core.Result{}, errors.Join(store.ErrFull, err)
}
