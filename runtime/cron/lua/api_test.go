package lua_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/internal/cachefixture"
	"github.com/hegner123/modulagen/runtime/cache"
	"github.com/hegner123/modulagen/runtime/cache/backend"
	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/lua"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// every runs a test with a project on every database.
func every(t *testing.T, test func(t *testing.T, p *project.Project)) {
	for _, name := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			dsn := "sqlite:" + t.TempDir() + "/test.db"
			if name != "sqlite" {
				dsn = storetest.FreshDSN(t, name)
			}
			test(t, open(t, dsn))
		})
	}
}

// open makes a project of articles, which a plugin may write, and notes, which it may read.
func open(t *testing.T, dsn string) *project.Project {
	t.Helper()
	db, err := core.Open(t.Context(), dsn, nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ddl := articleDDL[db.Conn().Dialect()]
	for _, text := range []string{ddl, strings.Replace(ddl, "TABLE article", "TABLE note", 1)} {
		if _, err := db.Conn().Exec(t.Context(), text, nil); err != nil {
			t.Fatal(err)
		}
	}
	notes := articleSpec()
	notes.Name = "note"
	writers := func() (newRow, patch func() any) {
		return func() any { return new(articleNew) }, func() any { return new(articlePatch) }
	}
	p := &project.Project{DB: db, Datatypes: []project.Datatype{{Name: "article", Rows: articleSpec()}, {Name: "note", Rows: notes}}}
	for i := range p.Datatypes {
		p.Datatypes[i].New, p.Datatypes[i].Patch = writers()
	}
	return p
}

const manifest = "datatypes: {article: write, note: read}\nhttp: true\nenqueue: [job_queue/send_report, plain]\n"

// permitted calls a function with a body of a plugin with a manifest.
func permitted(ctx context.Context, p *project.Project, client *egress.Client, text string, opts ...lua.Options) (string, error) {
	s := lua.FS(fstest.MapFS{
		"p/main.lua":    {Data: []byte("function f()\n" + text + "\nend")},
		"p/plugin.yaml": {Data: []byte(manifest)},
	}, opts...)
	a, err := s.Provide(withKinds(p), client)
	if err != nil {
		return "", err
	}
	return run(ctx, a, `{"plugin_name": "p", "function": "f"}`)
}

// enqueued are the payloads of jobs.
var enqueued []string

// withKinds adds the queues that the manifest names.
func withKinds(p *project.Project) *project.Project {
	kind := project.Kind{
		Check: func(payload store.JSON) error {
			var v struct{ To string }
			if err := json.Unmarshal(payload, &v); err != nil || v.To == "nobody" {
				return errors.Join(err, errors.New("to nobody"))
			}
			return nil
		},
		Enqueue: func(_ context.Context, _ *core.Conn, payload store.JSON) (any, error) {
			enqueued = append(enqueued, string(payload))
			return int64(1) << 60, nil
		},
	}
	out := *p
	out.Datatypes = append(slices.Clone(p.Datatypes), project.Datatype{Name: "job_queue", Kinds: map[string]project.Kind{"send_report": kind}},
		project.Datatype{Name: "plain", Kinds: map[string]project.Kind{"": kind}})
	return &out
}

// Rows are read and written with their types, on every database.
func TestRows(t *testing.T) {
	every(t, func(t *testing.T, p *project.Project) {
		for _, row := range []struct{ name, body, output string }{
			{
				"create", `local a = db.article.create{title = "A", views = 7, price = "12.50", live = true, at = "2026-01-02T03:04:05.678901Z", day = "2026-01-02", data = {tags = {"x"}, empty = json.list{}}, picture = "\1\255", token = "s3cret"} a.picture = #a.picture return a`,
				`{"at":"2026-01-02T03:04:05.678901Z","data":{"empty":[],"tags":["x"]},"day":"2026-01-02","id":1,"live":true,"picture":2,"price":"12.5","status":"draft","title":"A","views":7}`,
			},
			{"defaults", `local a = db.article.create{title = "B"} return a.id .. a.status .. tostring(a.live) .. tostring(a.views) .. tostring(a.token)`, "2draftfalsenilnil"},
			{"large numbers are strings", `local a = db.article.create{title = "C", views = "9223372036854775807"} return a.views .. type(a.views) .. type(db.article.get(1).views)`, "9223372036854775807stringnumber"},
			{"get", `local a = db.article.get(1) return a.price .. #a.data.tags .. #a.picture .. tostring(db.article.get(99)) .. tostring(a.token)`, "12.512nilnil"},
			{"update", `local a = db.article.update(1, {views = json.null, price = 3, at = 0, live = false}) return tostring(a.views) .. a.price .. a.at .. tostring(a.live) .. a.title`, "nil31970-01-01T00:00:00ZfalseA"},
			{"move", `return db.article.move(1, "published").status`, "published"},
			{"equal", `return #db.article.list{where = {status = "draft"}} .. db.article.count{where = {status = "published", live = false}}`, "21"},
			{"comparisons", `return db.article.count{where = {views = {gte = 1, ne = 3}}} .. db.article.count{where = {price = {lt = "3.01"}}} .. db.article.count{where = {at = {lte = "1970-01-01T00:00:00Z"}}} .. db.article.count{where = {title = {prefix = "B"}}} .. db.article.count{where = {title = {contains = "C"}}}`, "11111"},
			{"null", `return db.article.count{where = {views = json.null}} .. db.article.count{where = {views = {null = false}}} .. db.article.count{where = {data = json.null}}`, "212"},
			{"in", `return db.article.count{where = {id = {1, 3, 99}}} .. db.article.count{where = {id = {}}} .. db.article.count{where = {id = json.list{}}}`, "230"},
			{"large numbers in conditions", `return db.article.list{where = {views = "9223372036854775807"}}[1].title`, "C"},
			{"sorted pages", `local s, cursor = "" repeat local rows rows, cursor = db.article.list{sort = {"-title"}, limit = 1, after = cursor} for _, r in ipairs(rows) do s = s .. r.title end until not cursor return s`, "CBA"},
			{"delete", `return tostring(db.article.delete(3)) .. tostring(db.article.delete(3)) .. db.article.count()`, "truefalse2"},
			{"read", `return db.note.count()`, "0"},
			{"caught", `local ok, e = pcall(db.article.create, {title = ""}) return e`, `p/main.lua:2: db.article.create: article is invalid: title is required`},
		} {
			out, err := permitted(t.Context(), p, nil, row.body)
			if err != nil || strings.TrimSuffix(out, "\n") != row.output {
				t.Errorf("%s: %q, %v; want %q", row.name, out, err, row.output)
			}
		}
		var token string
		if err := p.DB.Conn().QueryRow(t.Context(), "SELECT token FROM article WHERE id = 1", nil, []any{&token}); err != nil || token != "s3cret" {
			t.Errorf("the secret that was written is %q, %v", token, err)
		}
	})
}

// What is written wrong is refused with the name that was probably meant.
func TestRefused(t *testing.T) {
	p := open(t, "sqlite:"+t.TempDir()+"/test.db")
	client, err := egress.New(egress.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := permitted(t.Context(), p, nil, `db.article.create{title = "A", token = "s3cret"}`); err != nil {
		t.Fatal(out, err)
	}
	for text, want := range map[string]string{
		`db.articel.get(1)`:                                                   `p/plugin.yaml permits no datatype "articel"; is article meant?`,
		`db.job_queue.list{}`:                                                 `permits no datatype "job_queue"; there are article, note`,
		`db.article.creat{}`:                                                  `db.article has no function "creat"; is create meant?`,
		`db.note.create{title = "A"}`:                                         "db.note.create: p/plugin.yaml permits reading note alone; to write, it needs note: write",
		`db.note.delete(1)`:                                                   "permits reading note alone",
		`db.article.create{titel = "A"}`:                                      `db.article.create: article has no field "titel"; is title meant?`,
		`db.article.create{views = 1}`:                                        "db.article.create: title is missing",
		`db.article.create()`:                                                 "db.article.create: argument 1 is a nil, and must be a table of fields",
		`db.article.create{title = 1}`:                                        "title is 1, and must be a string",
		`db.article.create{title = "\255"}`:                                   "title is not UTF-8",
		`db.article.create{title = ("x"):rep(21)}`:                            "title",
		`db.article.create{title = json.null}`:                                "title",
		`db.article.create{title = "A", views = 1.5}`:                         "views is 1.5, and must be a whole number",
		`db.article.create{title = "A", views = 2^60}`:                        "beyond 2^53, a string of digits",
		`db.article.create{title = "A", price = "a lot"}`:                     `price is "a lot", and must be a decimal`,
		`db.article.create{title = "A", live = 1}`:                            "live is 1, and must be true or false",
		`db.article.create{title = "A", at = "yesterday"}`:                    `at is "yesterday", and must be a time`,
		`db.article.create{title = "A", day = "2026-02-30"}`:                  `day is "2026-02-30", and must be a date`,
		`db.article.create{title = "A", data = {f}}`:                          "data: a function cannot be written as JSON",
		`db.article.create{title = "A", id = 5}`:                              "id cannot be set",
		`db.article.update(1, {status = "published"})`:                        "status cannot be set",
		`db.article.update(99, {title = "B"})`:                                "db.article.update: article: not found",
		`db.article.update("one", {title = "B"})`:                             `id is "one", and must be a whole number`,
		`db.article.move(1, "gone")`:                                          "gone",
		`db.article.get()`:                                                    "id is a nil",
		`db.article.list{were = {}}`:                                          `"were" is not known; is where meant?`,
		`db.article.list{where = {titel = "A"}}`:                              `article has no field "titel"; is title meant?`,
		`db.article.list{where = {token = "s3cret"}}`:                         "article.token is secret, and not for plugins",
		`db.article.list{sort = "token"}`:                                     "article.token is secret, and not for plugins",
		`db.article.list{where = {title = {like = "A"}}}`:                     `the comparison "like" is not known`,
		`db.article.list{where = {views = {["in"] = 1}}}`:                     "in takes a list",
		`db.article.list{where = {data = {x = 1}}}`:                           `the comparison "x" is not known`,
		`db.article.list{where = {data = "x"}}`:                               "data cannot be compared",
		`db.article.list{limit = 1e9}`:                                        "limit is 1000000000, and must be a number from 1 to 1000",
		`db.article.list{after = "nonsense"}`:                                 "cursor",
		`db.article.list("all")`:                                              "its argument is a string, and must be a table",
		`enqueue("job_queue", "send_repot")`:                                  `permits no jobs "job_queue/send_repot"; is job_queue/send_report meant?`,
		`enqueue("job_queue")`:                                                `permits no jobs "job_queue"`,
		`enqueue("job_queue", "send_report", {To = "nobody"})`:                "enqueue: to nobody",
		`enqueue("job_queue", "send_report", f)`:                              "enqueue: a function cannot be written as JSON",
		`http.request{url = "http://169.254.169.254/latest/meta-data"}`:       "http.request: egress",
		`http.request{url = "https://127.0.0.1/"}`:                            "http.request: egress",
		`http.request{url = "file:///etc/passwd"}`:                            "http.request",
		`http.request{}`:                                                      "http.request: url is missing",
		`http.request{url = "https://a.example", header = {}}`:                `"header" is not known; is headers meant?`,
		`http.request{url = "https://a.example", headers = {["A\nB"] = "c"}}`: "http.request",
		`http.request{url = "https://a.example", headers = {Host = "b"}}`:     "http.request",
		`http.request("https://a.example")`:                                   "table expected",
	} {
		out, err := permitted(t.Context(), p, client, text)
		if err == nil || !strings.Contains(err.Error(), want) || discarded(err) || !strings.HasPrefix(err.Error(), "p/main.lua:2: ") {
			t.Errorf("%s: %v, output %q; want %s", text, err, out, want)
		}
		if strings.Contains(fmt.Sprint(err)+out, "s3cret") && !strings.Contains(text, "s3cret") {
			t.Errorf("%s: the secret is shown: %v", text, err)
		}
	}
}

// A plugin cannot call the project without end.
func TestCalls(t *testing.T) {
	p := open(t, "sqlite:"+t.TempDir()+"/test.db")
	_, err := permitted(t.Context(), p, nil, `while true do pcall(db.article.create, {title = "A"}) end`, lua.Options{Calls: 20})
	if bound, ok := errors.AsType[*lua.BoundError](err); !ok || bound.Error() != "p/main.lua:2: more than 20 calls of db, cache, http and enqueue" {
		t.Error(err)
	}
	n, err := core.Bind(p.DB.Conn(), articleSpec()).Count(t.Context(), core.AnyCond{}, 0)
	if err != nil || n != 20 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// Effects run with what plugins write, and can refuse it.
func TestEffects(t *testing.T) {
	p := open(t, "sqlite:"+t.TempDir()+"/test.db")
	var seen atomic.Int64
	p.Datatypes[0].Rows.Effects = []core.Effect{{On: core.Created, Rows: true, Run: func(_ context.Context, _ *core.Conn, changes []core.Change) error {
		seen.Add(int64(len(changes)))
		if changes[0].After.(*article).Title == "no" {
			return errors.New("an effect refuses")
		}
		return nil
	}}}
	out, err := permitted(t.Context(), p, nil, `db.article.create{title = "yes"} local ok, e = pcall(db.article.create, {title = "no"}) return e .. db.article.count()`)
	if err != nil || !strings.Contains(out, "an effect refuses1") || seen.Load() != 2 {
		t.Errorf("%q, %v, %d", out, err, seen.Load())
	}
}

func TestEnqueue(t *testing.T) {
	enqueued = nil
	p := open(t, "sqlite:"+t.TempDir()+"/test.db")
	out, err := permitted(t.Context(), p, nil, `enqueue("plain") return enqueue("job_queue", "send_report", {To = "ann", n = 3})`)
	if err != nil || out != "1152921504606846976\n" || !slices.Equal(enqueued, []string{`{}`, `{"To":"ann","n":3}`}) {
		t.Errorf("%q, %v, %q", out, err, enqueued)
	}
}

func TestHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("X-Two", "a")
		w.Header().Add("X-Two", "b")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL.Path, r.Header.Get("X-Key"), r.Header.Get("Content-Type"))
	}))
	defer server.Close()
	client, err := egress.New(egress.Options{PlainHTTP: true, Allow: []string{"127.0.0.0/8"}, Ports: []int{serverPort(t, server)}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	p := open(t, "sqlite:"+t.TempDir()+"/test.db")
	out, err := permitted(t.Context(), p, client, fmt.Sprintf(`local r = http.request{method = "post", url = %q, headers = {["X-Key"] = "k"}, body = {a = 1}} return r.status .. " " .. r.headers["x-two"] .. " " .. r.body .. tostring(r.truncated)`, server.URL+"/hook"))
	if err != nil || out != "418 a, b POST /hook k application/jsonfalse\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// A trial has no project: it shows what would be enqueued, and has errors for the rest.
func TestTrial(t *testing.T) {
	s := lua.FS(fstest.MapFS{
		"p/main.lua":    {Data: []byte("function f() log('hello', args.n) enqueue('job_queue', 'send_report', {a = 1}) log(select(2, pcall(db.article.get, 1))) log(select(2, pcall(http.request, {url = 'https://a.example'}))) error('end') end")},
		"p/plugin.yaml": {Data: []byte(manifest)},
	})
	var out strings.Builder
	trial, err := s.Try(t.Context(), "p", "f", store.JSON(`{"n": 5}`), nil, &out)
	want := "hello 5\nwould enqueue job_queue/send_report {\"a\":1}\np/main.lua:1: db.article.get: a trial has no database: the plugin is run by the program that has the project's generated code\np/main.lua:1: http.request: this trial makes no requests; plugin run --http does\n"
	if err == nil || err.Error() != "p/main.lua:1: end" || out.String() != want {
		t.Errorf("%v, %q", err, out.String())
	}
	if trial.Instructions < 20 || trial.Memory < 1000 || trial.Calls != 3 || trial.Duration <= 0 {
		t.Errorf("%+v", trial)
	}
	if _, err := s.Try(t.Context(), "q", "f", nil, nil, &out); !errors.Is(err, cron.ErrConfig) {
		t.Error(err)
	}
}

func serverPort(t *testing.T, s *httptest.Server) int {
	t.Helper()
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A cache is shared with the program.
func TestCache(t *testing.T) {
	ctx := t.Context()
	db := cachefixture.FreshPlace(t, "sqlite").Open(t)
	p := &project.Project{DB: db.Store(), Datatypes: []project.Datatype{{Name: "cache_entry", Cache: func(*core.Conn) backend.Backend { return db.CacheEntry.CacheBackend() }}}}
	a, err := lua.FS(fstest.MapFS{
		"p/main.lua":    {Data: []byte("function f()\n  cache.set('cache_entry', 'rate', {eur = 1.5}, 60)\n  local rate = cache.get('cache_entry', 'rate').eur\n  cache.set('cache_entry', 'gone', 1)\n  cache.delete('cache_entry', 'gone')\n  return rate .. tostring(cache.get('cache_entry', 'gone')) .. select(2, pcall(cache.get, 'cache_entri', 'x'))\nend")},
		"p/plugin.yaml": {Data: []byte("cache: [cache_entry]\n")},
	}).Provide(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := run(ctx, a, `{"plugin_name": "p", "function": "f"}`)
	if err != nil || out != "1.5nilp/main.lua:6: cache.get: p/plugin.yaml permits no cache \"cache_entri\"; is cache_entry meant?\n" {
		t.Errorf("%q, %v", out, err)
	}
	if value, ok := cache.New[json.RawMessage](db.CacheEntry, cache.Options{}).Get(ctx, "rate"); !ok || string(value) != `{"eur":1.5}` {
		t.Errorf("%s, %v", value, ok)
	}
}
