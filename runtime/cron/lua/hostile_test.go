package lua_test

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/lua"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/queue"
	"github.com/hegner123/modulagen/runtime/store"
)

// plugin makes the source of one plugin, p, with a file.
func plugin(main string, opts ...lua.Options) *lua.Source {
	return lua.FS(fstest.MapFS{"p/main.lua": {Data: []byte(main)}}, opts...)
}

// call calls a function of a plugin, and returns the run's output.
func call(ctx context.Context, s *lua.Source, p *project.Project, config string) (string, error) {
	a, err := s.Provide(p, nil)
	if err != nil {
		return "", err
	}
	r := &cron.Run{Job: "test", Attempt: 1, Config: store.JSON(config)}
	err = a.Run(ctx, r)
	return r.Output(), err
}

// body calls a function with a body.
func body(ctx context.Context, text string, opts ...lua.Options) (string, error) {
	return call(ctx, plugin("function f()\n"+text+"\nend", opts...), &project.Project{}, `{"plugin_name": "p", "function": "f"}`)
}

// small are bounds that tests reach at once.
var small = lua.Options{Instructions: 200_000, Memory: 2 << 20, Output: 32 << 10, Time: 20 * time.Second}

const (
	instructions = "more than 200,000 instructions"
	memory       = "more than 2 MiB of memory"
	oneString    = "a string of more than 16 MiB"
	depth        = "more than 200 calls within one another"
)

// hostile are ways out of a sandbox, and what must happen instead: an error with a text, which a
// run does not survive where it is a bound, or an output.
var hostile = []struct {
	name, body string
	bound      string // the run is stopped by it, with its line
	fails      string // the run fails with it
	output     string
}{
	// What never ends.
	{name: "loop", body: "while true do end", bound: instructions},
	{name: "loop of goto", body: "::again:: goto again", bound: instructions},
	{name: "for", body: "for i = 1, 1/0 do end", bound: instructions},
	{name: "repeat", body: "repeat until false", bound: instructions},
	{name: "tail calls", body: "local function g() return g() end g()", bound: instructions},
	{name: "mutual tail calls", body: "local a, b; a = function() return b() end; b = function() return a() end; a()", bound: instructions},
	{name: "pcall swallows the bound", body: "while true do pcall(function() while true do end end) end", bound: instructions},
	{name: "xpcall swallows the bound", body: "while true do xpcall(function() while true do end end, function() while true do end end) end", bound: instructions},
	{name: "pcall in pcall", body: "local function g() while true do pcall(g) end end pcall(g)", bound: "more than 50 pcalls within one another"},
	{name: "iterator without end", body: "for x in function() return 1 end do end", bound: instructions},
	{name: "next on a table that grows", body: "local t = {1} for k in pairs(t) do t[k + 1] = 1 end", bound: instructions},
	{name: "__index without end", body: "local t = {} setmetatable(t, {__index = function(t, k) return t[k .. 'x'] end}) return t.a", bound: depth},
	{name: "__index in a circle", body: "local t = {} setmetatable(t, {__index = t}) return t.a", fails: "recursion"},
	{name: "__newindex in a circle", body: "local t = {} setmetatable(t, {__newindex = t}) t.a = 1", fails: "without end"},
	{name: "__newindex without end", body: "local t = {} setmetatable(t, {__newindex = function(t, k, v) t[k] = v end}) t.a = 1", bound: depth},
	{name: "__call in a circle", body: "local t = {} setmetatable(t, {__call = t}) t()", fails: "attempt to call"},
	{name: "__tostring without end", body: "local t = {} setmetatable(t, {__tostring = function(t) return tostring(t) end}) log(t)", bound: depth},
	{name: "__concat without end", body: "local t = {} setmetatable(t, {__concat = function(a, b) return a .. b end}) return t .. t", bound: depth},
	{name: "__eq without end", body: "local m = {} m.__eq = function(a, b) return a == b end return setmetatable({}, m) == setmetatable({}, m)", bound: depth},
	{name: "__lt without end", body: "local m = {} m.__lt = function(a, b) return a < b end return setmetatable({}, m) < setmetatable({}, m)", bound: depth},
	{name: "sort without an order", body: "local t = {} for i = 1, 1000 do t[i] = i end table.sort(t, function() return true end) return #t", output: "1000"},
	{name: "sort at random", body: "local t = {} for i = 1, 1000 do t[i] = i end table.sort(t, function() return math.random() < 0.5 end) return #t", output: "1000"},
	{name: "sort that changes its table", body: "local t = {} for i = 1, 100 do t[i] = i end table.sort(t, function(a, b) t[#t + 1] = 0 return a < b end) return t[1]", output: "1"},
	{name: "sort without end", body: "local t = {} for i = 1, 1e4 do t[i] = -i end while true do table.sort(t, function(a, b) return a < b end) end", bound: instructions},
	{name: "sort with a comparator that recurs", body: "local t = {2, 1} local function less() table.sort(t, less) end less()", bound: depth},

	// Recursion.
	{name: "recursion", body: "local function g() return 1 + g() end g()", bound: depth},
	{name: "recursion that is caught", body: "local function g() return 1 + g() end while true do pcall(g) end", bound: depth},
	{name: "recursion through gsub", body: "local function g() return ('x'):gsub('x', g) end g()", bound: depth},
	{name: "recursion through require", body: "return require('p')", fails: "has no file p.lua"},
	{name: "many arguments", body: "local t = {} for i = 1, 3000 do t[i] = i end local function g(...) return g(1, ...) + 1 end g(unpack(t))", bound: depth},

	// Memory.
	{name: "concatenation", body: "local s = 'x' while true do s = s .. s end", bound: memory},
	{name: "concatenation that is caught", body: "local s = 'x' while true do pcall(function() s = s .. s end) end", bound: memory},
	{name: "concatenation of many", body: "local s = ('x'):rep(1e6) return s .. s .. s .. s .. s .. s .. s .. s .. s", bound: memory},
	{name: "string.rep", body: "return string.rep('x', 1e9)", bound: oneString},
	{name: "rep by the metatable of strings", body: "return ('x'):rep(1e15)", bound: oneString},
	{name: "rep below the bound of a string", body: "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) end", bound: memory},
	{name: "rep of what is long", body: "return (('x'):rep(5000)):rep(2^62)", bound: oneString},
	{name: "table.concat", body: "local t = {} for i = 1, 1000 do t[i] = 'x' end return table.concat(t, ('y'):rep(1e5))", bound: memory},
	{name: "table.concat of a range", body: "return table.concat({}, '', 1, 2^60)", fails: "invalid value (nil) at index 1"},
	{name: "string.format with a width", body: "return string.format('%999999999d', 1)", fails: "width or precision too long"},
	{name: "string.format with a precision", body: "return string.format('%.999999999f', 1)", fails: "width or precision too long"},
	{name: "string.format of a long text", body: "local s = ('x'):rep(1e6) return string.format('%s%s%s%s%s%s%s%s', s, s, s, s, s, s, s, s)", bound: memory},
	{name: "gsub grows", body: "return (('x'):rep(1e5):gsub('x', ('y'):rep(1e4)))", bound: memory},
	{name: "gsub doubles", body: "local s = 'x' while true do s = s:gsub('x', 'xx') end", bound: memory},
	{name: "table", body: "local t = {} for i = 1, 1e9 do t[i] = {} end", bound: memory},
	{name: "table of tables", body: "local t = {} while true do t = {t} end", bound: memory},
	{name: "constructors", body: "local t = {} for i = 1, 1e9 do t[i] = {1, 2, 3, 4, 5, a = 1, b = 2} end", bound: memory},
	{name: "index far away", body: "local t = {} t[2^25] = 1", bound: memory},
	{name: "index far away, nil", body: "local t = {} for i = 20, 25 do t[2^i] = nil end return #t", output: "0"},
	{name: "index far away, rawset", body: "rawset({}, 2^25, 1)", bound: memory},
	{name: "index far away, by a constructor", body: "return #{[2^25] = 1}", bound: memory},
	{name: "index far away, by __newindex", body: "local t = setmetatable({}, {__newindex = {}}) t[2^25] = 1", bound: memory},
	{name: "index far away, in a multiple assignment", body: "local t, x = {} x, t[2^25] = 1, 1", bound: memory},
	{name: "indexes that are negative or huge", body: "local t = {} t[-2^53] = 1 t[2^60] = 2 t[0.5] = 3 return t[2^60]", output: "2"},
	{name: "NaN as a key", body: "local t = {} while true do t[0/0] = 1 end", fails: "table index is NaN"},
	{name: "nil as a key", body: "local t = {} t[nil] = 1", fails: "table index is nil"},
	{name: "table.insert far away", body: "table.insert({}, 2^31, 1)", fails: "position out of bounds"},
	{name: "table.insert below zero", body: "table.insert({}, -1, 1)", fails: "position out of bounds"},
	{name: "table.insert in front", body: "local t = {} while true do table.insert(t, 1, 1) end", bound: instructions},
	{name: "table.remove far away", body: "return tostring((table.remove({1}, 2^31)))", output: "nil"},
	{name: "keys", body: "local t = {} for i = 1, 1e9 do t['k' .. i] = true end", bound: memory},
	{name: "keys that come and go", body: "local t = {} for i = 1, 1e9 do t['k' .. i] = true t['k' .. i] = nil end", bound: memory},
	{name: "closures", body: "local t = {} for i = 1, 1e9 do local a, b, c = i, i, i t[i] = function() return a + b + c end end", bound: memory},
	{name: "globals", body: "for i = 1, 1e9 do _G['g' .. i] = i end", bound: memory},
	{name: "varargs in a table", body: "local function g(...) local t = {} while true do t[#t + 1] = {...} end end local n = {} for i = 1, 3000 do n[i] = i end g(unpack(n))", bound: memory},
	{name: "unpack of a huge range", body: "return unpack({}, 1, 2^31)", fails: "too many results to unpack"},
	{name: "unpack from below", body: "return unpack({}, -2^53, 2^53)", fails: "too many results to unpack"},
	{name: "string.byte of a huge range", body: "return ('x'):rep(1e6):byte(1, -1)", fails: "string slice too long"},
	{name: "string.char out of range", body: "return string.char(256, -1)", fails: "invalid value"},
	{name: "string.sub out of range", body: "return ('abc'):sub(-2^60, 2^60)", output: "abc"},
	{name: "select out of range", body: "return select(-2^40, 1)", fails: "index out of range"},
	{name: "tostring in a loop", body: "local t = {} for i = 1, 1e9 do t[i] = tostring(i + 0.5) end", bound: memory},
	{name: "upper doubles", body: "local s = ('x'):rep(1e6) local t = {} while true do t[#t + 1] = s:upper() end", bound: memory},
	{name: "collectgarbage", body: "return type(collectgarbage)", output: "nil"},

	// Patterns.
	{name: "pattern that backtracks", body: "return (('a'):rep(200)):find(('a*'):rep(40) .. 'b')", bound: instructions},
	{name: "pattern that backtracks, match", body: "return (('a'):rep(5000)):match('.-.-.-.-b')", bound: instructions},
	{name: "pattern that backtracks, gsub", body: "return (('a'):rep(5000)):gsub('.*.*.*b', '')", bound: instructions},
	{name: "pattern that backtracks, gmatch", body: "for x in (('a'):rep(5000)):gmatch('a-a-a-a-b') do end", bound: instructions},
	{name: "pattern that is deep", body: "return (('a'):rep(1000)):find(('a?'):rep(1000) .. ('a'):rep(1000))", fails: "pattern too complex"},
	{name: "pattern that is long", body: "return ('a'):find(('.'):rep(1e5))", fails: "a pattern of 100000 bytes"},
	{name: "pattern with balances", body: "return (('('):rep(5000)):gsub('%b()', '')", bound: instructions},
	{name: "pattern that is cut short", body: "return ('a'):find('[a')", fails: "malformed pattern"},
	{name: "pattern with captures without end", body: "return ('a'):find(('('):rep(40))", fails: "too many captures"},
	{name: "pattern with a capture that is not there", body: "return ('a'):gsub('a', '%9')", fails: "invalid capture index"},
	{name: "empty pattern", body: "local n = 0 for x in ('abc'):gmatch('') do n = n + 1 end return n", output: "4"},
	{name: "find in long texts", body: "local s = ('a'):rep(1e6) while true do s:find('b', 1, true) end", bound: instructions},

	// JSON.
	{name: "JSON of a table in itself", body: "local t = {} t.t = t return json.encode(t)", fails: "a table within itself"},
	{name: "JSON that doubles", body: "local t = {'x'} for i = 1, 40 do t = {t, t} end return json.encode(t)", bound: instructions},
	{name: "JSON that is deep", body: "return json.decode(('['):rep(1e5))", fails: "more than 64 lists and objects"},
	{name: "JSON that is a bomb", body: "return json.decode('[' .. ('[],'):rep(1e5) .. '1]')", bound: memory},
	{name: "JSON of a function", body: "return json.encode({f})", fails: "a function cannot be written as JSON"},
	{name: "JSON of NaN", body: "return json.encode(0/0)", fails: "JSON has no nan"},
	{name: "JSON with more behind it", body: "return json.decode('1 2')", fails: "text behind the end"},
	{name: "JSON that is cut short", body: "return json.decode('{\"a\":')", fails: "ends too early"},

	// Ways to code, to the host and to others.
	{name: "io", body: "return type(io)", output: "nil"},
	{name: "os.execute", body: "return type(os.execute) .. type(os.exit) .. type(os.getenv) .. type(os.remove) .. type(os.rename) .. type(os.tmpname) .. type(os.setlocale)", output: strings.Repeat("nil", 7)},
	{name: "debug", body: "return type(debug)", output: "nil"},
	{name: "load", body: "return type(load) .. type(loadstring) .. type(loadfile) .. type(dofile)", output: strings.Repeat("nil", 4)},
	{name: "package", body: "return type(package) .. type(module) .. type(newproxy)", output: strings.Repeat("nil", 3)},
	{name: "coroutine", body: "return type(coroutine) .. type(channel)", output: "nilnil"},
	{name: "string.dump", body: "return type(string.dump)", output: "nil"},
	{name: "environments", body: "return type(getfenv) .. type(setfenv)", output: "nilnil"},
	{name: "require of the file system", body: "require('../../etc/passwd')", fails: "has no file"},
	{name: "require of an absolute path", body: "require('/etc/passwd')", fails: "has no file"},
	{name: "require of main", body: "require('main')", fails: "has no file main.lua"},
	{name: "the metatable of strings", body: "return tostring(getmetatable('').__index)", fails: "index"},
	{name: "to replace the metatable of db", body: "setmetatable(db, nil)", fails: "protected metatable"},
	{name: "to read the metatable of db", body: "return tostring(getmetatable(db))", output: "false"},
	{name: "the metatable of null", body: "return tostring(getmetatable(json.null))", output: "nil"},
	{name: "hidden functions in _G", body: "for k in pairs(_G) do if k:find('%z') then return k end end return 'none'", output: "none"},
	{name: "hidden functions as varargs", body: "return select('#', ...)", fails: "outside a vararg"},
	{name: "pointers", body: "return tostring({}) .. tostring(f) .. tostring(_G)", output: "tablefunctiontable"},
	{name: "replaced functions", body: "string.rep, pcall, type = nil, nil, nil return ('x' .. 'y')", output: "xy"},
	{name: "methods of numbers", body: "return (5):rep(3)", fails: "index"},
	{name: "db without a manifest", body: "return db.article.list{}", fails: "permits no datatype"},
	{name: "http without a manifest", body: "http.request{url = 'http://127.0.0.1/'}", fails: "needs http: true"},
	{name: "enqueue without a manifest", body: "enqueue('job_queue', 'x')", fails: "permits no jobs"},
	{name: "cache without a manifest", body: "cache.get('cache_entry', 'x')", fails: "permits no cache"},

	// Errors.
	{name: "error with a table", body: "error({1, 2})", fails: "raised an error that is a table"},
	{name: "error with a function", body: "error(f)", fails: "raised an error that is a function"},
	{name: "error with nil", body: "error(nil)", fails: "raised an error that is a nil"},
	{name: "error with null", body: "error(json.null)", fails: "raised an error that is a userdata"},
	{name: "error with __tostring", body: "error(setmetatable({}, {__tostring = function() while true do end end}))", fails: "raised an error that is a table"},
	{name: "error with a long text", body: "error(('x'):rep(1e6))", fails: "xxx..."},
	{name: "error at a strange level", body: "error('x', 2^40)", fails: "x"},
	{name: "error in an error's handler", body: "return tostring(select(2, xpcall(error, function() error('again', 0) end)))", output: "again"},
	{name: "results that are a table in itself", body: "local t = {} t[1] = t return t", fails: "cannot be written as JSON"},
	{name: "results that are large", body: "local t = {'x'} for i = 1, 40 do t = {t, t} end return t", bound: instructions},

	// Output.
	{name: "output", body: "while true do log(('x'):rep(1000)) end", bound: "more than 32 KiB of output"},
	{name: "empty output", body: "while true do print() end", bound: "more than 32 KiB of output"},
	{name: "output of a long line", body: "log(('x'):rep(1e6))", bound: "more than 32 KiB of output"},
	{name: "os.date of a long format", body: "return os.date(('%c'):rep(1e6))", bound: memory},
	{name: "os.date of a strange time", body: "return os.date('%c', 1e300)", fails: "time out of range"},
	{name: "os.time of a strange date", body: "return os.time{year = 1e300, month = 1, day = 1}", fails: "out of range"},
	{name: "math.random of strange bounds", body: "return math.random(2^53, 1)", fails: "the interval is empty"},
	{name: "math.random of all there is", body: "return type(math.random(-2^53, 2^53))", output: "number"},
}

func TestHostile(t *testing.T) {
	debug.SetMaxStack(64 << 20) // a recursion in Go that the depth did not bound would end the test
	for _, row := range hostile {
		t.Run(row.name, func(t *testing.T) {
			out, err := body(t.Context(), row.body, small)
			var bound *lua.BoundError
			switch {
			case row.bound != "":
				if !errors.As(err, &bound) || bound.Bound != row.bound || !strings.HasPrefix(bound.Where, "p/main.lua") {
					t.Errorf("error %v (%+v), output %.200q; want %s at its line", err, bound, out, row.bound)
				}
				if err != nil && !discarded(err) {
					t.Errorf("%v is retried", err)
				}
			case row.fails != "":
				if err == nil || !strings.Contains(err.Error(), row.fails) || errors.As(err, &bound) {
					t.Errorf("error %.300v, output %.200q; want %s", err, out, row.fails)
				}
			default:
				if err != nil || strings.TrimSpace(out) != row.output {
					t.Errorf("error %v, output %.200q; want %s", err, out, row.output)
				}
			}
		})
	}
}

// discarded reports whether a worker does not retry an error.
func discarded(err error) bool {
	return errors.Is(err, errors.Unwrap(fmt.Errorf("%w", firstOf(queue.Discard(errors.New("x"))))))
}

// firstOf is the mark of an error that is discarded.
func firstOf(err error) error { return err.(interface{ Unwrap() []error }).Unwrap()[0] }
