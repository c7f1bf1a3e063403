package httpcache_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/httpcache"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
)

// patience is the time limit of reads in tests: machines that run them are busy.
const patience = 20 * time.Second

// site is a handler behind a cache, which counts its runs.
type site struct {
	*httptest.Server
	db    *generated.DB
	runs  atomic.Int64
	pages *cache.Cache[httpcache.Page]
}

func open(t *testing.T, rules httpcache.Rules, handler http.HandlerFunc) *site {
	t.Helper()
	return openWith(t, cache.Options{Timeout: patience}, rules, handler)
}

func openWith(t *testing.T, opts cache.Options, rules httpcache.Rules, handler http.HandlerFunc) *site {
	t.Helper()
	db, err := generated.Open(t.Context(), "sqlite:"+t.TempDir()+"/http.db", generated.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := &site{db: db, pages: cache.New[httpcache.Page](db.CacheEntry, opts)}
	s.Server = httptest.NewServer(httpcache.New(s.pages, rules)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.runs.Add(1)
		handler(w, r)
	})))
	t.Cleanup(s.Close)
	return s
}

func (s *site) get(t *testing.T, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestKeepsAndAnswers(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Minute, Tags: func(*http.Request) []string { return []string{"site"} }}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"one"`)
		w.Header()["X-Many"] = []string{"a", "b"}
		fmt.Fprintf(w, "page %s", r.URL.Query().Get("q"))
	})
	resp, body := s.get(t, "/p?q=1&a=2")
	if resp.StatusCode != 200 || body != "page 1" || !strings.Contains(resp.Header.Get("Cache-Status"), "stored") {
		t.Errorf("the first answer: %v %q %v", resp.Status, body, resp.Header)
	}
	resp, body = s.get(t, "/p?a=2&q=1")
	if body != "page 1" || resp.Header.Get("Cache-Status") != "modulagen; hit" || resp.Header.Get("Age") == "" || len(resp.Header["X-Many"]) != 2 || resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("the second answer: %q %v", body, resp.Header)
	}
	if resp, body := s.get(t, "/p?a=2&q=1", "If-None-Match", `"zero", W/"one"`); resp.StatusCode != 304 || body != "" {
		t.Errorf("a known page: %v %q", resp.Status, body)
	}
	s.get(t, "/p?q=2")
	if n := s.runs.Load(); n != 2 {
		t.Errorf("%d runs", n)
	}
	s.get(t, "/p?q=2", "Cache-Control", "no-cache")
	if n := s.runs.Load(); n != 3 {
		t.Errorf("%d runs after no-cache", n)
	}
	if n, err := s.pages.InvalidateTags(t.Context(), "site"); n != 2 || err != nil {
		t.Errorf("invalidated %d, %v", n, err)
	}
	s.get(t, "/p?q=2")
	if n := s.runs.Load(); n != 4 {
		t.Errorf("%d runs after the invalidation", n)
	}
}

// What one user got is never another's.
func TestWhatIsNotKept(t *testing.T) {
	long := strings.Repeat("long", 100)
	for name, test := range map[string]struct {
		headers []string // of the request
		handler http.HandlerFunc
	}{
		"authorization":  {[]string{"Authorization", "Bearer x"}, nil},
		"cookie":         {[]string{"Cookie", "a=b"}, nil},
		"range":          {[]string{"Range", "bytes=0-1"}, nil},
		"asked not to":   {[]string{"Cache-Control", "max-age=5, no-store"}, nil},
		"sets a cookie":  {nil, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Set-Cookie", "a=b") }},
		"private":        {nil, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "private, max-age=60") }},
		"no-store":       {nil, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "No-Store") }},
		"max-age=0":      {nil, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "max-age=0") }},
		"a wrong age":    {nil, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "max-age=soon") }},
		"varies":         {nil, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Vary", "Accept-Encoding, X-Other") }},
		"varies by all":  {nil, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Vary", "*") }},
		"another status": {nil, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }},
		"too long": {nil, func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, long[:200])
			io.WriteString(w, long[200:]+long)
		}},
		"skipped": {[]string{"X-Skip", "1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			rules := httpcache.Rules{TTL: time.Minute, MaxBody: 300, Vary: []string{"accept-encoding"}, Skip: func(r *http.Request) bool { return r.Header.Get("X-Skip") != "" }}
			s := open(t, rules, func(w http.ResponseWriter, r *http.Request) {
				if test.handler != nil {
					test.handler(w, r)
				}
				fmt.Fprint(w, "end")
			})
			for range 2 {
				_, body := s.get(t, "/", test.headers...)
				want := "end"
				if name == "too long" {
					want = long + long + "end"
				}
				if body != want {
					t.Errorf("got %.20q of %d bytes", body, len(body))
				}
			}
			if n := s.runs.Load(); n != 2 {
				t.Errorf("%d runs", n)
			}
		})
	}
}

func TestVaries(t *testing.T) {
	s := open(t, httpcache.Rules{Vary: []string{"Accept-Language"}}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "accept-language")
		w.Header().Set("Cache-Control", "max-age=1, s-maxage=60")
		fmt.Fprint(w, r.Header.Get("Accept-Language"))
	})
	for range 2 {
		for _, language := range []string{"de", "en"} {
			if _, body := s.get(t, "/", "Accept-Language", language); body != language {
				t.Errorf("for %s: %s", language, body)
			}
		}
	}
	if n := s.runs.Load(); n != 2 {
		t.Errorf("%d runs", n)
	}
}

// Many who ask at once share one run, unless the answer is for one of them alone.
func TestManyAtOnce(t *testing.T) {
	for _, private := range []bool{false, true} {
		started, release := make(chan struct{}, 100), make(chan struct{})
		s := open(t, httpcache.Rules{TTL: time.Minute}, func(w http.ResponseWriter, r *http.Request) {
			started <- struct{}{}
			<-release
			if private {
				w.Header().Set("Cache-Control", "private")
			}
			fmt.Fprint(w, "for ", r.Header.Get("X-Name"))
		})
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				name := fmt.Sprint(i)
				_, body := s.get(t, "/", "X-Name", name)
				if private && body != "for "+name {
					t.Errorf("%s got what is %s", name, body)
				}
			})
		}
		<-started
		close(release)
		all.Wait()
		if n := s.runs.Load(); !private && n != 1 || private && n != 10 {
			t.Errorf("private %v: %d runs", private, n)
		}
	}
}

func TestPanicsAndLeavers(t *testing.T) {
	waits := make(chan struct{})
	s := open(t, httpcache.Rules{TTL: time.Minute}, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
		close(waits)
		<-r.Context().Done() // only when the client has left
	})
	if resp, err := http.Get(s.URL + "/panic"); err == nil {
		resp.Body.Close()
		t.Errorf("a panic gives %v", resp.Status)
	}
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/waits", nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			resp.Body.Close()
		}
		done <- err
	}()
	<-waits
	leave()
	if err := <-done; err == nil {
		t.Error("who left got an answer")
	}
	s.CloseClientConnections() // the handler has ended, or this waits for ever
}
