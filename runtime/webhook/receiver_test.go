package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hegner123/modulagen/runtime/webhook"
)

func handler(f func(w http.ResponseWriter, r *http.Request)) http.Handler { return http.HandlerFunc(f) }

func receiver(t *testing.T, next http.Handler, opts webhook.ReceiverOptions) *webhook.Receiver {
	t.Helper()
	rc, err := webhook.NewReceiver(next, opts)
	if err != nil {
		t.Fatal(err)
	}
	return rc
}

// request signs a message with the current time.
func request(t *testing.T, id, body string, keys ...webhook.Signer) *http.Request {
	t.Helper()
	header, err := webhook.Sign(id, time.Now(), []byte(body), keys...)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/webhooks", strings.NewReader(body))
	for name, values := range header {
		r.Header[name] = values
	}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// deliver reports the status that a new request with a message is answered with.
func deliver(t *testing.T, h http.Handler, id string, key webhook.Signer) int {
	t.Helper()
	return serve(h, request(t, id, "{}", key)).Code
}

func keys(keys ...webhook.Verifier) []webhook.Verifier { return keys }

func TestReceiverPassesOnWhatArrived(t *testing.T) {
	key := webhook.GenerateSecret()
	sent := strings.Repeat("\x00\xff {\"a\":1}\r\n", 1000)
	for _, length := range []int{0, 1, len(sent)} {
		var got []byte
		var m webhook.Message
		var ok bool
		rc := receiver(t, handler(func(w http.ResponseWriter, r *http.Request) {
			m, ok = webhook.MessageFrom(r.Context())
			got, _ = io.ReadAll(r.Body)
			if r.ContentLength != int64(length) {
				t.Errorf("ContentLength is %d", r.ContentLength)
			}
			w.Header().Set("X-Test", "yes")
			w.WriteHeader(http.StatusAccepted)
			io.WriteString(w, "thanks")
		}), webhook.ReceiverOptions{Keys: keys(key)})
		r := request(t, "msg_1", sent[:length], key)
		r.ContentLength = -1 // chunked
		r.TransferEncoding = []string{"chunked"}
		w := serve(rc, r)
		if w.Code != http.StatusAccepted || w.Body.String() != "thanks" || w.Header().Get("X-Test") != "yes" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		if string(got) != sent[:length] || !ok || m.ID != "msg_1" || time.Since(m.Time) > time.Minute {
			t.Errorf("%d bytes, %v, %v", len(got), m, ok)
		}
	}
	if m, ok := webhook.MessageFrom(context.Background()); ok || m != (webhook.Message{}) {
		t.Errorf("%v, %v", m, ok)
	}
}

func TestReceiverRefuses(t *testing.T) {
	key := webhook.GenerateSecret()
	for _, c := range []struct {
		name   string
		change func(r *http.Request)
		status int
		log    error
	}{
		{"no id", func(r *http.Request) { r.Header.Del("webhook-id") }, 400, webhook.ErrMissingHeader},
		{"no signature", func(r *http.Request) { r.Header.Del("webhook-signature") }, 400, webhook.ErrMissingHeader},
		{"two ids", func(r *http.Request) { r.Header.Add("webhook-id", "msg_1") }, 400, webhook.ErrInvalidHeader},
		{"dot", func(r *http.Request) { r.Header.Set("webhook-id", "msg.1") }, 400, webhook.ErrInvalidHeader},
		{"timestamp", func(r *http.Request) { r.Header.Set("webhook-timestamp", "1e9") }, 400, webhook.ErrInvalidTimestamp},
		{"too old", func(r *http.Request) { r.Header.Set("webhook-timestamp", "1000000000") }, 401, webhook.ErrTooOld},
		{"too new", func(r *http.Request) { r.Header.Set("webhook-timestamp", "9999999999") }, 401, webhook.ErrTooNew},
		{"another id", func(r *http.Request) { r.Header.Set("webhook-id", "msg_2") }, 401, webhook.ErrNoMatchingSignature},
		{"another signature", func(r *http.Request) { r.Header.Set("webhook-signature", "v1,"+b64(make([]byte, 32))) }, 401, webhook.ErrNoMatchingSignature},
		{"another body", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("{ }")) }, 401, webhook.ErrNoMatchingSignature},
		{"half a body", func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), failing{}))
		}, 400, io.ErrUnexpectedEOF},
		{"GET", func(r *http.Request) { r.Method = "GET" }, 405, nil},
		{"gzip", func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 415, nil},
		{"identity, gzip", func(r *http.Request) { r.Header.Set("Content-Encoding", "identity, gzip") }, 415, nil},
		{"identity and gzip", func(r *http.Request) { r.Header["Content-Encoding"] = []string{"identity", "br"} }, 415, nil},
		{"identity", func(r *http.Request) { r.Header.Set("Content-Encoding", "Identity") }, 204, nil},
		{"nothing", func(*http.Request) {}, 204, nil},
	} {
		var log bytes.Buffer
		called := false
		rc := receiver(t, handler(func(w http.ResponseWriter, _ *http.Request) {
			called = true
			w.WriteHeader(http.StatusNoContent)
		}), webhook.ReceiverOptions{Keys: keys(key), Logger: slog.New(slog.NewTextHandler(&log, nil))})
		r := request(t, "msg_1", "{}", key)
		c.change(r)
		w := serve(rc, r)
		if w.Code != c.status || called != (c.status == 204) {
			t.Errorf("%s: %d, called %v; want %d", c.name, w.Code, called, c.status)
		}
		if c.status == 204 {
			continue
		}
		if want := http.StatusText(c.status) + "\n"; w.Body.String() != want || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: %q, %v", c.name, w.Body, w.Header())
		}
		if c.log != nil && !strings.Contains(log.String(), c.log.Error()) {
			t.Errorf("%s: logs %s", c.name, log.String())
		}
		// A request that was refused is not remembered.
		if status := deliver(t, rc, "msg_1", key); status != 204 {
			t.Errorf("%s: then %d", c.name, status)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestReceiverLimitsBodies(t *testing.T) {
	key := webhook.GenerateSecret()
	for _, limit := range []int64{0, 10} {
		rc := receiver(t, handler(func(http.ResponseWriter, *http.Request) {}), webhook.ReceiverOptions{Keys: keys(key), MaxBody: limit})
		most := int(limit)
		if limit == 0 {
			most = 1 << 20
		}
		for _, chunked := range []bool{false, true} {
			for n, want := range map[int]int{most: 200, most + 1: 413} {
				r := request(t, fmt.Sprintf("msg_%v_%d", chunked, n), strings.Repeat("a", n), key)
				read := 0
				r.Body = counting{r.Body, &read}
				if chunked {
					r.ContentLength = -1
				}
				if w := serve(rc, r); w.Code != want {
					t.Errorf("limit %d, %d bytes, chunked %v: %d", limit, n, chunked, w.Code)
				}
				if !chunked && want == 413 && read > 0 {
					t.Errorf("limit %d: %d bytes are read of a body whose length is too large", limit, read)
				}
			}
		}
		// Without the end of the body in sight, no more is read than the limit.
		r := request(t, "msg_3", "", key)
		r.ContentLength = -1
		read := 0
		r.Body = counting{io.NopCloser(zeros{}), &read}
		if w := serve(rc, r); w.Code != 413 || read > 2*most+1024 {
			t.Errorf("limit %d: %d, %d bytes are read", limit, w.Code, read)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

type counting struct {
	io.ReadCloser
	n *int
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	*c.n += n
	return n, err
}

// Headers that are wrong cost no reading of the body.
func TestReceiverReadsHeadersFirst(t *testing.T) {
	key := webhook.GenerateSecret()
	rc := receiver(t, handler(nil), webhook.ReceiverOptions{Source: func(r *http.Request) (webhook.Source, error) {
		return webhook.Source{Keys: keys(key)[:len(r.URL.Query()["known"])]}, nil
	}})
	for _, change := range []func(*http.Request){
		func(r *http.Request) { r.Header.Del("webhook-signature") },
		func(r *http.Request) { r.Header.Set("webhook-timestamp", "1000000000") },
		func(r *http.Request) { r.URL.RawQuery = "" },
	} {
		r := request(t, "msg_1", "{}", key)
		r.URL.RawQuery = "known"
		read := 0
		r.Body = counting{r.Body, &read}
		change(r)
		if w := serve(rc, r); w.Code < 400 || read > 0 {
			t.Errorf("%d, %d bytes are read", w.Code, read)
		}
	}
}

// A body that takes longer than the tolerance is not accepted with an old timestamp.
func TestReceiverSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := webhook.GenerateSecret()
		rc := receiver(t, handler(func(http.ResponseWriter, *http.Request) {}), webhook.ReceiverOptions{Keys: keys(key), Tolerance: time.Minute})
		r := request(t, "msg_1", "{}", key)
		r.Body = slow{r.Body, 61 * time.Second}
		if w := serve(rc, r); w.Code != 401 {
			t.Errorf("%d", w.Code)
		}
		r = request(t, "msg_1", "{}", key)
		r.Body = slow{r.Body, 29 * time.Second}
		if w := serve(rc, r); w.Code != 200 {
			t.Errorf("%d", w.Code)
		}
	})
}

type slow struct {
	io.ReadCloser
	by time.Duration
}

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(s.by) // within synctest
	return s.ReadCloser.Read(p)
}

// A message is remembered if the handler succeeded, and otherwise handled again.
func TestReceiverRemembersWhatSucceeded(t *testing.T) {
	key := webhook.GenerateSecret()
	flush := func(w http.ResponseWriter) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		name     string
		handle   func(w http.ResponseWriter)
		remember bool
	}{
		{"nothing", func(http.ResponseWriter) {}, true},
		{"text", func(w http.ResponseWriter) { io.WriteString(w, "ok") }, true},
		{"200", func(w http.ResponseWriter) { w.WriteHeader(200) }, true},
		{"299", func(w http.ResponseWriter) { w.WriteHeader(299) }, true},
		{"200, then 500", func(w http.ResponseWriter) { w.WriteHeader(200); w.WriteHeader(500) }, true},
		{"text, then 500", func(w http.ResponseWriter) { io.WriteString(w, "ok"); w.WriteHeader(500) }, true},
		{"flushed, then 500", func(w http.ResponseWriter) { flush(w); w.WriteHeader(500) }, true},
		{"103, then 200", func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(200) }, true},
		{"103, then 500", func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(500) }, false},
		{"101", func(w http.ResponseWriter) { w.WriteHeader(101) }, false},
		{"300", func(w http.ResponseWriter) { w.WriteHeader(300) }, false},
		{"404", func(w http.ResponseWriter) { http.Error(w, "no", 404) }, false},
		{"500, then text", func(w http.ResponseWriter) { w.WriteHeader(500); io.WriteString(w, "no") }, false},
		{"panic", func(http.ResponseWriter) { panic("handler") }, false},
		{"200, then panic", func(w http.ResponseWriter) { w.WriteHeader(200); panic("handler") }, false},
		{"aborted", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, false},
	} {
		calls := 0
		rc := receiver(t, handler(func(w http.ResponseWriter, _ *http.Request) {
			if calls++; calls == 1 {
				c.handle(w)
			}
		}), webhook.ReceiverOptions{Keys: keys(key)})
		func() {
			defer func() {
				if p := recover(); (p != nil) != (strings.Contains(c.name, "panic") || c.name == "aborted") {
					t.Errorf("%s: panic %v", c.name, p)
				}
			}()
			deliver(t, rc, "msg_1", key)
		}()
		if status := deliver(t, rc, "msg_1", key); status != 200 || (calls == 1) != c.remember {
			t.Errorf("%s: then %d, called %d times", c.name, status, calls)
		}
	}
}

// A handler that ends its goroutine has not succeeded.
func TestReceiverGoexit(t *testing.T) {
	key := webhook.GenerateSecret()
	rc := receiver(t, handler(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Exit") != "" {
			(&testing.T{}).SkipNow() // runtime.Goexit
		}
	}), webhook.ReceiverOptions{Keys: keys(key)})
	r := request(t, "msg_1", "{}", key)
	r.Header.Set("Exit", "yes")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		serve(rc, r)
	}()
	<-ended
	if status := deliver(t, rc, "msg_1", key); status != 200 {
		t.Errorf("then %d", status)
	}
}

func TestReceiverDuplicates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, other := webhook.GenerateSecret(), webhook.GenerateSecret()
		calls := 0
		rc := receiver(t, handler(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.WriteHeader(http.StatusAccepted)
		}), webhook.ReceiverOptions{Keys: keys(key, other)})
		replayed := request(t, "msg_1", "{}", key)
		for i, c := range []struct {
			r     *http.Request
			code  int
			calls int
		}{
			{replayed.Clone(t.Context()), 202, 1},
			{request(t, "msg_1", "{}", key), 200, 1},
			{request(t, "msg_1", "{}", other), 200, 1}, // while keys rotate
			{request(t, "msg_1", `{"changed":1}`, key), 200, 1},
			{request(t, "msg_2", "{}", key), 202, 2},
		} {
			c.r.Body = io.NopCloser(strings.NewReader("{}"))
			if i == 3 {
				c.r.Body = io.NopCloser(strings.NewReader(`{"changed":1}`))
			}
			w := serve(rc, c.r)
			if w.Code != c.code || calls != c.calls || w.Body.Len() > 0 {
				t.Errorf("request %d: %d %q, %d calls", i, w.Code, w.Body, calls)
			}
		}
		// A copy is refused without replay check once it is too old. A new attempt is a
		// duplicate for a day.
		time.Sleep(24*time.Hour - 1)
		if status := deliver(t, rc, "msg_1", key); status != 200 || calls != 2 {
			t.Errorf("after a day: %d, %d calls", status, calls)
		}
		time.Sleep(time.Nanosecond)
		if status := deliver(t, rc, "msg_1", key); status != 202 || calls != 3 {
			t.Errorf("after more than a day: %d, %d calls", status, calls)
		}
	})
}

// However short messages are remembered, no copy of a request is handled twice while it can
// be verified.
func TestReceiverRemembersWhileCopiesAreVerified(t *testing.T) {
	for _, ahead := range []time.Duration{-time.Minute, 0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			key := webhook.GenerateSecret()
			calls := 0
			rc := receiver(t, handler(func(http.ResponseWriter, *http.Request) { calls++ }),
				webhook.ReceiverOptions{Keys: keys(key), Tolerance: time.Minute, Remember: time.Nanosecond})
			header, err := webhook.Sign("msg_1", time.Now().Add(ahead), nil, key)
			if err != nil {
				t.Fatal(err)
			}
			verified := 0
			for range 200 {
				r := httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)
				r.Header = header.Clone()
				if serve(rc, r).Code == 200 {
					verified++
				}
				time.Sleep(time.Second)
			}
			if calls != 1 || verified != 61+int(ahead/time.Second) {
				t.Errorf("%v ahead: verified %d times, handled %d times", ahead, verified, calls)
			}
		})
	}
}

func TestReceiverDuplicateHandler(t *testing.T) {
	key := webhook.GenerateSecret()
	rc := receiver(t, handler(func(http.ResponseWriter, *http.Request) {}), webhook.ReceiverOptions{
		Keys: keys(key),
		Duplicate: handler(func(w http.ResponseWriter, r *http.Request) {
			m, ok := webhook.MessageFrom(r.Context())
			body, err := io.ReadAll(r.Body)
			w.WriteHeader(http.StatusConflict)
			fmt.Fprint(w, m.ID, ok, string(body), err)
		}),
	})
	for _, want := range []string{"200 ", "409 msg_1true{}<nil>", "409 msg_1true{}<nil>"} {
		if w := serve(rc, request(t, "msg_1", "{}", key)); fmt.Sprint(w.Code, " ", w.Body) != want {
			t.Errorf("%d %s, want %s", w.Code, w.Body, want)
		}
	}
	// Without the check, each request is handled.
	calls := 0
	rc = receiver(t, handler(func(http.ResponseWriter, *http.Request) { calls++ }), webhook.ReceiverOptions{Keys: keys(key), NoReplayCheck: true})
	for range 3 {
		deliver(t, rc, "msg_1", key)
	}
	if calls != 3 {
		t.Errorf("%d calls", calls)
	}
}

// While a message is handled, another request with it is answered 503, neither handled nor
// taken for a duplicate.
func TestReceiverInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := webhook.GenerateSecret()
		status := make(chan int)
		calls := 0
		rc := receiver(t, handler(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.WriteHeader(<-status)
		}), webhook.ReceiverOptions{Keys: keys(key)})
		start := func() chan int {
			answered := make(chan int, 1)
			r := request(t, "msg_1", "{}", key)
			go func() { answered <- serve(rc, r).Code }()
			synctest.Wait()
			return answered
		}
		for i, c := range []struct{ first, then int }{{500, 503}, {202, 200}} {
			first := start()
			for range 3 {
				w := serve(rc, request(t, "msg_1", "{}", key))
				if w.Code != 503 || w.Header().Get("Retry-After") != "5" || calls != i+1 {
					t.Errorf("%d, %v, %d calls", w.Code, w.Header(), calls)
				}
			}
			status <- c.first
			if code := <-first; code != c.first {
				t.Errorf("%d", code)
			}
		}
		if code := deliver(t, rc, "msg_1", key); code != 200 || calls != 2 {
			t.Errorf("%d, %d calls", code, calls)
		}
	})
}

// IDs of one sender do not keep those of another from being handled.
func TestReceiverSenders(t *testing.T) {
	a, b := webhook.GenerateSecret(), webhook.GenerateSecret()
	failed := errors.New("the database is away: hunter2")
	var log bytes.Buffer
	calls := map[string]int{}
	mux := http.NewServeMux()
	rc := receiver(t, handler(func(_ http.ResponseWriter, r *http.Request) { calls[r.PathValue("from")]++ }), webhook.ReceiverOptions{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Source: func(r *http.Request) (webhook.Source, error) {
			switch from := r.PathValue("from"); from {
			case "a":
				return webhook.Source{Name: from, Keys: keys(a)}, nil
			case "b":
				return webhook.Source{Name: from, Keys: keys(b)}, nil
			case "away":
				return webhook.Source{}, failed
			case "zero":
				return webhook.Source{Name: from, Keys: keys(webhook.Secret{})}, nil
			}
			return webhook.Source{}, nil
		},
	})
	mux.Handle("/hooks/{from}", rc)
	for _, c := range []struct {
		from   string
		key    webhook.Secret
		status int
	}{
		{"a", a, 200}, {"a", a, 200}, {"b", b, 200}, {"a", b, 401}, {"b", a, 401}, {"c", a, 401}, {"away", a, 503}, {"zero", a, 503},
	} {
		r := request(t, "msg_1", "{}", c.key)
		r.URL.Path = "/hooks/" + c.from
		if w := serve(mux, r); w.Code != c.status || strings.Contains(w.Body.String(), "hunter2") {
			t.Errorf("%s: %d %s", c.from, w.Code, w.Body)
		}
	}
	if calls["a"] != 1 || calls["b"] != 1 || len(calls) != 2 {
		t.Errorf("%v", calls)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 2 || !strings.Contains(log.String(), "hunter2") {
		t.Errorf("%d errors: %s", n, log.String())
	}
}

// replays is a ReplayChecker that fails, and notes what it is asked.
type replays struct {
	claim, settle error
	said          []string
	ended         error // of the context with which the claim is settled
}

func (f *replays) Claim(_ context.Context, sender, id string, until time.Time) (webhook.ReplayClaim, error) {
	f.said = append(f.said, "claim "+sender+"/"+id)
	return f, f.claim
}

func (f *replays) Done(ctx context.Context) error {
	f.said, f.ended = append(f.said, "done"), ctx.Err()
	return f.settle
}

func (f *replays) Release(ctx context.Context) error {
	f.said, f.ended = append(f.said, "release"), ctx.Err()
	return f.settle
}

func TestReceiverWithoutReplays(t *testing.T) {
	key := webhook.GenerateSecret()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	ok := handler(func(http.ResponseWriter, *http.Request) {})

	f := &replays{claim: errors.New("no connection")}
	if status := deliver(t, receiver(t, ok, webhook.ReceiverOptions{Keys: keys(key), Replays: f, Logger: logger}), "msg_1", key); status != 503 {
		t.Errorf("%d", status)
	}
	if !slices.Equal(f.said, []string{"claim /msg_1"}) || !strings.Contains(log.String(), "no connection") {
		t.Errorf("%q, %s", f.said, log.String())
	}

	// The message was handled, so the sender hears that, and the log what was not recorded.
	log.Reset()
	f = &replays{settle: errors.New("connection lost")}
	if status := deliver(t, receiver(t, ok, webhook.ReceiverOptions{Keys: keys(key), Replays: f, Logger: logger}), "msg_1", key); status != 200 {
		t.Errorf("%d", status)
	}
	if !slices.Equal(f.said, []string{"claim /msg_1", "done"}) || !strings.Contains(log.String(), "connection lost") {
		t.Errorf("%q, %s", f.said, log.String())
	}
}

// The end of a message is recorded although the sender has hung up.
func TestReceiverSettlesWithoutTheSender(t *testing.T) {
	key := webhook.GenerateSecret()
	for status, want := range map[int]string{200: "done", 500: "release"} {
		ctx, hangUp := context.WithCancel(t.Context())
		f := &replays{}
		rc := receiver(t, handler(func(w http.ResponseWriter, _ *http.Request) {
			hangUp()
			w.WriteHeader(status)
		}), webhook.ReceiverOptions{Keys: keys(key), Replays: f})
		serve(rc, request(t, "msg_1", "{}", key).WithContext(ctx))
		if f.ended != nil || !slices.Equal(f.said, []string{"claim /msg_1", want}) {
			t.Errorf("%v, %q", f.ended, f.said)
		}
	}
}

func TestNewReceiverRefuses(t *testing.T) {
	ok, good := handler(func(http.ResponseWriter, *http.Request) {}), keys(webhook.GenerateSecret())
	sender := func(*http.Request) (webhook.Source, error) { return webhook.Source{}, nil }
	for _, c := range []struct {
		next http.Handler
		opts webhook.ReceiverOptions
		want string
	}{
		{nil, webhook.ReceiverOptions{Keys: good}, "has no handler"},
		{ok, webhook.ReceiverOptions{}, "there are no keys"},
		{ok, webhook.ReceiverOptions{Keys: keys(webhook.Secret{})}, "zero value"},
		{ok, webhook.ReceiverOptions{Keys: good, Source: sender}, "set one of them"},
		{ok, webhook.ReceiverOptions{Keys: good, Tolerance: -1}, "negative"},
		{ok, webhook.ReceiverOptions{Keys: good, MaxBody: -1}, "negative"},
		{ok, webhook.ReceiverOptions{Keys: good, Remember: -1}, "negative"},
	} {
		if _, err := webhook.NewReceiver(c.next, c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
