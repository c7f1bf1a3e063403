package egress_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/egress"
)

func TestRefusal(t *testing.T) {
	for _, c := range []struct{ addr, reason string }{
		{"0.0.0.0", "unspecified"},
		{"0.255.255.255", "unspecified"},
		{"9.255.255.255", ""},
		{"10.0.0.0", "private"},
		{"10.255.255.255", "private"},
		{"11.0.0.0", ""},
		{"100.63.255.255", ""},
		{"100.64.0.0", "carrier-grade NAT"},
		{"100.100.100.200", "metadata (Alibaba"},
		{"100.127.255.255", "carrier-grade NAT"},
		{"100.128.0.0", ""},
		{"126.255.255.255", ""},
		{"127.0.0.1", "loopback"},
		{"127.255.255.255", "loopback"},
		{"128.0.0.0", ""},
		{"168.63.129.16", "Azure"},
		{"169.253.255.255", ""},
		{"169.254.0.0", "link-local"},
		{"169.254.169.254", "cloud metadata"},
		{"169.254.170.2", "link-local"},
		{"169.255.0.0", ""},
		{"172.15.255.255", ""},
		{"172.16.0.0", "private"},
		{"172.31.255.255", "private"},
		{"172.32.0.0", ""},
		{"192.0.0.170", "IETF"},
		{"192.0.0.192", "Oracle"},
		{"192.0.1.0", ""},
		{"192.0.2.1", "documentation"},
		{"192.88.99.1", "6to4"},
		{"192.167.255.255", ""},
		{"192.168.0.0", "private"},
		{"192.169.0.0", ""},
		{"198.17.255.255", ""},
		{"198.18.0.0", "benchmarking"},
		{"198.19.255.255", "benchmarking"},
		{"198.20.0.0", ""},
		{"198.51.100.7", "documentation"},
		{"203.0.113.7", "documentation"},
		{"223.255.255.255", ""},
		{"224.0.0.1", "multicast"},
		{"239.255.255.255", "multicast"},
		{"240.0.0.0", "reserved"},
		{"255.255.255.255", "broadcast"},
		{"8.8.8.8", ""},

		{"::", "unspecified"},
		{"::1", "loopback"},
		{"::2", "IPv4-compatible"},
		{"::8.8.8.8", "IPv4-compatible"},
		{"::ffff:127.0.0.1", "loopback"},
		{"::ffff:8.8.8.8", ""},
		{"::ffff:0:8.8.8.8", "IPv4-translated"},
		{"64:ff9b::8.8.8.8", ""},
		{"64:ff9b::10.0.0.1", "private (RFC 1918), embedded in IPv6"},
		{"64:ff9b::169.254.169.254", "cloud metadata"},
		{"64:ff9b::1:0:0", "not in global unicast"},
		{"64:ff9b:1::8.8.8.8", "local NAT64"},
		{"100::1", "discard"},
		{"100:0:0:1::1", "dummy"},
		{"1fff::1", "not in global unicast"},
		{"2001::1", "Teredo"},
		{"2001:1::1", "IETF"},
		{"2001:2::1", "benchmarking"},
		{"2001:1f::1", "ORCHID (RFC 4843)"},
		{"2001:20::1", "ORCHIDv2"},
		{"2001:1ff::1", "IETF"},
		{"2001:200::1", ""},
		{"2001:db8::1", "documentation"},
		{"2001:4860:4860::8888", ""},
		{"2002:808:808::1", "6to4"},
		{"2600::5efe:10.0.0.1", "ISATAP"},
		{"2600::200:5efe:8.8.8.8", "ISATAP"},
		{"2606:4700::1111", ""},
		{"3ffe::1", "6bone"},
		{"3fff::1", "documentation"},
		{"3fff:fff::1", "documentation"},
		{"3fff:1000::1", ""},
		{"4000::1", "not in global unicast"},
		{"5f00::1", "segment routing"},
		{"fc00::1", "unique local"},
		{"fd00:ec2::254", "metadata (AWS)"},
		{"fd20:ce::254", "metadata (Google"},
		{"fdff::1", "unique local"},
		{"fe00::1", "not in global unicast"},
		{"fe80::1", "link-local"},
		{"fe80::1%eth0", "zone"},
		{"2606:4700::1111%eth0", "zone"},
		{"febf::1", "link-local"},
		{"fec0::1", "site-local"},
		{"ff02::1", "multicast"},
	} {
		got := egress.Refusal(netip.MustParseAddr(c.addr))
		if (c.reason == "") != (got == "") || !strings.Contains(got, c.reason) {
			t.Errorf("%s is refused for %q, want %q", c.addr, got, c.reason)
		}
	}
	if egress.Refusal(netip.Addr{}) == "" {
		t.Error("no address at all is permitted")
	}
}

// Every network is refused from its first address to its last, in the IPv6 forms that
// embed it too.
func TestNetworksAreRefusedToTheirEnds(t *testing.T) {
	for _, p := range egress.Networks() {
		for _, addr := range []netip.Addr{p.Masked().Addr(), last(p)} {
			if egress.Refusal(addr) == "" {
				t.Errorf("%s of %s is permitted", addr, p)
			}
			if !addr.Is4() {
				continue
			}
			for _, in := range embeddings(addr) {
				if egress.Refusal(in) == "" {
					t.Errorf("%s, which embeds %s, is permitted", in, addr)
				}
			}
		}
	}
}

func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	addr, _ := netip.AddrFromSlice(b)
	return addr
}

// embeddings are the IPv6 addresses that lead to an IPv4 address.
func embeddings(v4 netip.Addr) []netip.Addr {
	a := v4.As4()
	var all []netip.Addr
	for _, form := range []string{"::", "::ffff:0.0.0.0", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::", "fe80::5efe:0:0", "2600::200:5efe:0:0"} {
		b := netip.MustParseAddr(form).As16()
		copy(b[12:], a[:])
		all = append(all, netip.AddrFrom16(b))
	}
	b := netip.MustParseAddr("2002::1").As16()
	copy(b[2:], a[:])
	all = append(all, netip.AddrFrom16(b))
	b = netip.MustParseAddr("2001::").As16()
	for i := range a {
		b[12+i] = ^a[i]
	}
	return append(all, netip.AddrFrom16(b))
}

// embedded is the reverse of embeddings, for the forms that an address can be read as.
func embedded(addr netip.Addr) []netip.Addr {
	b := addr.As16()
	v4 := func(from int) netip.Addr { return netip.AddrFrom4([4]byte(b[from:])) }
	in := func(p string) bool { return netip.MustParsePrefix(p).Contains(addr) }
	var all []netip.Addr
	switch {
	case addr.Is4In6(), in("::/96"), in("::ffff:0:0:0/96"), in("64:ff9b::/96"), in("64:ff9b:1::/48"):
		all = append(all, v4(12))
	case in("2002::/16"):
		all = append(all, v4(2))
	case in("2001::/32"):
		all = append(all, netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), v4(4))
	}
	if b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe && (b[8] == 0 || b[8] == 2) {
		all = append(all, v4(12))
	}
	return all
}

// What is permitted is a public unicast address by the standard library too, and so is
// each IPv4 address that it embeds.
func FuzzRefused(f *testing.F) {
	for _, p := range egress.Networks() {
		for _, addr := range []netip.Addr{p.Addr(), last(p), last(p).Next(), p.Addr().Prev()} {
			b := addr.As16()
			f.Add(b[:])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var all []netip.Addr
		switch {
		case len(b) >= 16:
			all = append(all, netip.AddrFrom16([16]byte(b)))
		case len(b) >= 4:
			v4 := netip.AddrFrom4([4]byte(b))
			all = append(embeddings(v4), v4)
		}
		for _, addr := range all {
			checkPermitted(t, addr)
		}
	})
}

func checkPermitted(t *testing.T, addr netip.Addr) {
	t.Helper()
	if egress.Refusal(addr) != "" {
		return
	}
	plain := addr.Unmap()
	if !plain.IsGlobalUnicast() || plain.IsPrivate() || plain.IsLoopback() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified() {
		t.Errorf("%s is permitted", addr)
	}
	for _, v4 := range embedded(addr) {
		if reason := egress.Refusal(v4); reason != "" {
			t.Errorf("%s is permitted and embeds %s: %s", addr, v4, reason)
		}
	}
}
