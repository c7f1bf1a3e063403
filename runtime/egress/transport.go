package egress

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"
)

// newTransport returns the transport of net/http by which all requests go. It is used
// without an http.Client, which would follow redirects and can keep cookies.
func newTransport(o Options, g *guard) *http.Transport {
	t := &http.Transport{
		// nil means none: only http.ProxyFromEnvironment asks the environment.
		Proxy:           proxyOf(o),
		DialContext:     g.dialer(net.Dialer{Timeout: o.DialTimeout, Resolver: o.Resolver}),
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		// A few bytes of gzip are a gigabyte of zeros.
		DisableCompression: true,

		TLSHandshakeTimeout:    o.TLSTimeout,
		ResponseHeaderTimeout:  o.HeaderTimeout,
		IdleConnTimeout:        o.IdleTimeout,
		MaxConnsPerHost:        o.MaxConnsPerHost,
		MaxIdleConnsPerHost:    o.MaxIdlePerHost,
		MaxIdleConns:           o.MaxIdle,
		MaxResponseHeaderBytes: int64(o.MaxResponseHeader),

		Protocols: new(http.Protocols),
		HTTP2:     http2Config(o),
	}
	t.Protocols.SetHTTP1(true)
	t.Protocols.SetHTTP2(true)
	return t
}

func proxyOf(o Options) func(*http.Request) (*url.URL, error) {
	if o.Proxy == nil {
		return nil
	}
	proxy := *o.Proxy
	return http.ProxyURL(&proxy)
}

// http2Config bounds what a server can make the client keep, which is 4 MiB for a
// request by default, and has a connection closed whose packets are
// swallowed: all requests to the host would go on using it.
func http2Config(o Options) *http.HTTP2Config {
	const least, most = 64 << 10, 4<<20 - 1
	return &http.HTTP2Config{
		MaxReceiveBufferPerStream:     min(max(o.MaxResponseBody, least), most),
		MaxReceiveBufferPerConnection: most,
		SendPingTimeout:               15 * time.Second,
		PingTimeout:                   5 * time.Second,
	}
}
