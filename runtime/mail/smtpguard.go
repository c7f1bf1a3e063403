package mail

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// maxAnswer bounds what a server may send in one step, the certificates of a handshake included.
const maxAnswer = 128 << 10

var errEndless = errors.New("the server's answer does not end")

// guard bounds each step of a dialogue: its time as a whole, so that a server which sends a byte
// a second does not prolong it, and the bytes that it may send.
type guard struct {
	net.Conn
	left int // bytes that may be read in this step

	mu    sync.Mutex
	ended bool // the context has ended: no deadline may be set any more
}

// step begins a step, which ends within limit.
func (g *guard) step(limit time.Duration) {
	g.left = maxAnswer
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ended {
		g.SetDeadline(time.Now().Add(limit)) // an error of it is that of the next read or write
	}
}

// watch ends the step under way, and all later ones, when ctx ends. stop reports whether the
// context has not ended.
func (g *guard) watch(ctx context.Context) (stop func() bool) {
	done := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(done)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.ended = true
		g.SetDeadline(time.Unix(1, 0))
	})
	return func() bool {
		if cancel() {
			return true
		}
		<-done
		return false
	}
}

func (g *guard) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, errEndless
	}
	n, err := g.Conn.Read(p[:min(len(p), g.left)])
	g.left -= n
	return n, err
}
