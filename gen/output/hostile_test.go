package output

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A repository that someone cloned may hold whatever its author put there: these
// tests are about what must not happen then.

// clone makes a project with a folder outside of it, which must stay as it is,
// and a source of the user's beside the output. It returns the output folder and
// a function that fails the test if either was changed.
func clone(t *testing.T) (Dir, func()) {
	t.Helper()
	base := t.TempDir()
	d := Dir{Project: filepath.Join(base, "repo"), Path: "generated", Version: "v1"}
	victim, source := filepath.Join(base, "victim"), filepath.Join(d.Project, "source")
	for _, dir := range []string{victim, source, d.shown()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(victim, "known"), "known content\n")
	write(t, filepath.Join(source, "known"), "known content\n")
	return d, func() {
		t.Helper()
		for _, dir := range []string{victim, source} {
			if got := tree(t, dir); len(got) != 1 || got["known"] != "known content\n" {
				t.Errorf("%s was changed: %v", dir, got)
			}
		}
	}
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

// leave leaves a journal and what it would bring in the staging folder.
func (d Dir) leave(t *testing.T, steps []step) {
	t.Helper()
	if err := os.Mkdir(d.file(stagingName), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range steps {
		write(t, d.file(staged(i)), "attacker")
	}
	data, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	write(t, d.file(journalName), string(data))
}

// regenerate is what the command does to the folder.
func (d Dir) regenerate(t *testing.T) error {
	t.Helper()
	if err := d.Recover(); err != nil {
		return err
	}
	plan, err := d.Plan(first)
	if err != nil {
		return err
	}
	return plan.Commit(t.Context(), false)
}

func TestJournalOfAClone(t *testing.T) {
	known := hash([]byte("known content\n"))
	abs := filepath.Join(t.TempDir(), "new")
	for name, steps := range map[string][]step{
		"through a link, out of the project": {{Path: "out/authorized_keys", Action: Create, New: "n"}, {Path: "out/known", Action: Delete, Old: known}},
		"through a link, out of the folder":  {{Path: "beside/new.go", Action: Create, New: "n"}, {Path: "beside/known", Action: Update, Old: known, New: "n"}},
		"the link itself":                    {{Path: "out", Action: Delete}, {Path: "file", Action: Update, Old: known, New: "n"}},
		"upwards":                            {{Path: "../source/new.go", Action: Create, New: "n"}, {Path: "../source/known", Action: Delete, Old: known}},
		"from the root":                      {{Path: abs, Action: Create, New: "n"}},
		"the folder":                         {{Path: ".", Action: Delete}, {Path: "", Action: Create}},
		"the manifest":                       {{Path: ManifestName, Action: Create, New: "n"}},
		"the staging folder":                 {{Path: stagingName + "/x", Action: Create, New: "n"}},
		"what is the user's":                 {{Path: "own.go", Action: Delete, Old: known}},
		"what is the user's, changed":        {{Path: "own.go", Action: Update, Old: known, New: "n"}},
		"what was never generated":           {{Path: "evil.go", Action: Create, New: hash([]byte("attacker"))}},
	} {
		t.Run(name, func(t *testing.T) {
			d, unharmed := clone(t)
			link(t, "../../victim", d.file("out"))
			link(t, "../source", d.file("beside"))
			link(t, "../../victim/known", d.file("file"))
			write(t, d.file("own.go"), "known content\n")
			d.leave(t, steps)
			if err := d.regenerate(t); err != nil {
				t.Error(err)
			}
			unharmed()
			want := maps.Clone(first)
			want["own.go"] = []byte("known content\n")
			for _, name := range []string{"out", "beside", "file"} {
				if err := os.Remove(d.file(name)); err != nil {
					t.Errorf("the link was removed: %v", err)
				}
			}
			wantTree(t, d.shown(), want)
			if _, err := os.Lstat(abs); err == nil {
				t.Error("wrote outside of the project")
			}
		})
	}
}

// TestJournalIsNoEvidence: a journal may say that the tool brought a file to
// its place, which a manifest could say as well, and no more than that.
func TestJournalIsNoEvidence(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	d.leave(t, []step{{Path: "a.gen.go", Action: Update, Old: hash(first["a.gen.go"]), New: hash(second["a.gen.go"])}})
	if err := d.Recover(); err != nil {
		t.Fatal(err)
	}
	wantTree(t, d.shown(), first)
	mustCommit(t, d, second)
	wantTree(t, d.shown(), second)
}

func TestManifestOfAClone(t *testing.T) {
	d, unharmed := clone(t)
	link(t, "../../victim", d.file("out"))
	link(t, "../source", d.file("beside"))
	known := hash([]byte("known content\n"))
	m := manifest{Files: map[string]string{
		"out/known": known, "beside/known": known, "../source/known": known, "../../victim/known": known, "out": known,
		"/etc/hosts": known, "": known, ".": known,
	}}
	write(t, d.file(ManifestName), string(m.bytes()))
	for _, force := range []bool{false, true} {
		plan, err := d.Plan(first)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range plan.Changes {
			if _, ok := first[c.Path]; !ok {
				t.Errorf("would %s %s", c.Action, c.Path)
			}
		}
		if err := plan.Commit(t.Context(), force); err == nil || !strings.Contains(err.Error(), "out is a symbolic link") {
			t.Errorf("got %v", err)
		}
		unharmed()
	}
}

func TestOutputFolderThatIsALink(t *testing.T) {
	for name, put := range map[string]func(d Dir){
		"out of the project":   func(d Dir) { link(t, "../victim", filepath.Join(d.Project, "internal")) },
		"from the root":        func(d Dir) { link(t, filepath.Join(d.Project, "..", "victim"), filepath.Join(d.Project, "internal")) },
		"within the project":   func(d Dir) { link(t, "source", filepath.Join(d.Project, "internal")) },
		"to what is not there": func(d Dir) { link(t, "../victim/new", filepath.Join(d.Project, "internal")) },
	} {
		for _, path := range []string{"internal", "internal/data"} {
			t.Run(name+" "+path, func(t *testing.T) {
				d, unharmed := clone(t)
				d.Path = path
				fresh, err := d.Plan(first) // before the link is there
				if err != nil {
					t.Fatal(err)
				}
				put(d)
				_, planned := d.Plan(first)
				for _, err := range []error{planned, d.Recover(), fresh.Commit(t.Context(), true)} {
					if err == nil || !strings.Contains(err.Error(), "internal is a symbolic link") {
						t.Errorf("got %v", err)
					}
				}
				unharmed()
			})
		}
	}
}

// TestLinkThatCameSinceThePlan: what was looked at may be another thing by the
// time at which it is written.
func TestLinkThatCameSinceThePlan(t *testing.T) {
	d, unharmed := clone(t)
	files := maps.Clone(first)
	files["out/known"] = []byte("attacker")
	plan, err := d.Plan(files)
	if err != nil {
		t.Fatal(err)
	}
	link(t, "../../victim", d.file("out"))
	if err := plan.Commit(t.Context(), true); err == nil || !strings.Contains(err.Error(), "out") {
		t.Errorf("got %v", err)
	}
	unharmed()
	if got := slices.Sorted(maps.Keys(tree(t, d.shown()))); !slices.Equal(got, []string{"out"}) && len(got) != 0 {
		t.Errorf("left %v", got)
	}
}

func TestStagingFolderThatIsNone(t *testing.T) {
	for name, put := range map[string]func(d Dir) error{
		"link":   func(d Dir) error { return os.Symlink("../../victim", d.file(stagingName)) },
		"inside": func(d Dir) error { return os.Symlink("../source", d.file(stagingName)) },
		"file":   func(d Dir) error { return os.WriteFile(d.file(stagingName), nil, 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			d, unharmed := clone(t)
			if err := put(d); err != nil {
				t.Fatal(err)
			}
			if err := d.regenerate(t); err == nil || !strings.Contains(err.Error(), stagingName) || !strings.Contains(err.Error(), "remove it") {
				t.Errorf("got %v", err)
			}
			plan, err := d.Plan(first)
			if err != nil {
				t.Fatal(err)
			}
			if err := plan.Commit(t.Context(), true); err == nil {
				t.Error("committed")
			}
			unharmed()
		})
	}
}

// TestLinksInTheStagingFolder: nothing is written through what lies there.
func TestLinksInTheStagingFolder(t *testing.T) {
	d, unharmed := clone(t)
	write(t, d.file("a.gen.go"), string(first["a.gen.go"]))
	d.leave(t, []step{{Path: "a.gen.go", Action: Create, New: hash(first["a.gen.go"])}})
	write(t, d.file("own.go"), "known content\n")
	link(t, "../own.go", d.file(stagingName+"/manifest.new"))
	if err := d.regenerate(t); err != nil {
		t.Fatal(err)
	}
	unharmed()
	if got := readFile(t, d.file("own.go")); got != "known content\n" {
		t.Errorf("own.go holds %q", got)
	}
}

func TestDamagedJournal(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	d.leave(t, nil)
	write(t, d.file(journalName), "{")
	if err := d.Recover(); err == nil || !strings.Contains(err.Error(), "journal.json") || !strings.Contains(err.Error(), "remove "+stagingName) {
		t.Errorf("got %v", err)
	}
	wantTree(t, d.shown(), map[string][]byte{
		"a.gen.go": first["a.gen.go"], "stay.gen.go": first["stay.gen.go"], "sql/old/x.sql": first["sql/old/x.sql"],
		"sql/schema.sql": first["sql/schema.sql"], journalName: []byte("{"),
	})
}
