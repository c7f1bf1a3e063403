package httpcache_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/httpcache"
)

// Rules that say nothing keep 200 alone, for a day at most, up to 1 MiB, and only
// what says for how long.
func TestZeroRules(t *testing.T) {
	s := open(t, httpcache.Rules{}, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Has("age") {
			w.Header().Set("Cache-Control", "max-age="+q.Get("age"))
		}
		if q.Has("status") {
			w.WriteHeader(http.StatusNotFound)
		}
		n, err := strconv.Atoi(q.Get("bytes"))
		if err != nil {
			t.Error(err)
		}
		io.WriteString(w, strings.Repeat("x", n))
	})
	for query, want := range map[string]bool{
		"bytes=1": false, "age=60&bytes=1": true, "age=60&bytes=1&status=404": false,
		"age=60&bytes=1048576": true, "age=60&bytes=1048577": false,
	} {
		for range 2 {
			resp, _ := s.get(t, "/?"+query)
			if kept := resp.Header.Get("Cache-Status") == "modulagen; hit"; kept && !want {
				t.Errorf("%s was kept", query)
			}
		}
		if resp, _ := s.get(t, "/?"+query); want && resp.Header.Get("Cache-Status") != "modulagen; hit" {
			t.Errorf("%s was not kept", query)
		}
	}
	s.raw(t, "GET /?age=100000000&bytes=1 HTTP/1.1", "Host: example.com", "Connection: close", "", "")
	row, err := s.db.CacheEntry.GetByKey(t.Context(), "example.com/?age=100000000&bytes=1")
	if err != nil {
		t.Fatal(err)
	}
	if left := row.ExpiresAt.V.Sub(row.CreatedAt); left > 24*time.Hour || left < 20*time.Hour {
		t.Errorf("it is kept for %s", left)
	}
}

// What concerns one connection, or who asked through a proxy, is not kept.
func TestHeadersOfAConnection(t *testing.T) {
	names := []string{
		"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Transfer-Encoding", "Upgrade",
		"Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "X-One", "X-Two",
	}
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range names {
			w.Header().Set(name, "x")
		}
		w.Header()["Connection"] = []string{"x-one", "close, X-Two"}
		w.Header().Set("X-Other", "kept")
	})
	s.raw(t, get1()...)
	page, found := s.pages.Get(t.Context(), "example.com/")
	if !found || page.Header.Get("X-Other") != "kept" {
		t.Fatalf("%v, %v", page.Header, found)
	}
	for _, name := range names {
		if _, kept := page.Header[name]; kept {
			t.Errorf("%s is kept", name)
		}
	}
}

// The type of a body that is encoded is not that of its bytes.
func TestEncodedTypesAreNotGuessed(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour, Vary: []string{"Accept-Encoding"}}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, "\x1f\x8b\x08\x00")
	})
	for range 2 {
		if resp, _ := s.raw(t, get1()...); resp.Header.Get("Content-Type") != "" {
			t.Errorf("the type is %s", resp.Header.Get("Content-Type"))
		}
	}
	if n := s.runs.Load(); n != 1 {
		t.Errorf("%d runs", n)
	}
}

// spoiler is a middleware's writer that changes headers in place.
type spoiler struct{ http.ResponseWriter }

func (s spoiler) WriteHeader(status int) {
	if text := s.Header()["X-Text"]; len(text) > 0 {
		text[0] += " spoiled"
	}
	s.ResponseWriter.WriteHeader(status)
}

// What others do to the headers of an answer does not change the page.
func TestPagesAreNotShared(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Text", "text") })
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Config.Handler.ServeHTTP(spoiler{w}, r)
	}))
	defer outer.Close()
	for range 3 {
		resp, err := http.Get(outer.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("X-Text"); got != "text spoiled" {
			t.Errorf("got %q", got)
		}
	}
}
