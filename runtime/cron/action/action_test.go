package action_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/action"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

var due = time.Date(2026, 1, 2, 2, 0, 0, 0, time.UTC)

// bench is a project with one datatype of each behavior, whose hooks note how they were called.
type bench struct {
	db      *storetest.DB
	project *project.Project
	options cron.Options
	client  *egress.Client

	mu       sync.Mutex
	called   []string
	messages []project.Message
	fails    error
}

func (b *bench) note(what string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.called = append(b.called, what)
	return b.fails
}

type report struct {
	Month int64 `json:"month"`
}

func newBench(t *testing.T, kind string) *bench {
	t.Helper()
	dsn := "sqlite::memory:"
	if kind != "sqlite" {
		dsn = storetest.FreshDSN(t, kind)
	}
	b := &bench{db: storetest.Open(t, dsn, store.Options{})}
	b.options.Egress = egress.Options{Allow: []string{"127.0.0.1"}, Timeout: 20 * time.Second}
	var err error
	if b.client, err = egress.New(b.options.Egress); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.client.Close)
	n := func(what string, n int64) func(context.Context, *core.Conn) (int64, error) {
		return func(context.Context, *core.Conn) (int64, error) { return n, b.note(what) }
	}
	b.project = &project.Project{DB: b.db.DB, Datatypes: []project.Datatype{
		{Name: "article", Rows: storetest.ArticleSpec(), Publish: n("publish article", 3)},
		{Name: "page", Publish: n("publish page", 1)},
		{Name: "cache_entry", Sweep: n("sweep", 1), Invalidate: func(_ context.Context, _ *core.Conn, tags []string) (int64, error) {
			return int64(len(tags)), b.note("invalidate " + strings.Join(tags, " "))
		}},
		{Name: "user_session", Sessions: true, Cleanup: func(_ context.Context, _ *core.Conn, older time.Duration) (int64, error) {
			return 2, b.note("sessions " + older.String())
		}},
		{Name: "audit", Cleanup: func(_ context.Context, _ *core.Conn, older time.Duration) (int64, error) {
			return 0, b.note("audit " + older.String())
		}},
		{Name: "job_queue", Kinds: map[string]project.Kind{
			"send_report": project.KindOf("send_report", []check.Member{{Name: "month", Rules: check.Rules{Kind: check.Int, Required: true, Min: check.At("1"), Max: check.At("12")}}},
				func(_ context.Context, _ *core.Conn, p report) (any, error) {
					text, err := json.Marshal(p)
					return 17, errors.Join(err, b.note("enqueue "+string(text)))
				}),
			"import_data": project.KindOf("import_data", nil, func(context.Context, *core.Conn, struct{}) (any, error) { return 1, b.note("import") }),
		}},
		{
			Name: "email_queue",
			CheckMessage: func(m project.Message) error {
				if !strings.Contains(m.From, "@") {
					return errors.New("mail: From: no address")
				}
				return nil
			},
			Send: func(_ context.Context, c *core.Conn, m project.Message) (int64, error) {
				b.mu.Lock()
				b.messages = append(b.messages, m)
				b.mu.Unlock()
				return 5, b.note("send")
			},
		},
		{Name: "webhook_queue", Deliver: func(_ context.Context, _ *core.Conn, request string, data store.JSON) (int64, error) {
			return 9, b.note("deliver " + request + " " + string(data))
		}},
	}}
	return b
}

func (b *bench) types(t *testing.T) map[string]cron.Action {
	t.Helper()
	types, closeTypes, err := action.Types(b.project, b.options, b.client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closeTypes(); err != nil {
			t.Error(err)
		}
	})
	return types
}

// run checks a configuration and runs it, in a transaction where the action can, as a scheduler does.
func (b *bench) run(t *testing.T, actionType, config string) (*cron.Run, error) {
	t.Helper()
	a, err := action.Find(b.types(t), actionType, store.JSON(config))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Check(store.JSON(config)); err != nil {
		t.Fatalf("%s: %v", config, err)
	}
	r := &cron.Run{ID: 3, JobID: 4, Job: "nightly", Due: due, Trigger: cron.Scheduled, Attempt: 1, Config: store.JSON(config)}
	if tx, ok := a.(cron.TxAction); ok {
		return r, b.db.Tx(t.Context(), func(c *core.Conn) error { return tx.RunTx(t.Context(), c, r) })
	}
	return r, a.Run(t.Context(), r)
}

// TestActions runs each action that calls a hook, with what it is called with and what the history shows.
func TestActions(t *testing.T) {
	for _, c := range []struct{ actionType, config, called, output string }{
		{"predefined", `{"action": "publish_scheduled_content"}`, "publish article, publish page", "published 3 rows of article\npublished 1 row of page\n"},
		{"predefined", `{"action": "publish_scheduled_content", "datatype": "page"}`, "publish page", "published 1 row of page\n"},
		{"predefined", `{"action": "cleanup_cache"}`, "sweep", "removed 1 entry of cache_entry\n"},
		{"predefined", `{"action": "cleanup_sessions", "older_than_days": 30}`, "sessions 720h0m0s", "deleted 2 rows of user_session\n"},
		{"predefined", `{"action": "cleanup_sessions"}`, "sessions 0s", "deleted 2 rows of user_session\n"},
		{"predefined", `{"action": "cleanup", "datatype": "audit", "older_than_days": 0.5}`, "audit 12h0m0s", "deleted 0 rows of audit\n"},
		{"predefined", `{"action": "invalidate_cache", "tags": ["a", "b"]}`, "invalidate a b", "removed 2 entries of cache_entry\n"},
		{"job", `{"queue": "job_queue", "kind": "send_report", "payload": {"month": 3}}`, `enqueue {"month":3}`, "added job 17\n"},
		{"job", `{"kind": "import_data"}`, `import`, "added job 1\n"},
		{"mail", `{"to": "a@example.com", "from": "b@example.com", "subject": "s", "plain": "p"}`, "send", "added message 5 to email_queue\n"},
		{"webhook", `{"request": "crm", "data": {"n": 1}}`, `deliver crm {"n":1}`, "added delivery 9 to webhook_queue\n"},
		{"webhook", `{"request": "crm"}`, `deliver crm {}`, "added delivery 9 to webhook_queue\n"},
	} {
		b := newBench(t, "sqlite")
		r, err := b.run(t, c.actionType, c.config)
		if called := strings.Join(b.called, ", "); err != nil || called != c.called || r.Output() != c.output {
			t.Errorf("%s %s: called %q, output %q, %v", c.actionType, c.config, called, r.Output(), err)
		}
	}
}

// TestOneFails does the other datatypes all the same, and says which failed.
func TestOneFails(t *testing.T) {
	b := newBench(t, "sqlite")
	b.fails = errors.New("no")
	r, err := b.run(t, "predefined", `{"action": "publish_scheduled_content"}`)
	if err == nil || err.Error() != "article: no\npage: no" || len(b.called) != 2 || r.Output() != "published 3 rows of article\npublished 1 row of page\n" {
		t.Errorf("%v, %q, output %q", err, b.called, r.Output())
	}
}

// TestRefused has what is wrong with a configuration, which is what a person who saves a job reads.
func TestRefused(t *testing.T) {
	b := newBench(t, "sqlite")
	types := b.types(t)
	for _, c := range []struct{ actionType, config, want string }{
		{"predefnied", `{}`, `unknown action_type "predefnied"; is predefined meant? There are http, job, mail, plugin, predefined, webhook`},
		{"", `{}`, `unknown action_type ""; there are http`},
		{"plugin", `{"plugin_name": "reports", "function": "f"}`, "set cron.Options.Plugins"},
		{"predefined", ``, "is missing"},
		{"predefined", `[]`, "is not an object"},
		{"predefined", `{}`, "action is missing; there are backup_database"},
		{"predefined", `{"action": null}`, "action is missing"},
		{"predefined", `{"action": 5}`, "is not an object with the name"},
		{"predefined", `{"action": "publish_content"}`, `action "publish_content" is not known; there are`},
		{"predefined", `{"action": "backup_databse"}`, "is backup_database meant?"},
		{"predefined", `{"action": "publish_scheduled_content", "datatyp": "page"}`, "datatyp is not known; is datatype meant?"},
		{"predefined", `{"action": "publish_scheduled_content", "datatype": 5}`, "datatype is a number, and must be a string"},
		{"predefined", `{"action": "publish_scheduled_content", "datatype": "pages"}`, `datatype "pages" is not known; is page meant?`},
		{"predefined", `{"action": "publish_scheduled_content", "datatype": "audit"}`, "datatype audit has no publish:; there are article, page"},
		{"predefined", `{"action": "cleanup_cache", "datatype": ["cache_entry"]}`, "datatype is a array, and must be a string"},
		{"predefined", `{"action": "cleanup_sessions", "older_than_days": "30"}`, "older_than_days is a string, and must be a number"},
		{"predefined", `{"action": "cleanup_sessions", "older_than_days": 0}`, "older_than_days is 0, and must be more than 0"},
		{"predefined", `{"action": "cleanup_sessions", "older_than_days": -1}`, "more than 0"},
		{"predefined", `{"action": "cleanup_sessions", "older_than_days": 1e300}`, "at most 36500"},
		{"predefined", `{"action": "cleanup_sessions", "datatype": "audit"}`, "has no retain: with sessions: true; there is user_session"},
		{"predefined", `{"action": "cleanup"}`, "datatype is missing"},
		{"predefined", `{"action": "cleanup", "datatype": ""}`, `datatype "" is not known`},
		{"predefined", `{"action": "invalidate_cache"}`, "tags is missing"},
		{"predefined", `{"action": "invalidate_cache", "tags": []}`, "tags is empty"},
		{"predefined", `{"action": "invalidate_cache", "tags": "a"}`, "tags is a string, and must be a list"},
		{"predefined", `{"action": "invalidate_cache", "tags": ["a", ""]}`, "tags[1] is empty"},
		{"predefined", `{"action": "invalidate_cache", "tags": ["a", 5]}`, "must be a string"},
		{"predefined", `{"action": "backup_database", "dir": "/etc/cron.d"}`, "must be a folder below that of backups"},
		{"predefined", `{"action": "backup_database", "dir": "../x"}`, "must be a folder below"},
		{"predefined", `{"action": "backup_database", "dir": 1}`, "dir is a number, and must be a string"},
		{"predefined", `{"action": "backup_database", "keep": -1}`, "keep is -1"},
		{"predefined", `{"action": "backup_database", "keep": "3"}`, "keep is a string, and must be a whole number"},
		{"predefined", `{"action": "backup_database", "keep": 1.5}`, "keep is a number 1.5, and must be a whole number"},
		{"predefined", `{"action": "backup_database", "compress": "gzip"}`, `compress is "gzip"; write "zstd"`},
		{"predefined", `{"action": "backup_database", "compress": true}`, "compress is a bool, and must be a string"},
		{"http", `{}`, "url is missing"},
		{"http", `{"url": 5}`, "url is a number, and must be a string"},
		{"http", `{"url": "ftp://example.com"}`, "url cannot be requested"},
		{"http", `{"url": "https://10.0.0.1/"}`, "url cannot be requested"},
		{"http", `{"url": "https://example.com", "method": "post"}`, "is POST meant?"},
		{"http", `{"url": "https://example.com", "method": "CONNECT"}`, "write one of GET"},
		{"http", `{"url": "https://example.com", "method": "GET", "body": {}}`, "a GET has none"},
		{"http", `{"url": "https://example.com", "headers": ["a"]}`, "headers is a array, and must be an object"},
		{"http", `{"url": "https://example.com", "headers": {"a": 5}}`, "headers is a number, and must be a string"},
		{"http", `{"url": "https://example.com", "headers": {"Authorization": "topsecret\r\nX: y"}}`, "headers cannot be sent"},
		{"http", `{"url": "https://example.com", "headers": {"X Y": "topsecret"}}`, "headers cannot be sent"},
		{"http", `{"url": "https://example.com", "headers": {"x-a": "1", "X-A": "2"}}`, "headers has X-A twice"},
		{"http", `{"url": "https://example.com", "timeout": 21}`, "timeout is 21s, and must be more than 0 and at most 20s"},
		{"http", `{"url": "https://example.com", "timeout": "fast"}`, `such as "30s"`},
		{"http", `{"url": "https://example.com", "expect": {"status": [99]}}`, "expect.status[0] is 99"},
		{"http", `{"url": "https://example.com", "expect": {"contain": "x"}}`, "expect.contain is not known; is contains meant?"},
		{"job", `{"queue": "job_que", "kind": "send_report"}`, `queue "job_que" is not known; is job_queue meant?`},
		{"job", `{"queue": "article"}`, "queue is article, which has no queue:"},
		{"job", `{}`, "kind is missing; the kinds of job_queue are import_data, send_report"},
		{"job", `{"kind": "send_reprot"}`, "is send_report meant?"},
		{"job", `{"kind": "send_report"}`, "payload cannot be used"},
		{"job", `{"kind": "send_report", "payload": {"month": 13}}`, "payload cannot be used"},
		{"job", `{"kind": "send_report", "payload": {"month": "3"}}`, "payload cannot be used"},
		{"job", `{"kind": "send_report", "payload": {"month": 3, "x": 1}}`, "payload cannot be used"},
		{"job", `{"kind": "send_report", "payload": [3]}`, "payload cannot be used"},
		{"mail", `{"to": "a@example.com", "from": "b", "subject": "s", "plain": "p"}`, "From: no address"},
		{"mail", `{"to": 5, "from": "b@example.com", "subject": "s", "plain": "p"}`, "to is an address"},
		{"mail", `{"to": "a@example.com", "from": "b@example.com", "subject": "s"}`, "plain is missing, and so is html"},
		{"mail", `{"to": "a@example.com", "from": "b@example.com", "subject": "s", "text": "p"}`, "text is not known"},
		{"mail", `{"mailbox": "article", "to": "a@example.com", "from": "b@example.com", "subject": "s", "plain": "p"}`, "mailbox is article, which has no mail:"},
		{"webhook", `{"request": ""}`, "request is empty"},
		{"webhook", `{"request": 7}`, "request is a number, and must be a string"},
		{"webhook", `{"request": "a", "datatype": "x"}`, `datatype "x" is not known; there is webhook_queue`},
	} {
		a, err := action.Find(types, c.actionType, store.JSON(c.config))
		if err == nil {
			err = a.Check(store.JSON(c.config))
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s %s:\n got %v\nwant %s", c.actionType, c.config, err, c.want)
		} else if !errors.Is(err, cron.ErrConfig) && !errors.Is(err, action.ErrType) {
			t.Errorf("%s %s: %v is neither ErrConfig nor ErrType", c.actionType, c.config, err)
		}
	}
}

// TestNothingThere says what a project without behaviors needs.
func TestNothingThere(t *testing.T) {
	b := newBench(t, "sqlite")
	b.project.Datatypes = nil
	types := b.types(t)
	for _, c := range []struct{ actionType, config, want string }{
		{"job", `{}`, "add a datatype with queue:"},
		{"mail", `{}`, "add a datatype with mail:"},
		{"webhook", `{}`, "add a datatype with webhook:"},
		{"predefined", `{"action": "digest_email"}`, "add a datatype with mail:"},
		{"predefined", `{"action": "publish_scheduled_content"}`, "with publish:, and the project has none"},
		{"predefined", `{"action": "cleanup_sessions", "older_than_days": 30}`, "with retain: with sessions: true, and the project has none"},
		{"predefined", `{"action": "cleanup_cache"}`, "with cache:, and the project has none"},
	} {
		err := types[c.actionType].Check(store.JSON(c.config))
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, cron.ErrConfig) {
			t.Errorf("%s %s: %v", c.actionType, c.config, err)
		}
	}
}

type closing struct {
	cron.Action
	closed bool
}

func (c *closing) Provide(*project.Project, *egress.Client) (cron.Action, error) { return c, nil }
func (c *closing) Close() error                                                  { c.closed = true; return nil }

// TestOwnActions has a program's own beside the built-in ones, and refuses their names.
func TestOwnActions(t *testing.T) {
	b := newBench(t, "sqlite")
	b.options.Actions = map[string]cron.Action{"rebuild_index": cron.Func(func(_ context.Context, r *cron.Run, c struct {
		Full bool `json:"full"`
	},
	) error {
		r.Printf("full: %v", c.Full)
		return nil
	})}
	if r, err := b.run(t, "predefined", `{"action": "rebuild_index", "full": true}`); err != nil || r.Output() != "full: true" {
		t.Errorf("%q, %v", r.Output(), err)
	}
	for name, a := range map[string]cron.Action{"cleanup": b.options.Actions["rebuild_index"], "": b.options.Actions["rebuild_index"], "none": nil} {
		b.options.Actions = map[string]cron.Action{name: a}
		if _, _, err := action.Types(b.project, b.options, b.client); err == nil {
			t.Errorf("an action with the name %q is permitted", name)
		}
	}
	b.options.Actions = nil
	plugins := &closing{}
	b.options.Plugins = plugins
	types, closeTypes, err := action.Types(b.project, b.options, b.client)
	if err != nil || types["plugin"] != cron.Action(plugins) {
		t.Fatal(types["plugin"], err)
	}
	if err := closeTypes(); err != nil || !plugins.closed {
		t.Error("the plugins were not closed:", err)
	}
}

// isFinal reports whether an error is one of queue.Discard.
func isFinal(err error) bool {
	marked, ok := queue.Discard(errors.New("x")).(interface{ Unwrap() []error })
	return err != nil && ok && errors.Is(err, marked.Unwrap()[0])
}

// endpoint is a server that keeps what it was sent.
type endpoint struct {
	*httptest.Server
	mu   sync.Mutex
	got  []*http.Request
	body []string
}

func newEndpoint(t *testing.T, answer http.HandlerFunc) *endpoint {
	e := &endpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		e.mu.Lock()
		e.got, e.body = append(e.got, r), append(e.body, string(body))
		e.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(e.Server.Close)
	return e
}

// TestHTTP sends the requests that configurations say.
func TestHTTP(t *testing.T) {
	b := newBench(t, "sqlite")
	e := newEndpoint(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "thanks\x00\xff") })
	for _, c := range []struct{ config, method, contentType, body string }{
		{`{"url": "URL/webhook", "method": "POST", "body": {"event": "scheduled_ping"}}`, "POST", "application/json", `{"event":"scheduled_ping"}`},
		{`{"url": "URL"}`, "GET", "", ""},
		{`{"url": "URL", "body": null}`, "GET", "", ""},
		{`{"url": "URL", "body": "text"}`, "POST", "text/plain; charset=utf-8", "text"},
		{`{"url": "URL", "body": [1, "2"]}`, "POST", "application/json", `[1,"2"]`},
		{`{"url": "URL", "method": "PUT", "body": "<a/>", "headers": {"content-type": "text/xml"}}`, "PUT", "text/xml", "<a/>"},
	} {
		config := strings.Replace(c.config, "URL", e.URL, 1)
		r, err := b.run(t, "http", config)
		if err != nil || r.Output() != "200 OK\nthanks\uFFFD\uFFFD" {
			t.Errorf("%s: %q, %v", config, r.Output(), err)
			continue
		}
		got, body := e.got[len(e.got)-1], e.body[len(e.body)-1]
		if got.Method != c.method || got.Header.Get("Content-Type") != c.contentType || body != c.body || got.UserAgent() != "modulagen-cron" {
			t.Errorf("%s: %s %v %q", config, got.Method, got.Header, body)
		}
	}
	// Attempts of a run have the same key, and other runs another one.
	config := `{"url": "` + e.URL + `"}`
	for range 2 {
		if _, err := b.run(t, "http", config); err != nil {
			t.Fatal(err)
		}
	}
	n := len(e.got)
	first, again, other := e.got[n-1].Header.Get("Idempotency-Key"), e.got[n-2].Header.Get("Idempotency-Key"), e.got[0].Header.Get("Idempotency-Key")
	if first == "" || first != again || first == other {
		t.Errorf("the keys are %q and %q, and of another run %q", first, again, other)
	}
}

// TestHTTPFails says which answers are tried again, and when, and shows no secret.
func TestHTTPFails(t *testing.T) {
	b := newBench(t, "sqlite")
	e := newEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		if _, err := fmt.Sscan(r.URL.Path[1:], &status); err != nil {
			t.Error(err)
		}
		if r.URL.RawQuery == "later" {
			w.Header().Set("Retry-After", "7200")
		}
		w.Header().Set("Location", "/200")
		w.WriteHeader(status)
		io.WriteString(w, "you sent "+r.Header.Get("Authorization")+" to "+r.URL.String())
	})
	for _, c := range []struct {
		path, more string
		err        string
		final      bool
	}{
		{"/200", ``, "", false},
		{"/204", ``, "", false},
		{"/302", ``, "302 Found", true},
		{"/404", ``, "404 Not Found", true},
		{"/408", ``, "408 Request Timeout", false},
		{"/425", ``, "425 Too Early", false},
		{"/429", ``, "429 Too Many Requests", false},
		{"/500", ``, "500 Internal Server Error", false},
		{"/503?later", ``, "503 Service Unavailable", false},
		{"/404", `, "expect": {"status": [404, 410]}`, "", false},
		{"/200", `, "expect": {"status": [204]}`, "200 OK", true},
		{"/200", `, "expect": {"contains": "you sent"}`, "", false},
		{"/200", `, "expect": {"contains": "fine"}`, "does not contain", false},
	} {
		config := `{"url": "` + e.URL + c.path + `", "headers": {"Authorization": "Bearer topsecret-token"}` + c.more + `}`
		r, err := b.run(t, "http", config)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s%s: %v", c.path, c.more, err)
		}
		if isFinal(err) != c.final {
			t.Errorf("%s%s: final is %v: %v", c.path, c.more, isFinal(err), err)
		}
		if strings.Contains(r.Output(), "topsecret") || err != nil && strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: a secret is shown: %q, %v", c.path, r.Output(), err)
		}
	}
	e.Server.Close()
	if _, err := b.run(t, "http", `{"url": "`+e.URL+`/secret-path-of-the-hook"}`); err == nil || isFinal(err) || strings.Contains(err.Error(), "secret-path") {
		t.Errorf("of a server that is gone: %v", err)
	}
	if _, err := b.run(t, "http", `{"url": "https://localtest.invalid/"}`); err == nil || isFinal(err) {
		t.Errorf("of a name that does not resolve: %v", err)
	}
}

// TestHTTPHangs ends with the timeout of the job, and with the run.
func TestHTTPHangs(t *testing.T) {
	b := newBench(t, "sqlite")
	stop := make(chan struct{})
	begun := make(chan struct{}, 2)
	e := newEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("begun"))
		w.(http.Flusher).Flush()
		begun <- struct{}{}
		<-stop
	})
	defer close(stop)
	r, err := b.run(t, "http", `{"url": "`+e.URL+`", "timeout": "100ms"}`)
	if !strings.Contains(err.Error(), "timeout") || isFinal(err) || !strings.Contains(r.Output(), "begun") {
		t.Errorf("%q, %v", r.Output(), err)
	}
	<-begun
	a := b.types(t)["http"]
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, &cron.Run{Config: store.JSON(`{"url": "` + e.URL + `"}`)}) }()
	<-begun
	cancel()
	if err := <-done; err == nil {
		t.Error("it ended without an error")
	}
}

// TestPing notifies monitors as each takes it.
func TestPing(t *testing.T) {
	b := newBench(t, "sqlite")
	status := http.StatusOK
	e := newEndpoint(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
	pings := action.Pinger(b.client)
	for _, c := range []struct {
		url  string
		ok   bool
		want string
	}{
		{"/uuid", true, "POST /uuid out"},
		{"/uuid", false, "POST /uuid/fail out"},
		{"/uuid/?rid=7", false, "POST /uuid/fail?rid=7 out"},
		{"/uuid?rid=7#x", true, "POST /uuid?rid=7 out"},
		{"/api/push/t?status=up&msg=OK", true, "GET /api/push/t?status=up&msg=OK "},
		{"/api/push/t?status=up&msg=OK", false, "GET /api/push/t?msg=OK&status=down "},
		{"/p/key?state=complete", false, "GET /p/key?state=fail "},
	} {
		if err := pings.Ping(t.Context(), e.URL+c.url, c.ok, "out"); err != nil {
			t.Error(err)
			continue
		}
		n := len(e.got) - 1
		if got := e.got[n].Method + " " + e.got[n].URL.String() + " " + e.body[n]; got != c.want {
			t.Errorf("%s, %v: got %s, want %s", c.url, c.ok, got, c.want)
		}
	}
	status = http.StatusServiceUnavailable
	before := len(e.got)
	err := pings.Ping(t.Context(), e.URL+"/a-long-and-secret-uuid", true, strings.Repeat("x", 100_000))
	if err == nil || strings.Contains(err.Error(), "secret") || len(e.got)-before != 2 || len(e.body[before]) > 10_000 {
		t.Errorf("%v, in %d requests of %d bytes", err, len(e.got)-before, len(e.body[before]))
	}
	if err := pings.Ping(t.Context(), "http://%zz/secret", true, ""); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}
