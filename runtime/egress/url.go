package egress

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// maxURL is longer than what servers take.
const maxURL = 8 << 10

// CheckURL reports what is wrong with a URL as far as it can be checked without DNS,
// when it is saved: an error is ErrInvalid or ErrRefused, and says what to write in
// its place. The options are those of the client that will request it. A URL that
// passes may still be refused when its name is resolved.
func CheckURL(raw string, o Options) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	g, err := newGuard(o)
	if err != nil {
		return err
	}
	_, _, err = g.url(raw)
	return err
}

// CheckURL is the function of the same name, with the options of the client.
func (c *Client) CheckURL(raw string) error {
	_, _, err := c.guard.url(raw)
	return err
}

func (g *guard) url(raw string) (*url.URL, target, error) {
	u, t, err := parseURL(raw)
	if err != nil {
		return nil, t, err
	}
	return u, t, g.check(t)
}

// parseURL reads a URL whose parts mean the same to everyone. Messages quote no
// more of it than the host: a password or a token may be anywhere else, also where
// the parser of net/url sees a port.
func parseURL(raw string) (*url.URL, target, error) {
	if err := checkText(raw); err != nil {
		return nil, target{}, err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, target{}, invalidf("the URL cannot be parsed; write it as https://host/path, with %%XX for special characters")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, target{}, invalidf("the URL does not begin with https://")
	case u.User != nil:
		return nil, target{}, invalidf("the URL has a user before the host; send credentials in a header")
	case u.Opaque != "" || u.Host == "":
		return nil, target{}, invalidf("the URL has no host; write it as https://host/path")
	case strings.Contains(raw, "#"):
		return nil, target{}, invalidf("the URL has a fragment, which is not sent; leave out # and what follows it")
	}
	t, err := targetOf(u)
	if err != nil {
		return nil, t, invalidf("the URL: %w", err)
	}
	return u, t, nil
}

func checkText(raw string) error {
	if raw == "" {
		return invalidf("the URL is empty")
	}
	if len(raw) > maxURL {
		return invalidf("the URL has %d bytes; at most %d", len(raw), maxURL)
	}
	for i := range len(raw) {
		switch c := raw[i]; {
		case c <= ' ' || c == 0x7f:
			return invalidf("the URL has a space or a control character at byte %d; write %%%02X", i+1, c)
		case c >= 0x80:
			return invalidf("the URL is not ASCII at byte %d; write %%XX in the path, and a host in its punycode form, xn--", i+1)
		case c == '\\':
			return invalidf("the URL has a backslash at byte %d; write /, or %%5C", i+1)
		}
	}
	return nil
}

func targetOf(u *url.URL) (target, error) {
	t := target{host: normalHost(u.Hostname()), port: 443, plain: u.Scheme == "http"}
	if t.plain {
		t.port = 80
	}
	if u.Port() != "" || strings.HasSuffix(u.Host, ":") {
		port, err := parsePort(u.Port())
		if err != nil {
			return t, err
		}
		t.port = port
	}
	return t, checkHost(t.host, strings.HasPrefix(u.Host, "["))
}

// checkHost reports what keeps a host from being an address or a name.
func checkHost(host string, bracketed bool) error {
	addr, err := netip.ParseAddr(host)
	switch {
	case err == nil && addr.Zone() != "":
		return errors.New("the address has a zone, which is of this machine; leave out % and what follows it")
	case err == nil && addr.Is6() == bracketed:
		return nil
	case err == nil || bracketed:
		return errors.New("an IPv6 address stands in brackets, and nothing else does")
	}
	return checkName(host)
}
