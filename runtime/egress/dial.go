package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// plainKey is the key of a request's context by which a dial knows whether it is for http.
type plainKey struct{}

// dialer returns the function by which all connections are made. Each resolved
// address is judged in ControlContext: between resolving and connecting, with the
// very address that is connected to.
func (g *guard) dialer(base net.Dialer) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		plain, known := ctx.Value(plainKey{}).(bool)
		d := &dialing{guard: g, target: target{host: normalHost(host), plain: plain || !known, proxy: g.proxied}}
		dialer := base
		dialer.ControlContext = d.control
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, d.explain(err)
		}
		return conn, nil
	}
}

// A dialing is one connection being made, over the addresses of its host.
type dialing struct {
	guard  *guard
	target target

	mu        sync.Mutex // IPv4 and IPv6 are tried at the same time
	refused   error      // the first refusal
	permitted int
}

func (d *dialing) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err == nil {
		t := d.target
		t.port = to.Port()
		err = d.guard.judge(t, to.Addr())
	} else {
		err = &RefusedError{Host: d.target.host, Reason: "not an IP address"}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.permitted++
	} else if d.refused == nil {
		d.refused = err
	}
	return err
}

// explain returns the refusal, if it is what the dial failed for. A host with an address
// that is permitted and does not answer may answer later; its other addresses do not
// make that final.
func (d *dialing) explain(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.refused == nil || !errors.Is(err, ErrRefused) && d.permitted > 0:
		return err
	case d.permitted == 0:
		return d.refused
	}
	return fmt.Errorf("no address of %s that is permitted could be connected to, of %d; another one is refused", d.target.host, d.permitted)
}
