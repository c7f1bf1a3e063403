package egress

import (
	"net/http"
	"net/netip"
	"time"
)

// A Request is what Do sends.
type Request struct {
	// Method is in capitals; "" means GET. CONNECT and TRACE are not sent.
	Method string
	// URL is absolute: https://host/path. See CheckURL.
	URL string
	// Header is what is sent beside Host, Content-Length, User-Agent and
	// Accept-Encoding, of which the last two can be set here. See CheckHeader. Names
	// are sent in their canonical form.
	Header http.Header
	// Body is sent as it is, with its Content-Length. nil means none. When Do returns
	// an error, a connection may be reading it still: it must not be changed.
	Body []byte
}

// A Response is what an endpoint answered.
type Response struct {
	// Status is the code: 200. A redirect, 3xx, was not followed.
	Status int
	// Proto is "HTTP/1.1" or "HTTP/2.0".
	Proto string
	// Header is the endpoint's, in its own words.
	Header http.Header
	// Body is what was read of the body, not decompressed.
	Body []byte
	// Truncated says that the body goes on after Options.MaxResponseBody bytes.
	Truncated bool
	// Duration is the time from Do to the last byte that was read.
	Duration time.Duration
	// Remote is the address of the endpoint, or of the proxy.
	Remote netip.AddrPort
}

func checkMethod(method string) (string, error) {
	switch method {
	case "":
		return http.MethodGet, nil
	case http.MethodConnect, http.MethodTrace:
		return "", invalidf("the method %s is not sent", method)
	}
	for i := range len(method) {
		if c := method[i]; (c < 'A' || c > 'Z') && c != '-' {
			return "", invalidf("the method %s is not of capitals; write POST", quote(method))
		}
	}
	return method, nil
}
