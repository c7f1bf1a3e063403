package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// An entry of Options.Allow is a network or a name, with a port or all of them.
type entry struct {
	prefix netip.Prefix // of an address or a network; the zero Prefix of a name
	name   string
	below  bool   // every name below name, in place of name
	port   uint16 // 0: any
}

type allowList []entry

func parseAllow(texts []string) (allowList, error) {
	var list allowList
	for _, text := range texts {
		e, err := parseEntry(text)
		if err != nil {
			return nil, invalidf("Options.Allow has %s: %w", quote(text), err)
		}
		list = append(list, e)
	}
	return list, nil
}

func parseEntry(text string) (entry, error) {
	if strings.Contains(text, "://") {
		return entry{}, errors.New("it is a URL; write its host, or host:port")
	}
	host, port, bracketed, err := splitEntry(text)
	if err != nil {
		return entry{}, err
	}
	e := entry{}
	if e.port, err = parsePort(port); port != "" && err != nil {
		return entry{}, err
	}
	if prefix, ok, err := parsePrefix(host); ok || err != nil {
		e.prefix = prefix
		if err == nil && prefix.Addr().Is6() && port != "" && !bracketed {
			err = fmt.Errorf("write an IPv6 address with a port as [%s]:%s", host, port)
		}
		return e, err
	}
	if bracketed {
		return entry{}, errors.New("what stands in [ ] must be an IPv6 address or network")
	}
	e.name, e.below = strings.CutPrefix(host, "*.")
	e.name = normalHost(e.name)
	return e, checkName(e.name)
}

// splitEntry splits off the port. A colon within brackets, or one of several in an
// IPv6 address, does not begin one.
func splitEntry(text string) (host, port string, bracketed bool, err error) {
	if rest, ok := strings.CutPrefix(text, "["); ok {
		host, port, ok = strings.Cut(rest, "]")
		if !ok || port != "" && len(port) < 2 || port != "" && port[0] != ':' {
			return "", "", true, errors.New("write an IPv6 address with a port as [fd00::1]:443")
		}
		return host, strings.TrimPrefix(port, ":"), true, nil
	}
	if _, ok, _ := parsePrefix(text); ok || !strings.Contains(text, ":") {
		return text, "", false, nil
	}
	at := strings.LastIndexByte(text, ':')
	if at == len(text)-1 {
		return "", "", false, errors.New("there is no port behind the colon")
	}
	return text[:at], text[at+1:], false, nil
}

// parsePrefix parses an address or a network. It returns false for what is neither,
// and an error for what is one and cannot be used.
func parsePrefix(text string) (netip.Prefix, bool, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		if addr.Zone() != "" {
			return netip.Prefix{}, true, errors.New("an address with a zone is never permitted")
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), true, nil
	}
	if !strings.Contains(text, "/") {
		return netip.Prefix{}, false, nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, false, errors.New("it is no network; write it as 10.0.0.0/8 or fd00::/8")
	case prefix.Addr().Is4In6():
		return netip.Prefix{}, true, errors.New("write a network of IPv4 in its own form, as 10.0.0.0/8")
	case prefix != prefix.Masked():
		return netip.Prefix{}, true, fmt.Errorf("the address has bits behind the network's; write %s", prefix.Masked())
	}
	return prefix, true, nil
}

// address reports whether an address and port are listed.
func (l allowList) address(addr netip.Addr, port uint16) bool {
	for _, e := range l {
		if e.has(port) && e.prefix.IsValid() && e.prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// host reports whether a name and port are listed.
func (l allowList) host(name string, port uint16) bool {
	for _, e := range l {
		if !e.has(port) || e.prefix.IsValid() {
			continue
		}
		if e.below && strings.HasSuffix(name, "."+e.name) || !e.below && name == e.name {
			return true
		}
	}
	return false
}

// addresses reports whether any address is listed with the port, so that a name may
// turn out to be permitted.
func (l allowList) addresses(port uint16) bool {
	for _, e := range l {
		if e.has(port) && e.prefix.IsValid() {
			return true
		}
	}
	return false
}

func (e entry) has(port uint16) bool { return e.port == 0 || e.port == port }
