package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// TestSnapshot copies a database to which another process's connection adds rows meanwhile, two in each
// transaction: the copy is whole, has both rows of each or neither, and needs no WAL.
func TestSnapshot(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "app.db")
	db, other := openPlain(t, dsn), openPlain(t, dsn)
	must(t, db, "CREATE TABLE pair (id INTEGER PRIMARY KEY, n INTEGER, filler TEXT)")
	must(t, db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 20000) INSERT INTO pair (n, filler) SELECT i/2, hex(randomblob(200)) FROM n")

	stop, done := make(chan struct{}), make(chan error, 1)
	began := make(chan struct{})
	go func() {
		for i := 100_000; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			err := other.Tx(ctx, func(c *core.Conn) error {
				for range 2 {
					if _, err := c.Exec(ctx, "INSERT INTO pair (n, filler) VALUES (?, 'late')", []any{int64(i)}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				done <- err
				return
			}
			if i == 100_000 {
				close(began)
			}
		}
	}()
	<-began
	copied := filepath.Join(dir, "copy.db")
	if err := db.Snapshot(ctx, copied); err != nil {
		t.Fatal(err)
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		if _, err := os.Stat(copied + suffix); err == nil {
			t.Errorf("the copy has a %s beside it", suffix)
		}
	}
	restored := openPlain(t, "sqlite:"+copied)
	var rows, odd int64
	if err := restored.Conn().QueryRow(ctx, "SELECT count(*), (SELECT count(*) FROM (SELECT n FROM pair WHERE n >= 100000 GROUP BY n HAVING count(*) <> 2)) FROM pair", nil, []any{&rows, &odd}); err != nil {
		t.Fatal(err)
	}
	if rows < 20_002 || odd != 0 {
		t.Errorf("the copy has %d rows, and half of %d transactions", rows, odd)
	}
}

// TestSnapshotDamaged finds pages that are not what they should be.
func TestSnapshotDamaged(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	file := filepath.Join(dir, "app.db")
	db := openPlain(t, "sqlite:"+file)
	must(t, db, "CREATE TABLE t (id INTEGER PRIMARY KEY, filler TEXT)")
	must(t, db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 5000) INSERT INTO t (filler) SELECT hex(randomblob(200)) FROM n")
	must(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 4096), 40*4096); err != nil {
		t.Fatal(err)
	}
	f.Close()
	err = db.Snapshot(ctx, filepath.Join(dir, "copy.db"))
	if err == nil {
		t.Fatal("a damaged database was copied and found to be good")
	}
	t.Log(err)
}

// TestSnapshotEnds ends with its context, and with the database.
func TestSnapshotEnds(t *testing.T) {
	dir := t.TempDir()
	db := openPlain(t, "sqlite:"+filepath.Join(dir, "app.db"))
	must(t, db, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if err := db.Snapshot(ctx, filepath.Join(dir, "copy.db")); !errors.Is(err, cause) {
		t.Errorf("with an ended context: %v", err)
	}
	memory := openPlain(t, "sqlite::memory:")
	must(t, memory, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
	must(t, memory, "INSERT INTO t VALUES (7)")
	copied := filepath.Join(dir, "memory.db")
	if err := memory.Snapshot(context.Background(), copied); err != nil {
		t.Fatal(err)
	}
	var id int64
	if err := openPlain(t, "sqlite:"+copied).Conn().QueryRow(context.Background(), "SELECT id FROM t", nil, []any{&id}); err != nil || id != 7 {
		t.Errorf("the copy of a database in memory has %d, %v", id, err)
	}
	must(t, memory, "INSERT INTO t VALUES (8)") // it is in no transaction
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Snapshot(context.Background(), filepath.Join(dir, "late.db")); !errors.Is(err, store.ErrClosed) {
		t.Errorf("of a closed database: %v", err)
	}
}

func openPlain(t *testing.T, dsn string) *core.DB {
	t.Helper()
	db, err := core.Open(context.Background(), dsn, nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func must(t *testing.T, db *core.DB, sql string) {
	t.Helper()
	if _, err := db.Conn().Exec(context.Background(), sql, nil); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", sql, err))
	}
}
