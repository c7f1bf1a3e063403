package output

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMain answers as a child process that dies in the middle of a commit, or
// has no room left, when a test asks for that.
func TestMain(m *testing.M) {
	dir := os.Getenv("OUTPUT_TEST_DIR")
	if dir == "" {
		os.Exit(m.Run())
	}
	if at := os.Getenv("OUTPUT_TEST_DIE"); at != "" {
		n, err := strconv.Atoi(at)
		if err != nil {
			panic(err)
		}
		applied = func(i int) {
			if i == n {
				self, err := os.FindProcess(os.Getpid())
				if err == nil {
					err = self.Kill()
				}
				panic(err) // not reached
			}
		}
	}
	plan, err := in(dir, "v2").Plan(second)
	if err == nil {
		err = plan.Commit(context.Background(), false)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Two states of a folder: between them a file changes, one goes with its
// folder, one comes and one stays.
var (
	first = map[string][]byte{
		"a.gen.go":       []byte("package a\n"),
		"stay.gen.go":    []byte("package stay\n"),
		"sql/old/x.sql":  []byte("SELECT 1;\n"),
		"sql/schema.sql": []byte("CREATE TABLE a;\n"),
	}
	second = map[string][]byte{
		"a.gen.go":       []byte("package a // again\n"),
		"big.gen.go":     []byte("package big\n" + strings.Repeat("// long\n", 4000)),
		"stay.gen.go":    []byte("package stay\n"),
		"sql/schema.sql": []byte("CREATE TABLE b;\n"),
	}
)

func commit(t *testing.T, d Dir, files map[string][]byte, force bool) error {
	t.Helper()
	plan, err := d.Plan(files)
	if err != nil {
		t.Fatal(err)
	}
	return plan.Commit(t.Context(), force)
}

func mustCommit(t *testing.T, d Dir, files map[string][]byte) {
	t.Helper()
	if err := commit(t, d, files, false); err != nil {
		t.Fatal(err)
	}
}

// tree reads a folder, without the manifest.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == ManifestName {
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		out[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func wantTree(t *testing.T, dir string, want map[string][]byte) {
	t.Helper()
	got := tree(t, dir)
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		t.Fatalf("files %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	for name, content := range want {
		if got[name] != string(content) {
			t.Errorf("%s holds %.40q, want %.40q", name, got[name], content)
		}
	}
}

func newDir(t *testing.T) Dir {
	t.Helper()
	return Dir{Project: t.TempDir(), Path: "project/generated", Version: "v1"}
}

// in is the output folder at a path.
func in(path, version string) Dir {
	return Dir{Project: filepath.Dir(path), Path: filepath.Base(path), Version: version}
}

// file is where a generated file is on disk.
func (d Dir) file(name string) string { return filepath.Join(d.shown(), filepath.FromSlash(name)) }

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCommit(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	wantTree(t, d.shown(), first)
	info, err := os.Stat(d.file("a.gen.go"))
	if err != nil || info.Mode().Perm()&0o644 != 0o644 || info.Mode().Perm()&0o111 != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	mustCommit(t, d, second)
	wantTree(t, d.shown(), second)
	if _, err := os.Stat(d.file("sql/old")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the emptied folder is still there: %v", err)
	}
	if _, err := os.Stat(d.file(stagingName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the staging folder is still there: %v", err)
	}
}

func TestUnchangedFilesAreNotWritten(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	past := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for name := range tree(t, d.shown()) {
		if err := os.Chtimes(d.file(name), past, past); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(d.file(ManifestName), past, past); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, d, first)
	for _, name := range append(slices.Collect(maps.Keys(first)), ManifestName) {
		if info, err := os.Stat(d.file(name)); err != nil || !info.ModTime().Equal(past) {
			t.Errorf("%s was written again", name)
		}
	}
	mustCommit(t, d, second)
	if info, err := os.Stat(d.file("stay.gen.go")); err != nil || !info.ModTime().Equal(past) {
		t.Error("stay.gen.go was written again")
	}
}

func TestPlanSaysWhatItWouldDo(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	before := tree(t, d.shown())
	plan, err := d.Plan(second)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range plan.Findings() {
		got = append(got, f.Path+" "+f.What)
	}
	want := []string{"a.gen.go is stale", "big.gen.go is missing", "sql/old/x.sql is generated no more", "sql/schema.sql is stale"}
	if !slices.Equal(got, want) {
		t.Errorf("findings %q, want %q", got, want)
	}
	for _, line := range []string{"-package a\n+package a // again\n", "+++ /dev/null", "--- /dev/null", "-CREATE TABLE a;\n+CREATE TABLE b;\n"} {
		if !strings.Contains(plan.Diff(), line) {
			t.Errorf("the diff does not hold %q", line)
		}
	}
	if !maps.Equal(before, tree(t, d.shown())) {
		t.Error("planning changed the folder")
	}
	same, err := Dir{Project: d.Project, Path: d.Path, Version: "v9"}.Plan(first)
	if err != nil || len(same.Findings()) != 0 || same.Diff() != "" {
		t.Errorf("findings of an up-to-date folder: %v, %v", same.Findings(), err)
	}
}

// TestStubs holds what go generate needs: a Go file that is generated no more
// is there until the run is over, in a form that the next one does not list.
func TestStubs(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	less := map[string][]byte{"a.gen.go": first["a.gen.go"], "sql/schema.sql": first["sql/schema.sql"]}
	d.Stubs = true
	mustCommit(t, d, less)
	wantTree(t, d.shown(), map[string][]byte{
		"a.gen.go": less["a.gen.go"], "sql/schema.sql": less["sql/schema.sql"], "stay.gen.go": []byte(stub),
	})
	for _, d.Stubs = range []bool{true, false} {
		plan, err := d.Plan(less)
		if err != nil || len(plan.Findings()) > 0 {
			t.Errorf("a check finds %v, %v", plan.Findings(), err)
		}
	}
	d.Stubs = true
	mustCommit(t, d, less)
	wantTree(t, d.shown(), less)

	mustCommit(t, d, first)
	mustCommit(t, d, less)
	mustCommit(t, d, first) // a name that comes again is a file like any other
	wantTree(t, d.shown(), first)
}

func TestEditedFilesAreKept(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	write(t, d.file("a.gen.go"), "package mine\n")
	write(t, d.file("sql/old/x.sql"), "SELECT 2;\n")
	write(t, d.file("big.gen.go"), "package foreign\n")
	write(t, d.file("own.go"), "package own\n")
	before := tree(t, d.shown())
	err := commit(t, d, second, false)
	var conflict *ConflictError
	if !errors.As(err, &conflict) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"generated/a.gen.go was edited", "generated/big.gen.go was not written by modulagen", "generated/sql/old/x.sql is generated no more and was edited", "--force"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%s", want, err)
		}
	}
	if !maps.Equal(before, tree(t, d.shown())) {
		t.Error("the folder was changed")
	}
	if err := commit(t, d, second, true); err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(second)
	want["own.go"] = []byte("package own\n")
	wantTree(t, d.shown(), want)
}

// TestMergedManifest holds that a merge of what two branches have generated needs no one to resolve it.
func TestMergedManifest(t *testing.T) {
	one, two := newDir(t), newDir(t)
	mustCommit(t, one, map[string][]byte{"a.gen.go": []byte("one"), "same.gen.go": []byte("same"), "one.gen.go": []byte("one")})
	mustCommit(t, two, map[string][]byte{"a.gen.go": []byte("two"), "same.gen.go": []byte("same"), "two.gen.go": []byte("two")})
	ours, theirs := readFile(t, one.file(ManifestName)), readFile(t, two.file(ManifestName))
	for _, style := range []string{"%s<<<<<<< HEAD\n%s=======\n%s>>>>>>> two\n%s", "%s<<<<<<< HEAD\n%s||||||| base\n    \"gone.gen.go\": \"" + strings.Repeat("a", 64) + "\"\n=======\n%s>>>>>>> two\n%s"} {
		d := newDir(t)
		mustCommit(t, d, nil)
		head, rest, _ := strings.Cut(ours, "  \"files\": {\n")
		_, other, _ := strings.Cut(theirs, "  \"files\": {\n")
		const end = "  }\n}\n"
		write(t, d.file(ManifestName), fmt.Sprintf(style, head+"  \"files\": {\n", strings.TrimSuffix(rest, end), strings.TrimSuffix(other, end), end))
		write(t, d.file("a.gen.go"), "<<<<<<< HEAD\none=======\ntwo>>>>>>> two\n")
		write(t, d.file("same.gen.go"), "edited")
		write(t, d.file("one.gen.go"), "one")
		write(t, d.file("two.gen.go"), "two")
		write(t, d.file("gone.gen.go"), "a person's")
		want := map[string][]byte{"a.gen.go": []byte("both"), "same.gen.go": []byte("same"), "one.gen.go": []byte("one")}
		if err := commit(t, d, want, false); err == nil || !strings.Contains(err.Error(), "same.gen.go was edited") || strings.Contains(err.Error(), "a.gen.go was") {
			t.Fatalf("with a file that was edited: %v", err)
		}
		write(t, d.file("same.gen.go"), "same")
		mustCommit(t, d, want)
		want["gone.gen.go"] = []byte("a person's")
		wantTree(t, d.shown(), want)
	}
}

func TestEditedToWhatIsWanted(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	write(t, d.file("a.gen.go"), string(second["a.gen.go"]))
	mustCommit(t, d, second)
	wantTree(t, d.shown(), second)
}

func TestLineEndsAreNoEdit(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	for name, content := range first {
		write(t, d.file(name), strings.ReplaceAll(string(content), "\n", "\r\n"))
	}
	plan, err := d.Plan(first)
	if err != nil || len(plan.Changes)+len(plan.Conflicts) != 0 {
		t.Errorf("changes %v, conflicts %v, %v", plan.Changes, plan.Conflicts, err)
	}
	mustCommit(t, d, second)
	if got := tree(t, d.shown())["a.gen.go"]; got != string(second["a.gen.go"]) {
		t.Errorf("a.gen.go holds %q", got)
	}
}

func TestLinksAndFoldersInTheWay(t *testing.T) {
	outside := t.TempDir()
	write(t, filepath.Join(outside, "a.gen.go"), "package outside\n")
	for name, put := range map[string]func(d Dir) error{
		"a.gen.go is a symbolic link": func(d Dir) error { return os.Symlink(filepath.Join(outside, "a.gen.go"), d.file("a.gen.go")) },
		"sql is a symbolic link":      func(d Dir) error { return os.Symlink(outside, d.file("sql")) },
		"sql is not a folder":         func(d Dir) error { return os.WriteFile(d.file("sql"), nil, 0o644) },
		"a.gen.go is not a file":      func(d Dir) error { return os.Mkdir(d.file("a.gen.go"), 0o755) },
	} {
		d := newDir(t)
		if err := os.MkdirAll(d.shown(), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := put(d); err != nil {
			t.Fatal(err)
		}
		err := commit(t, d, first, true)
		var conflict *ConflictError
		if !errors.As(err, &conflict) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "--force") {
			t.Errorf("%s: got %v", name, err)
		}
		if got := tree(t, outside); len(got) != 1 || got["a.gen.go"] != "package outside\n" {
			t.Errorf("%s: wrote outside the folder: %v", name, got)
		}
	}
}

func TestReadOnlyFileIsReplaced(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	if err := os.Chmod(d.file("a.gen.go"), 0o444); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, d, second)
	wantTree(t, d.shown(), second)
}

func TestFolderThatCannotBe(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "file")
	write(t, parent, "")
	d := Dir{Project: filepath.Dir(parent), Path: "file/generated"}
	_, err := d.Plan(first)
	if err == nil || !strings.HasPrefix(err.Error(), "output: ") {
		t.Errorf("got %v", err)
	}
	if err := d.Recover(); err == nil {
		t.Error("Recover of a folder that cannot be succeeds")
	}
}

func TestCancelledCommitChangesNothing(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	plan, err := d.Plan(second)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := plan.Commit(ctx, false); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	wantTree(t, d.shown(), first)
	fresh := newDir(t)
	plan, err = fresh.Plan(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Commit(ctx, false); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Dir(fresh.shown())); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folders were left behind: %v", err)
	}
}

// child runs this test binary as a process that commits the second state.
func child(t *testing.T, dir string, limit bool, env ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	if limit {
		// Files of at most 8 blocks: writing more fails as on a full disk.
		cmd = exec.Command("sh", "-c", `trap "" XFSZ; ulimit -f 8; exec "$0"`, self)
	}
	cmd.Env = append(os.Environ(), append(env, "OUTPUT_TEST_DIR="+dir)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestFullDiskChangesNothing(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	manifest := readFile(t, d.file(ManifestName))
	out, err := child(t, d.shown(), true)
	if err == nil || !strings.Contains(out, "output: ") || !strings.Contains(out, "file too large") {
		t.Fatalf("got %v: %s", err, out)
	}
	wantTree(t, d.shown(), first)
	if got := readFile(t, d.file(ManifestName)); got != manifest {
		t.Error("the manifest was changed")
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestKilledCommitIsFinishedByTheNextRun(t *testing.T) {
	const steps = 5 // four changes and the manifest
	for n := range steps {
		d := newDir(t)
		mustCommit(t, d, first)
		if out, err := child(t, d.shown(), false, "OUTPUT_TEST_DIE="+strconv.Itoa(n)); err == nil {
			t.Fatalf("step %d: the child lived: %s", n, out)
		}
		plan, err := d.Plan(second)
		if err != nil {
			t.Fatal(err)
		}
		if len(plan.Findings()) == 0 {
			t.Errorf("step %d: the unfinished run is no finding", n)
		}
		if err := d.Recover(); err != nil {
			t.Fatalf("step %d: %v", n, err)
		}
		mustCommit(t, d, second)
		wantTree(t, d.shown(), second)
		if _, err := os.Stat(d.file("sql/old")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("step %d: the emptied folder is still there: %v", n, err)
		}
		if plan, err := d.Plan(second); err != nil || len(plan.Findings()) != 0 {
			t.Errorf("step %d: after recovery: %v, %v", n, plan.Findings(), err)
		}
		mustCommit(t, d, first) // nothing counts as edited
		wantTree(t, d.shown(), first)
	}
}

func TestRecoveryKeepsWhatWasEditedSince(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	if out, err := child(t, d.shown(), false, "OUTPUT_TEST_DIE=0"); err == nil {
		t.Fatalf("the child lived: %s", out)
	}
	write(t, d.file("sql/schema.sql"), "CREATE TABLE mine;\n")
	if err := d.Recover(); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, d.file("sql/schema.sql")); got != "CREATE TABLE mine;\n" {
		t.Errorf("the edited file holds %q", got)
	}
	var conflict *ConflictError
	if err := commit(t, d, second, false); !errors.As(err, &conflict) || len(conflict.Conflicts) != 1 {
		t.Errorf("got %v", err)
	}
}

func TestRunThatDiedBeforeItsJournal(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	if err := os.Mkdir(d.file(stagingName), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, d.file(staged(0)), "half")
	if err := commit(t, d, second, false); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("got %v", err)
	}
	if err := d.Recover(); err != nil {
		t.Fatal(err)
	}
	wantTree(t, d.shown(), first)
	mustCommit(t, d, second)
	wantTree(t, d.shown(), second)
}

func TestFailedStepIsUndone(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	plan, err := d.Plan(second)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(d.file("sql/schema.sql")); err != nil {
		t.Fatal(err)
	}
	if err := plan.Commit(t.Context(), false); err == nil {
		t.Fatal("replaced a file that is gone")
	}
	want := maps.Clone(first)
	delete(want, "sql/schema.sql")
	wantTree(t, d.shown(), want)
}

func TestNamesThatLeaveTheFolder(t *testing.T) {
	for _, name := range []string{"../x", "/x", "", ".", "a//b", ManifestName} {
		if _, err := newDir(t).Plan(map[string][]byte{name: nil}); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
}

func TestDamagedManifest(t *testing.T) {
	d := newDir(t)
	mustCommit(t, d, first)
	write(t, d.file(ManifestName), "<<<<<<< HEAD\n{}")
	if _, err := d.Plan(first); err == nil || !strings.Contains(err.Error(), ManifestName) {
		t.Errorf("got %v", err)
	}
}

func TestLockHoldsOthersOff(t *testing.T) {
	d := newDir(t)
	unlock, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan struct{})
	go func() {
		second, err := d.Lock()
		if err == nil {
			second()
		}
		close(got)
	}()
	select {
	case <-got:
		t.Error("two runs hold the lock")
	default:
	}
	unlock()
	<-got
}
