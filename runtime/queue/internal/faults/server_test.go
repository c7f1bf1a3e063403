//go:build unix

package faults

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// server is a database server of a test's own, which it can stop.
type server struct {
	dsn     string
	program string
	args    []string
	signal  syscall.Signal // asks it to end without waiting for its clients
	as      *syscall.Credential
	log     string
	cmd     *exec.Cmd
}

// newServer makes one that is not started yet. Its programs are those of
// scripts/services.sh, which installs them; without them it fails where services
// are required, and is skipped, loudly, as storetest.FreshDSN does, where not.
func newServer(t *testing.T, kind string) *server {
	t.Helper()
	s, folder := newFolder(t, kind)
	port := freePort(t)
	data := filepath.Join(folder, "data")
	switch kind {
	case "postgres":
		bin := postgresFolder(t)
		s.once(t, filepath.Join(bin, "initdb"), "-D", data, "-U", "faults", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
		s.program, s.signal = filepath.Join(bin, "postgres"), syscall.SIGINT
		s.args = []string{"-D", data, "-p", port, "-h", "127.0.0.1", "-k", folder, "-c", "fsync=off"}
		s.dsn = "postgres://faults@127.0.0.1:" + port + "/postgres?sslmode=disable"
	case "mysql":
		s.once(t, program(t, "mariadb-install-db", "mysql_install_db"), "--no-defaults", "--datadir="+data,
			"--auth-root-authentication-method=normal", "--skip-test-db")
		start := filepath.Join(folder, "start.sql")
		// One statement to a line.
		const statements = "CREATE USER IF NOT EXISTS 'faults'@'%' IDENTIFIED BY 'faults';\nGRANT ALL ON *.* TO 'faults'@'%';\nCREATE DATABASE IF NOT EXISTS faults;\n"
		if err := os.WriteFile(start, []byte(statements), 0o644); err != nil {
			t.Fatal(err)
		}
		s.program, s.signal = program(t, "mariadbd", "mysqld", "/usr/sbin/mariadbd", "/usr/sbin/mysqld"), syscall.SIGTERM
		s.args = []string{
			"--no-defaults", "--datadir=" + data, "--socket=" + filepath.Join(folder, "s"), "--port=" + port,
			"--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--init-file=" + start,
		}
		s.dsn = "mysql://faults:faults@127.0.0.1:" + port + "/faults"
	}
	return s
}

// newFolder makes a folder for a server, and for the user that it runs as.
func newFolder(t *testing.T, kind string) (s *server, folder string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "faults-"+kind+"-") // t.TempDir is no place for another user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	s = &server{log: filepath.Join(folder, "log")}
	s.as = account(t, kind, folder)
	return s, folder
}

// account returns the user that a server runs as, and the folder to it: PostgreSQL
// refuses to run as root.
func account(t *testing.T, name, folder string) *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		missing(t, err.Error())
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(folder, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("MODULAGEN_REQUIRE_SERVICES") == "1" {
		t.Fatal(what)
	}
	fmt.Fprintln(os.Stderr, "!!! A SERVER CANNOT BE RESTARTED:", what, "!!!")
	t.Skip(what)
}

func postgresFolder(t *testing.T) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		return strings.TrimSpace(string(out))
	}
	return filepath.Dir(program(t, "initdb"))
}

func program(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "there is no "+names[0])
	return ""
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func (s *server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = filepath.Dir(s.log)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	return cmd
}

func (s *server) once(t *testing.T, program string, args ...string) {
	t.Helper()
	if out, err := s.command(program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// start starts the server and returns when it can be used.
func (s *server) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s.cmd = s.command(s.program, s.args...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd := s.cmd
	t.Cleanup(func() { s.end(cmd, syscall.SIGKILL) })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		db, err := core.Open(ctx, s.dsn, nil, store.Options{MaxConns: 1})
		if err == nil {
			db.Close()
			return
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(s.log)
			t.Fatalf("the server does not start: %v\n%s", err, text[max(0, len(text)-2000):])
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop stops the server and returns when it is gone.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.end(s.cmd, s.signal)
}

func (s *server) end(cmd *exec.Cmd, with syscall.Signal) {
	_ = cmd.Process.Signal(with)
	_ = cmd.Wait()
}
