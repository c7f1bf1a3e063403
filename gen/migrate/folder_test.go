package migrate_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/mistake"
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

// TestTwoHeads has two branches of which one has two migrations: the command of the hint joins them.
func TestTwoHeads(t *testing.T) {
	files := fstest.MapFS{}
	for name, parent := range map[string]string{"0001_init": "", "0002_body": "0001_init", "0002_stars": "0001_init", "0003_more": "0002_stars"} {
		text := `{"migration": "` + name + `", "parent": "` + parent + `", "definition": {"datatypes": []}}`
		files["migrations/"+name+"/definition.json"] = &fstest.MapFile{Data: []byte(text)}
	}
	_, err := migrate.Read(files, "migrations", model.Databases)
	wrong, ok := errors.AsType[mistake.List](err)
	if !ok || len(wrong) != 1 || wrong[0].Message != "0002_body and 0002_stars both follow 0001_init, as after a merge of two branches" ||
		!strings.HasSuffix(wrong[0].Hint, ": rm -r migrations/0002_stars migrations/0003_more && modulagen migrate new stars") {
		t.Fatalf("the error is %v", err)
	}
	delete(files, "migrations/0002_stars/definition.json")
	delete(files, "migrations/0003_more/definition.json")
	if chain, err := migrate.Read(files, "migrations", model.Databases); err != nil || chain.Head().Name != "0002_body" {
		t.Errorf("without them: %v", err)
	}
}
