package egress

import (
	"net/http"
	"strings"
)

// reserved are the headers that belong to a connection (RFC 9110, section 7.6.1) or
// to the form of the message: the client sets them, and one that disagreed could
// smuggle a second request.
var reserved = map[string]string{
	"Connection":          "it is of the connection",
	"Keep-Alive":          "it is of the connection",
	"Proxy-Authenticate":  "it is of the connection",
	"Proxy-Authorization": "it is of the connection",
	"Proxy-Connection":    "it is of the connection",
	"Te":                  "it is of the connection",
	"Trailer":             "it is of the connection",
	"Transfer-Encoding":   "it is of the connection",
	"Upgrade":             "it is of the connection",
	"Http2-Settings":      "it is of the connection",
	"Expect":              "the body is sent at once",
	"Host":                "it is the URL's host",
	"Content-Length":      "it is the body's length",
}

// CheckHeader reports what keeps a header from being sent, when it is saved: a name
// that is no token, a name that the client sets itself, a value with a line break or
// another control character. An error is ErrInvalid, and quotes the name but not the value.
func CheckHeader(name, value string) error {
	if !isToken(name) {
		return invalidf("the header name %s is not of letters, digits, hyphens and underscores", quote(name))
	}
	canonical := http.CanonicalHeaderKey(name)
	if why, ok := reserved[canonical]; ok {
		return invalidf("the header %s cannot be set: %s; leave it out", canonical, why)
	}
	return checkValue(canonical, value)
}

func checkValue(name, value string) error {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return invalidf("the header %s has the control character %#02x at byte %d of its value; leave it out", name, c, i+1)
		}
	}
	return nil
}

// isToken is the rule for names of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// checkedHeader copies a header, with its names in the canonical form so that each
// stands once.
func checkedHeader(h http.Header) (http.Header, error) {
	out := make(http.Header, len(h)+2)
	for name, values := range h {
		for _, value := range values {
			if err := CheckHeader(name, value); err != nil {
				return nil, err
			}
			out.Add(name, value)
		}
	}
	return out, nil
}
