//go:build unix

package backup_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hegner123/modulagen/runtime/cron/backup"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// childVariable has a process of the tests make one backup: of the DSN to the folder that follow, with the rest as the
// program. It may write files of at most so many bytes, if that is not 0.
const childVariable = "MODULAGEN_BACKUP_CHILD"

func TestMain(m *testing.M) {
	if args := os.Getenv(childVariable); args != "" {
		child(strings.Split(args, "\n"))
		return
	}
	os.Exit(m.Run())
}

func child(args []string) {
	db, err := core.Open(ctx(), args[0], nil, store.Options{})
	if err == nil {
		var limit uint64
		if _, err = fmt.Sscan(args[3], &limit); err == nil && limit > 0 {
			signal.Ignore(syscall.SIGXFSZ)
			err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit})
		}
	}
	if err == nil {
		_, err = backup.Make(ctx(), db, backup.Options{Dir: args[1], Due: due, Run: 7, Attempt: 1, Program: args[2], Zstd: args[4] == "zstd"})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func start(dsn, dir, program string, limit uint64, compressed string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+strings.Join([]string{dsn, dir, program, fmt.Sprint(limit), compressed}, "\n"))
	return cmd
}

// TestFullDisk has a process that cannot write more than a part of the backup: it says so, and leaves nothing.
// What a full disk refuses is the same write.
func TestFullDisk(t *testing.T) {
	for _, kind := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			dsn := fresh(t, kind)
			db := storetest.Open(t, dsn, store.Options{})
			for i := range 4 { // of more than the limit, compressed or not
				var body strings.Builder
				for sum := sha256.Sum256([]byte{byte(i)}); body.Len() < 100_000; sum = sha256.Sum256(sum[:]) {
					fmt.Fprintf(&body, "%x", sum)
				}
				if _, err := db.Article.Create(t.Context(), storetest.ArticleNew{Slug: fmt.Sprint(i), Title: "long", Body: store.Set(body.String())}); err != nil {
					t.Fatal(err)
				}
			}
			dir := t.TempDir()
			out, err := start(dsn, dir, "", 40_000, "").CombinedOutput()
			if err == nil {
				t.Errorf("%s: a backup of 40,000 bytes: %s", kind, out)
			}
			t.Logf("%s: %s", kind, out)
			only(t, dir)
		})
	}
}

// TestKilled kills a process while it writes: nothing is under the name of the backup, and the next attempt removes what is left and
// makes it.
func TestKilled(t *testing.T) {
	dsn := fresh(t, "postgres")
	db := storetest.Open(t, dsn, store.Options{})
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	slow := program(t, "if [ \"$1\" = --version ]; then echo 'pg_dump (PostgreSQL) 99.1'; exit 0; fi\nprintf PGDMP-and-some-more\necho $$ >"+pipe+"\nexec sleep 600 >/dev/null 2>&1\n")
	dir := t.TempDir()
	cmd := start(dsn, dir, slow, 0, "")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var dumping int
	if _, err := fmt.Sscan(line, &dumping); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if err := syscall.Kill(dumping, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	only(t, dir, "."+base(dsn)+"-20260102T020000Z.dump.7-1-0.partial")
	res, err := backup.Make(t.Context(), db.DB, backup.Options{Dir: dir, Due: due, Run: 7, Attempt: 2})
	if err != nil {
		t.Fatal(err)
	}
	only(t, dir, filepath.Base(res.File))
}

// base is the name of the database of a DSN.
func base(dsn string) string {
	dsn, _, _ = strings.Cut(dsn, "?")
	return dsn[strings.LastIndexByte(dsn, '/')+1:]
}
