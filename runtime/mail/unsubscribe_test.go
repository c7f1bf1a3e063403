package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/mail"
)

var (
	key1 = mail.NewSecret(strings.Repeat("1", 32))
	key2 = mail.NewSecret(strings.Repeat("2", 32))
)

const oneClick = "List-Unsubscribe=One-Click"

// request sends a request to a handler.
func request(h http.Handler, method, link, kind, body string) *http.Response {
	r := httptest.NewRequest(method, link, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

const form = "application/x-www-form-urlencoded"

func TestUnsubscribe(t *testing.T) {
	u := must(mail.NewUnsubscribe("https://shop.example/unsubscribe?lang=en", key1))
	link := must(u.Link("Ann <Ann@MÜNCHEN.example>", "newsletter"))
	if !strings.HasPrefix(link, "https://shop.example/unsubscribe?lang=en&t=") || strings.Contains(strings.ToLower(link), "ann") {
		t.Errorf("the link is %s", link)
	}
	m := good(func(m *mail.Message) { m.ListUnsubscribe = link })
	if o, err := m.Prepare(queued); err != nil || o.ListUnsubscribe != link {
		t.Errorf("as ListUnsubscribe: %v", err)
	}
	var got []mail.Suppression
	h := u.Handler(func(_ context.Context, s mail.Suppression) error {
		got = append(got, s)
		return nil
	})
	for _, method := range []string{"GET", "HEAD"} {
		page := request(h, method, link, "", "")
		if page.StatusCode != 200 {
			t.Errorf("%s: %d", method, page.StatusCode)
		}
	}
	if len(got) > 0 {
		t.Fatalf("GET unsubscribes: %+v", got)
	}
	multipart := "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"
	for kind, body := range map[string]string{form: oneClick, "multipart/form-data; boundary=b": multipart} {
		got = nil
		if r := request(h, "POST", link, kind, body); r.StatusCode != 200 || len(got) != 1 {
			t.Fatalf("%s: %d, %+v", kind, r.StatusCode, got)
		}
		at := got[0].At
		if want := (mail.Suppression{Address: "ann@xn--mnchen-3ya.example", Stream: "newsletter", Reason: mail.Unsubscribed, Detail: "by a link in a message", At: at}); got[0] != want || time.Since(at) > time.Minute {
			t.Errorf("%+v", got[0])
		}
	}
}

func TestUnsubscribeRefuses(t *testing.T) {
	u := must(mail.NewUnsubscribe("https://shop.example/u", key1))
	link := must(u.Link("ann@example.com", ""))
	called := false
	h := u.Handler(func(context.Context, mail.Suppression) error { called = true; return nil })
	token := must(url.Parse(link)).Query().Get("t")
	flipped := []byte(token)
	flipped[len(flipped)/2] ^= 1
	foreign := must(must(mail.NewUnsubscribe("https://shop.example/u", key2)).Link("ann@example.com", ""))
	for name, c := range map[string]struct {
		method, link, kind, body string
		status                   int
	}{
		"another key":            {"POST", foreign, form, oneClick, 400},
		"a changed link":         {"POST", "/u?t=" + string(flipped), form, oneClick, 400},
		"a cut link":             {"POST", link[:len(link)-1], form, oneClick, 400},
		"no token":               {"POST", "/u", form, oneClick, 400},
		"an empty token":         {"POST", "/u?t=", form, oneClick, 400},
		"a version":              {"POST", "/u?t=Ag" + token[2:], form, oneClick, 400},
		"one version alone":      {"POST", "/u?t=AQ", form, oneClick, 400},
		"a long token":           {"POST", "/u?t=" + strings.Repeat("A", 5000), form, oneClick, 400},
		"a token in the body":    {"POST", "/u", form, oneClick + "&t=" + token, 400},
		"no body":                {"POST", link, form, "", 400},
		"another body":           {"POST", link, form, "List-Unsubscribe=No", 400},
		"in the query":           {"POST", link + "&" + oneClick, form, "", 400},
		"a large body":           {"POST", link, form, strings.Repeat("a=b&", 2000) + oneClick, 400},
		"another type":           {"POST", link, "application/json", oneClick, 400},
		"a broken multipart":     {"POST", link, "multipart/form-data; boundary=b", "--b", 400},
		"DELETE":                 {"DELETE", link, "", "", 405},
		"PUT":                    {"PUT", link, form, oneClick, 405},
		"a page of a wrong link": {"GET", "/u?t=x", "", "", 400},
	} {
		r := request(h, c.method, c.link, c.kind, c.body)
		if r.StatusCode != c.status || called {
			t.Errorf("%s: %d, called %t", name, r.StatusCode, called)
		}
		secured(t, r)
	}
	for _, address := range []string{"", "ann", "ann@example.com\r\n"} {
		if link, err := u.Link(address, ""); !errors.Is(err, mail.ErrInvalid) {
			t.Errorf("%q: %s, %v", address, link, err)
		}
	}
	if _, err := u.Link("ann@example.com", "a\x00b"); !errors.Is(err, mail.ErrInvalid) {
		t.Errorf("a stream with NUL: %v", err)
	}
}

// secured holds what every answer has.
func secured(t *testing.T, r *http.Response) {
	t.Helper()
	for name, value := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	} {
		if got := r.Header.Get(name); got != value {
			t.Errorf("%d: %s is %q", r.StatusCode, name, got)
		}
	}
	if r.Header.Get("Location") != "" || r.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d: redirects or sets a cookie: %v", r.StatusCode, r.Header)
	}
}

func TestUnsubscribePage(t *testing.T) {
	u := must(mail.NewUnsubscribe("https://shop.example/u", key1))
	h := u.Handler(func(context.Context, mail.Suppression) error { return errors.New("the database is secret.example") })
	page := func(r *http.Response) string {
		secured(t, r)
		var b bytes.Buffer
		must(b.ReadFrom(r.Body))
		return b.String()
	}
	text := page(request(h, "GET", must(u.Link("ann@example.com", `<script>"`)), "", ""))
	if strings.Contains(text, "<script>") || strings.Contains(text, "ann@example.com") || !strings.Contains(text, `<button name="List-Unsubscribe" value="One-Click">`) {
		t.Errorf("the page is\n%s", text)
	}
	r := request(h, "POST", must(u.Link("ann@example.com", "")), form, oneClick)
	if text := page(r); r.StatusCode != 500 || strings.Contains(text, "secret") {
		t.Errorf("an error is answered by %d\n%s", r.StatusCode, text)
	}
}

func TestUnsubscribeKeys(t *testing.T) {
	old := must(mail.NewUnsubscribe("https://shop.example/u", key1))
	link := must(old.Link("ann@example.com", ""))
	called := 0
	count := func(context.Context, mail.Suppression) error { called++; return nil }
	both := must(mail.NewUnsubscribe("https://shop.example/u", key2, key1))
	request(both.Handler(count), "POST", link, form, oneClick)
	request(both.Handler(count), "POST", must(both.Link("ann@example.com", "")), form, oneClick)
	request(must(mail.NewUnsubscribe("https://shop.example/u", key2)).Handler(count), "POST", must(both.Link("ann@example.com", "")), form, oneClick)
	if called != 3 {
		t.Errorf("%d of 3 links were accepted", called)
	}
	if request(must(mail.NewUnsubscribe("https://shop.example/u", key2)).Handler(count), "POST", link, form, oneClick); called != 3 {
		t.Error("a link of a removed key was accepted")
	}
	for problem, make := range map[string]func() (*mail.Unsubscribe, error){
		"0 keys": func() (*mail.Unsubscribe, error) { return mail.NewUnsubscribe("https://a.example") },
		"key 2 has 31": func() (*mail.Unsubscribe, error) {
			return mail.NewUnsubscribe("https://a.example", key1, mail.NewSecret(strings.Repeat("2", 31)))
		},
		"not an https":   func() (*mail.Unsubscribe, error) { return mail.NewUnsubscribe("http://a.example", key1) },
		"URL without us": func() (*mail.Unsubscribe, error) { return mail.NewUnsubscribe("https://a:b@a.example", key1) },
		"257 bytes": func() (*mail.Unsubscribe, error) {
			return mail.NewUnsubscribe("https://a.example/"+strings.Repeat("a", 239), key1)
		},
	} {
		if _, err := make(); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%v, not %s", err, problem)
		}
	}
	if text := fmt.Sprintf("%+v %#v", both, both); strings.Contains(text, "2222") || strings.Contains(text, "0x32, 0x32") {
		t.Errorf("a key is printed: %s", text)
	}
}
