package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// TestMigrateOnEveryDatabase takes the stories of testdata/migrations through the commands: a project
// is made and run, its definitions change while there are rows, and it is migrated, run, taken back
// and migrated again.
func TestMigrateOnEveryDatabase(t *testing.T) {
	for name, story := range stories(t, "migrations") {
		t.Run(name, func(t *testing.T) {
			v := versionsOf(t, story)
			for _, kind := range []string{"sqlite", "postgres", "mysql"} {
				t.Run(kind, func(t *testing.T) {
					dsn := "sqlite:" + filepath.Join(t.TempDir(), "probe.db")
					if kind != "sqlite" {
						dsn = storetest.FreshDSN(t, kind)
					}
					v.migrate(t, dsn)
				})
			}
		})
	}
}

// versions is a story whose project is built before and after its definitions changed.
type versions struct {
	dir                   string // of the project, after
	wantBefore, wantAfter string
}

func versionsOf(t *testing.T, story *txtar.Archive) *versions {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	v := &versions{dir: filepath.Join(t.TempDir(), "probe")}
	if err := os.Mkdir(v.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	v.succeeds(t, binary, "init", "--module", "probe", "--replace", root)
	for _, folder := range []string{"datatypes", "queries", "migrations"} { // the story has its own
		if err := os.RemoveAll(filepath.Join(v.dir, folder)); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []string{"before", "after"} {
		for _, f := range story.Files {
			if name, ok := strings.CutPrefix(f.Name, version+"/"); ok {
				v.write(t, name, f.Data)
			}
		}
		v.succeeds(t, binary, "migrate", "new", version, "--accept", "blocks,rewrites")
		v.succeeds(t, binary, "migrate", "check")
		v.succeeds(t, "go", "mod", "tidy")
		v.succeeds(t, "go", "build", unsymbolised, "-o", version+".bin", ".")
	}
	for _, f := range story.Files {
		switch f.Name {
		case "want.before":
			v.wantBefore = string(f.Data)
		case "want.after":
			v.wantAfter = string(f.Data)
		}
	}
	return v
}

func (v *versions) write(t *testing.T, name string, text []byte) {
	t.Helper()
	path := filepath.Join(v.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// run runs a program in the project's folder.
func (v *versions) run(program string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = v.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (v *versions) succeeds(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := v.run(program, args...)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return out
}

// fails runs a program that must end with exit code 1, and say something.
func (v *versions) fails(t *testing.T, want, program string, args ...string) {
	t.Helper()
	out, err := v.run(program, args...)
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != exitFinding || !strings.Contains(out, want) {
		t.Fatalf("%s %v: %v, want exit code 1 and %q\n%s", program, args, err, want, out)
	}
}

// prints runs a version of the program that must print the rows.
func (v *versions) prints(t *testing.T, want, version, dsn, what string) {
	t.Helper()
	if got := v.succeeds(t, filepath.Join(v.dir, version), dsn, what); got != want {
		t.Fatalf("%s %s printed\n%swant\n%s", version, what, got, want)
	}
}

func (v *versions) migrate(t *testing.T, dsn string) {
	before, after := filepath.Join(v.dir, "before.bin"), filepath.Join(v.dir, "after.bin")
	command := func(sub string, more ...string) []string {
		return append([]string{"migrate", sub, "--db", dsn}, more...)
	}
	v.prints(t, v.wantBefore, "before.bin", dsn, "write")
	v.fails(t, "1 migrations are missing", after, dsn, "check")
	v.fails(t, "0002_after   pending", binary, command("status")...)
	v.succeeds(t, binary, command("up", "--no-backup")...)
	v.succeeds(t, binary, command("status")...)
	v.succeeds(t, binary, command("verify")...)
	v.prints(t, v.wantAfter, "after.bin", dsn, "check")
	v.fails(t, "the table note is memo now", before, dsn, "read")

	out := v.succeeds(t, binary, command("down", "--no-backup")...)
	if !strings.Contains(out, "took 0002_after back") {
		t.Fatalf("down printed\n%s", out)
	}
	v.prints(t, v.wantBefore, "before.bin", dsn, "read")
	v.prints(t, v.wantAfter, "after.bin", dsn, "manual")
	v.succeeds(t, binary, command("down", "--no-backup")...)
	v.prints(t, v.wantAfter, "after.bin", dsn, "up")
	v.succeeds(t, binary, command("verify")...)
}

// TestWrongPasswordIsNotPrinted asks servers that refuse the password.
func TestWrongPasswordIsNotPrinted(t *testing.T) {
	v := &versions{dir: t.TempDir()}
	v.write(t, "datatypes/note.yaml", []byte("name: note\nfields:\n  - {name: title, type: text}\n"))
	v.succeeds(t, binary, "migrate", "new", "init")
	for _, kind := range []string{"postgres", "mysql"} {
		user, rest, ok := strings.Cut(storetest.FreshDSN(t, kind), "@")
		if !ok {
			t.Fatalf("the DSN of %s has no user", kind)
		}
		at := strings.LastIndexByte(user, ':')
		dsn := user[:at] + ":wr0ngPassw0rd@" + rest
		for _, more := range [][]string{nil, {"--json"}, {"--verbose"}} {
			out, err := v.run(binary, append([]string{"migrate", "up", "--db", dsn}, more...)...)
			if err == nil || strings.Contains(out, "wr0ngPassw0rd") || strings.Contains(out, user[at+1:]) || !strings.Contains(out, kind) {
				t.Errorf("%s %v: %v\n%s", kind, more, err, out)
			}
		}
	}
}

// TestInterruptedUpEnds interrupts a command that waits for another process that migrates.
func TestInterruptedUpEnds(t *testing.T) {
	v := &versions{dir: t.TempDir()}
	v.write(t, "datatypes/note.yaml", []byte("name: note\nfields:\n  - {name: title, type: text}\n"))
	v.succeeds(t, binary, "migrate", "new", "init")
	dsn := storetest.FreshDSN(t, "postgres")
	v.succeeds(t, binary, "migrate", "up", "--db", dsn)
	v.write(t, "datatypes/note.yaml", []byte("name: note\nfields:\n  - {name: title, type: text}\n  - {name: body, type: text}\n"))
	v.succeeds(t, binary, "migrate", "new", "body")
	unlock := locked(t, dsn)
	interruptWhen(t, v.dir, "waiting for another process that migrates", "migrate", "up", "--db", dsn)
	v.fails(t, "another process has been migrating for 1s", binary, "migrate", "up", "--db", dsn, "--wait", "1s")
	unlock()
	if out := v.succeeds(t, binary, "migrate", "up", "--db", dsn); !strings.Contains(out, "applied 0002_body") {
		t.Errorf("after the lock was free: %s", out)
	}
}

// locked keeps others from migrating a database, until the returned function is called.
func locked(t *testing.T, dsn string) func() {
	t.Helper()
	ctx := context.Background()
	db, err := core.Open(ctx, dsn, nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	b, _ := core.Below(db)
	m, err := b.(core.Migrator).Migration(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.Lock(ctx); err != nil || !got {
		t.Fatalf("no lock: %v", err)
	}
	return func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
}
