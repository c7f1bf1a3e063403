package rowtemplate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/webhook/rowtemplate"
)

const (
	kJSON   = rowtemplate.JSON
	kForm   = rowtemplate.Form
	kXML    = rowtemplate.XML
	kText   = rowtemplate.Text
	kURL    = rowtemplate.URL
	kHeader = rowtemplate.Header
)

func TestExecute(t *testing.T) {
	for _, c := range []struct {
		kind        rowtemplate.Kind
		text        string
		full, empty string // on the full row, and on one of zero values
	}{
		{kJSON, `{{.ID}}`, `7`, `0`},
		{kJSON, `"{{.ID}}"`, `"7"`, `"0"`},
		{kJSON, `{{.Title}}`, `"Tom \u0026 \"Jerry\""`, `""`},
		{kJSON, `"{{.Title}}!"`, `"Tom \u0026 \"Jerry\"!"`, `"!"`},
		{kJSON, `{{.Body}}`, `"\u003cp\u003eHi\u003c/p\u003e"`, `null`},
		{kJSON, `"{{.Body}}"`, `"\u003cp\u003eHi\u003c/p\u003e"`, `""`},
		{kJSON, `[{{.Status}}, {{.Mood}}, {{.Rank}}]`, `["published", "glad", 3]`, `["", null, null]`},
		{kJSON, `[{{.Price}}, "{{.Price}}"]`, `[19.90, "19.90"]`, `[0.00, "0.00"]`},
		{kJSON, `[{{.Active}}, "{{.Active}}"]`, `[true, "true"]`, `[false, "false"]`},
		{kJSON, `{{.CreatedAt}}`, `"2026-01-02T15:04:05.6Z"`, `"0001-01-01T00:00:00Z"`},
		{kJSON, `[{{.SentAt}},{{.Day}}]`, `["2026-01-03T00:00:00Z","2026-02-03"]`, `[null,"0000-00-00"]`},
		{kJSON, `{"tags": {{json .Tags}}, "more": {{.Extra}}}`, `{"tags": ["a",{"b":"\u003c"}], "more": {}}`, `{"tags": null, "more": null}`},
		{kJSON, `"{{.Tags}}"`, `"[\"a\",{\"b\":\"\\u003c\"}]"`, `"null"`},
		{kJSON, `"{{json .Title}}"`, `"\"Tom \\u0026 \\\"Jerry\\\"\""`, `"\"\""`},
		{kJSON, `{{.Settings}}`, `{"color":"red","key":"***"}`, `{"color":"","key":"***"}`},
		{kJSON, `{{.Blob}}`, `"AP8="`, `""`},
		{kJSON, `{"{{.Title}}": 1, "a": [ ], "b": { }, "c": -0.5e+3}`, `{"Tom \u0026 \"Jerry\"": 1, "a": [ ], "b": { }, "c": -0.5e+3}`, `{"": 1, "a": [ ], "b": { }, "c": -0.5e+3}`},
		{kJSON, `{"a": 1{{if .Rank}}, "rank": {{.Rank}}{{end}}}`, `{"a": 1, "rank": 3}`, `{"a": 1}`},
		{kJSON, `[{{if .Rank}}{{.Rank}}, {{end}}1]`, `[3, 1]`, `[1]`},
		{kJSON, `{ {{if .Rank}}"r": {{.Rank}}, {{end}}"a": 1}`, `{ "r": 3, "a": 1}`, `{ "a": 1}`},
		{kJSON, `{{if .Active}}{"a": true}{{else}}[]{{end}}`, `{"a": true}`, `[]`},
		{kJSON, `{{with .Body}}{"body": {{.}}, "id": {{$.ID}}}{{else}}null{{end}}`, `{"body": "\u003cp\u003eHi\u003c/p\u003e", "id": 7}`, `null`},
		{kJSON, `"{{if eq .Status "published"}}live{{else if .Active}}on{{else}}off{{end}}"`, `"live"`, `"off"`},
		{kJSON, `"\u00e9\n\"{{/* quiet */}}x"`, `"\u00e9\n\"x"`, `"\u00e9\n\"x"`},
		{kJSON, "{\n  \"id\": {{- .ID -}}\n}", "{\n  \"id\":7}", "{\n  \"id\":0}"},
		{kJSON, `{{"{{"}}`, `"{{"`, `"{{"`},

		{kForm, `title={{.Title}}&id={{.ID}}&x=%20+`, `title=Tom+%26+%22Jerry%22&id=7&x=%20+`, `title=&id=0&x=%20+`},
		{kForm, `{{.Title}}=1{{with .Body}}&body={{.}}{{end}}`, `Tom+%26+%22Jerry%22=1&body=%3Cp%3EHi%3C%2Fp%3E`, `=1`},

		{kXML, `<a x="{{.Title}}">{{.Title}}</a>`, `<a x="Tom &amp; &#34;Jerry&#34;">Tom &amp; &#34;Jerry&#34;</a>`, `<a x=""></a>`},
		{
			kXML, `<?xml version="1.0" encoding="UTF-8"?><!-- c --><a:b y='{{.ID}}'{{if .Active}} z="1"{{end}} ><c/>&lt;&#10;{{.Body}}</a:b>`,
			`<?xml version="1.0" encoding="UTF-8"?><!-- c --><a:b y='7' z="1" ><c/>&lt;&#10;&lt;p&gt;Hi&lt;/p&gt;</a:b>`,
			`<?xml version="1.0" encoding="UTF-8"?><!-- c --><a:b y='0' ><c/>&lt;&#10;</a:b>`,
		},
		{kXML, `{{if .Active}}<a/>{{else}}<b >{{.ID}}</b >{{end}}` + "\n", "<a/>\n", "<b >0</b >\n"},

		{kText, `{{.Title}}: {{.Body}}{{.Tags}}`, `Tom & "Jerry": <p>Hi</p>["a",{"b":"\u003c"}]`, `: null`},
		{kText, `{{len .Title}} {{len .Blob}} {{len .Tags}} {{len .Extra}} {{len .Body}}`, `13 2 2 0 9`, `0 0   `},
		{kText, `{{default "none" .Body}} {{.Mood | default "calm"}} {{default 9 .Rank}} {{default "n/a" .Rank}} {{default 5 .Views}}`, `<p>Hi</p> glad 3 3 -5`, `none calm 9 n/a 0`},
		{kText, `{{date "2006-01-02 15:04" .CreatedAt}} {{.Day | date "02.01.06"}} {{date "15" .SentAt}}`, `2026-01-02 15:04 03.02.26 00`, `0001-01-01 00:00 30.11.01 `},
		{kText, `{{or .Title "untitled"}} {{and .Active .Views}}`, `Tom & "Jerry" -5`, `untitled false`},
		{kText, `{{not .Active}} {{not (not .Tags)}} {{not .Extra}}`, `false true true`, `true false true`},
		{kText, `{{eq .Views -5}} {{eq .Rank 3 4}} {{ne .Title ""}} {{eq .Rank .Rank}}`, `true true true true`, `false false false true`},
		{kText, `{{lt .Rank 4}} {{ge .Rank 4}} {{gt .Price 19.89}} {{le .Price 19}} {{lt .Views .Price}}`, `true false true false true`, `false false false true false`},
		{kText, `{{lt .Title "Z"}} {{gt .SentAt .CreatedAt}} {{le .Day .Day}} {{eq .Active true}}`, `true true true true`, `true false true false`},
		{kText, `{{if and (gt .Views -10) (or .Active (eq .Status "draft"))}}y{{else}}n{{end}}`, `y`, `n`},
		{kText, `{{1.50}} {{-3}} {{0x1F}} {{true}} {{"a\tb"}} {{` + "`raw`" + `}}`, "1.50 -3 31 true a\tb raw", "1.50 -3 31 true a\tb raw"},
		{kText, `{{with .Rank}}{{with $.Body}}{{.}}{{end}}{{.}}{{end}}`, `<p>Hi</p>3`, ``},
		{kText, `{{(eq .ID 7) | not}}`, `false`, `true`},
		{kText, ``, ``, ``},

		{kURL, `https://a.example`, `https://a.example`, `https://a.example`},
		{
			kURL, `https://a.example:8443/x/{{.ID}}/y?t={{.Title}}&u={{.URL}}`,
			`https://a.example:8443/x/7/y?t=Tom+%26+%22Jerry%22&u=https%3A%2F%2Fexample.com%2Fa%3Fb%3Dc%26d`, `https://a.example:8443/x/0/y?t=&u=`,
		},
		{kURL, `http://a.example?id={{.ID}}`, `http://a.example?id=7`, `http://a.example?id=0`},
		{kURL, `https://a.example/p-{{.Title}}{{if .Active}}?on={{.Active}}{{end}}`, `https://a.example/p-Tom%20&%20%22Jerry%22?on=true`, `https://a.example/p-`},

		{kHeader, `Bearer {{.ID}}; t={{.Title}}`, `Bearer 7; t=Tom & "Jerry"`, `Bearer 0; t=`},
	} {
		if got := render(t, c.kind, c.text, full()); got != c.full {
			t.Errorf("%s %s:\n got  %s\n want %s", c.kind, c.text, got, c.full)
		}
		if got := render(t, c.kind, c.text, &article{}); got != c.empty {
			t.Errorf("%s %s on an empty row:\n got  %s\n want %s", c.kind, c.text, got, c.empty)
		}
	}
}

// TestMistakes has what Compile refuses, where, and the words that help.
func TestMistakes(t *testing.T) {
	deep := strings.Repeat("{{if .ID}}", 102) + strings.Repeat("{{end}}", 102)
	parens := "{{" + strings.Repeat("(", 102) + ".ID" + strings.Repeat(")", 102) + "}}"
	for _, c := range []struct {
		kind     rowtemplate.Kind
		text     string
		at, want string
	}{
		// What a template may have.
		{kText, `{{.Titel}}`, `1:3:`, `there is no field "Titel"; fields are Title, `},
		{kText, "a\n  é{{.title}}", `2:6:`, "fields are Title, "},
		{kText, `{{$.Titel}}`, `1:4:`, "fields are Title, "},
		{kText, `{{Title}}`, `1:3:`, "write .Title"},
		{kText, `{{.Token}}`, `1:3:`, "Token is secret"},
		{kText, `{{json .Token}}`, `1:8:`, "Token is secret"},
		{kText, `{{if .Token}}x{{end}}`, `1:6:`, "Token is secret"},
		{kText, `{{eq .Title $.Token}}`, `1:14:`, "Token is secret"},
		{kText, `{{.}}`, `1:3:`, "the row as a whole is not a value"},
		{kText, `{{$}}`, `1:3:`, "the row as a whole"},
		{kText, `{{json .}}`, `1:8:`, "the row as a whole"},
		{kText, `{{.Settings.Key}}`, ``, "no fields of its own"},
		{kText, `{{(.Settings).Key}}`, ``, "no fields of its own"},
		{kText, `{{.CreatedAt.Unix}}`, ``, "no fields of its own"},
		{kText, `{{with .Body}}{{.ID}}{{end}}`, `1:17:`, "write $.ID"},
		{kText, `{{.ID 5}}`, `1:3:`, "not a function"},
		{kText, `{{.Title | .Body}}`, `1:12:`, "only a function"},
		{kText, `{{nope .ID}}`, `1:3:`, "there is no function \"nope\"; functions are"},
		{kText, `{{equal .ID 5}}`, `1:3:`, "functions are eq"},
		{kText, `{{printf "%s" .Title}}`, `1:3:`, "printf is not there"},
		{kText, `{{.Title | html}}`, `1:12:`, "html is not there: values are escaped for their place"},
		{kText, `{{call .Title}}`, `1:3:`, "call is not there"},
		{kText, `{{index .Tags 0}}`, `1:3:`, "index is not there"},
		{kText, `{{now}}`, `1:3:`, "now is not there: the output depends on the row alone"},
		{kText, `{{range .Tags}}{{end}}`, `1:`, "range is not there; {{json .Field}}"},
		{kText, `{{$x := .Title}}{{$x}}`, `1:3:`, "variables are not there"},
		{kText, `{{if $x := .Title}}{{$x}}{{end}}`, `1:6:`, "variables are not there"},
		{kText, `{{define "x"}}y{{end}}`, ``, "define and block are not there"},
		{kText, `{{block "x" .}}y{{end}}`, ``, "not there"},
		{kText, `{{template "x"}}`, ``, "template and block are not there"},
		{kText, `{{break}}`, `line 1`, ""},
		{kText, `{{len nil}}`, `1:7:`, "nil is not a value"},
		{kText, `{{'a'}}`, `1:3:`, "double quotes"},
		{kText, `{{1i}}`, `1:3:`, "not a number"},
		{kText, `{{eq}}`, `1:3:`, "does not take 0 arguments"},
		{kText, `{{eq .ID}}`, `1:3:`, `does not take 1 arguments; write eq .Status "published"`},
		{kText, `{{not .ID .ID}}`, `1:3:`, "does not take 2"},
		{kText, `{{eq .ID "7"}}`, `1:3:`, "compares values of one type, not what is a number with what is a text"},
		{kText, `{{eq .ID not}}`, `1:10:`, "into parentheses"},
		{kText, `{{eq .Tags "x"}}`, `1:3:`, "cannot compare what is json"},
		{kText, `{{lt .Active true}}`, `1:3:`, "cannot compare what is a boolean"},
		{kText, `{{eq (default "x" .ID) 5}}`, `1:3:`, "of several types"},
		{kText, `{{len .ID}}`, `1:3:`, "len takes a text"},
		{kText, `{{date .Title .CreatedAt}}`, `1:3:`, "layout in quotes"},
		{kText, `{{date "2006" .Title}}`, `1:3:`, "not what is a text"},
		{kText, `{{if .ID}}`, `line 1`, "unexpected EOF"},
		{kText, "a\n{{end}}", `line 2`, "unexpected {{end}}"},
		{kText, `{{.Title`, `line 1`, "unclosed action"},
		{kText, `{{/* x`, `line 1`, "unclosed comment"},
		{kText, deep, `1:`, "branches are nested more than 100"},
		{kText, parens, `1:`, "parentheses are nested more than 100"},
		{kText, "ab\xff", `1:3:`, "not UTF-8"},
		{kText, strings.Repeat("x", 64<<10+1), `1:1:`, "at most 65536 bytes"},
		{rowtemplate.Kind(99), "x", `1:1:`, "unknown kind"},

		// JSON.
		{kJSON, ``, `1:1:`, "no value"},
		{kJSON, `{"a": 1`, `1:8:`, "close it with }"},
		{kJSON, `["a"`, `1:5:`, "close it with ]"},
		{kJSON, `"{{.Title}}`, `1:12:`, "close it with a quote"},
		{kJSON, `{"a": {{.ID}}}}`, `1:15:`, "ended before this"},
		{kJSON, `{{.ID}}{{.ID}}`, `1:`, "behind the whole JSON document"},
		{kJSON, `{{.ID}}5`, `1:8:`, "ended before this"},
		{kJSON, `[5{{.ID}}]`, `1:`, "a comma is missing"},
		{kJSON, `[{{.ID}}5]`, `1:9:`, "a comma is missing"},
		{kJSON, `[-{{.ID}}]`, `1:2:`, "not a number"},
		{kJSON, `[1.{{.ID}}]`, `1:2:`, "not a number"},
		{kJSON, `[01]`, `1:2:`, "not a number"},
		{kJSON, `[1e]`, `1:2:`, "not a number"},
		{kJSON, `[tru{{.ID}}]`, `1:2:`, "a value is missing"},
		{kJSON, `{ {{.Title}}: 1}`, `1:`, "a key stands in quotes"},
		{kJSON, `{"a" {{.ID}}}`, `1:`, "a colon is missing"},
		{kJSON, `{"a" 5}`, `1:6:`, "a colon is missing"},
		{kJSON, `{"a": 1 "b": 2}`, `1:9:`, "a comma is missing"},
		{kJSON, `{"a": 1,}`, `1:9:`, "leave it out"},
		{kJSON, `[1,]`, `1:4:`, "leave it out"},
		{kJSON, `{a: 1}`, `1:2:`, "a key in quotes"},
		{kJSON, `{'a': 1}`, `1:2:`, "a key in quotes"},
		{kJSON, `[1}`, `1:3:`, "closes what is not open"},
		{kJSON, `{"a": 1]`, `1:8:`, "closes what is not open"},
		{kJSON, "\"a\nb\"", `1:3:`, `write \n`},
		{kJSON, `"a\x"`, `1:3:`, `write \\`},
		{kJSON, `"a\{{.ID}}"`, `1:3:`, `write \\`},
		{kJSON, `"\u00{{.ID}}"`, `1:2:`, `write \\`},
		{kJSON, `title={{.Title}}`, `1:1:`, "a value is missing here"},
		{kJSON, strings.Repeat("[", 101), `1:101:`, "nested too deep"},
		{kJSON, `[1{{if .Rank}}, {{.Rank}}{{else}}, {{end}}]`, `1:`, "one branch ends behind a value, the other before a value"},
		{kJSON, `[1{{if .Rank}}, {{end}}2]`, `1:`, "with this branch the output goes on before a value, and without it behind a value"},
		{kJSON, `{{if .Active}}{"a": {{end}}{{.ID}}`, `1:`, "before a value"},
		{kJSON, `"{{if .Active}}" {{end}}"`, `1:`, "behind the whole document, and without it within a text"},
		{kJSON, `{"a{{if .Active}}": 1, "b{{else}}": [1{{end}}}`, `1:`, "one branch ends within a key"},

		// Forms.
		{kForm, `a={{.ID}};b=1`, `1:10:`, "write & between pairs, or %3B"},
		{kForm, `a=%{{.ID}}`, `1:3:`, "write %25"},
		{kForm, `a=%4{{.ID}}`, `1:3:`, "write %25"},
		{kForm, `a=b c`, `1:4:`, "write %20, or +"},
		{kForm, "a=1\n&b=2", `1:4:`, "write %0A"},
		{kForm, `a=é`, `1:3:`, "write %C3"},

		// XML.
		{kXML, ``, `1:1:`, "ends before the root element"},
		{kXML, `{{.Title}}`, `1:`, "within the root element"},
		{kXML, `x<a/>`, `1:1:`, "within the root element"},
		{kXML, `<a/>x`, `1:5:`, "within the root element"},
		{kXML, `<a/><b/>`, `1:5:`, "more than one root element"},
		{kXML, `<a>`, `1:4:`, "ends within <a>"},
		{kXML, `<a><b>`, `1:7:`, "ends within <b>"},
		{kXML, `<a></b>`, `1:4:`, "stands where </a> closes"},
		{kXML, `<a/></a>`, `1:5:`, "closes what is not open"},
		{kXML, `<a></a`, `1:4:`, "> is missing"},
		{kXML, `<{{.Title}}/>`, `1:1:`, "write &lt;"},
		{kXML, `<a{{.ID}}/>`, `1:1:`, "cannot have a value"},
		{kXML, `<a {{.Title}}/>`, `1:`, "as an attribute in quotes"},
		{kXML, `<a x={{.Title}}/>`, `1:4:`, `write x="..."`},
		{kXML, `<a x="1"y="2"/>`, `1:9:`, "a space is missing"},
		{kXML, `<a {{if .ID}}x="1"{{end}}y="2"/>`, `1:`, "a space is missing"},
		{kXML, `<a x="1" x="2"/>`, `1:10:`, "may stand twice"},
		{kXML, `<a {{if .ID}}x="1" {{end}}x="2"/>`, `1:`, "may stand twice"},
		{kXML, `<a x/>`, `1:4:`, "has no value"},
		{kXML, `<a x="<"/>`, `1:7:`, "write &lt;"},
		{kXML, `<a 5="1"/>`, `1:4:`, "an attribute is missing"},
		{kXML, `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, `1:1:`, "a document type is not there"},
		{kXML, `<a>&x;</a>`, `1:4:`, "write &amp;"},
		{kXML, `<a>&#0;</a>`, `1:4:`, "write &amp;"},
		{kXML, `<a>&{{.Title}};</a>`, `1:4:`, "write &amp;"},
		{kXML, `<a><![CDATA[{{.Title}}]]></a>`, `1:4:`, "CDATA is not there"},
		{kXML, `<a>]]></a>`, `1:4:`, "write ]]&gt;"},
		{kXML, `<a><!-- {{.Title}} --></a>`, `1:4:`, "a value cannot stand in it"},
		{kXML, `<a><!-- a -- b --></a>`, `1:4:`, "cannot have --"},
		{kXML, `<a><?p {{.Title}}?></a>`, `1:4:`, "a value cannot stand in it"},
		{kXML, ` <?xml version="1.0"?><a/>`, `1:2:`, "at the very beginning"},
		{kXML, `<?xml version="1.0" encoding="latin1"?><a/>`, `1:1:`, `encoding="UTF-8"`},
		{kXML, "<a>\x01</a>", `1:4:`, "no character U+1"},
		{kXML, `{{if .ID}}<a>{{end}}</a>`, `1:`, "goes on within <a>, and without it before the root"},
		{kXML, `{{if .ID}}<a/>{{end}}`, `1:`, "behind the root element, and without it before"},
		{kXML, `<a x="{{if .ID}}">{{else}}"/>{{end}}`, `1:`, "one branch ends within <a>, the other behind"},
		{kXML, strings.Repeat("<a>", 101), `1:301:`, "nested too deep"},

		// URLs.
		{kURL, ``, `1:1:`, "written out"},
		{kURL, `{{.URL}}`, `1:1:`, "written out"},
		{kURL, `{{"https://a.example/"}}{{.ID}}`, `1:1:`, "written out"},
		{kURL, `{{if .ID}}https://a.example/{{end}}`, `1:1:`, "written out"},
		{kURL, `https://{{.Title}}/`, `1:9:`, "the host must be written out"},
		{kURL, `https://a{{.Title}}.example/`, `1:10:`, "the host must be written out"},
		{kURL, `https://a.example{{.Title}}`, `1:18:`, "end with /"},
		{kURL, `https://a.example{{if .ID}}/{{.ID}}{{end}}`, `1:18:`, "end with /"},
		{kURL, `https://a.example:{{.ID}}/`, `1:19:`, "the host must be written out"},
		{kURL, `https:{{.URL}}`, `1:1:`, "written out"},
		{kURL, `ftp://a.example/{{.ID}}`, `1:1:`, "https://"},
		{kURL, `javascript:alert(1)`, `1:1:`, "https://"},
		{kURL, `/x/{{.ID}}`, `1:1:`, "https://"},
		{kURL, `https:///x`, `1:9:`, "https://"},
		{kURL, `https://a@b.example/`, `1:10:`, "credentials into a header"},
		{kURL, `https://a\b.example/`, `1:10:`, "a host has letters"},
		{kURL, `https://a.example/\x`, `1:19:`, "write %5C"},
		{kURL, `https://a.example/#{{.ID}}`, `1:19:`, "fragment"},
		{kURL, `https://a.example/a b`, `1:20:`, "write %20"},
		{kURL, `https://a.example/%2{{.ID}}`, `1:19:`, "write %25"},

		// Headers.
		{kHeader, "a\r\nX-Admin: 1", `1:2:`, "line break"},
		{kHeader, "a\x00", `1:2:`, "control character"},
		{kHeader, strings.Repeat("x", 9000), `1:1:`, "more than 8192 bytes"},
	} {
		tmpl, err := rowtemplate.Compile(c.kind, c.text, articles, rowtemplate.Options{})
		if err == nil || tmpl != nil {
			t.Errorf("%s %.80s was taken", c.kind, c.text)
			continue
		}
		wrong, ok := errors.AsType[*rowtemplate.Error](err)
		if !ok || !errors.Is(err, store.ErrInvalid) || wrong.Line < 1 {
			t.Errorf("%s %.80s: %T %v is no *Error that is ErrInvalid", c.kind, c.text, err, err)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(strings.TrimPrefix(err.Error(), "rowtemplate: "), c.at) {
			t.Errorf("%s %.80s:\n got  %s\n want %s ... %s", c.kind, c.text, err, c.at, c.want)
		}
	}
}

// TestRefusedValues has what only Execute can refuse, without a word of the values.
func TestRefusedValues(t *testing.T) {
	deep := store.JSON(strings.Repeat("[", 101) + strings.Repeat("]", 101))
	for _, c := range []struct {
		kind   rowtemplate.Kind
		text   string
		change func(*article)
		is     error
		want   string
	}{
		{kHeader, `{{.Title}}`, func(a *article) { a.Title = "s3cret\r\nX-Admin: 1" }, rowtemplate.ErrValue, "1:3: a header cannot"},
		{kHeader, `{{.Title}}`, func(a *article) { a.Title = "s3cret\n" }, rowtemplate.ErrValue, "a header cannot"},
		{kHeader, `{{.Title}}`, func(a *article) { a.Title = "s3cret\x00" }, rowtemplate.ErrValue, "a header cannot"},
		{kHeader, `{{.Title}}`, func(a *article) { a.Title = "s3cret\x7f" }, rowtemplate.ErrValue, "a header cannot"},
		{kURL, `https://a.example/x/{{.Title}}/s3cret`, func(a *article) { a.Title = ".." }, rowtemplate.ErrValue, "a part of the path"},
		{kURL, `https://a.example/x/{{.Title}}`, func(a *article) { a.Title = "." }, rowtemplate.ErrValue, "a part of the path"},
		{kURL, `https://a.example/x/{{.Title}}`, func(a *article) { a.Title = "" }, rowtemplate.ErrValue, "a part of the path"},
		{kURL, `https://a.example/x/{{.Title}}/y?z`, func(a *article) { a.Title = "" }, rowtemplate.ErrValue, "a part of the path"},
		{kURL, `https://a.example/x/.{{.Title}}/y`, func(a *article) { a.Title = "." }, rowtemplate.ErrValue, "a part of the path"},
		{kURL, `https://a.example/x/{{.Title}}%2e/y`, func(a *article) { a.Title = "." }, rowtemplate.ErrValue, "a part of the path"},
		{kURL, `https://a.example/x/{{.Title}}{{.Title}}/y`, func(a *article) { a.Title = "." }, rowtemplate.ErrValue, "a part of the path"},
		{kURL, `https://a.example/{{.Title}}`, func(a *article) { a.Title = strings.Repeat("s3cret", 2000) }, rowtemplate.ErrTooLarge, "more than 8192"},
		{kJSON, `{{.Tags}}`, func(a *article) { a.Tags = store.JSON(`{"s3cret": `) }, rowtemplate.ErrValue, "not JSON"},
		{kJSON, `{{.Tags}}`, func(a *article) { a.Tags = store.JSON(`"s3cret", "x": 1`) }, rowtemplate.ErrValue, "not JSON"},
		{kJSON, `{{.Tags}}`, func(a *article) { a.Tags = deep }, rowtemplate.ErrValue, "nested more than 100"},
		{kText, `{{.Price}}`, func(a *article) { a.Price = decimal.New(1, 1<<30) }, rowtemplate.ErrValue, "too many digits"},
		{kText, `{{lt .Price 5}}`, func(a *article) { a.Price = decimal.New(1, -1<<30) }, rowtemplate.ErrValue, "too many digits"},
		{kJSON, `"{{.Title}}"`, func(a *article) { a.Title = strings.Repeat("s3cret..", 5<<17) }, rowtemplate.ErrTooLarge, "1:4: the output has more than 1048576 bytes"},
		{kJSON, `"{{.Title}}"`, func(a *article) { a.Title = strings.Repeat("\x00", 1<<18) }, rowtemplate.ErrTooLarge, "more than 1048576"},
		{kText, strings.Repeat(`{{if .Title}}{{end}}`, 3000), func(a *article) { a.Title = strings.Repeat("s3cret..", 5<<17) }, rowtemplate.ErrTooLarge, "reads more than"},
		{kText, `{{with .Title}}` + strings.Repeat(`{{if .}}{{end}}`, 3000) + `{{end}}`, func(a *article) { a.Title = strings.Repeat("s3cret..", 5<<17) }, rowtemplate.ErrTooLarge, "reads more than"},
	} {
		row := full()
		c.change(row)
		out, err := compile(t, c.kind, c.text).Execute(row)
		if out != nil || !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %.60s: %v, not %s", c.kind, c.text, err, c.want)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s %.60s: the error has the value: %v", c.kind, c.text, err)
		}
	}
}

func TestMaxOutput(t *testing.T) {
	for n, want := range map[int]error{13: nil, 12: rowtemplate.ErrTooLarge} {
		tmpl, err := rowtemplate.Compile(kText, `{{.Title}}`, articles, rowtemplate.Options{MaxOutput: n})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tmpl.Execute(full()); !errors.Is(err, want) {
			t.Errorf("with %d bytes: %v", n, err)
		}
	}
}

func TestRows(t *testing.T) {
	tmpl := compile(t, kText, `{{.ID}}`)
	if out, err := tmpl.Execute(*full()); err != nil || string(out) != "7" {
		t.Errorf("a row as a value: %s, %v", out, err)
	}
	for _, row := range []any{nil, (*article)(nil), 5, &struct{ ID int64 }{}, new(*article)} {
		if _, err := tmpl.Execute(row); err == nil {
			t.Errorf("%T was taken for a row", row)
		}
	}
	type small struct {
		ID   int64
		Note string
	}
	number, text := core.Column{Name: "id", Rules: check.Rules{Kind: check.Int}}, core.Column{Name: "note", Rules: check.Rules{Kind: check.Text}}
	for _, c := range []struct {
		row     any
		columns []core.Column
		want    string
	}{
		{new(small), []core.Column{number, text}, ""},
		{small{}, []core.Column{number, text}, "not a pointer"},
		{nil, nil, "not a pointer"},
		{new(small), []core.Column{number}, "more fields than columns"},
		{new(small), []core.Column{number, text, text}, "2 fields and 3 columns"},
		{new(small), []core.Column{text, number}, "not its column's kind"},
		{new(small), []core.Column{number, {Name: "note"}}, "has no kind"},
	} {
		_, err := rowtemplate.RowOf(c.row, c.columns)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%T with %d columns: %v, not %q", c.row, len(c.columns), err, c.want)
		}
	}
}

// A type of the user's own that panics, or does not become JSON, is an error.
func TestForeignJSON(t *testing.T) {
	type row struct{ Bad panics }
	rows, err := rowtemplate.RowOf(new(row), []core.Column{{Name: "bad", Rules: check.Rules{Kind: check.JSON}}})
	if err != nil {
		t.Fatal(err)
	}
	tmpl, err := rowtemplate.Compile(kJSON, `{{.Bad}}`, rows, rowtemplate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []panics{"panic s3cret", "error s3cret"} {
		_, err := tmpl.Execute(&row{bad})
		if !errors.Is(err, rowtemplate.ErrValue) || strings.Contains(err.Error(), "s3cret") {
			t.Error(err)
		}
	}
}

type panics string

func (p panics) MarshalJSON() ([]byte, error) {
	switch {
	case strings.HasPrefix(string(p), "panic"):
		panic(string(p))
	case strings.HasPrefix(string(p), "error"):
		return nil, errors.New(string(p))
	}
	return []byte("{}"), nil
}
