//go:build !unix

package sqlc

import "os/exec"

// apart has nothing to do where processes have no groups.
func apart(*exec.Cmd) {}
