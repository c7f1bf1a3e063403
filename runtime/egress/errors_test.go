package egress_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/egress"
)

// No error has anything of a URL but its scheme and host, whatever is wrong with it,
// nor a header.
func TestErrorsKeepSecrets(t *testing.T) {
	gone, plain := closed(t), serve(t, ok)
	tls, _ := serveTLS(t, ok, nil)
	garbage := serveText(t, "garbage\r\n\r\n")
	c := client(t, egress.Options{Allow: []string{gone, plain, tls, garbage}, Timeout: patience})
	const secret = "S3CRET"
	header := http.Header{"Authorization": {"Bearer " + secret}}
	for _, u := range []string{
		"http://" + gone + "/" + secret + "?a=" + secret,
		"https://" + plain + "/" + secret + "?a=" + secret,
		"https://" + tls + "/" + secret + "?a=" + secret,
		"http://" + garbage + "/" + secret + "?a=" + secret,
		"https://10.0.0.1/" + secret + "?a=" + secret,
		"https://a.example.com:22/" + secret,
		"https://me:" + secret + "@a.example.com/",
		"https://me:" + secret + "/x@a.example.com/",
		"https://a.example.com:" + secret + "/",
		"https://a.example.com/#" + secret,
		"https://a.example.com/%zz" + secret,
		"https://a.example.com/" + secret + "\x00",
		"https://a.example.com/?a b" + secret,
		"https://[" + secret,
		secret + "://a.example.com",
		secret,
		"a:" + secret + "@a.example.com",
	} {
		_, err := do(t, c, egress.Request{URL: u, Header: header})
		if err == nil {
			t.Errorf("%q: no error", u)
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(strings.ToUpper(fmt.Sprintf("%v %+v", e, e)), secret) {
				t.Errorf("%q: %q", u, e)
			}
		}
		if !strings.HasPrefix(err.Error(), "egress: ") || strings.Count(err.Error(), "egress: ") != 1 {
			t.Errorf("%q", err)
		}
	}
}

func TestErrorsSayWhatWhereAndWhatToDo(t *testing.T) {
	c := client(t, egress.Options{Resolver: always(t, "10.1.2.3")})
	for url, want := range map[string]string{
		"https://hooks.example.com/": `egress: refused: hooks.example.com resolves to 10.1.2.3: private (RFC 1918); if it is meant, put "10.1.2.3:443" into Options.Allow`,
		"https://10.0.0.1/":          `egress: refused: 10.0.0.1: private (RFC 1918); if it is meant, put "10.0.0.1:443" into Options.Allow`,
		"http://hooks.example.com/":  `egress: refused: hooks.example.com: http is not encrypted; use https, or put "hooks.example.com:80" into Options.Allow, or set Options.PlainHTTP`,
	} {
		if _, err := get(t, c, url); err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	addr := closed(t)
	_, err := do(t, local(t, addr, egress.Options{}), egress.Request{Method: "POST", URL: "http://" + addr + "/"})
	if want := "egress: POST http://" + addr + ": while connecting: dial tcp " + addr; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v\nwant %s", err, want)
	}
}

func TestRetryable(t *testing.T) {
	for _, err := range []error{nil, egress.ErrRefused, &egress.RefusedError{}, egress.ErrInvalid, fmt.Errorf("x: %w", &egress.RefusedError{})} {
		if egress.Retryable(err) {
			t.Errorf("%v is retryable", err)
		}
	}
	for _, err := range []error{egress.ErrTimeout, egress.ErrTooLarge, errors.New("x"), &egress.Error{Err: errors.New("x")}} {
		if !egress.Retryable(err) {
			t.Errorf("%v is not retryable", err)
		}
	}
}
