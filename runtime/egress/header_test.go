package egress_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/egress"
)

func TestCheckHeader(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"X-Key", "secret", ""},
		{"webhook-id", "msg_1", ""},
		{"Authorization", "Bearer x\ty", ""},
		{"X-Name", "Jürgen", ""},
		{"X_under.score", "", ""},

		{"", "x", "header name"},
		{"X Key", "x", "header name"},
		{"X-Key:", "x", "header name"},
		{"X-Key\r\nHost", "x", "header name"},
		{":path", "x", "header name"},
		{"X-Kéy", "x", "header name"},
		{"X-Key", "S3CRET\r\nHost: a", "0x0d at byte 7"},
		{"X-Key", "S3CRET\n", "0x0a at byte 7"},
		{"X-Key", "S3CRET\x00", "0x00 at byte 7"},
		{"X-Key", "\x7fS3CRET", "0x7f at byte 1"},
		{"Host", "a", "it is the URL's host"},
		{"hOsT", "a", "it is the URL's host"},
		{"Content-Length", "0", "it is the body's length"},
		{"transfer-encoding", "chunked", "of the connection"},
		{"connection", "X-Key", "of the connection"},
		{"Keep-Alive", "x", "of the connection"},
		{"TE", "trailers", "of the connection"},
		{"Trailer", "x", "of the connection"},
		{"Upgrade", "h2c", "of the connection"},
		{"HTTP2-Settings", "x", "of the connection"},
		{"Proxy-Authorization", "x", "of the connection"},
		{"Proxy-Connection", "x", "of the connection"},
		{"Expect", "100-continue", "sent at once"},
	} {
		err := egress.CheckHeader(c.name, c.value)
		if c.want == "" && err != nil {
			t.Errorf("%q: %v", c.name, err)
		}
		if c.want == "" {
			continue
		}
		if !errors.Is(err, egress.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "S3CRET") || strings.ContainsAny(err.Error(), "\r\n\x00")) {
			t.Errorf("%q: the message has the value: %q", c.name, err)
		}
	}
}
