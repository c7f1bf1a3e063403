package httpcache_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cache/httpcache"
	"github.com/hegner123/modulagen/runtime/store"
)

// raw sends a request as it stands, and returns the answer and its body.
func (s *site) raw(t *testing.T, lines ...string) (*http.Response, string) {
	t.Helper()
	resp, body, err := s.rawErr(t, lines...)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

func (s *site) rawErr(t *testing.T, lines ...string) (*http.Response, string, error) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// get1 is a GET request with some header lines.
func get1(headers ...string) []string {
	lines := append([]string{"GET / HTTP/1.1", "Host: example.com"}, headers...)
	return append(lines, "Connection: close", "", "")
}

// A request that says who asks, or wants something else than the page, goes to the
// handler whatever line says so, and what it gets is no one else's.
func TestRequestsThatPass(t *testing.T) {
	for _, headers := range [][]string{
		{"Cookie:", "Cookie: session=alice"},
		{"Cookie: session=alice", "Cookie:"},
		{"Cookie:"},
		{"cookie: session=alice"},
		{"Authorization:", "Authorization: Bearer alice"},
		{"Authorization:"},
		{"Proxy-Authorization: Basic YTpi"},
		{"Range:", "Range: bytes=0-1"},
		{"Upgrade:", "Upgrade: websocket"},
		{`If-Match: "a"`},
		{"If-Unmodified-Since: Mon, 04 May 2026 12:00:00 GMT"},
		{"Cache-Control: max-age=5", "Cache-Control: no-store"},
		{"Cache-Control: max-age=5; no-store"},
		{"Cache-Control: NO-STORE"},
		{`Cache-Control: x="a`, "Cache-Control: max-age=5"}, // a string without an end
	} {
		t.Run(strings.Join(headers, ", "), func(t *testing.T) {
			s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "for ", r.Header["Cookie"]) })
			for range 2 {
				s.raw(t, get1(headers...)...)
			}
			if n := s.runs.Load(); n != 2 {
				t.Errorf("%d runs", n)
			}
			if resp, body := s.raw(t, get1()...); body != "for []" || !strings.Contains(resp.Header.Get("Cache-Status"), "stored") {
				t.Errorf("someone else got %q, %v", body, resp.Header)
			}
			if _, body := s.raw(t, get1(headers...)...); strings.Contains(body, "alice") != strings.Contains(strings.Join(headers, ""), "session") {
				t.Errorf("the first one then got %q", body)
			}
			if n := s.runs.Load(); n != 4 {
				t.Errorf("%d runs in the end", n)
			}
		})
	}
}

// A page that is asked for with a body may depend on it.
func TestRequestsWithABody(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(w, "for %s", body)
	})
	for _, name := range []string{"alice", "bob"} {
		if _, body := s.raw(t, "GET / HTTP/1.1", "Host: example.com", "Connection: close", fmt.Sprint("Content-Length: ", len(name)), "", name); body != "for "+name {
			t.Errorf("%s got %q", name, body)
		}
		if _, body := s.raw(t, "GET / HTTP/1.1", "Host: example.com", "Connection: close", "Transfer-Encoding: chunked", "", fmt.Sprintf("%x", len(name)), name, "0", "", ""); body != "for "+name {
			t.Errorf("%s, in chunks, got %q", name, body)
		}
	}
	if _, body := s.raw(t, get1()...); body != "for " {
		t.Errorf("who sent nothing got %q", body)
	}
	if n := s.runs.Load(); n != 5 {
		t.Errorf("%d runs", n)
	}
}

// A request may have the page made again; what it gets is kept for the others.
func TestRequestsForANewPage(t *testing.T) {
	for _, headers := range [][]string{
		{"Cache-Control: no-cache"},
		{"Cache-Control: max-age=60", "Cache-Control: no-cache"},
		{"Cache-Control: max-age=60, max-age=0"},
		{"Cache-Control: max-age=0, max-age=60"},
		{"Pragma:", "Pragma: no-cache"},
	} {
		t.Run(strings.Join(headers, ", "), func(t *testing.T) {
			var s *site
			s = open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page ", s.runs.Load()) })
			s.raw(t, get1()...)
			if resp, body := s.raw(t, get1(headers...)...); body != "page 2" || !strings.Contains(resp.Header.Get("Cache-Status"), "fwd=request") {
				t.Errorf("got %q, %v", body, resp.Header)
			}
			if _, body := s.raw(t, get1()...); body != "page 2" {
				t.Errorf("then %q", body)
			}
		})
	}
	t.Run("Pragma beside Cache-Control", func(t *testing.T) {
		s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") })
		s.raw(t, get1()...)
		s.raw(t, get1("Pragma: no-cache", "Cache-Control: max-age=60")...)
		if n := s.runs.Load(); n != 1 {
			t.Errorf("%d runs", n)
		}
	})
	t.Run("not kept", func(t *testing.T) { // what was there stays
		var s *site
		s = open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) {
			n := s.runs.Load()
			if n == 2 {
				w.WriteHeader(http.StatusInternalServerError)
			}
			fmt.Fprint(w, "page ", n)
		})
		s.raw(t, get1()...)
		if resp, body := s.raw(t, get1("Cache-Control: no-cache")...); body != "page 2" || resp.StatusCode != 500 {
			t.Errorf("got %q, %s", body, resp.Status)
		}
		if _, body := s.raw(t, get1()...); body != "page 1" {
			t.Errorf("then %q", body)
		}
	})
	t.Run("invalidated meanwhile", func(t *testing.T) {
		var s *site
		s = open(t, httpcache.Rules{TTL: time.Hour, Tags: func(*http.Request) []string { return []string{"t"} }}, func(w http.ResponseWriter, r *http.Request) {
			n := s.runs.Load()
			if n == 2 {
				if _, err := s.pages.InvalidateTags(r.Context(), "t"); err != nil {
					t.Error(err)
				}
			}
			fmt.Fprint(w, "page ", n)
		})
		s.raw(t, get1()...)
		s.raw(t, get1("Cache-Control: no-cache")...)
		if _, body := s.raw(t, get1()...); body != "page 3" {
			t.Errorf("after the invalidation %q", body)
		}
	})
}

// later is a moment of the form of HTTP, from now on.
func later(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }

// Responses that are not for everyone, not whole, or stale at once.
func TestResponsesThatPass(t *testing.T) {
	for _, headers := range [][]string{
		{"Cache-Control: max-age=60", "Cache-Control: private"},
		{"Cache-Control: private; max-age=60"},
		{`Cache-Control: private="x-name, x-other", max-age=60`},
		{`Cache-Control: max-age=60, no-cache="x-name"`},
		{"Cache-Control: max-age=60 , NO-CACHE"},
		{"Cache-Control: no-store = 1"},
		{`Cache-Control: x="a, max-age=60`},
		{`Cache-Control: max-age=60, x=\, private`},
		{`Cache-Control: x="a\\", private, max-age=60`},
		{"Cache-Control: must-understand, no-store"},
		{"Cache-Control: s-maxage=0, max-age=60"},
		{"Cache-Control: max-age=60, max-age=0"},
		{"Cache-Control: max-age=0", "Cache-Control: max-age=60"},
		{`Cache-Control: max-age="0"`},
		{"Cache-Control: max-age=-1"},
		{"Cache-Control: max-age=1.5"},
		{"Cache-Control: max-age"},
		{"Cache-Control: max-age=60", "Age:", "Age: 60"},
		{"Pragma:", "Pragma: no-cache"},
		{"Expires: 0"},
		{"Expires: -1"},
		{"Expires: " + later(-time.Hour)},
		{"Expires: " + later(time.Hour), "Expires: 0"},
		{"Expires: " + later(time.Hour), "Date: " + later(2*time.Hour)},
		{"Expires: " + later(time.Hour), "Date: today"},
		{"Expires: " + later(time.Hour), "Date: " + later(0), "Date: " + later(2*time.Hour)},
		{"Set-Cookie:", "Set-Cookie: a=b"},
		{"set-cookie: a=b"},
		{"Set-Cookie2: a=b"},
		{"Vary: Accept-Language", "Vary: *"},
		{"Vary:", "Vary: X-Name"},
		{"vary: X-Name"},
		{"Vary: accept-language, x-name"},
		{"Content-Encoding: gzip"},
		{"Content-Range: bytes 0-3/10"},
		{"Content-Type: text/event-stream; charset=utf-8"},
		{"Content-Type: Text/Event-Stream"},
		{"Authentication-Info: x"},
		{"CDN-Cache-Control: no-store", "Cache-Control: max-age=60"},
		{"CDN-Cache-Control: private", "Cache-Control: max-age=60"},
		{"Example-CDN-Cache-Control: max-age=0", "Cache-Control: max-age=60"},
		{"Surrogate-Control: max-age=60", "Surrogate-Control: no-store"},
		{"Surrogate-Control: max-age=0"},
		{"Edge-Control: no-store"},
		{"X-Accel-Expires: 0"},
		{"Content-Length: 100"},
		{"Trailer: X-Sum"},
	} {
		t.Run(strings.Join(headers, ", "), func(t *testing.T) {
			s := open(t, httpcache.Rules{TTL: time.Hour, Vary: []string{"Accept-Language"}}, func(w http.ResponseWriter, _ *http.Request) {
				for _, line := range headers {
					name, value, _ := strings.Cut(line, ":")
					w.Header()[name] = append(w.Header()[name], strings.TrimSpace(value))
				}
				io.WriteString(w, "page")
			})
			for range 2 {
				if _, body, _ := s.rawErr(t, get1()...); body != "page" {
					t.Errorf("got %q", body)
				}
			}
			if n := s.runs.Load(); n != 2 {
				t.Errorf("%d runs", n)
			}
		})
	}
	for _, status := range []int{201, 206, 304, 404} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := open(t, httpcache.Rules{TTL: time.Hour, Statuses: []int{200, 206, 304}}, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			for range 2 {
				if resp, _ := s.raw(t, get1()...); resp.StatusCode != status {
					t.Errorf("got %s", resp.Status)
				}
			}
			if n := s.runs.Load(); n != 2 {
				t.Errorf("%d runs", n)
			}
		})
	}
}

// What may be kept is kept: the rules above are not met by keeping nothing.
func TestResponsesThatAreKept(t *testing.T) {
	for _, headers := range [][]string{
		{"X-Nothing: said"},
		{"Cache-Control: public, max-age=60"},
		{`Cache-Control: max-age="60"`},
		{"Cache-Control: max-age=0, s-maxage=60"},
		{`Cache-Control: x="no-store, private", max-age=60`},
		{`Cache-Control: x="a, private, b", max-age=60`},
		{`Cache-Control: x="a\", private, b", max-age=60`},
		{"Cache-Control: max-age=99999999999999999999"},
		{"Cache-Control: max-age=60", "Age: 30"},
		{"Cache-Control: max-age=60", "Expires: 0"},
		{"Expires: " + later(time.Hour)},
		{"Vary: accept-language,", "Vary: Accept-Language"},
		{"Content-Length: 4"},
		{"CDN-Cache-Control: max-age=60"},
		{"Connection: close, X-Hop", "X-Hop: secret", "Keep-Alive: timeout=5"},
	} {
		t.Run(strings.Join(headers, ", "), func(t *testing.T) {
			s := open(t, httpcache.Rules{TTL: time.Hour, Vary: []string{"Accept-Language"}}, func(w http.ResponseWriter, _ *http.Request) {
				for _, line := range headers {
					name, value, _ := strings.Cut(line, ":")
					w.Header()[name] = append(w.Header()[name], strings.TrimSpace(value))
				}
				io.WriteString(w, "page")
			})
			s.raw(t, get1()...)
			resp, body := s.raw(t, get1()...)
			if n := s.runs.Load(); n != 1 || body != "page" {
				t.Errorf("%d runs, %q", n, body)
			}
			if resp.Header.Get("X-Hop") != "" || resp.Header.Get("Keep-Alive") != "" {
				t.Errorf("headers of the connection were kept: %v", resp.Header)
			}
			if resp.Header.Get("Date") == "" {
				t.Error("the page has no date")
			}
		})
	}
}

// How long a page is kept is what the response says, less what has passed.
func TestHowLong(t *testing.T) {
	for _, test := range []struct {
		headers []string
		want    time.Duration
	}{
		{nil, 10 * time.Minute},
		{[]string{"Cache-Control: max-age=60"}, time.Minute},
		{[]string{"Cache-Control: max-age=60, s-maxage=30"}, 30 * time.Second},
		{[]string{"Cache-Control: max-age=60, max-age=40"}, 40 * time.Second},
		{[]string{"Cache-Control: max-age=60", "Age: 20", "Age: 10"}, 40 * time.Second},
		{[]string{"Cache-Control: max-age=99999999999999999999"}, time.Hour},
		{[]string{"Cache-Control: max-age=9999999999"}, time.Hour},
		{[]string{"Cache-Control: max-age=60", "CDN-Cache-Control: max-age=20"}, 20 * time.Second},
		{[]string{"Cache-Control: max-age=60", "Surrogate-Control: max-age=600"}, time.Minute},
		{[]string{"Expires: Mon, 04 May 2026 12:00:50 GMT", "Date: Mon, 04 May 2026 12:00:00 GMT"}, 50 * time.Second},
		{[]string{"Expires: Mon, 04 May 2026 12:00:50 GMT", "Expires: Mon, 04 May 2026 12:00:20 GMT", "Date: Mon, 04 May 2026 12:00:00 GMT"}, 20 * time.Second},
	} {
		t.Run(strings.Join(test.headers, ", "), func(t *testing.T) {
			s := open(t, httpcache.Rules{TTL: 10 * time.Minute, MaxTTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) {
				for _, line := range test.headers {
					name, value, _ := strings.Cut(line, ": ")
					w.Header().Add(name, value)
				}
			})
			s.raw(t, get1()...)
			row, err := s.db.CacheEntry.GetByKey(t.Context(), "example.com/")
			if err != nil {
				t.Fatal(err)
			}
			if left := row.ExpiresAt.V.Sub(row.CreatedAt); left > test.want || left < test.want*8/10 { // a tenth is chance
				t.Errorf("it is kept for %s, not %s", left, test.want)
			}
		})
	}
}

// One host's pages are not another's, nor one scheme's.
func TestHosts(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, strings.ToLower(r.Host), r.URL) })
	for range 2 {
		for _, host := range []string{"a.example.com", "b.example.com", "b.example.com:8080"} {
			if _, body := s.raw(t, "GET /p?q=1 HTTP/1.1", "Host: "+host, "Connection: close", "", ""); body != host+"/p?q=1" {
				t.Errorf("%s got %s", host, body)
			}
		}
	}
	s.raw(t, "GET /p?q=1 HTTP/1.1", "Host: A.Example.com", "Connection: close", "", "")
	if n := s.runs.Load(); n != 3 {
		t.Errorf("%d runs", n)
	}
	redirects := open(t, httpcache.Rules{TTL: time.Hour, Statuses: []int{200, 301}}, func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			http.Redirect(w, r, "https://"+r.Host, http.StatusMovedPermanently)
		}
	})
	secure := httptest.NewTLSServer(redirects.Config.Handler)
	defer secure.Close()
	for _, url := range []string{redirects.URL, secure.URL} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "example.com"
		resp, err := secure.Client().Transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if want := map[string]int{redirects.URL: 301, secure.URL: 200}[url]; resp.StatusCode != want {
			t.Errorf("%s gives %s", url, resp.Status)
		}
	}
}

// With credentials among the headers of Vary each client has pages of its own,
// and the table does not hold what lets one in.
func TestCredentialsInVary(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour, Vary: []string{"cookie", "Authorization", "X-Two"}}, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header["Cookie"]) })
	for range 2 {
		for _, headers := range [][]string{{"Cookie: s=alice"}, {"Cookie:", "Cookie: s=alice"}, {"Cookie: s=bob"}, {}} {
			_, body := s.raw(t, get1(headers...)...)
			if want := strings.Contains(strings.Join(headers, ""), "alice"); strings.Contains(body, "alice") != want {
				t.Errorf("%s got %s", headers, body)
			}
		}
	}
	if n := s.runs.Load(); n != 4 {
		t.Errorf("%d runs", n)
	}
	for row, err := range s.db.CacheEntry.All(t.Context(), store.Query[generated.CacheEntryID]{}) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(row.Key, "alice") {
			t.Errorf("the key is %q", row.Key)
		}
	}
	s.raw(t, get1("X-Two: a", "X-Two: b")...)
	s.raw(t, get1("X-Two: a, b")...)
	if n := s.runs.Load(); n != 6 {
		t.Errorf("one line with two values has the page of two lines: %d runs", n)
	}
}

// A page that must be revalidated is not used when it is stale, though the cache
// still has it: it may be one that keeps stale values.
func TestStaleAndMustRevalidate(t *testing.T) {
	for said, want := range map[string]string{
		"max-age=60": "old", "max-age=60, must-revalidate": "new", "max-age=60, proxy-revalidate": "new", "s-maxage=60": "new",
		"max-age=7200, must-revalidate": "old",
	} {
		t.Run(said, func(t *testing.T) {
			s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Cache-Control", said)
				io.WriteString(w, "new")
			})
			old := httpcache.Page{Status: 200, Header: http.Header{"Cache-Control": {said}}, Body: []byte("old"), At: time.Now().Add(-time.Hour)}
			if err := s.pages.Set(t.Context(), "example.com/", old, 0); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, body := s.raw(t, get1()...); body != want {
					t.Errorf("got %q, want %q", body, want)
				}
			}
			if n := s.runs.Load(); want == "new" && n != 1 || want == "old" && n != 0 {
				t.Errorf("%d runs", n)
			}
		})
	}
}

// Entity tags are compared with those of every line.
func TestIfNoneMatchOnSeveralLines(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"one"`)
		io.WriteString(w, "page")
	})
	s.raw(t, get1()...)
	if resp, _ := s.raw(t, get1(`If-None-Match: "zero"`, `If-None-Match: W/"one"`)...); resp.StatusCode != http.StatusNotModified {
		t.Errorf("got %s", resp.Status)
	}
	if resp, _ := s.raw(t, get1(`If-None-Match: *`)...); resp.StatusCode != http.StatusNotModified {
		t.Errorf("any page is known: got %s", resp.Status)
	}
	if resp, _ := s.raw(t, get1(`If-None-Match:`)...); resp.StatusCode != http.StatusOK {
		t.Errorf("got %s", resp.Status)
	}
}

// The age of a page counts from where it was made, not from here.
func TestAge(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Age", "100") })
	s.raw(t, get1()...)
	if resp, _ := s.raw(t, get1()...); resp.Header.Get("Age") < "100" || len(resp.Header["Age"]) != 1 {
		t.Errorf("the age is %v", resp.Header["Age"])
	}
	old := httpcache.Page{Status: 200, Header: http.Header{"Age": {"100"}}, At: time.Now().Add(-30 * time.Minute)}
	if err := s.pages.Set(t.Context(), "example.com/", old, 0); err != nil {
		t.Fatal(err)
	}
	resp, _ := s.raw(t, get1()...)
	if age, err := strconv.Atoi(resp.Header.Get("Age")); err != nil || age < 1900 || age > 1900+int(patience.Seconds()) {
		t.Errorf("half an hour later the age is %v", resp.Header["Age"])
	}
}

// Pages are distinguished by all that the key is made of.
func TestFormTellsPagesApart(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RequestURI) })
	paths := []string{"/", "/a", "/a/", "/a%2Fb", "/a/b", "/a?q=1", "/a?q=2", "/a?q=1&q=2", "/a?q=2&q=1", "/a?q=1;2", "/a?q=1;3", "/a?%zz", "/a?%zy"}
	for range 2 {
		for _, path := range paths {
			if _, body := s.raw(t, "GET "+path+" HTTP/1.1", "Host: example.com", "Connection: close", "", ""); body != path {
				t.Errorf("%s got %s", path, body)
			}
		}
	}
	if n := s.runs.Load(); n != int64(len(paths)) {
		t.Errorf("%d runs", n)
	}
}

func TestOtherMethodsPass(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method) })
	s.raw(t, get1()...)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		if _, body := s.raw(t, method+" / HTTP/1.1", "Host: example.com", "Connection: close", "", ""); body != method {
			t.Errorf("%s got the page of %s", method, body)
		}
	}
	if n := s.runs.Load(); n != 6 {
		t.Errorf("%d runs", n)
	}
}
