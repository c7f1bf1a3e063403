//go:build unix

package load_test

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipesAndSockets is TestOddFiles with what a disk holds: to open a pipe is
// to wait for whoever writes to it.
func TestPipesAndSockets(t *testing.T) {
	for _, place := range places {
		dir, _ := disk(t, map[string]string{"datatypes/article.yaml": articleYAML, "queries/x.sql": ""})
		at := filepath.Join(dir, filepath.FromSlash(place))
		if err := syscall.Mkfifo(at, 0o644); err != nil {
			t.Fatal(err)
		}
		wantOne(t, onDisk(t, dir), place, "it is a named pipe, not a file")
		if err := os.Remove(at); err != nil {
			t.Fatal(err)
		}
		t.Chdir(filepath.Dir(at)) // a socket's address is short
		l, err := net.Listen("unix", filepath.Base(at))
		if err != nil {
			t.Fatal(err)
		}
		wantOne(t, onDisk(t, dir), place, "it is a socket, not a file")
		l.Close()
	}
}
