//go:build unix

package main

import (
	"context"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hegner123/modulagen/internal/netfault"
)

// commits is how a client's COMMIT looks on the wire: a message of PostgreSQL's
// simple protocol, a command of MySQL's.
var commits = map[string]string{"postgres": "Q\x00\x00\x00\x0bcommit\x00", "mysql": "\x03COMMIT"}

// network is a proxy for each process; none on SQLite.
type network struct {
	kind    string
	proxies []*netfault.Proxy
}

// connect puts a proxy before the database of each of n processes, and returns
// the DSN that each is to use.
func connect(dsn string, n int) (*network, []string, error) {
	kind, _, _ := strings.Cut(dsn, ":")
	net, dsns := &network{kind: kind}, make([]string, n)
	for i := range dsns {
		dsns[i] = dsn
		if kind == "sqlite" {
			continue
		}
		u, err := url.Parse(dsn)
		if err != nil {
			return nil, nil, err
		}
		p, err := netfault.Listen(u.Host)
		if err != nil {
			net.close()
			return nil, nil, err
		}
		net.proxies = append(net.proxies, p)
		u.Host = p.Addr()
		dsns[i] = u.String()
	}
	return net, dsns, nil
}

func (n *network) close() {
	for _, p := range n.proxies {
		_ = p.Close()
	}
}

// heal ends every fault, for good.
func (n *network) heal() {
	for _, p := range n.proxies {
		p.Heal()
		p.Expire()
	}
}

// cuts counts the connections whose bytes disappeared, and those of them that
// died in a COMMIT.
func (n *network) cuts() (swallowed, inCommit int) {
	for _, p := range n.proxies {
		swallowed += p.Swallowed() + p.Cuts()
		inCommit += p.Cuts()
	}
	return swallowed, inCommit
}

// Faults of the network are numbered; from firstCut on they cut a commit.
const (
	networkFaults = 10
	firstCut      = 7
)

// fault breaks the network of one process in one of many ways; end ends what
// lasts. It returns how many connections it closed or reset.
func (n *network) fault(target, how int) (closed int, end func()) {
	p := n.proxies[target]
	end = func() {
		p.Heal()
		p.Expire()
	}
	switch how {
	case 0:
		closed = p.Reset()
	case 1:
		closed = p.Shut()
	case 2:
		p.Refuse()
		closed = p.Reset()
	case 3:
		p.Delay(20 * time.Millisecond)
	case 4:
		p.Hold()
	case 5:
		p.Swallow()
	case 6:
		p.Strand()
	case firstCut: // the server does not get the COMMIT
		p.Cut(commits[n.kind], false)
	default: // the client does not get the answer
		p.Cut(commits[n.kind], true)
	}
	return closed, end
}

// server is a database server that the run may kill: scripts/services.sh --keep
// starts it again.
type server struct{ pidfile string }

// killable returns the server of a DSN, or nil where there is none to kill.
func killable(dsn string) *server {
	kind, _, _ := strings.Cut(dsn, ":")
	if file := os.Getenv(pidfiles[kind]); file != "" {
		return &server{file}
	}
	return nil
}

// kill kills the server with SIGKILL, as a crash would end it.
func (s *server) kill() error {
	text, err := os.ReadFile(s.pidfile)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// back waits until a server that was killed answers again.
func (s *server) back(ctx context.Context, r *reader) error {
	return persist(ctx, func(ctx context.Context) error { return r.PingContext(ctx) })
}
