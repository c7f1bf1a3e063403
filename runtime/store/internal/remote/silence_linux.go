package remote

import (
	"fmt"
	"net"
	"syscall"
	"time"
)

// userTimeout is TCP_USER_TIMEOUT, which package syscall does not have on all
// of Linux's architectures. See tcp(7).
const userTimeout = 0x12

// limitSilence has the kernel give a connection up when what was sent has not
// been acknowledged for so long.
func limitSilence(c *net.TCPConn, most time.Duration) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, int(most.Milliseconds()))
	})
	if err == nil && set != nil {
		err = fmt.Errorf("setting TCP_USER_TIMEOUT: %w", set)
	}
	return err
}
