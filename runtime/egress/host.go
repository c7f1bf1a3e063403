package egress

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// normalHost is the form in which hosts are compared: DNS ignores case, and the dot
// at the end means the same name.
func normalHost(host string) string {
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// checkName reports what keeps a normalised host from being a name of DNS. It may not
// end in a number: some resolvers take "2130706433", "0x7f.1" and "0177.0.0.1" for
// 127.0.0.1, others for names.
func checkName(name string) error {
	if name == "" {
		return errors.New("the host is empty")
	}
	if len(name) > 253 {
		return errors.New("the host is longer than the 253 bytes of a name")
	}
	for label := range strings.SplitSeq(name, ".") {
		if err := checkLabel(label); err != nil {
			return fmt.Errorf("the host %s %w", quote(name), err)
		}
	}
	if endsInNumber(name) {
		return fmt.Errorf("the host %s ends in a number; write an IPv4 address as four decimal numbers, 192.0.2.1", quote(name))
	}
	return nil
}

func checkLabel(label string) error {
	switch {
	case label == "":
		return errors.New("has an empty part between dots")
	case len(label) > 63:
		return errors.New("has a part of more than 63 bytes")
	case label[0] == '-' || label[len(label)-1] == '-':
		return errors.New("has a part that begins or ends with a hyphen")
	}
	for i := range len(label) {
		switch c := label[i]; {
		case c >= 0x80:
			return errors.New("is not ASCII; write its punycode form, which begins with xn--")
		case !isLetter(c) && !isDigit(c) && c != '-' && c != '_':
			return errors.New("has a character that is no letter, digit, hyphen or dot")
		}
	}
	return nil
}

// endsInNumber is the rule of the WHATWG URL standard by which a host is meant as an
// IPv4 address.
func endsInNumber(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

// localNames are suffixes that never lead to a public address.
var localNames = []struct{ suffix, reason string }{
	{"localhost", "localhost is loopback (RFC 6761)"},
	{"local", ".local is the local link (RFC 6762)"},
	{"internal", ".internal is for private networks (ICANN)"},
	{"home.arpa", "home.arpa is for home networks (RFC 8375)"},
}

// localName says why a name cannot lead to a public address, or nothing.
func localName(name string) string {
	for _, n := range localNames {
		if name == n.suffix || strings.HasSuffix(name, "."+n.suffix) {
			return n.reason
		}
	}
	if !strings.Contains(name, ".") {
		return "a name without a dot is of the local network"
	}
	return ""
}

func parsePort(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != text {
		return 0, errors.New("the port is not a number from 1 to 65535")
	}
	return uint16(n), nil
}

// hostPort is a host as an entry of Options.Allow permits it.
func hostPort(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
