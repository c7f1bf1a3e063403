package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// smtpConn is a connection to a server, used by one Send at a time.
type smtpConn struct {
	server    *smtpServer
	timeout   time.Duration
	guard     *guard
	client    *smtp.Client
	encrypted bool
	ext       extensions

	sent   int         // messages
	expiry *time.Timer // of an idle connection
	broken bool        // it cannot be used any more
	stale  bool        // it was broken before the first answer of a message
}

// extensions are what a server offers and messages need.
type extensions struct {
	pipelining, eightBit, utf8, size bool
	maxSize                          int64 // 0 means that it is not said
}

// connect opens a connection on which messages can be sent. Its error is an *Error.
func (t *smtpTransport) connect(ctx context.Context, s *smtpServer) (*smtpConn, error) {
	c := &smtpConn{server: s, timeout: t.config.Timeout}
	phase, secrets, err := c.open(ctx, t.config)
	if err == nil {
		return c, nil
	}
	if c.guard != nil {
		c.guard.Close()
	}
	return nil, c.atFault(ctx, phase, redact(err, secrets))
}

// open returns the phase in which it failed, and the secrets that the server may have seen.
func (c *smtpConn) open(ctx context.Context, config SMTP) (Phase, []string, error) {
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := config.Dial(limited, "tcp", c.server.address())
	if err != nil {
		return PhaseConnect, nil, err
	}
	c.guard = &guard{Conn: conn}
	defer c.guard.watch(ctx)()
	if c.server.TLS == TLSImplicit {
		c.guard.step(c.timeout)
		encrypted := tls.Client(c.guard, c.tlsConfig())
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return PhaseTLS, nil, err
		}
		conn, c.encrypted = encrypted, true
	} else {
		conn = c.guard
	}
	if err := c.greet(conn, config.Hello); err != nil {
		return PhaseConnect, nil, err
	}
	if c.server.TLS == TLSRequired {
		if err := c.startTLS(); err != nil {
			return PhaseTLS, nil, err
		}
	}
	if c.server.Username != "" {
		c.guard.step(c.timeout)
		if secrets, err := c.auth(ctx); err != nil {
			return PhaseAuth, secrets, err
		}
	}
	c.readExtensions()
	return "", nil, nil
}

func (c *smtpConn) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: c.server.Host, RootCAs: c.server.RootCAs, MinVersion: tls.VersionTLS12}
}

func (c *smtpConn) greet(conn net.Conn, hello string) (err error) {
	c.guard.step(c.timeout)
	if c.client, err = smtp.NewClient(conn, c.server.Host); err != nil {
		return err
	}
	c.guard.step(c.timeout)
	return c.client.Hello(hello)
}

var errNoTLS = errors.New("the server does not offer STARTTLS")

// startTLS encrypts the connection. What the server sent before the handshake would be read as
// its answers after it (CVE-2011-0411): such a connection is not used.
func (c *smtpConn) startTLS() error {
	if offered, _ := c.client.Extension("STARTTLS"); !offered {
		return errNoTLS
	}
	c.guard.step(c.timeout)
	before := c.client.Text
	if err := c.client.StartTLS(c.tlsConfig()); err != nil {
		return err
	}
	if before.R.Buffered() > 0 {
		return errors.New("the server sent data between its answer to STARTTLS and TLS")
	}
	c.encrypted = true
	return nil
}

func (c *smtpConn) readExtensions() {
	c.ext.pipelining, _ = c.client.Extension("PIPELINING")
	c.ext.eightBit, _ = c.client.Extension("8BITMIME")
	c.ext.utf8, _ = c.client.Extension("SMTPUTF8")
	var limit string
	c.ext.size, limit = c.client.Extension("SIZE")
	c.ext.maxSize, _ = strconv.ParseInt(strings.TrimSpace(limit), 10, 64) // without a number: no limit
}

// atFault returns the error of a connection that could not be used. It concerns every message,
// unless the program's own context has ended.
func (c *smtpConn) atFault(ctx context.Context, phase Phase, err error) *Error {
	e := &Error{Phase: phase, Fate: Hold, Server: c.server.address()}
	e.Reply, e.Err = answer(c.cause(ctx, err, c.timeout))
	if ctx.Err() != nil {
		e.Fate = Retry
	}
	e.Hint = hint(c.server.Server, e)
	return e
}

// cause is what broke a connection.
func (c *smtpConn) cause(ctx context.Context, err error, limit time.Duration) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w (the connection: %w)", context.Cause(ctx), err)
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: no answer within %v", os.ErrDeadlineExceeded, limit)
	}
	return err
}

// quitLimit bounds the end of a connection.
const quitLimit = time.Second

// quit ends the connection, politely where it can be used.
func (c *smtpConn) quit() {
	if !c.broken {
		c.guard.step(quitLimit)
		if c.client.Quit() == nil {
			return
		}
	}
	c.guard.Close() // an error changes nothing: it is not used again
}
