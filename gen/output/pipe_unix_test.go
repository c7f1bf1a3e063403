//go:build unix

package output

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestNamedPipes: to open a pipe is to wait for whoever writes to it.
func TestNamedPipes(t *testing.T) {
	for name, want := range map[string]string{
		ManifestName:         "is not a regular file",
		journalName:          "is not a regular file",
		"a.gen.go":           "is not a file",
		stagingName:          "remove it",
		stagingName + "/old": "",
	} {
		t.Run(name, func(t *testing.T) {
			d := newDir(t)
			if err := os.MkdirAll(d.shown(), 0o755); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(name, "/") {
				d.leave(t, nil)
				os.Remove(d.file(name))
			}
			if err := syscall.Mkfifo(d.file(name), 0o644); err != nil {
				t.Fatal(err)
			}
			err := d.regenerate(t)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}
