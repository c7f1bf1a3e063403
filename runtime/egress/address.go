package egress

import "net/netip"

// A network is a range of addresses that no public endpoint has.
type network struct {
	prefix netip.Prefix
	reason string
	// byAddress is set where only an entry of Options.Allow with the address permits
	// it, not one with a name: where clouds answer with credentials, and where a
	// tunnel could lead there.
	byAddress bool
}

// networks are those of IANA's special-purpose registries (RFC 6890) that are not
// globally reachable, and what clouds serve metadata on. The first that contains an
// address is the reason, so single addresses stand before their network.
var networks = []network{
	{prefix: netip.MustParsePrefix("169.254.169.254/32"), reason: "cloud metadata", byAddress: true},
	{prefix: netip.MustParsePrefix("fd00:ec2::254/128"), reason: "cloud metadata (AWS)", byAddress: true},
	{prefix: netip.MustParsePrefix("fd20:ce::254/128"), reason: "cloud metadata (Google Cloud)", byAddress: true},
	{prefix: netip.MustParsePrefix("100.100.100.200/32"), reason: "cloud metadata (Alibaba Cloud)", byAddress: true},
	{prefix: netip.MustParsePrefix("192.0.0.192/32"), reason: "cloud metadata (Oracle Cloud)", byAddress: true},
	{prefix: netip.MustParsePrefix("168.63.129.16/32"), reason: "cloud metadata (Azure WireServer)", byAddress: true},

	{prefix: netip.MustParsePrefix("0.0.0.0/8"), reason: "unspecified, this network (RFC 1122)"},
	{prefix: netip.MustParsePrefix("10.0.0.0/8"), reason: "private (RFC 1918)"},
	{prefix: netip.MustParsePrefix("100.64.0.0/10"), reason: "carrier-grade NAT (RFC 6598)"},
	{prefix: netip.MustParsePrefix("127.0.0.0/8"), reason: "loopback (RFC 1122)"},
	{prefix: netip.MustParsePrefix("169.254.0.0/16"), reason: "link-local (RFC 3927)", byAddress: true},
	{prefix: netip.MustParsePrefix("172.16.0.0/12"), reason: "private (RFC 1918)"},
	{prefix: netip.MustParsePrefix("192.0.0.0/24"), reason: "IETF protocol assignments (RFC 6890)"},
	{prefix: netip.MustParsePrefix("192.0.2.0/24"), reason: "documentation (RFC 5737)"},
	{prefix: netip.MustParsePrefix("192.88.99.0/24"), reason: "6to4 relay (RFC 7526)"},
	{prefix: netip.MustParsePrefix("192.168.0.0/16"), reason: "private (RFC 1918)"},
	{prefix: netip.MustParsePrefix("198.18.0.0/15"), reason: "benchmarking (RFC 2544)"},
	{prefix: netip.MustParsePrefix("198.51.100.0/24"), reason: "documentation (RFC 5737)"},
	{prefix: netip.MustParsePrefix("203.0.113.0/24"), reason: "documentation (RFC 5737)"},
	{prefix: netip.MustParsePrefix("224.0.0.0/4"), reason: "multicast (RFC 5771)"},
	{prefix: netip.MustParsePrefix("255.255.255.255/32"), reason: "broadcast (RFC 919)"},
	{prefix: netip.MustParsePrefix("240.0.0.0/4"), reason: "reserved (RFC 1112)"},

	{prefix: netip.MustParsePrefix("::/128"), reason: "unspecified (RFC 4291)"},
	{prefix: netip.MustParsePrefix("::1/128"), reason: "loopback (RFC 4291)"},
	{prefix: netip.MustParsePrefix("::/96"), reason: "IPv4-compatible (RFC 4291)", byAddress: true},
	{prefix: netip.MustParsePrefix("::ffff:0:0:0/96"), reason: "IPv4-translated (RFC 2765)", byAddress: true},
	{prefix: netip.MustParsePrefix("64:ff9b:1::/48"), reason: "local NAT64 (RFC 8215)", byAddress: true},
	{prefix: netip.MustParsePrefix("100::/64"), reason: "discard (RFC 6666)"},
	{prefix: netip.MustParsePrefix("100:0:0:1::/64"), reason: "dummy prefix (RFC 9780)"},
	{prefix: netip.MustParsePrefix("2001::/32"), reason: "Teredo (RFC 4380)", byAddress: true},
	{prefix: netip.MustParsePrefix("2001:2::/48"), reason: "benchmarking (RFC 5180)"},
	{prefix: netip.MustParsePrefix("2001:10::/28"), reason: "ORCHID (RFC 4843)"},
	{prefix: netip.MustParsePrefix("2001:20::/28"), reason: "ORCHIDv2 (RFC 7343)"},
	{prefix: netip.MustParsePrefix("2001::/23"), reason: "IETF protocol assignments (RFC 2928)"},
	{prefix: netip.MustParsePrefix("2001:db8::/32"), reason: "documentation (RFC 3849)"},
	{prefix: netip.MustParsePrefix("2002::/16"), reason: "6to4 (RFC 3056)", byAddress: true},
	{prefix: netip.MustParsePrefix("3ffe::/16"), reason: "6bone (RFC 3701)"},
	{prefix: netip.MustParsePrefix("3fff::/20"), reason: "documentation (RFC 9637)"},
	{prefix: netip.MustParsePrefix("5f00::/16"), reason: "segment routing (RFC 9602)"},
	{prefix: netip.MustParsePrefix("fc00::/7"), reason: "unique local (RFC 4193)"},
	{prefix: netip.MustParsePrefix("fe80::/10"), reason: "link-local (RFC 4291)", byAddress: true},
	{prefix: netip.MustParsePrefix("fec0::/10"), reason: "site-local (RFC 3879)"},
	{prefix: netip.MustParsePrefix("ff00::/8"), reason: "multicast (RFC 4291)"},
}

var (
	// globalUnicast is all of IPv6 that IANA assigns from. The rest is refused, so
	// that what is reserved today need not be listed when it gets a use.
	globalUnicast = netip.MustParsePrefix("2000::/3")
	// nat64 is the well-known prefix of RFC 6052. Its last four bytes are where a
	// gateway sends a packet on to.
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

// refusal returns the network that an address is refused for, and false for a public
// unicast address.
func refusal(addr netip.Addr) (network, bool) {
	if !addr.IsValid() {
		return network{reason: "not an IP address"}, true
	}
	if addr.Zone() != "" {
		return network{reason: "an address with a zone is of one link (RFC 4007)", byAddress: true}, true
	}
	if v4, ok := embedded(addr); ok {
		n, refused := refusal(v4)
		n.reason += ", embedded in IPv6"
		return n, refused
	}
	if addr.Is6() && isatap(addr) {
		return network{reason: "ISATAP (RFC 5214)", byAddress: true}, true
	}
	for _, n := range networks {
		if n.prefix.Contains(addr) {
			return n, true
		}
	}
	if addr.Is6() && !globalUnicast.Contains(addr) {
		return network{reason: "not in global unicast, 2000::/3 (RFC 4291)"}, true
	}
	return network{}, false
}

// embedded returns the IPv4 address that a packet to addr reaches in the end.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	if addr.Is4In6() {
		return addr.Unmap(), true
	}
	if nat64.Contains(addr) {
		b := addr.As16()
		return netip.AddrFrom4([4]byte(b[12:])), true
	}
	return addr, false
}

// isatap reports whether the interface identifier is one of ISATAP, which tunnels to
// an IPv4 address of the site, under any prefix.
func isatap(addr netip.Addr) bool {
	b := addr.As16()
	return b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}
