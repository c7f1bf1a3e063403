//go:build unix && !linux

package faults

import (
	"syscall"
	"testing"
)

const errDiskFull = syscall.ENOSPC

func smallDisk(t *testing.T) (string, *disk) { return smallFile(t) }
