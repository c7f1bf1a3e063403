package load_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen/load"
	"github.com/hegner123/modulagen/gen/mistake"
)

// disk writes a project's files to a folder, and a second folder beside it,
// which is outside of the project.
func disk(t *testing.T, files map[string]string) (dir, outside string) {
	t.Helper()
	base := t.TempDir()
	dir, outside = filepath.Join(base, "project"), filepath.Join(base, "outside")
	files["../outside/secret.yaml"] = "name: \"the password is 1234\n"
	for name, text := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, outside
}

// onDisk loads a project as the command does.
func onDisk(t *testing.T, dir string) mistake.List {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	return mistakes(t, root.FS())
}

// wantOne holds a list to one mistake about one file.
func wantOne(t *testing.T, list mistake.List, file, message string) {
	t.Helper()
	if len(list) != 1 || list[0].File != file || !strings.Contains(list[0].Message, message) {
		t.Errorf("got %v, want %s: %s", list, file, message)
	}
	for _, m := range list {
		held(t, m)
	}
}

// places are where a project is read.
var places = []string{"datatypes/odd.yaml", "datatypes/odd.yml", "queries/odd.sql", load.ConfigFile}

// TestOddFiles loads projects in which something stands in a file's place. That
// something is a mistake, and is neither waited for nor passed over.
func TestOddFiles(t *testing.T) {
	for mode, want := range map[fs.FileMode]string{
		fs.ModeNamedPipe:                   "it is a named pipe, not a file",
		fs.ModeSocket:                      "it is a socket, not a file",
		fs.ModeDevice:                      "it is a device, not a file",
		fs.ModeDevice | fs.ModeCharDevice:  "it is a device, not a file",
		fs.ModeDir:                         "it is a folder, not a file",
		fs.ModeIrregular:                   "it is something else, not a file",
		fs.ModeDir | fs.ModeSticky | 0o777: "it is a folder, not a file",
	} {
		for _, place := range places {
			t.Run(mode.String()+" "+place, func(t *testing.T) {
				fsys := project(map[string]string{"datatypes/article.yaml": articleYAML})
				fsys[place] = &fstest.MapFile{Mode: mode}
				wantOne(t, mistakes(t, unopened{fsys, place}), place, want)
			})
		}
	}
}

// unopened fails a test that opens what must only be looked at.
type unopened struct {
	fs.FS
	name string
}

func (u unopened) Open(name string) (fs.File, error) {
	if name == u.name {
		panic("opened " + name)
	}
	return u.FS.Open(name)
}

func (u unopened) Stat(name string) (fs.FileInfo, error) { return fs.Stat(u.FS, name) }

// refusing is a file system that refuses to open one file, as one without the
// rights to read it does.
type refusing struct {
	fs.FS
	name string
}

func (r refusing) Open(name string) (fs.File, error) {
	if name == r.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return r.FS.Open(name)
}

func (r refusing) Stat(name string) (fs.FileInfo, error) { return fs.Stat(r.FS, name) }

func TestFileWithoutRights(t *testing.T) {
	for _, place := range places {
		fsys := project(map[string]string{"datatypes/article.yaml": articleYAML, place: "# nothing"})
		wantOne(t, mistakes(t, refusing{fsys, place}), place, "cannot be read: permission denied")
	}
}

// TestLinks: a definition may be a link within the project. One that leads out
// of it is not read: what is in it would stand in the message.
func TestLinks(t *testing.T) {
	for _, place := range places {
		for name, to := range map[string]string{
			"upwards": "../outside/secret.yaml", "from the root": "/dev/zero", "to nothing": "nothing", "to itself": filepath.Base(place),
		} {
			t.Run(place+" "+name, func(t *testing.T) {
				dir, _ := disk(t, map[string]string{"datatypes/article.yaml": articleYAML, "queries/x.sql": ""})
				at := filepath.Join(dir, filepath.FromSlash(place))
				if strings.HasPrefix(to, "..") && place != load.ConfigFile {
					to = "../" + to
				}
				if err := os.Symlink(filepath.FromSlash(to), at); err != nil {
					t.Fatal(err)
				}
				want := "cannot be read: "
				if name == "upwards" || name == "from the root" {
					want = "a link leads out of the project, where nothing is read"
				}
				list := onDisk(t, dir)
				wantOne(t, list, place, want)
				if strings.Contains(list.Error(), "1234") {
					t.Errorf("shows what is outside: %v", list)
				}
			})
		}
	}
	dir, _ := disk(t, map[string]string{"shared/article.yaml": articleYAML})
	if err := os.Symlink("shared", filepath.Join(dir, "datatypes")); err != nil {
		t.Fatal(err)
	}
	if list := onDisk(t, dir); len(list) > 0 {
		t.Errorf("a link within the project: %v", list)
	}
}

// TestFoldersThatAreLinks: the same for the folders that are read.
func TestFoldersThatAreLinks(t *testing.T) {
	for _, folder := range []string{"datatypes", "queries"} {
		dir, outside := disk(t, map[string]string{"modulagen.yaml": "datatypes: datatypes\n"})
		if folder == "queries" {
			dir, outside = disk(t, map[string]string{"datatypes/article.yaml": articleYAML})
		}
		if err := os.Symlink(outside, filepath.Join(dir, folder)); err != nil {
			t.Fatal(err)
		}
		wantOne(t, onDisk(t, dir), folder, "a link leads out of the project")
	}
}

// TestHugeFile: no more is read than a definition may have.
func TestHugeFile(t *testing.T) {
	for _, place := range places {
		dir, _ := disk(t, map[string]string{"datatypes/article.yaml": articleYAML, place: ""})
		if err := os.Truncate(filepath.Join(dir, filepath.FromSlash(place)), 1<<36); err != nil {
			t.Fatal(err)
		}
		wantOne(t, onDisk(t, dir), place, "the file has more than 1024 KiB")
	}
}
