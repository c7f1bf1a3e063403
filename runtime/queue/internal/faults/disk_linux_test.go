package faults

import (
	"syscall"
	"testing"
)

const errDiskFull = syscall.ENOSPC

// smallDisk mounts a file system of a few megabytes, which takes root.
func smallDisk(t *testing.T) (string, *disk) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=8m"); err != nil {
		t.Logf("no file system can be mounted (%v); a full file stands in", err)
		return smallFile(t)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder, ballast(folder)
}
