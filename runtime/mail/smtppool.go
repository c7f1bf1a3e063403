package mail

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// smtpTransport keeps connections to servers. Its mutex is never held during a dialogue.
type smtpTransport struct {
	config SMTP
	places chan struct{} // one for each Send under way

	mu      sync.Mutex
	servers []*smtpServer
	idle    []*smtpConn // that used last is the last
	open    int         // connections, idle or not
	closed  bool
	ending  sync.WaitGroup // connections that are being ended
}

func newSMTPTransport(config SMTP) *smtpTransport {
	t := &smtpTransport{config: config, places: make(chan struct{}, config.Connections)}
	for _, s := range config.Servers {
		t.servers = append(t.servers, &smtpServer{Server: s})
	}
	return t
}

var errClosed = errors.New("the transport is closed")

// Close ends the idle connections. Those in use end with their message.
func (t *smtpTransport) Close() error {
	t.mu.Lock()
	t.closed = true
	for len(t.idle) > 0 {
		t.expire(t.idle[0])
	}
	t.mu.Unlock()
	t.ending.Wait()
	return nil
}

// take returns a kept connection to s, or a new one.
func (t *smtpTransport) take(ctx context.Context, s *smtpServer) (c *smtpConn, kept bool, err error) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil, false, &Error{Phase: PhaseConnect, Fate: Retry, Server: s.address(), Err: errClosed}
	}
	for i, c := range slices.Backward(t.idle) {
		if c.server == s && c.expiry.Stop() {
			t.idle = slices.Delete(t.idle, i, i+1)
			t.mu.Unlock()
			return c, true, nil
		}
	}
	if t.open >= t.config.Connections && len(t.idle) > 0 {
		t.expire(t.idle[0])
	}
	t.open++
	t.mu.Unlock()
	began := time.Now()
	c, err = t.connect(ctx, s)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.open--
		s.failed(began, err)
		return nil, false, err
	}
	s.healthy()
	return c, false, nil
}

// put keeps a connection for the next message, if it can be used for one.
func (t *smtpTransport) put(c *smtpConn) {
	t.mu.Lock()
	if c.broken || c.sent >= t.config.MaxMessages || t.closed {
		t.open--
		t.mu.Unlock()
		c.quit()
		return
	}
	defer t.mu.Unlock()
	t.idle = append(t.idle, c)
	c.expiry = time.AfterFunc(t.config.MaxIdle, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.expire(c)
	})
}

// expire takes a connection out of those that are idle, and ends it. mu is held.
func (t *smtpTransport) expire(c *smtpConn) {
	i := slices.Index(t.idle, c)
	if i < 0 {
		return // it was taken, or ended before
	}
	c.expiry.Stop()
	t.idle = slices.Delete(t.idle, i, i+1)
	t.open--
	t.ending.Go(c.quit)
}
