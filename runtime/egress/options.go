package egress

import (
	"cmp"
	"crypto/x509"
	"net"
	"net/url"
	"slices"
	"time"
)

// Options of a client. The zero value is safe: https to public addresses on the
// ports 80 and 443. Options that are negative are refused by New.
type Options struct {
	// Allow lists addresses, networks and hosts that are permitted although the
	// guard would refuse them, any port of them or one: "10.1.2.3:8080",
	// "10.0.0.0/8", "[fd00::1]:443", "hooks.internal", "*.svc.internal:8443". They
	// are permitted over http too. The package's documentation says what an
	// entry with a name trusts. nil: none.
	Allow []string
	// Ports are those that a URL may have where no entry of Allow permits another;
	// nil means 80 and 443.
	Ports []int
	// PlainHTTP permits http where no entry of Allow does; false means https only.
	// Anyone on the way reads and changes what is sent over http.
	PlainHTTP bool

	// Proxy is what every request goes through; nil means none, whatever HTTP_PROXY
	// and its like say. Schemes are http, https, socks5 and socks5h; a user and
	// password are sent to it. The proxy resolves names, so it has to refuse private
	// addresses: the guard judges only the proxy's own address, which
	// Allow must permit if it is private, and addresses that stand in a URL.
	Proxy *url.URL
	// RootCAs verify certificates; nil means the system's.
	RootCAs *x509.CertPool
	// Resolver resolves names; nil means net.DefaultResolver. Its answers are judged
	// like any other.
	Resolver *net.Resolver
	// UserAgent is sent by requests that set none; "" means "modulagen-egress".
	UserAgent string

	// Timeout bounds a request as a whole, from Do to the last byte of the
	// response's body; 0 means 30 s. A context can make it shorter.
	Timeout time.Duration
	// DialTimeout bounds resolving a name and connecting; 0 means 10 s.
	DialTimeout time.Duration
	// TLSTimeout bounds the TLS handshake; 0 means 10 s.
	TLSTimeout time.Duration
	// HeaderTimeout bounds the wait for the response's header after the request was
	// sent; 0: Timeout alone does.
	HeaderTimeout time.Duration

	// MaxRequestBody bounds the bytes of a request's body; 0 means 1 MiB.
	MaxRequestBody int
	// MaxResponseHeader bounds the bytes of a response's header; 0 means 64 KiB. A
	// longer one is ErrTooLarge.
	MaxResponseHeader int
	// MaxResponseBody is how many bytes of a response's body are read; 0 means 64
	// KiB. A longer body is cut, see Response.Truncated.
	MaxResponseBody int

	// MaxConnsPerHost bounds the connections to one host and port, in use or kept; 0
	// means 16. Further requests wait, within Timeout. Behind a proxy for http, it
	// is the proxy that counts as the host.
	MaxConnsPerHost int
	// MaxIdlePerHost bounds the kept connections to one host and port; 0 means 2.
	MaxIdlePerHost int
	// MaxIdle bounds the kept connections to all hosts; 0 means 100.
	MaxIdle int
	// IdleTimeout is how long an unused connection is kept; 0 means 30 s.
	IdleTimeout time.Duration

	// DangerouslyAllowAnyAddress switches the guard off: any address, any port, http
	// and https. It is for tests. A program that sets it lets the author of any URL
	// read its cloud credentials and reach every service of its network;
	// what a program needs of that belongs into Allow.
	DangerouslyAllowAnyAddress bool
}

const defaultUserAgent = "modulagen-egress"

var defaultPorts = []int{80, 443}

func (o Options) withDefaults() (Options, error) {
	if err := o.check(); err != nil {
		return o, err
	}
	o.Ports = slices.Clone(o.Ports)
	if o.Ports == nil {
		o.Ports = defaultPorts
	}
	o.UserAgent = cmp.Or(o.UserAgent, defaultUserAgent)
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.DialTimeout = cmp.Or(o.DialTimeout, 10*time.Second)
	o.TLSTimeout = cmp.Or(o.TLSTimeout, 10*time.Second)
	o.MaxRequestBody = cmp.Or(o.MaxRequestBody, 1<<20)
	o.MaxResponseHeader = cmp.Or(o.MaxResponseHeader, 64<<10)
	o.MaxResponseBody = cmp.Or(o.MaxResponseBody, 64<<10)
	o.MaxConnsPerHost = cmp.Or(o.MaxConnsPerHost, 16)
	o.MaxIdlePerHost = cmp.Or(o.MaxIdlePerHost, 2)
	o.MaxIdle = cmp.Or(o.MaxIdle, 100)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 30*time.Second)
	return o, nil
}

func (o Options) check() error {
	for _, n := range []struct {
		name string
		n    int64
	}{
		{"Timeout", int64(o.Timeout)},
		{"DialTimeout", int64(o.DialTimeout)},
		{"TLSTimeout", int64(o.TLSTimeout)},
		{"HeaderTimeout", int64(o.HeaderTimeout)},
		{"IdleTimeout", int64(o.IdleTimeout)},
		{"MaxRequestBody", int64(o.MaxRequestBody)},
		{"MaxResponseHeader", int64(o.MaxResponseHeader)},
		{"MaxResponseBody", int64(o.MaxResponseBody)},
		{"MaxConnsPerHost", int64(o.MaxConnsPerHost)},
		{"MaxIdlePerHost", int64(o.MaxIdlePerHost)},
		{"MaxIdle", int64(o.MaxIdle)},
	} {
		if n.n < 0 {
			return invalidf("Options.%s is negative", n.name)
		}
	}
	for _, port := range o.Ports {
		if port < 1 || port > 65535 {
			return invalidf("Options.Ports has %d; a port is 1 to 65535", port)
		}
	}
	if err := checkValue("User-Agent", o.UserAgent); err != nil {
		return err
	}
	return checkProxy(o.Proxy)
}

func checkProxy(proxy *url.URL) error {
	if proxy == nil {
		return nil
	}
	if !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, proxy.Scheme) {
		return invalidf("Options.Proxy must begin with http://, https://, socks5:// or socks5h://")
	}
	if proxy.Hostname() == "" {
		return invalidf("Options.Proxy has no host; write http://proxy.example.com:3128")
	}
	return nil
}
