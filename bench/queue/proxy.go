package queue

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"sync/atomic"
)

// proxy stands before a PostgreSQL server and counts the statements that go
// through: the messages Query and Execute of the protocol.
type proxy struct {
	listener   net.Listener
	server     string
	statements atomic.Int64
}

// newProxy has the place lead through it.
func newProxy(at *place) (*proxy, error) {
	u, err := url.Parse(at.URL)
	if err != nil {
		return nil, errors.New("the place is no URL") // the error would show its password
	}
	p := &proxy{server: u.Host}
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	u.Host = p.listener.Addr().String()
	at.URL, at.Native = u.String(), u.String()
	go p.serve()
	return p, nil
}

func (p *proxy) close() error { return p.listener.Close() }

func (p *proxy) serve() {
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
func (p *proxy) forward(server io.Writer, client *bufio.Reader) {
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
			p.statements.Add(1)
		}
		// The length counts itself and not the type.
		size := int64(binary.BigEndian.Uint32(head[length-4:])) + int64(length-4)
		if _, err := io.CopyN(server, client, size); err != nil {
			return
		}
	}
}
