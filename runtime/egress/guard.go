package egress

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A guard judges where a request may go. Its rules are those of Options.
type guard struct {
	allow     allowList
	ports     []int
	plainHTTP bool
	proxied   bool // a proxy resolves the names of URLs
	any       bool // DangerouslyAllowAnyAddress
}

func newGuard(o Options) (*guard, error) {
	allow, err := parseAllow(o.Allow)
	if err != nil {
		return nil, err
	}
	return &guard{
		allow: allow, ports: o.Ports, plainHTTP: o.PlainHTTP,
		proxied: o.Proxy != nil, any: o.DangerouslyAllowAnyAddress,
	}, nil
}

// A target is where a connection goes.
type target struct {
	host  string // normalised: a name, or an address without brackets
	port  uint16
	plain bool // http
	proxy bool // it is Options.Proxy, whose port and scheme the program chose
}

// judge decides about an address that the target's host is, or was resolved to.
func (g *guard) judge(t target, addr netip.Addr) error {
	if g.any {
		return nil
	}
	// Contains of a network is false for an address with a zone. An IPv4-mapped
	// address loses its zone in Unmap, so that only what has none may be listed.
	if addr.Zone() == "" && g.allow.address(addr.Unmap(), t.port) {
		return nil
	}
	listed := g.allow.host(t.host, t.port)
	if n, refused := refusal(addr); refused && (n.byAddress || !listed) {
		return refuseAddress(t, addr, n)
	}
	if listed || t.proxy {
		return nil
	}
	return g.checkPort(t, addr)
}

// check decides what can be decided about a target before its name is resolved.
func (g *guard) check(t target) error {
	if g.any {
		return nil
	}
	if addr, err := netip.ParseAddr(t.host); err == nil {
		return g.judge(t, addr)
	}
	if g.allow.host(t.host, t.port) || !g.proxied && g.allow.addresses(t.port) {
		return nil // judge knows, when it has the address
	}
	if reason := localName(t.host); reason != "" {
		return &RefusedError{
			Host: t.host, Reason: reason,
			Remedy: fmt.Sprintf("if it is meant, put %q into Options.Allow", hostPort(t.host, t.port)),
		}
	}
	return g.checkPort(t, netip.Addr{})
}

func (g *guard) checkPort(t target, addr netip.Addr) error {
	listed := fmt.Sprintf("put %q into Options.Allow", hostPort(t.host, t.port))
	if !slices.Contains(g.ports, int(t.port)) {
		return &RefusedError{
			Host: t.host, Address: addr,
			Reason: fmt.Sprintf("port %d is not one of %s", t.port, joinPorts(g.ports)),
			Remedy: "use one of them, or " + listed + ", or the port into Options.Ports",
		}
	}
	if t.plain && !g.plainHTTP {
		return &RefusedError{
			Host: t.host, Address: addr, Reason: "http is not encrypted",
			Remedy: "use https, or " + listed + ", or set Options.PlainHTTP",
		}
	}
	return nil
}

func refuseAddress(t target, addr netip.Addr, n network) error {
	e := &RefusedError{Host: t.host, Address: addr, Reason: n.reason}
	switch {
	case addr.Zone() != "": // nothing permits it
	case n.byAddress:
		e.Remedy = "only an entry of Options.Allow with the address itself permits it"
	default:
		e.Remedy = fmt.Sprintf("if it is meant, put %q into Options.Allow", hostPort(addr.Unmap().String(), t.port))
	}
	return e
}

func joinPorts(ports []int) string {
	texts := make([]string, len(ports))
	for i, port := range ports {
		texts[i] = fmt.Sprint(port)
	}
	return strings.Join(texts, ", ")
}
