//go:build !unix

package process

import "os/exec"

// Apart has nothing to do where processes have no groups.
func Apart(*exec.Cmd) {}

// Interrupt ends the program: there is no way to interrupt it.
func Interrupt(cmd *exec.Cmd) error { return cmd.Process.Kill() }
