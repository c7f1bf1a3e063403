package measure

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"sync/atomic"
)

// StatementCounter stands before a PostgreSQL server and counts the statements that go
// through: the messages Query and Execute of the protocol.
type StatementCounter struct {
	listener net.Listener
	server   string
	n        atomic.Int64
}

// CountStatements starts a counter before the server of a postgres:// URL, and returns the URL
// that leads through it.
func CountStatements(at string) (*StatementCounter, string, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, "", errors.New("the place is no URL") // the error would show its password
	}
	p := &StatementCounter{server: u.Host}
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, "", err
	}
	u.Host = p.listener.Addr().String()
	go p.serve()
	return p, u.String(), nil
}

// Count returns how many statements went through so far.
func (p *StatementCounter) Count() int64 { return p.n.Load() }

// Close ends the counter; connections that are open stay.
func (p *StatementCounter) Close() error { return p.listener.Close() }

func (p *StatementCounter) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			client.Close()
			continue
		}
		go func() { defer client.Close(); _, _ = io.Copy(client, server) }()
		go func() { defer server.Close(); p.forward(server, bufio.NewReader(client)) }()
	}
}

// forward copies what the client says, message by message, until it hangs up.
// The first message has no type; the URL says sslmode=disable, so it is no
// question about TLS either.
func (p *StatementCounter) forward(server io.Writer, client *bufio.Reader) {
	for first := true; ; first = false {
		length := 4
		if !first {
			length = 5
		}
		head, err := client.Peek(length)
		if err != nil {
			return
		}
		if !first && (head[0] == 'Q' || head[0] == 'E') {
			p.n.Add(1)
		}
		// The length counts itself and not the type.
		size := int64(binary.BigEndian.Uint32(head[length-4:])) + int64(length-4)
		if _, err := io.CopyN(server, client, size); err != nil {
			return
		}
	}
}
