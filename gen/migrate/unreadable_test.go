package migrate_test

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// TestUnreadableFolders reads what is no folder of migrations, each with a mistake that says where and what to do.
func TestUnreadableFolders(t *testing.T) {
	p := project(t, fstest.MapFS{"datatypes/note.yaml": &fstest.MapFile{Data: []byte("name: note\nfields:\n  - {name: title, type: text, max: 200}\n")}})
	next, err := (&migrate.Chain{}).Next("init", p)
	if err != nil {
		t.Fatal(err)
	}
	files, err := next[0].Files()
	if err != nil {
		t.Fatal(err)
	}
	written := fstest.MapFS{}
	for name, text := range files {
		written["migrations/0001_init/"+name] = &fstest.MapFile{Data: text}
	}
	if _, err := migrate.Read(written, "migrations", model.Databases); err != nil {
		t.Fatal(err)
	}
	edited, marked := fstest.MapFS{}, fstest.MapFS{}
	for name, f := range written {
		edited[name] = &fstest.MapFile{Data: bytes.Replace(f.Data, []byte(`"max": "200"`), []byte(`"max": "many"`), 1)}
		marked[name] = &fstest.MapFile{Data: append([]byte("\ufeff"), bytes.ReplaceAll(f.Data, []byte("\n"), []byte("\r\n"))...)}
	}
	c, err := migrate.Read(marked, "migrations", model.Databases)
	if err != nil {
		t.Fatalf("with byte order marks: %v", err)
	}
	if _, wrong := c.Head().Script("migrations", model.SQLite); wrong != nil {
		t.Errorf("with byte order marks: %v", wrong)
	}
	gone := maps.Clone(written)
	delete(gone, "migrations/0001_init/mysql.sql")
	for _, c := range []struct {
		files fstest.MapFS
		want  string
	}{
		{fstest.MapFS{"migrations": &fstest.MapFile{}}, "the folder of migrations cannot be read"},
		{gone, "the file is missing"},
		{edited, `note.title has the bounds "" and "many"`},
	} {
		_, err := migrate.Read(c.files, "migrations", model.Databases)
		found, ok := errors.AsType[mistake.List](err)
		if !ok || len(found) != 1 || !strings.Contains(found[0].Message, c.want) || found[0].File == "" || found[0].Hint == "" {
			t.Errorf("the error is %#v, want a mistake with %q", err, c.want)
		}
	}
}
