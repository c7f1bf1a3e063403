package mail

import (
	"context"
	"crypto/x509"
	"net"
	"time"
)

// SMTP sends through SMTP servers, over kept connections. The zero values are safe: STARTTLS is
// required, and certificates are verified.
type SMTP struct {
	// Servers are tried by their Order. A server at fault is left alone for a time that grows
	// with each failure, from 1 s to a minute.
	Servers []Server
	// Connections is how many messages of a mailbox are sent at once, and how many connections
	// it has at most in this process; 0 means 4.
	Connections int
	// Hello is the name in EHLO; "" means the host's name.
	Hello string
	// MaxMessages is after how many messages a connection is renewed; 0 means 100.
	MaxMessages int
	// MaxIdle is for how long an idle connection is kept; 0 means 30 s.
	MaxIdle time.Duration
	// Timeout bounds each step of the dialogue; 0 means 1 minute. A message has a second more
	// for each 16 KiB, and the answer to its final dot ten times Timeout, as RFC 5321 asks.
	Timeout time.Duration
	// Dial opens the connections, for example through a proxy; nil means a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (s SMTP) sender() Options { return Options{SMTP: s} }

// Server is an SMTP server.
type Server struct {
	// Host is a name or an IP address, for which the server's certificate must be valid.
	Host string
	// Port is 587 if it is 0; 465 with TLSImplicit, 25 with TLSNone.
	Port int
	// TLS says how the connection is encrypted. The zero value requires STARTTLS, and on port
	// 465 implicit TLS.
	TLS TLS
	// RootCAs are the authorities that may have signed the certificate; nil means the host's.
	RootCAs *x509.CertPool

	// Username and Password are the credentials, which are never sent without TLS. Without a
	// username there is no AUTH.
	Username string
	Password Secret
	// Token returns an OAuth 2.0 access token for Username, instead of a password. It is called
	// for each new connection.
	Token func(context.Context) (string, error)
	// Mechanisms of AUTH that may be used, best first. Nil means all of SCRAM-SHA-256-PLUS,
	// SCRAM-SHA-256, SCRAM-SHA-1-PLUS, SCRAM-SHA-1, PLAIN, LOGIN and CRAM-MD5, of which the
	// first is used that the server offers; with Token, XOAUTH2.
	Mechanisms []string

	// Order is which servers are tried first: those with the least number that are not at fault.
	Order int
	// Weight is the server's share of the messages among those of the same Order; 0 means 1.
	Weight int
	// Rate bounds how many messages of a mailbox this process sends to the server; the zero
	// value does not.
	Rate Rate
}

// TLS is how a connection is encrypted.
type TLS int

const (
	// TLSRequired means STARTTLS, or implicit TLS on port 465. A server that does not offer it,
	// or whose certificate is not valid, gets no message.
	TLSRequired TLS = iota
	// TLSImplicit means that the connection begins with TLS, on whatever port.
	TLSImplicit
	// TLSNone means that messages are sent as plain text, which everyone on the way can read and
	// change. It is meant for servers on the same host.
	TLSNone
)

// Rate is a number of messages in a time.
type Rate struct {
	Messages int
	Per      time.Duration // 0 means a second
}
