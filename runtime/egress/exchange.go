package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// An exchange is a request and its response, under way.
type exchange struct {
	method, origin string
	timeout        time.Duration
	begun          time.Time

	caller context.Context // of the caller of Do
	ctx    context.Context // bounded by Options.Timeout

	// The transport reports these from goroutines of its own.
	step   atomic.Int32
	remote atomic.Value // netip.AddrPort
}

// Steps of an exchange, in their order.
const (
	connecting = iota
	sending
	awaiting
	reading
)

var stepNames = [...]string{
	connecting: "connecting",
	sending:    "sending the request",
	awaiting:   "waiting for the response",
	reading:    "reading the response's body",
}

// trace returns a context through which the transport reports how far it is.
func (x *exchange) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			x.reached(sending)
			if addr, err := netip.ParseAddrPort(info.Conn.RemoteAddr().String()); err == nil {
				x.remote.Store(addr)
			}
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				x.reached(awaiting)
			}
		},
	})
}

// reached keeps the latest step: a server may answer before all was sent.
func (x *exchange) reached(step int32) {
	for was := x.step.Load(); was < step && !x.step.CompareAndSwap(was, step); was = x.step.Load() {
	}
}

// read returns the response with at most limit bytes of its body.
func (x *exchange) read(res *http.Response, limit int) (*Response, error) {
	x.reached(reading)
	out := &Response{Status: res.StatusCode, Proto: res.Proto, Header: res.Header}
	var err error
	if res.StatusCode != http.StatusSwitchingProtocols { // what follows 101 is another protocol, which was not asked for
		// One byte more than the limit says that the body goes on.
		out.Body, err = io.ReadAll(io.LimitReader(res.Body, int64(limit)+1))
	}
	if len(out.Body) > limit {
		out.Body, out.Truncated, err = out.Body[:limit], true, nil
	}
	out.Duration = time.Since(x.begun)
	out.Remote, _ = x.remote.Load().(netip.AddrPort)
	return out, err
}

// failure makes an error of the transport one of this package.
func (x *exchange) failure(err error) error {
	var refused *RefusedError
	if errors.As(err, &refused) {
		return refused
	}
	return &Error{Method: x.method, Origin: x.origin, Err: x.cause(err)}
}

func (x *exchange) cause(err error) error {
	step := stepNames[x.step.Load()]
	switch {
	case errors.Is(x.caller.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%w: the deadline of the context, while %s: %w", ErrTimeout, step, context.DeadlineExceeded)
	case x.caller.Err() != nil:
		return fmt.Errorf("while %s: %w", step, x.caller.Err())
	case x.ctx.Err() != nil:
		return fmt.Errorf("%w: %s is over, while %s", ErrTimeout, x.timeout, step)
	case isTimeout(err):
		return fmt.Errorf("%w: while %s: %w", ErrTimeout, step, err)
	case isHeaderTooLarge(err):
		return fmt.Errorf("%w: while %s: %w", ErrTooLarge, step, err)
	}
	return fmt.Errorf("while %s: %w", step, err)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// isHeaderTooLarge goes by the text, because net/http has no value for it. Over HTTP/2,
// one value that is longer than the limit is an error of compression instead.
func isHeaderTooLarge(err error) bool {
	text := err.Error()
	return strings.Contains(text, "response headers exceeded") || strings.Contains(text, "response header list larger")
}
