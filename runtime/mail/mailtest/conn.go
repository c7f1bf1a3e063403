package mailtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/hegner123/modulagen/runtime/mail"
)

// listening counts connections, and asks what is answered to them.
type listening struct {
	net.Listener
	server *Server

	mu     sync.Mutex
	conns  []*conn
	closed bool
}

// Accept returns the next connection.
func (l *listening) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s := l.server
	s.mu.Lock()
	s.connections++
	s.open++
	c := &conn{Conn: accepted, server: s, number: s.connections}
	s.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, c)
	if l.closed {
		c.Close()
	}
	return c, nil
}

// closeAll ends what go-smtp does not know of yet, such as handshakes.
func (l *listening) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, c := range l.conns {
		c.Close()
	}
}

// conn asks for the answer to the connection before the first byte, in the connection's own
// goroutine.
type conn struct {
	net.Conn
	server *Server
	number int
	asked  sync.Once
	closed sync.Once
}

func (c *conn) Read(p []byte) (int, error) {
	c.ask()
	return c.Conn.Read(p)
}

func (c *conn) Write(p []byte) (int, error) {
	c.ask()
	return c.Conn.Write(p)
}

func (c *conn) Close() error {
	c.closed.Do(func() {
		c.server.mu.Lock()
		defer c.server.mu.Unlock()
		c.server.open--
	})
	return c.Conn.Close()
}

// ask does what Answer wants of the connection. A refusal is a greeting; with implicit TLS there
// is none.
func (c *conn) ask() {
	c.asked.Do(func() {
		err := c.server.ask(Step{Name: Connect, Connection: c.number})
		if err == nil {
			return
		}
		if a, ok := errors.AsType[*answer](err); ok && a.code != 0 && c.server.options.TLS != mail.TLSImplicit {
			io.WriteString(c.Conn, a.line()) // the connection is closed, whatever becomes of it
		} else {
			instead(c.Conn, err)
		}
		c.Close()
	})
}

// line is a refusal as one line.
func (a *answer) line() string {
	return strings.Join(strings.Fields(fmt.Sprintf("%d %s %s", a.code, a.enhanced, a.text)), " ") + "\r\n"
}

// instead does what an answer wants that is none, and then closes the connection.
func instead(c net.Conn, err error) {
	defer c.Close()
	a, ok := errors.AsType[*answer](err)
	switch {
	case !ok || err == Drop:
	case a.tarpit > 0:
		drip(c, a.tarpit)
	default:
		io.Copy(io.Discard, c) // until the client or the test closes the connection
	}
}

func drip(c net.Conn, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		for _, b := range []byte("250-wait\r\n") {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			<-ticker.C
		}
	}
}

// reply returns what go-smtp answers.
func reply(c *smtp.Conn, err error) error {
	if err == nil {
		return nil
	}
	a, ok := errors.AsType[*answer](err)
	if !ok || a.code == 0 {
		instead(c.Conn(), err)
		return smtp.ErrDataReset // it is not sent: the connection is closed
	}
	code := smtp.NoEnhancedCode
	fmt.Sscanf(a.enhanced, "%d.%d.%d", &code[0], &code[1], &code[2]) // "" leaves it out
	if a.code == 421 {
		io.WriteString(c.Conn(), a.line())
		c.Conn().Close()
	}
	return &smtp.SMTPError{Code: a.code, EnhancedCode: code, Message: a.text}
}
