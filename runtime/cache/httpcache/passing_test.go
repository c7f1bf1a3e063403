package httpcache_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/httpcache"
)

// A handler that stops since its client has left has made no page, whatever it
// wrote until then and however it ends.
func TestHalfAPage(t *testing.T) {
	const rounds = 30
	var again sync.Map // paths that were asked for
	left, ended := make(chan struct{}), make(chan struct{})
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "half ")
		if _, ok := again.LoadOrStore(r.URL.Path, true); ok {
			io.WriteString(w, "whole")
			return
		}
		left <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	})
	for name, headers := range map[string][]string{"page": nil, "anew": {"Cache-Control", "no-cache"}} {
		for i := range rounds {
			path := fmt.Sprint("/", name, i)
			ctx, leave := context.WithCancel(t.Context())
			r, err := http.NewRequestWithContext(ctx, "GET", s.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for j := 0; j < len(headers); j += 2 {
				r.Header.Set(headers[j], headers[j+1])
			}
			go func() {
				<-left
				leave()
			}()
			if resp, err := http.DefaultClient.Do(r); err == nil {
				resp.Body.Close()
				t.Error("who left got an answer")
			}
			<-ended
			if _, body := s.get(t, path); body != "half whole" {
				t.Fatalf("round %d: the next one got %q", i, body)
			}
		}
	}
	s.Close() // no request is served any more
	if n := s.runs.Load(); n != 2*2*rounds {
		t.Errorf("%d runs: the handler ran for who had left", n)
	}
}

// A response that is shorter than its header says is not kept.
func TestIncompleteResponse(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler) // the connection breaks
	}))
	defer origin.Close()
	to, err := url.Parse(origin.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := open(t, httpcache.Rules{TTL: time.Hour}, proxy.ServeHTTP)
	for range 2 {
		if _, _, err := s.rawErr(t, get1()...); err == nil {
			t.Error("half a response passed for a whole one")
		}
	}
	if n := s.runs.Load(); n != 2 {
		t.Errorf("%d runs", n)
	}
}

// Trailers reach the client, announced or not, and what has them is not kept.
func TestTrailers(t *testing.T) {
	for _, name := range []string{"X-Sum", http.TrailerPrefix + "X-Sum"} {
		s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) {
			if name == "X-Sum" {
				w.Header().Set("Trailer", "x-other, x-sum")
			}
			io.WriteString(w, strings.Repeat("page", 1000))
			w.Header().Set(name, "1")
		})
		for range 2 {
			resp, body := s.get(t, "/")
			if len(body) != 4000 || resp.Trailer.Get("X-Sum") != "1" {
				t.Errorf("%s: got %d bytes, trailers %v", name, len(body), resp.Trailer)
			}
		}
		if n := s.runs.Load(); n != 2 {
			t.Errorf("%s: %d runs", name, n)
		}
	}
}

// A stream goes to its client as it is written, for as long as it likes, and
// others who ask for the same do not wait for it.
func TestStreams(t *testing.T) {
	events := make(chan string)
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		if at, ok := r.Context().Deadline(); ok {
			t.Errorf("the stream has to end at %s", at)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			w.(http.Flusher).Flush()
			select {
			case text := <-events:
				fmt.Fprintln(w, text)
			case <-r.Context().Done():
				return
			}
		}
	})
	stream := func() *bufio.Scanner {
		ctx, leave := context.WithTimeout(t.Context(), patience)
		t.Cleanup(leave)
		r, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() { events <- "first" }()
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return bufio.NewScanner(resp.Body)
	}
	one := stream()
	for _, want := range []string{"first", "second", "third"} {
		if want != "first" {
			events <- want
		}
		if !one.Scan() || one.Text() != want {
			t.Fatalf("got %q, %v", one.Text(), one.Err())
		}
	}
}

// Who waits for a page that turns out to be for one alone does not wait for its end.
func TestNoOneWaitsForALongResponse(t *testing.T) {
	began, release := make(chan struct{}, 2), make(chan struct{})
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private")
		io.WriteString(w, "for ")
		if r.Header.Get("X-Name") == "alice" {
			began <- struct{}{}
			<-release
		}
		io.WriteString(w, r.Header.Get("X-Name"))
	})
	done := make(chan string)
	go func() {
		_, body, err := s.rawErr(t, get1("X-Name: alice")...)
		if err != nil {
			t.Error(err)
		}
		done <- body
	}()
	<-began
	if _, body := s.raw(t, get1("X-Name: bob")...); body != "for bob" {
		t.Errorf("bob got %q", body)
	}
	close(release)
	if body := <-done; body != "for alice" {
		t.Errorf("alice got %q", body)
	}
}

// A handler finds that it cannot take the connection over, as RFC 9110 wants a
// cache to be asked by Upgrade.
func TestHijack(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if r.Header.Get("Upgrade") == "" {
			if !errors.Is(err, http.ErrNotSupported) {
				t.Errorf("a response that is recorded gives %v", err)
			}
			w.Header().Set("Cache-Control", "no-store")
			return
		}
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	})
	if resp, _ := s.raw(t, "GET / HTTP/1.1", "Host: example.com", "Connection: Upgrade", "Upgrade: x", "", ""); resp.StatusCode != 101 {
		t.Errorf("got %s", resp.Status)
	}
	s.raw(t, get1()...)
}

// The handler is asked for the whole page, whatever of it the client has.
func TestHandlerIsAskedForTheWholePage(t *testing.T) {
	for _, has := range []string{"If-Modified-Since: Mon, 04 May 2026 12:00:00 GMT", `If-None-Match: "one"`} {
		s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"one"`)
			http.ServeContent(w, r, "page.txt", time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), strings.NewReader("page"))
		})
		s.raw(t, get1(has)...)
		if resp, body := s.raw(t, get1()...); resp.StatusCode != 200 || body != "page" {
			t.Errorf("after %s the next one got %s, %q", has, resp.Status, body)
		}
		if n := s.runs.Load(); n != 1 {
			t.Errorf("%s: %d runs", has, n)
		}
	}
}

// What a handler wrote before it panicked, or ended its goroutine, is not kept, and
// its client learns that something is missing.
func TestPanicsAreNotKept(t *testing.T) {
	for name, fail := range map[string]func(){"panic": func() { panic(http.ErrAbortHandler) }, "Goexit": runtime.Goexit} {
		for _, headers := range []string{"Cache-Control: max-age=60", "Cache-Control: private", "Content-Length: 10"} {
			t.Run(name+" "+headers, func(t *testing.T) {
				var s *site
				s = open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) {
					field, value, _ := strings.Cut(headers, ": ")
					w.Header().Set(field, value)
					io.WriteString(w, "half ")
					if s.runs.Load() == 1 {
						fail()
					}
					io.WriteString(w, "whole")
				})
				if _, body, err := s.rawErr(t, get1()...); err == nil {
					t.Errorf("got %q for a whole page", body)
				}
				if _, body := s.raw(t, get1()...); body != "half whole" {
					t.Errorf("the next one got %q", body)
				}
			})
		}
	}
}

// A stream ends when its client leaves.
func TestLeaversEndStreams(t *testing.T) {
	began, ended := make(chan struct{}), make(chan struct{})
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		close(began)
		<-r.Context().Done()
		close(ended)
	})
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-began
	leave()
	select {
	case <-ended:
	case <-time.After(patience):
		s.CloseClientConnections()
		t.Error("the handler still runs")
	}
}

// Headers count as they were when the status was written, as without a cache.
func TestLateHeaders(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-When", "early")
		w.WriteHeader(http.StatusOK)
		w.Header().Set("X-When", "late")
		w.Header().Set("X-Late", "yes")
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "page")
	})
	for range 2 {
		if resp, _ := s.raw(t, get1()...); resp.StatusCode != 200 || resp.Header.Get("X-When") != "early" || resp.Header.Get("X-Late") != "" {
			t.Errorf("got %s, %v", resp.Status, resp.Header)
		}
	}
	if n := s.runs.Load(); n != 1 {
		t.Errorf("%d runs", n)
	}
}

// A load that has taken too long is given up: the handler runs again, straight for
// the client, and what the first run still writes reaches no one.
func TestLateHandlersWriteToNoOne(t *testing.T) {
	again, ended := make(chan struct{}), make(chan struct{})
	var s *site
	s = openWith(t, cache.Options{Timeout: patience, LoadTimeout: time.Second}, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		if s.runs.Load() > 1 {
			io.WriteString(w, "second ")
			close(again)
			<-ended
			io.WriteString(w, "end")
			return
		}
		defer close(ended)
		<-r.Context().Done()
		<-again
		w.Header().Set("Cache-Control", "private")
		if _, err := io.WriteString(w, "first"); err == nil {
			t.Error("the first run wrote to someone")
		}
	})
	if resp, body := s.raw(t, get1()...); body != "second end" || resp.Header.Get("Cache-Control") != "" {
		t.Errorf("got %q, %v", body, resp.Header)
	}
}

// Hints that come before a response are not the response.
func TestEarlyHints(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
		io.WriteString(w, "page")
	})
	for range 2 {
		if resp, body := s.raw(t, get1()...); resp.StatusCode != 200 || body != "page" {
			t.Errorf("got %s, %q", resp.Status, body)
		}
	}
	if n := s.runs.Load(); n != 1 {
		t.Errorf("%d runs", n)
	}
}

// Without its table the cache lets every request through.
func TestWithoutTheTable(t *testing.T) {
	s := open(t, httpcache.Rules{TTL: time.Hour}, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "page") })
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if resp, body := s.raw(t, get1()...); resp.StatusCode != 200 || body != "page" {
			t.Errorf("got %s, %q", resp.Status, body)
		}
	}
	if n := s.runs.Load(); n != 2 {
		t.Errorf("%d runs", n)
	}
}
