package migrate_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
)

// TestSymbolicLink has a link in place of a migration's folder: passing over it would plan its changes again.
func TestSymbolicLink(t *testing.T) {
	files := fstest.MapFS{
		"migrations/0001_init": &fstest.MapFile{Data: []byte("../elsewhere"), Mode: fs.ModeSymlink},
		"migrations/notes":     &fstest.MapFile{Data: []byte("../notes"), Mode: fs.ModeSymlink},
	}
	_, err := migrate.Read(files, "migrations", model.Databases)
	if err == nil || !strings.Contains(err.Error(), "migrations/0001_init: this is a symbolic link") || strings.Contains(err.Error(), "notes") {
		t.Errorf("the error is %v", err)
	}
}

// TestScriptOfAnotherMigration has SQL that was copied from another folder.
func TestScriptOfAnotherMigration(t *testing.T) {
	m := &migrate.Migration{Name: "0003_b", Parent: "0002_a", SQL: map[model.Database]string{
		model.SQLite: "-- migration 0003_b, after 0001_init\n-- programs of the version before: allowed\n",
	}}
	_, err := m.Script("migrations", model.SQLite)
	if err == nil || !strings.Contains(err.Error(), `migrations/0003_b/sqlite.sql:1: the file is of the migration 0003_b, after "0001_init": write "-- migration 0003_b, after 0002_a"`) {
		t.Errorf("the error is %v", err)
	}
}
