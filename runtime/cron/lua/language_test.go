package lua_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/runtime/cron/lua"
	"github.com/hegner123/modulagen/runtime/cron/project"
)

// What files are rewritten to means what it meant.
func TestLanguage(t *testing.T) {
	for _, row := range []struct{ name, body, output string }{
		{"closures after a caught error", "local n = 0 local function inc() n = n + 1 end inc() pcall(error, 'x') inc() pcall(function() pcall(error) error('y') end) inc() return n", "3"},
		{"a closure that an error left", "local g pcall(function() local n = 1 g = function() n = n + 1 return n end error('x') end) local a, b, c = 7, 8, 9 return g() + g()", "5"},
		{"pcall returns all", "return table.concat({pcall(function(...) return ... end, 'a', 'b')} and {select(2, pcall(function(...) return ... end, 'a', 'b'))}, ' ')", "a b"},
		{"pcall returns errors as they are", "local e = {} local ok, got = pcall(error, e) return tostring(ok) .. tostring(got == e)", "falsetrue"},
		{"error has its line", "return select(2, pcall(function() error('x') end))", "p/main.lua:2: x"},
		{"error at the caller's line", "local function g() error('x', 2) end return select(2, pcall(function()\ng() end))", "p/main.lua:3: x"},
		{"errors of operators have their line", "local ok, e = pcall(function()\nlocal t t.x = 1 end) return e", "p/main.lua:3: attempt to index a nil value with key 'x'"},
		{"concatenation", "return 1 .. 'a' .. 2.5 .. 'b' .. -0", "1a2.5b0"},
		{"concatenation of many", "return " + strings.Repeat("'a' .. ", 300) + "'b'", strings.Repeat("a", 300) + "b"},
		{"concatenation is from the right", "local m = {__concat = function(a, b) return (type(a) == 'table' and 'T' or a) .. '+' .. (type(b) == 'table' and 'T' or b) end} local t = setmetatable({}, m) return 'a' .. t .. 'b'", "aT+b"},
		{"concatenation of nil", "return select(2, pcall(function() return 'a' .. nil end))", "p/main.lua:2: attempt to concatenate a nil value"},
		{"swap", "local t = {1, 2} t[1], t[2] = t[2], t[1] return t[1] .. t[2]", "21"},
		{"targets are computed first", "local i, t = 1, {} i, t[i] = i + 1, 'x' return i .. tostring(t[1]) .. tostring(t[2])", "2xnil"},
		{"missing values are nil", "local t = {a = 1} local x x, t.a = 5 return tostring(t.a) .. x", "nil5"},
		{"values of a call", "local t = {} local function two() return 1, 2 end t.a, t.b, t.c = 0, two() return t.a .. t.b .. t.c", "012"},
		{"one value of a call", "local t = {} local function two() return 1, 2 end t.a = two() return t.a", "1"},
		{"constructors", "local function two() return 'x', 'y' end local t = {1, two(), a = 'b', [2 ^ 2] = 'four', two()} return t[1] .. t[2] .. t[3] .. t[4] .. t.a .. #t", "1xxyb4"},
		{"constructor of 50 elements and a field", "local t = {" + strings.Repeat("7,", 50) + "a = 1} return t[1] .. #t .. t.a", "7501"},
		{"constructor of many", "local t = {" + strings.Repeat("7,", 1000) + " (function() return 8, 9 end)()} return #t .. t[1000] .. t[1001] .. t[1002]", "1002789"},
		{"constructor of many fields", "local t = {" + manyFields(100) + "} return t.f1 + t.f100", "101"},
		{"varargs", "local function g(...) local t = {...} return select('#', ...) .. #t .. (...) end return g('a', 'b', nil)", "32a"},
		{"varargs in parentheses", "local function g(...) return {(...)} end return #g(1, 2)", "1"},
		{"local functions see themselves", "local function fact(n) return n <= 1 and 1 or n * fact(n - 1) end return fact(5)", "120"},
		{"methods", "local t = {n = 1} function t:add(k) self.n = self.n + k return self end function t.new() return t end return t.new():add(2):add(3).n", "6"},
		{"fields of fields", "local t = {u = {}} function t.u.f() return 'ok' end t.u.v = {w = 1} t.u.v.w = 2 return t.u.f() .. t.u.v.w", "ok2"},
		{"__newindex", "local log = {} local t = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v * 2) end}) t.a = 2 t.a = 3 return t.a", "3"},
		{"goto", "local s = '' for i = 1, 3 do if i == 2 then goto continue end s = s .. i ::continue:: end return s", "13"},
		{"loops", "local s = 0 for i = 10, 1, -3 do s = s + i end local n = 0 repeat local done = n > 2 n = n + 1 until done while n < 10 do n = n + 1 if n == 7 then break end end return s .. n", "227"},
		{"pairs", "local s = 0 for k, v in pairs({1, 2, a = 3}) do s = s + v end for i, v in ipairs({4, 5, nil, 6}) do s = s + v end return s", "15"},
		{"integers and others", "return 10 / 2 .. ' ' .. 1e15 .. ' ' .. 2^53 .. ' ' .. 0.1 .. ' ' .. 1/3", "5 1000000000000000 9.007199254741e+15 0.1 0.33333333333333"},
		{"string methods", "return ('%s-%5.2f-%03d-%x-%q'):format('a', 1.5, 7, 255, 'x\"y') .. ('abc'):upper():lower():reverse():sub(-2)", `a- 1.50-007-ff-"x\"y"ba`},
		{"find and match", "local a, b, c = ('key = value'):find('(%w+)%s*=') local k, v = ('key = value'):match('^(%w+)%s*=%s*(%w+)$') return a .. b .. c .. k .. v .. tostring(('a.b'):find('.', 1, true))", "15keykeyvalue2"},
		{"gsub", "return (('hello world'):gsub('o', '0')) .. ('abc'):gsub('%w', '%0%0') .. ('$a $b'):gsub('%$(%w)', {a = '1'})", "hell0 w0rldaabbcc1 $b"},
		{"gmatch", "local s = '' for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do s = s .. k .. v end return s", "a1b2"},
		{"sort and concat", "local t = {3, 1, 2} table.sort(t) table.insert(t, 1, 0) table.remove(t) return table.concat(t, ',')", "0,1,2"},
		{"sort by a function", "local t = {'b', 'c', 'a'} table.sort(t, function(a, b) return a > b end) return table.concat(t)", "cba"},
		{"tonumber", "return tostring(tonumber('0x1F')) .. tostring(tonumber(' 12 ')) .. tostring(tonumber('z', 36)) .. tostring(tonumber('1e')) .. tostring(tonumber('inf')) .. tostring(tonumber('1_000'))", "311235nilnilnil"},
		{"dates", "return os.date('!%Y-%m-%d %H:%M:%S', 86399) .. os.time{year = 1970, month = 1, day = 2, hour = 0} .. os.date('*t', 0).year", "1970-01-01 23:59:59864001970"},
		{"JSON", `local t = json.decode('{"a":[1,2.5,"x",true,null],"b":{},"c":[],"n":9007199254740993}') return json.encode(t) .. tostring(t.a[5] == json.null)`, `{"a":[1,2.5,"x",true,null],"b":{},"c":[],"n":"9007199254740993"}true`},
		{"JSON of lists", "return json.encode({json.list({}), {}, {1, 2}, {[1] = 'a', x = 'b'}, 0.1})", `[[],{},[1,2],{"1":"a","x":"b"},0.1]`},
		{"a table as a result", "return {ok = true}", `{"ok":true}`},
		{"a result that is false", "return false", "false"},
	} {
		t.Run(row.name, func(t *testing.T) {
			out, err := body(t.Context(), row.body)
			if err != nil || strings.TrimSuffix(out, "\n") != row.output {
				t.Errorf("%q, %v; want %q", out, err, row.output)
			}
		})
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		b.WriteString("f" + itoa(i) + " = " + itoa(i) + ",")
	}
	return b.String()
}

// A run sees nothing of another, and a file of a plugin runs once.
func TestRunsAreApart(t *testing.T) {
	files := fstest.MapFS{
		"p/main.lua":     {Data: []byte("n = (n or 0) + 1\nstring.x = (string.x or 0) + 1\nlocal text = require('lib.text')\nfunction f() text.n = text.n + 1 return n .. string.x .. require('lib.text').n .. text.shout(args.word) end")},
		"p/lib/text.lua": {Data: []byte("local M = {n = 1, args = ...}\nfunction M.shout(s) return s:upper() end\nreturn M")},
	}
	s := lua.FS(files)
	a, err := s.Provide(&project.Project{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		out, err := run(t.Context(), a, `{"plugin_name": "p", "function": "f", "args": {"word": "abc"}}`)
		if err != nil || out != "112ABC\n" {
			t.Errorf("%q, %v", out, err)
		}
	}
}
