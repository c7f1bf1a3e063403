//go:build unix

package faults

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// node is one of two PostgreSQL servers, of which one replicates the other. The
// servers' user is a superuser that needs no password.
type node struct {
	*server
	bin, data, port string
}

// newNode makes one without data.
func newNode(t *testing.T) *node {
	t.Helper()
	bin := postgresFolder(t)
	s, folder := newFolder(t, "postgres")
	n := &node{server: s, bin: bin, data: filepath.Join(folder, "data"), port: freePort(t)}
	s.program, s.signal = filepath.Join(bin, "postgres"), syscall.SIGINT
	s.args = []string{
		"-D", n.data, "-p", n.port, "-h", "127.0.0.1", "-k", folder, "-c", "fsync=off", "-c", "shared_buffers=16MB",
		"-c", "synchronous_commit=remote_apply", "-c", "wal_keep_size=256MB", "-c", "wal_retrieve_retry_interval=100ms",
	}
	s.dsn = "postgres://faults@127.0.0.1:" + n.port + "/postgres?sslmode=disable"
	return n
}

// program runs one of the server's programs.
func (n *node) program(t *testing.T, name string, args ...string) {
	t.Helper()
	n.once(t, filepath.Join(n.bin, name), args...)
}

// begin starts a server with an empty database.
func (n *node) begin(t *testing.T) {
	t.Helper()
	n.program(t, "initdb", "-D", n.data, "-U", "faults", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	n.start(t)
}

// copy replaces the data of a stopped server by those of another, and starts it as
// the other's standby.
func (n *node) copy(t *testing.T, primary *node) {
	t.Helper()
	if err := os.RemoveAll(n.data); err != nil {
		t.Fatal(err)
	}
	n.program(t, "pg_basebackup", "-D", n.data, "-h", "127.0.0.1", "-p", primary.port, "-U", "faults", "-R", "-X", "stream", "-c", "fast", "--no-sync")
	n.start(t)
	primary.waitFor(t, n)
}

// follow starts a server that was the primary, and was stopped, as a standby.
func (n *node) follow(t *testing.T, primary *node) {
	t.Helper()
	n.once(t, "touch", filepath.Join(n.data, "standby.signal"))
	n.args = append(n.args, "-c", "primary_conninfo=host=127.0.0.1 user=faults port="+primary.port)
	n.start(t)
	n.set(t, "synchronous_standby_names", "")
	primary.waitFor(t, n)
}

// set sets a parameter of a running server.
func (n *node) set(t *testing.T, name, value string) {
	t.Helper()
	administer(t, n.dsn, "ALTER SYSTEM SET "+name+" = '"+value+"'")
	administer(t, n.dsn, "SELECT pg_reload_conf()")
}

// refuseWrites returns when no transaction is left that may write: one whose commit
// comes after the standby has left would wait for it without end.
func (n *node) refuseWrites(t *testing.T) {
	t.Helper()
	n.set(t, "default_transaction_read_only", "on")
	// The server passes a new setting on to all its connections before it accepts
	// another one: what that one sees to have begun before itself may not know it.
	n.until(t, "SELECT current_setting('default_transaction_read_only') = 'on'")
	n.until(t, `SELECT count(*) = 0 FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND xact_start < (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())`)
}

// waitFor has commits wait until the standby has applied them, and returns when
// they do.
func (n *node) waitFor(t *testing.T, standby *node) {
	t.Helper()
	n.set(t, "synchronous_standby_names", "*")
	n.until(t, "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'")
}

// promote returns when the server takes writes.
func (n *node) promote(t *testing.T) time.Time {
	t.Helper()
	n.program(t, "pg_ctl", "promote", "-D", n.data, "-w", "-t", "60")
	n.until(t, "SELECT NOT pg_is_in_recovery()")
	return time.Now()
}

// until waits until a question is answered with true.
func (n *node) until(t *testing.T, question string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	db, err := core.Open(ctx, n.dsn, nil, store.Options{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	until(t, question, func() (yes bool) {
		if err := db.Conn().QueryRow(ctx, question, nil, []any{&yes}); err != nil {
			t.Fatalf("%s: %v", question, err)
		}
		return yes
	})
}

// kill ends the server as a crash does.
func (n *node) kill() { n.end(n.cmd, syscall.SIGKILL) }
