//go:build unix

package sqlc

import (
	"os/exec"
	"syscall"
)

// apart keeps a copy out of our process group: Ctrl-C on a terminal goes to the
// whole group, and it is for us to end the copies.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
