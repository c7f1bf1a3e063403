package netfault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy forwards TCP connections to one address. Safe for concurrent use.
type Proxy struct {
	to       string
	listener net.Listener
	ended    sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when a fault begins or ends
	links   map[*link]struct{}
	closed  bool
	held    bool
	swallow bool
	refuse  bool
	delay   time.Duration
	watches []*watch
	counts  []*count
	lost    int
	made    int
	cuts    int
}

// watch waits for bytes of a client: to run a function, or without one to cut
// the connection.
type watch struct {
	match []byte
	do    func()
	sent  bool // cut when the server has the bytes
}

// count counts the chunks of servers that contain certain bytes.
type count struct {
	match []byte
	n     atomic.Int64
}

// link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server *net.TCPConn
	done           chan struct{}
	once           sync.Once
	dead           bool // bytes of it were or will be swallowed; under proxy.mu
	mute           bool // the server's bytes were or will be swallowed; under proxy.mu
}

// Start runs a proxy to an address until the test ends.
func Start(t testing.TB, to string) *Proxy {
	t.Helper()
	p, err := Listen(to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// DSN runs a proxy to the server of a DSN until the test ends, and returns the
// DSN that goes through it.
func DSN(t testing.TB, dsn string) (*Proxy, string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("netfault: the DSN is no URL") // its text may hold a password
	}
	p := Start(t, u.Host)
	u.Host = p.Addr()
	return p, u.String()
}

// Listen runs a proxy to an address, on a free port of 127.0.0.1, until Close.
func Listen(to string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("netfault: %w", err)
	}
	p := &Proxy{to: to, listener: l, changed: make(chan struct{}), links: map[*link]struct{}{}}
	p.ended.Go(p.accept)
	return p, nil
}

// Addr returns where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close closes every connection and returns when the proxy has ended.
func (p *Proxy) Close() error {
	p.change(func() { p.closed = true })
	err := p.listener.Close()
	for _, l := range p.open() {
		l.close()
	}
	p.ended.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Heal ends every fault, and forgets a Cut that was not made yet. Connections
// that lost bytes stay dead.
func (p *Proxy) Heal() {
	p.change(func() {
		p.held, p.swallow, p.refuse, p.delay = false, false, false, 0
		p.watches = slices.DeleteFunc(p.watches, func(w *watch) bool { return w.do == nil })
	})
}

// Swallow discards every byte of every connection, also of new ones, which are
// accepted and never answered.
func (p *Proxy) Swallow() {
	p.change(func() {
		p.swallow = true
		p.kill()
	})
}

// Strand makes the connections that exist dead and silent. New ones work.
func (p *Proxy) Strand() { p.change(p.kill) }

// kill marks the connections that exist as dead; p.mu is held.
func (p *Proxy) kill() {
	for l := range p.links {
		if !l.dead {
			l.dead = true
			p.lost++
		}
	}
}

// Hold keeps every byte until Heal; new connections wait, too.
func (p *Proxy) Hold() { p.change(func() { p.held = true }) }

// Delay has each chunk of bytes arrive later by d; 0 ends it.
func (p *Proxy) Delay(d time.Duration) { p.change(func() { p.delay = d }) }

// Refuse closes new connections at once.
func (p *Proxy) Refuse() { p.change(func() { p.refuse = true }) }

// Reset resets the connections that exist, on both sides, and returns how many.
func (p *Proxy) Reset() int {
	links := p.open()
	for _, l := range links {
		l.reset()
	}
	return len(links)
}

// Shut closes the direction from the server to the client of the connections
// that exist, and returns how many: clients read the end of the stream, while
// the server goes on.
func (p *Proxy) Shut() int {
	links := p.open()
	for _, l := range links {
		_ = l.client.CloseWrite() // fails only on a connection that has ended
	}
	return len(links)
}

// OnSend runs do once, in the goroutine that forwards, when a client sends a
// chunk that contains match, before that chunk is forwarded. do may start any
// fault; the chunk is subject to it.
func (p *Proxy) OnSend(match string, do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watches = append(p.watches, &watch{match: []byte(match), do: do})
}

// Cut makes the next connection on which a client sends a chunk that contains
// match dead and silent in the middle of that: before the chunk is forwarded,
// or, with sent, when the server has it, so that the server acts and its answer
// is lost.
func (p *Proxy) Cut(match string, sent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watches = append(p.watches, &watch{match: []byte(match), sent: sent})
}

// Cuts returns how many connections Cut has made dead.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

// Expire resets the connections that are dead, and returns how many: the server
// learns of it, as it does from its keep-alives after a time, and ends its
// sessions with their transactions and locks.
func (p *Proxy) Expire() int {
	n := 0
	for _, l := range p.open() {
		p.mu.Lock()
		dead := l.dead || l.mute
		p.mu.Unlock()
		if dead {
			l.reset()
			n++
		}
	}
	return n
}

// Open returns how many connections exist now.
func (p *Proxy) Open() int { return len(p.open()) }

// Made returns how many connections there have been.
func (p *Proxy) Made() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made
}

// Swallowed returns how many connections were made dead by Swallow and Strand.
func (p *Proxy) Swallowed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

func (p *Proxy) open() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	links := make([]*link, 0, len(p.links))
	for l := range p.links {
		links = append(links, l)
	}
	return links
}

// change changes the faults and wakes everyone who waits for that.
func (p *Proxy) change(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.ended.Go(func() { p.serve(c.(*net.TCPConn)) })
	}
}

// serve forwards one connection until both directions have ended.
func (p *Proxy) serve(client *net.TCPConn) {
	p.mu.Lock()
	refuse := p.refuse || p.closed
	p.mu.Unlock()
	if refuse {
		client.Close()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var d net.Dialer
	server, err := d.DialContext(ctx, "tcp", p.to)
	if err != nil {
		client.Close()
		return
	}
	l := &link{proxy: p, client: client, server: server.(*net.TCPConn), done: make(chan struct{})}
	if !p.enter(l) {
		l.close()
		return
	}
	defer p.leave(l)
	var both sync.WaitGroup
	both.Go(func() { l.forward(l.server, l.client, true) })
	both.Go(func() { l.forward(l.client, l.server, false) })
	both.Wait()
}

func (p *Proxy) enter(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.links[l] = struct{}{}
	p.made++
	if p.swallow {
		l.dead = true
		p.lost++
	}
	return true
}

func (p *Proxy) leave(l *link) {
	l.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

func (l *link) close() {
	l.once.Do(func() {
		close(l.done)
		l.client.Close()
		l.server.Close()
	})
}

func (l *link) reset() {
	_ = l.client.SetLinger(0) // fails only on a connection that has ended
	_ = l.server.SetLinger(0)
	l.close()
}

// forward copies one direction. The end of a stream is forwarded as such, and a
// broken one closes both.
func (l *link) forward(dst, src *net.TCPConn, sent bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if sent {
				l.proxy.see(l, buf[:n])
			} else {
				l.proxy.countAnswer(buf[:n])
			}
			if l.pass(sent) {
				if _, werr := dst.Write(buf[:n]); werr != nil {
					l.close()
					return
				}
			}
		}
		if err == nil {
			continue
		}
		switch {
		case sent: // the client has gone; of a dead connection the server must not learn it
			if l.pass(sent) && l.pass(!sent) {
				l.close()
				return
			}
			l.client.Close()
			<-l.done
		case l.pass(sent):
			l.close()
		}
		return
	}
}

// Answers returns how many chunks of the server have contained match since the call of Answers that returned the
// function: of a short text, such as a code of an error.
func (p *Proxy) Answers(match string) func() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &count{match: []byte(match)}
	p.counts = append(p.counts, c)
	return c.n.Load
}

// countAnswer counts what a server answered.
func (p *Proxy) countAnswer(chunk []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.counts {
		if bytes.Contains(chunk, c.match) {
			c.n.Add(1)
		}
	}
}

// see does what waits for what a client sent.
func (p *Proxy) see(l *link, chunk []byte) {
	p.mu.Lock()
	var due []func()
	rest := p.watches[:0]
	for _, w := range p.watches {
		switch {
		case !bytes.Contains(chunk, w.match):
			rest = append(rest, w)
		case w.do != nil:
			due = append(due, w.do)
		case l.dead || l.mute: // another is to be cut
			rest = append(rest, w)
		default:
			l.mute, l.dead = true, !w.sent
			p.cuts++
		}
	}
	p.watches = rest
	p.mu.Unlock()
	for _, do := range due {
		do()
	}
}

// pass waits until a chunk of one direction may go on, and reports whether it
// does: false when it is swallowed or the connection has ended.
func (l *link) pass(sent bool) bool {
	p := l.proxy
	delayed := false
	for {
		p.mu.Lock()
		dead, held, delay, closed, changed := l.dead || l.mute && !sent, p.held, p.delay, p.closed, p.changed
		p.mu.Unlock()
		switch {
		case dead:
			return false
		case held && !closed:
			select {
			case <-changed:
			case <-l.done:
				return false
			}
		case delay > 0 && !delayed && !closed:
			delayed = true
			timer := time.NewTimer(delay)
			select {
			case <-timer.C:
			case <-l.done:
				timer.Stop()
				return false
			}
		default:
			return true
		}
	}
}
