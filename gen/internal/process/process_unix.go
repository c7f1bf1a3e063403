//go:build unix

package process

import (
	"os/exec"
	"syscall"
)

// Apart keeps a program out of our process group: Ctrl-C on a terminal goes to
// the whole group, and it is for us to end the programs that we started.
func Apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// Interrupt interrupts a program that was started apart, and what it started.
func Interrupt(cmd *exec.Cmd) error {
	return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
}
