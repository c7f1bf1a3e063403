package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode"
)

// What can go wrong, for errors.Is.
var (
	// ErrInvalid says that a URL, a header, a request or an option is not one that
	// can be used. Nothing was sent.
	ErrInvalid = errors.New("egress: invalid")
	// ErrRefused reports that the guard does not permit an address, a port or a
	// scheme. Nothing was sent there. It is always a [*RefusedError].
	ErrRefused = errors.New("egress: refused")
	// ErrTooLarge reports that the request's body is over Options.MaxRequestBody, which
	// is ErrInvalid too, or the response's header over Options.MaxResponseHeader.
	ErrTooLarge = errors.New("egress: too large")
	// ErrTimeout says that a request, or a step of it, took longer than Options or
	// the deadline of its context permit.
	ErrTimeout = errors.New("egress: timeout")
)

// RefusedError says what the guard refused, and why. Its text is for those who run
// the program: Address may tell where a name leads in their network.
type RefusedError struct {
	// Host is the host of the URL, or of the proxy.
	Host string
	// Address is what Host is or was resolved to; the zero Addr when the URL was refused
	// without resolving it.
	Address netip.Addr
	// Reason says what is wrong with it: "loopback (RFC 1122)".
	Reason string
	// Remedy says what permits it, if it is meant.
	Remedy string
}

// Error names the host, the address, the reason and the remedy.
func (e *RefusedError) Error() string {
	var b strings.Builder
	b.WriteString("egress: refused: " + e.Host)
	if e.Address.IsValid() && e.Address.String() != e.Host {
		b.WriteString(" resolves to " + e.Address.String())
	}
	b.WriteString(": " + e.Reason)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Is reports whether target is ErrRefused.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// Error is a request that was begun and failed. Its text holds nothing of the URL's path
// and query, and no header.
type Error struct {
	Method string
	// Origin is the URL's scheme, host and port.
	Origin string
	// Err is what went wrong. Its text may quote what the endpoint sent; that of
	// Error is made printable and cut.
	Err error
}

// Error says what was requested of whom, and what went wrong.
func (e *Error) Error() string {
	text := strings.TrimPrefix(e.Err.Error(), "egress: ")
	return fmt.Sprintf("egress: %s %s: %s", e.Method, e.Origin, printable(text, maxText))
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether it is ErrTimeout, as net.Error does.
func (e *Error) Timeout() bool { return errors.Is(e.Err, ErrTimeout) }

// Retryable reports whether the same request may succeed at another time. It may
// after any failure of the network, of DNS or of the endpoint, an expired certificate
// included, and when its context ended. It will not when the request is refused or
// invalid. A request that failed may have been carried out by the endpoint all the
// same. nil is not retryable.
func Retryable(err error) bool {
	return err != nil && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrInvalid)
}

func invalidf(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}

const (
	maxText   = 400 // of an error, which may quote a response
	maxQuoted = 80  // of a host, a name
)

// quote quotes what somebody else wrote, cut to a length that suits a message.
func quote(s string) string { return fmt.Sprintf("%q", printable(s, maxQuoted)) }

// printable cuts s to n bytes and replaces what a terminal or a log would interpret.
func printable(s string, n int) string {
	if len(s) > n {
		s = s[:n] + "..."
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
