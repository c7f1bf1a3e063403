package backup_test

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/cron/backup"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// program writes a shell script that stands in for one that dumps.
func program(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dump")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDumpFails says what is wrong with a program, without the password, and leaves nothing.
func TestDumpFails(t *testing.T) {
	version := map[string]string{"postgres": "pg_dump (PostgreSQL) 99.1", "mysql": "mariadb-dump from 99.1-MariaDB, client 10.19"}
	for _, kind := range []string{"postgres", "mysql"} {
		dsn := fresh(t, kind)
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal("the DSN is malformed")
		}
		password, _ := u.User.Password()
		db := storetest.Open(t, dsn, store.Options{})
		says := fmt.Sprintf("if [ \"$1\" = --version ]; then echo '%s'; exit 0; fi\n", version[kind])
		for name, c := range map[string]struct {
			program string
			final   bool
			want    []string
		}{
			"missing":    {filepath.Join(t.TempDir(), "none"), true, []string{"cron.Options.Backup.Dump"}},
			"a failure":  {program(t, says+"echo \"cannot connect with "+password+" $*\" >&2; exit 3"), false, []string{"exit status 3", "cannot connect with ***", "99.1", "the server is"}},
			"no dump":    {program(t, says+"echo hello"), false, []string{"dump"}},
			"nothing":    {program(t, says), false, []string{"dump"}},
			"no version": {program(t, "exit 1"), true, []string{"--version"}},
		} {
			dir := t.TempDir()
			_, err := backup.Make(t.Context(), db.DB, backup.Options{Dir: dir, Due: due, Program: c.program})
			if err == nil || errors.Is(err, backup.ErrUnavailable) != c.final || strings.Contains(err.Error(), password) {
				t.Errorf("%s: %s: %v", kind, name, err)
				continue
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %s: the error lacks %q: %v", kind, name, want, err)
				}
			}
			only(t, dir)
		}
	}
}

// TestOldClient names both versions where the client cannot dump the server.
func TestOldClient(t *testing.T) {
	db := storetest.Open(t, fresh(t, "postgres"), store.Options{})
	old := program(t, "echo 'pg_dump (PostgreSQL) 9.6.24'")
	_, err := backup.Make(t.Context(), db.DB, backup.Options{Dir: t.TempDir(), Due: due, Program: old})
	if !errors.Is(err, backup.ErrUnavailable) || !strings.Contains(err.Error(), "9.6.24") || !strings.Contains(err.Error(), "install the client of version") {
		t.Error(err)
	}
}

// TestNotInstalled says what to install.
func TestNotInstalled(t *testing.T) {
	databases := map[string]*storetest.DB{}
	for _, kind := range []string{"postgres", "mysql"} {
		databases[kind] = storetest.Open(t, fresh(t, kind), store.Options{})
	}
	t.Setenv("PATH", t.TempDir())
	for kind, db := range databases {
		_, err := backup.Make(t.Context(), db.DB, backup.Options{Dir: t.TempDir(), Due: due})
		if !errors.Is(err, backup.ErrUnavailable) || !strings.Contains(err.Error(), "install the package "+map[string]string{"postgres": "postgresql-client of version", "mysql": "mariadb-client"}[kind]) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestPasswordIsHidden keeps it from the command line, whatever characters it has, and from files;
// the real programs connect with it.
func TestPasswordIsHidden(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	const password = `p"a\ss #=;' wörd%2F@`
	for _, kind := range []string{"postgres", "mysql"} {
		dsn := fresh(t, kind)
		db := storetest.Open(t, dsn, store.Options{})
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal("the DSN is malformed")
		}
		drop := func() {}
		if kind == "postgres" { // of MariaDB, TestOptionFile has the characters: this user may not grant
			user := "u" + strings.TrimPrefix(u.Path, "/")
			admin := db
			exec := func(sql string) {
				t.Helper()
				if _, err := admin.Conn().Exec(t.Context(), sql, nil); err != nil {
					t.Fatal(err)
				}
			}
			exec("CREATE ROLE " + user + " LOGIN SUPERUSER PASSWORD '" + strings.ReplaceAll(password, "'", "''") + "'")
			u.User = url.UserPassword(user, password)
			db = storetest.Open(t, u.String(), store.Options{})
			drop = func() { exec("DROP ROLE " + user) }
		}
		secret, _ := u.User.Password()

		seen := filepath.Join(t.TempDir(), "seen")
		spy := program(t, "real=$(command -v "+map[string]string{"postgres": "pg_dump", "mysql": "mariadb-dump"}[kind]+")\n"+
			"if [ \"$1\" != --version ]; then echo \"$@\" >"+seen+"; fi\n"+
			"exec \"$real\" \"$@\"\n")
		res, err := backup.Make(t.Context(), db.DB, backup.Options{Dir: t.TempDir(), Due: due, Program: spy})
		if err != nil || res.Bytes == 0 {
			t.Fatalf("%s: %v", kind, err)
		}
		text, err := os.ReadFile(seen)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), secret) || strings.Contains(string(text), u.Hostname()) {
			t.Errorf("%s: the command line is %s", kind, text)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		drop()
	}
	only(t, os.TempDir())
}
