package egress

import (
	"net/netip"
	"slices"
	"testing"
)

// Refusal returns why an address is refused, or nothing.
func Refusal(addr netip.Addr) string {
	n, _ := refusal(addr)
	if _, refused := refusal(addr); !refused {
		return ""
	}
	return n.reason
}

// Networks returns every network that is refused.
func Networks() []netip.Prefix {
	var all []netip.Prefix
	for _, n := range networks {
		all = append(all, n.prefix)
	}
	return all
}

// Judge decides as at dial time: the URL's name was resolved to addr.
func (c *Client) Judge(raw string, addr netip.Addr) error {
	_, t, err := parseURL(raw)
	if err != nil {
		return err
	}
	return c.guard.judge(t, addr)
}

// Host returns the normalised host of a URL.
func Host(raw string) string {
	_, t, _ := parseURL(raw)
	return t.host
}

// LoopbackIsPublic has the first half of 127.0.0.0/8 stand for public addresses during a
// test, which can be dialed; the second half is loopback still.
func LoopbackIsPublic(t *testing.T) {
	was := slices.Clone(networks)
	t.Cleanup(func() { networks = was })
	i := slices.IndexFunc(networks, func(n network) bool { return n.prefix == netip.MustParsePrefix("127.0.0.0/8") })
	networks[i].prefix = netip.MustParsePrefix("127.128.0.0/9")
}
