// Package remote holds what the drivers of database servers share: sockets that
// notice a peer that is gone and can all be cut, and the wait for one of a
// bounded number of connections.
package remote

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"
)

// A host that vanishes without a word is noticed within silence: by keep-alives
// while a connection waits for an answer, by the user timeout while what was
// sent is not acknowledged. How long a statement takes does not matter to
// either: the server's host answers them, not the server.
const (
	silence       = 30 * time.Second
	probeAfter    = 15 * time.Second
	probeInterval = 5 * time.Second
	probes        = 3
)

// ConnectTimeout bounds one attempt to connect to a host, its greeting and the
// login included.
const ConnectTimeout = 10 * time.Second

// Dialer opens the sockets of one database. The zero value is ready.
type Dialer struct {
	mu   sync.Mutex
	open map[*socket]struct{}
	cut  bool
}

// DialContext has the form that both drivers ask for.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: probeAfter, Interval: probeInterval, Count: probes,
	}}
	raw, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		if err := limitSilence(tcp, silence); err != nil {
			raw.Close()
			return nil, err
		}
	}
	s := &socket{Conn: raw, dialer: d}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		raw.Close()
		return nil, net.ErrClosed
	}
	if d.open == nil {
		d.open = map[*socket]struct{}{}
	}
	d.open[s] = struct{}{}
	return s, nil
}

// Cut closes every socket, and those that are dialed later: what waits for the
// server fails now. It returns how many were open.
func (d *Dialer) Cut() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = true
	n := len(d.open)
	for s := range d.open {
		s.Conn.Close()
	}
	clear(d.open)
	return n
}

// socket is removed from its dialer's list when it closes.
type socket struct {
	net.Conn
	dialer *Dialer
}

func (s *socket) Close() error {
	s.dialer.mu.Lock()
	delete(s.dialer.open, s)
	s.dialer.mu.Unlock()
	return s.Conn.Close()
}

// SyscallConn implements syscall.Conn, by which go-sql-driver finds out that a
// connection from the pool has been closed by the server.
func (s *socket) SyscallConn() (syscall.RawConn, error) {
	c, ok := s.Conn.(syscall.Conn)
	if !ok {
		return nil, syscall.EINVAL
	}
	return c.SyscallConn()
}
