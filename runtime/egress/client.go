package egress

import (
	"bytes"
	"context"
	"net/http"
	"time"
)

// A Client makes requests to URLs that somebody else wrote. It is safe for use by
// several goroutines, which should share one.
type Client struct {
	opts      Options
	guard     *guard
	transport *http.Transport
}

// New returns a client, or ErrInvalid when an option cannot be used.
func New(o Options) (*Client, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	g, err := newGuard(o)
	if err != nil {
		return nil, err
	}
	return &Client{opts: o, guard: g, transport: newTransport(o, g)}, nil
}

// Close closes the connections that are kept. Requests that run are not touched, and
// the client can still be used.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Do sends a request and returns the response, whatever its status: a redirect and an
// error of the server are responses. It returns within Options.Timeout.
//
// An error is ErrInvalid or ErrRefused when the request was not sent, and else an
// [*Error], which may be ErrTimeout, ErrTooLarge or the error of the context; see
// [Retryable]. When the response's header arrived and its body failed, Do returns
// both: a response, with what was read, and the error.
//
// A request is sent once. It is sent again on another connection where a kept one turns
// out to be closed before the server can have processed it; with the method GET, HEAD
// or OPTIONS, or with an Idempotency-Key, also where the server may have.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	req, x, err := c.prepare(r)
	if err != nil {
		return nil, err
	}
	x.begun, x.caller = time.Now(), ctx
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	x.ctx = ctx

	ctx = context.WithValue(ctx, plainKey{}, req.URL.Scheme == "http")
	// RoundTrip, unlike http.Client, follows no redirect, keeps no cookie and puts
	// no URL into errors.
	res, err := c.transport.RoundTrip(req.WithContext(x.trace(ctx)))
	if err != nil {
		return nil, x.failure(err)
	}
	out, err := x.read(res, c.opts.MaxResponseBody)
	if err != nil {
		err = x.failure(err)
	}
	if err != nil || out.Truncated {
		// Close may read on, for the connection's sake, and a body may have no end.
		cancel()
	}
	_ = res.Body.Close()
	return out, err
}

// prepare checks a request and makes it one of net/http.
func (c *Client) prepare(r Request) (*http.Request, *exchange, error) {
	u, _, err := c.guard.url(r.URL)
	if err != nil {
		return nil, nil, err
	}
	method, err := checkMethod(r.Method)
	if err != nil {
		return nil, nil, err
	}
	header, err := checkedHeader(r.Header)
	if err != nil {
		return nil, nil, err
	}
	if n := len(r.Body); n > c.opts.MaxRequestBody {
		return nil, nil, invalidf("%w: the request's body has %d bytes; Options.MaxRequestBody is %d", ErrTooLarge, n, c.opts.MaxRequestBody)
	}
	setDefault(header, "User-Agent", c.opts.UserAgent)
	setDefault(header, "Accept-Encoding", "identity")

	req, err := http.NewRequest(method, u.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, nil, invalidf("the request cannot be sent as HTTP")
	}
	req.Header = header
	return req, &exchange{method: method, origin: u.Scheme + "://" + u.Host, timeout: c.opts.Timeout}, nil
}

func setDefault(h http.Header, name, value string) {
	if _, set := h[name]; !set {
		h.Set(name, value)
	}
}
