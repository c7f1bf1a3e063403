package lua_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/lua"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/store"
)

func itoa(n int) string { return strconv.Itoa(n) }

func run(ctx context.Context, a cron.Action, config string) (string, error) {
	r := &cron.Run{Job: "nightly", Due: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC), Attempt: 2, Trigger: cron.Scheduled, Config: store.JSON(config)}
	err := a.Run(ctx, r)
	return r.Output(), err
}

// A folder's plugins are what the documentation says: the job of the seed runs as it is printed.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("reports/main.lua", "function generateDailyReport()\n  log('report of', run.due, run.job, run.attempt, run.trigger)\n  return {rows = 3}\nend\n")
	write("README.md", "not a plugin")
	write("broken/main.lua", "function f(\n  x =\nend")
	var logged strings.Builder
	logger := slog.New(slog.NewTextHandler(&logged, nil))
	a, err := lua.Folder(dir, lua.Options{Logger: logger}).Provide(&project.Project{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const job = `{"plugin_name": "reports", "function": "generateDailyReport"}`
	if err := a.Check(store.JSON(job)); err != nil {
		t.Error(err)
	}
	out, err := run(t.Context(), a, job)
	if want := "report of 2026-01-02T03:00:00Z nightly 2 schedule\n{\"rows\":3}\n"; err != nil || out != want {
		t.Errorf("%q, %v; want %q", out, err, want)
	}
	for _, want := range []string{`plugin=broken`, "broken/main.lua:2", `job=nightly plugin=reports`} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, logged.String())
		}
	}
	if _, err := lua.Folder(filepath.Join(dir, "none")).Provide(&project.Project{}, nil); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a folder that is missing: %v", err)
	}
}

// What a job cannot run is refused when it is saved, with what was probably meant.
func TestCheck(t *testing.T) {
	long := strings.Repeat("-- x\n", 60_000)
	files := fstest.MapFS{
		"reports/main.lua":      {Data: []byte("local function hidden() end\nfunction daily() end\nweekly = function() end\nlocal t = {}\nfunction t.x() end\n")},
		"reports/plugin.yaml":   {Data: []byte("name: reports\ndescription: Reports.\nhttp: false\n")},
		"picked/main.lua":       {Data: []byte("function a() end function b() end")},
		"picked/plugin.yaml":    {Data: []byte("functions: [a]\n")},
		"syntax/main.lua":       {Data: []byte("function f()\n  return 1 +\nend")},
		"ending/main.lua":       {Data: []byte("function f()\n")},
		"nested/main.lua":       {Data: []byte("\nfunction f() return " + strings.Repeat("(", 1000) + "1" + strings.Repeat(")", 1000) + " end function g() return " + strings.Repeat("- ", 100) + strings.Repeat("not ", 300) + "1 end")},
		"chained/main.lua":      {Data: []byte("function f() return 1" + strings.Repeat(" + 1", 5000) + " end")},
		"dotted/main.lua":       {Data: []byte("function f() return a" + strings.Repeat(".b", 5000) + " end")},
		"blocks/main.lua":       {Data: []byte("function f() " + strings.Repeat("do ", 5000) + strings.Repeat("end ", 5000) + " end")},
		"long/main.lua":         {Data: []byte(long)},
		"empty/readme.txt":      {Data: []byte("")},
		"keys/main.lua":         {Data: []byte("function f() end")},
		"keys/plugin.yaml":      {Data: []byte("htpp: true\ndatatypes: {article: reed}\ncache: entry\nhttp: \"yes\"\nname: other\nname: keys\n")},
		"missing/main.lua":      {Data: []byte("function f() end")},
		"missing/plugin.yaml":   {Data: []byte("functions: [g]\n")},
		"named/main.lua":        {Data: []byte("function f() end")},
		"named/plugin.yaml":     {Data: []byte("name: other\n")},
		"project/main.lua":      {Data: []byte("function f() end")},
		"project/plugin.yaml":   {Data: []byte("datatypes: {artcle: read}\nenqueue: [job_queue/sendd]\ncache: [entry]\n")},
		"notyaml/main.lua":      {Data: []byte("function f() end")},
		"notyaml/plugin.yaml":   {Data: []byte("a: [b\n")},
		"registers/main.lua":    {Data: []byte("function f() " + strings.Repeat("local a ", 300) + " end")},
		"helped/main.lua":       {Data: []byte("function f() require('helper') end")},
		"helped/helper.lua":     {Data: []byte("x = = 1")},
		"goto/main.lua":         {Data: []byte("function f()\n goto nowhere end")},
		"emptyyaml/main.lua":    {Data: []byte("function f() end")},
		"emptyyaml/plugin.yaml": {Data: nil},
	}
	s := lua.FS(files)
	a, err := s.Provide(&project.Project{Datatypes: []project.Datatype{{Name: "article", Rows: articleSpec()}, {Name: "job_queue", Kinds: map[string]project.Kind{"send": {}}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		config string
		want   []string // nil: it is taken
	}{
		{`{"plugin_name": "reports", "function": "daily"}`, nil},
		{`{"plugin_name": "reports", "function": "weekly", "args": {"a": [1]}}`, nil},
		{`{"plugin_name": "emptyyaml", "function": "f"}`, nil},
		{`{"plugin_name": "report", "function": "daily"}`, []string{"plugin_name", "is reports meant?"}},
		{`{"plugin_name": "../reports", "function": "daily"}`, []string{"plugin_name", "is reports meant?"}},
		{`{"plugin_name": "reports", "function": "dayly"}`, []string{"function", "is daily meant?"}},
		{`{"plugin_name": "reports", "function": "hidden"}`, []string{"function", "there are daily, weekly"}},
		{`{"plugin_name": "reports", "function": "x"}`, []string{"function"}},
		{`{"plugin_name": "reports"}`, []string{"function is missing"}},
		{`{"plugin": "reports", "function": "daily"}`, []string{"plugin is not known", "plugin_name is missing"}},
		{`{"plugin_name": 1, "function": "daily"}`, []string{"plugin_name is a number, and must be a string"}},
		{`{"plugin_name": "picked", "function": "b"}`, []string{"picked/plugin.yaml does not have; is a meant?"}},
		{`{"plugin_name": "syntax", "function": "f"}`, []string{"syntax/main.lua:3: syntax error near \"end\""}},
		{`{"plugin_name": "ending", "function": "f"}`, []string{"ending/main.lua", "at the end of the file"}},
		{`{"plugin_name": "nested", "function": "f"}`, []string{"nested/main.lua:2: more than 200 statements and expressions within one another"}},
		{`{"plugin_name": "chained", "function": "f"}`, []string{"chained/main.lua:1: more than 200"}},
		{`{"plugin_name": "dotted", "function": "f"}`, []string{"dotted/main.lua:1: more than 200"}},
		{`{"plugin_name": "blocks", "function": "f"}`, []string{"blocks/main.lua:1: more than 200"}},
		{`{"plugin_name": "long", "function": "f"}`, []string{"long/main.lua has 300000 bytes, and 262144 are permitted"}},
		{`{"plugin_name": "empty", "function": "f"}`, []string{"empty/main.lua is missing"}},
		{`{"plugin_name": "keys", "function": "f"}`, []string{"keys/plugin.yaml:1: htpp is not known; is http meant?", ":2: article must be read or write", ":3: cache must be a list", ":4: http must be true or false", ":6: name stands here twice"}},
		{`{"plugin_name": "missing", "function": "g"}`, []string{"missing/plugin.yaml: missing/main.lua defines no function g; is f meant?"}},
		{`{"plugin_name": "named", "function": "f"}`, []string{`the name is "other", and must be that of the folder, named`}},
		{`{"plugin_name": "project", "function": "f"}`, []string{"no datatype artcle; is article meant?", "no kind of jobs job_queue/sendd; is job_queue/send meant?", "no cache entry; there are none"}},
		{`{"plugin_name": "notyaml", "function": "f"}`, []string{"notyaml/plugin.yaml: line 1"}},
		{`{"plugin_name": "registers", "function": "f"}`, []string{"registers/main.lua:"}},
		{`{"plugin_name": "goto", "function": "f"}`, []string{"goto/main.lua:2"}},
		{`{"plugin_name": "helped", "function": "f"}`, nil},
	} {
		err := a.Check(store.JSON(row.config))
		if row.want == nil {
			if err != nil {
				t.Errorf("%s: %v", row.config, err)
			}
			continue
		}
		for _, want := range row.want {
			if !errors.Is(err, cron.ErrConfig) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %s", row.config, err, want)
			}
		}
		if _, err := run(t.Context(), a, row.config); !discarded(err) {
			t.Errorf("%s: a run of it is retried: %v", row.config, err)
		}
	}
	if _, err := run(t.Context(), a, `{"plugin_name": "helped", "function": "f"}`); err == nil || !strings.Contains(err.Error(), "helped/helper.lua:1: syntax error") {
		t.Errorf("a file with a mistake: %v", err)
	}
}

// An error of a plugin is retried, with its line; nil and a message are one.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"error('no stock')":             "p/main.lua:2: no stock",
		"error('no stock', 0)":          "no stock",
		"return nil, 'no stock'":        "no stock",
		"local t\nreturn t.x":           "p/main.lua:3: attempt to index a non-table object(nil) with key 'x'",
		"assert(false)":                 "p/main.lua:2: assertion failed!",
		"assert(nil, 'no stock')":       "no stock",
		"undefined()":                   "p/main.lua:2: attempt to call a non-function object",
		"error(42)":                     "42",
		"return json.decode('{')":       "p/main.lua:2: json.decode: the JSON ends too early",
		"return ('x').y.z":              "p/main.lua:2: attempt to index a non-table object(nil) with key 'z'",
		"f = nil\nreturn nil, {1}":      "a table",
		"return string.rep()":           "p/main.lua:2: bad argument #1 to rep (string expected, got nil)",
		"string.format('%d', 'x')":      "p/main.lua:2: bad argument #2 to format (number expected, got string)",
		"return #nil":                   "p/main.lua:2: __len undefined",
		"return {} < {}":                "p/main.lua:2: attempt to compare table with table",
		"table.sort({1, 'x'})":          "p/main.lua:2: attempt to compare",
		"require('nothing.here')":       "p/main.lua:2: require: the plugin has no file nothing/here.lua",
		"http.get('https://a.example')": "p/main.lua:2: attempt to call a non-function object",
	} {
		out, err := body(t.Context(), text)
		if err == nil || !strings.HasPrefix(err.Error(), want) || discarded(err) {
			t.Errorf("%s: %v, output %q; want %s", text, err, out, want)
		}
	}
}

// A run ends with its context, whatever it catches, and with its time.
func TestEnds(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := errors.New("the worker ends")
	cancel(ended)
	if _, err := body(ctx, "while true do pcall(function() while true do end end) end"); !errors.Is(err, ended) || discarded(err) {
		t.Errorf("its context has ended: %v", err)
	}
	_, err := body(t.Context(), "while true do pcall(function() while true do end end) end", lua.Options{Instructions: 1 << 60, Time: 50 * time.Millisecond})
	if bound, ok := errors.AsType[*lua.BoundError](err); !ok || bound.Error() != "p/main.lua:2: more than 50ms" || !discarded(err) {
		t.Errorf("its time has ended: %v", err)
	}
}

// Hostile runs harm none of the runs beside them.
func TestBeside(t *testing.T) {
	a, err := plugin("function good() local n = 0 for i = 1, 1000 do n = n + i end return n end function bad() local s = 'x' while true do pcall(function() s = s .. s end) end end", small).Provide(&project.Project{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if i%2 == 0 {
				if _, err := run(t.Context(), a, `{"plugin_name": "p", "function": "bad"}`); !discarded(err) {
					t.Errorf("bad: %v", err)
				}
				return
			}
			if out, err := run(t.Context(), a, `{"plugin_name": "p", "function": "good"}`); err != nil || out != "500500\n" {
				t.Errorf("good: %q, %v", out, err)
			}
		})
	}
	wg.Wait()
}

// The output of the history is the start of what was logged.
func TestOutput(t *testing.T) {
	out, err := body(t.Context(), "for i = 1, 1000 do log(('x'):rep(99)) end")
	if err != nil || len(out) > cron.MaxOutput+100 || !strings.Contains(out, "bytes more") {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}
