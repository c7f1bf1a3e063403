package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// broken returns the names of the rules that a value breaks, with spaces between.
func broken(r Rules, v any) string {
	var names []string
	for _, f := range r.Check(v) {
		names = append(names, f.Rule)
	}
	return strings.Join(names, " ")
}

func text(r Rules) Rules { r.Kind = Text; return r }

var values = []struct {
	name  string
	rules Rules
	value any
	want  string
}{
	{"null is no mistake", Rules{Kind: Int, Min: At("3"), Pattern: "x"}, nil, ""},
	{"null where required", Rules{Kind: Int, Required: true}, nil, "required"},
	{"null where a rule requires", Rules{Kind: Text, Rules: []Rule{{Op: OpRequired}}}, nil, "required"},
	{"empty text", text(Rules{}), "", ""},
	{"empty where required", text(Rules{Required: true, Min: At("2"), Pattern: "x"}), "", "required"},
	{"empty is a value", text(Rules{Min: At("2")}), "", "min"},
	{"several at once", text(Rules{Max: At("3"), Pattern: "^[a-z]+$", Options: []string{"a"}}), "TOO LONG", "max options pattern"},
	{"characters, not bytes", text(Rules{Min: At("3"), Max: At("3")}), "äöü", ""},
	{"too many characters", text(Rules{Max: At("2")}), "äöü", "max"},
	{"NUL", text(Rules{}), "a\x00b", "text"},
	{"not UTF-8", text(Rules{}), "a\xff", "text"},
	{"pattern finds", text(Rules{Pattern: "b"}), "abc", ""},
	{"pattern anchored", text(Rules{Pattern: "^b$"}), "abc", "pattern"},
	{"option", text(Rules{Options: []string{"a", "b"}}), "b", ""},
	{"no option", text(Rules{Options: []string{"a", "b"}}), "", "options"},
	{"wrong type", text(Rules{}), 3, "type"},
	{"int", Rules{Kind: Int, Min: At("-1"), Max: At("5")}, int64(5), ""},
	{"int below", Rules{Kind: Int, Min: At("-1")}, int64(-2), "min"},
	{"int above", Rules{Kind: Int, Max: At("5")}, int64(6), "max"},
	{"int is int64", Rules{Kind: Int}, 6, "type"},
	{"decimal", Rules{Kind: Decimal, Scale: 2, Min: At("0.01"), Max: At("9.99")}, decimal.RequireFromString("9.990"), ""},
	{"decimal finer than its scale", Rules{Kind: Decimal, Scale: 2}, decimal.RequireFromString("9.995"), "scale"},
	{"decimal above", Rules{Kind: Decimal, Scale: 2, Max: At("9.99")}, decimal.RequireFromString("10"), "max"},
	{"decimal too long", Rules{Kind: Decimal, Scale: 2}, decimal.New(1, 16), "digits"},
	{"decimal just fits", Rules{Kind: Decimal, Scale: 2}, decimal.RequireFromString("9999999999999999.99"), ""},
	{"decimal absurd", Rules{Kind: Decimal, Scale: 2}, decimal.New(1, 2_000_000_000), "digits"},
	{"bool", Rules{Kind: Bool, Required: true}, false, ""},
	{"time", Rules{Kind: Time, Required: true}, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), ""},
	{"zero time where required", Rules{Kind: Time, Required: true}, time.Time{}, "required"},
	{"zero time", Rules{Kind: Time}, time.Time{}, "range"},
	{"time beyond", Rules{Kind: Time}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "range"},
	{"time beyond in UTC only", Rules{Kind: Time}, time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200)), "range"},
	{"date", Rules{Kind: Date}, day("2024-02-29"), ""},
	{"date of no calendar", Rules{Kind: Date}, day("2023-02-29"), "date"},
	{"zero date where required", Rules{Kind: Date, Required: true}, day("0000-00-00"), "required"},
	{"date too early", Rules{Kind: Date}, day("0999-12-31"), "range"},
	{"bytes", Rules{Kind: Bytes, Max: At("3")}, []byte("abc"), ""},
	{"bytes too long", Rules{Kind: Bytes, Max: At("3")}, []byte("abcd"), "max"},
	{"bytes empty where required", Rules{Kind: Bytes, Required: true}, []byte{}, "required"},
	{"json", Rules{Kind: JSON}, json.RawMessage(`{"a":[1,-2.5e10,"x\"\\\ud83d\ude00"]}`), ""},
	{"json as bytes", Rules{Kind: JSON}, []byte(`1`), ""},
	{"json broken", Rules{Kind: JSON}, []byte(`{"a":}`), "json"},
	{"json empty", Rules{Kind: JSON}, []byte(``), "json"},
	{"json null where required", Rules{Kind: JSON, Required: true}, []byte(` null `), "required"},
	{"json too long", Rules{Kind: JSON, Max: At("4")}, []byte(`"abc"`), "max"},
	{"json NUL", Rules{Kind: JSON}, []byte(`"a\u0000"`), "json"},
	{"json backslash before u0000", Rules{Kind: JSON}, []byte(`"a\\u0000"`), ""},
	{"json lone surrogate", Rules{Kind: JSON}, []byte(`"\ud83d"`), "json"},
	{"json low surrogate first", Rules{Kind: JSON}, []byte(`"\ude00\ud83d"`), "json"},
	{"json surrogate before another escape", Rules{Kind: JSON}, []byte(`"\ud83d\n"`), "json"},
	{"json number too big", Rules{Kind: JSON}, []byte(`[1e999]`), "json"},
	{"json deep", Rules{Kind: JSON}, []byte(strings.Repeat("[", MaxJSON) + strings.Repeat("]", MaxJSON)), ""},
	{"json too deep", Rules{Kind: JSON}, []byte(strings.Repeat("[", MaxJSON+1) + strings.Repeat("]", MaxJSON+1)), "json"},
	{"json not UTF-8", Rules{Kind: JSON}, []byte("\"\xff\""), "json"},
	{"no kind", Rules{}, "x", "type"},
}

func TestCheck(t *testing.T) {
	for _, c := range values {
		t.Run(c.name, func(t *testing.T) {
			if got := broken(c.rules, c.value); got != c.want {
				t.Errorf("breaks %q, want %q: %v", got, c.want, c.rules.Check(c.value))
			}
		})
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		format Format
		good   string
		bad    string
	}{
		{
			Email,
			"a@b.de ann.lee+tag@sub.example.com jörg@müller.example 用户@例子.广告 o'neil@example.org",
			"a a@ @b.de a@b a@@b.de a@b.de. .a@b.de a.@b.de a..b@c.de a@-b.de a@b-.de a@b.1 a@[127.0.0.1] " +
				"<a@b.de> \"a\"@b.de a,b@c.de a@b.de\r\nBcc:c@d.de " + strings.Repeat("x", 65) + "@b.de",
		},
		{
			URL,
			"http://a https://example.com/x?y=%20#z http://localhost:8080 http://127.0.0.1/ http://[::1]:80/ https://a_b.internal/ https://例子.example/ü https://example.com.",
			"example.com //example.com/x ftp://a.de javascript:alert(1) http:// https:///x http://?x http://a.de:port/ http://-a.de http://a..de http://1.2.3.4.5 mailto:a@b.de",
		},
		{Slug, "a 1 my-first-post 2026", "- a- -a a--b A a_b a/b ä a.b"},
	} {
		rules := Rules{Kind: Text, Format: c.format}
		for s := range strings.FieldsSeq(c.good) {
			if f := rules.Check(s); f != nil {
				t.Errorf("%s refuses %q: %v", c.format, s, f)
			}
		}
		for s := range strings.SplitSeq(c.bad, " ") {
			if got := broken(rules, s); got != string(c.format) {
				t.Errorf("%s accepts %q: %q", c.format, s, got)
			}
		}
		if got := broken(rules, ""); got != string(c.format) {
			t.Errorf("%s accepts an empty text", c.format)
		}
		if got := broken(rules, "a b"); got != string(c.format) {
			t.Errorf("%s accepts a space", c.format)
		}
	}
}

func TestMessages(t *testing.T) {
	for _, c := range []struct {
		rules Rules
		value any
		want  string
	}{
		{Rules{Kind: Text, Max: At("1")}, "abc", "must be at most 1 character, not 3"},
		{Rules{Kind: Text, Max: At("1"), Secret: true}, "abc", "must be at most 1 character"},
		{Rules{Kind: Int, Min: At("1")}, int64(-7), "must be at least 1, not -7"},
		{Rules{Kind: Int, Min: At("1"), Secret: true}, int64(-7), "must be at least 1"},
		{Rules{Kind: Int, Reference: true, Required: true}, int64(0), "is required"},
		{Rules{Kind: Int, Reference: true, Required: true}, nil, "is required"},
		{Rules{Kind: Int, Reference: true, Required: true}, int64(-7), "must be at least 1, not -7"},
		{Rules{Kind: Int, Reference: true}, int64(0), "must be at least 1, not 0"},
		{Rules{Kind: Decimal, Scale: 2, Max: At("1.50")}, decimal.RequireFromString("1.51"), "must be at most 1.5, not 1.51"},
		{Rules{Kind: Decimal}, decimal.RequireFromString("1.5"), "must have at most 0 digits behind the point, not 1.5"},
		{Rules{Kind: Bytes, Max: At("1")}, []byte("ab"), "must be at most 1 byte long, not 2"},
		{Rules{Kind: Text, Options: []string{"a", "b"}}, "c", "must be one of a, b"},
		{Rules{Kind: Text}, 3, "must be given as string, not as int"},
		{Rules{Kind: Text, Rules: MustParse(`{"rules":[{"rule":{"op":"contains","class":"digits"}}]}`)}, "c", "must contain a digit"},
		{Rules{Kind: Text, Rules: MustParse(`{"rules":[{"rule":{"op":"contains","value":"x","negate":true}}]}`)}, "x", `must not contain "x"`},
		{Rules{Kind: Text, Rules: MustParse(`{"rules":[{"rule":{"op":"length","cmp":"gte","n":1}}]}`)}, "", "must have at least 1 character"},
		{Rules{Kind: Text, Rules: MustParse(`{"rules":[{"rule":{"op":"equals","value":"x","message":"say x"}}]}`)}, "y", "say x"},
	} {
		f := c.rules.Check(c.value)
		if len(f) != 1 || f[0].Message != c.want {
			t.Errorf("%v: got %v, want %q", c.value, f, c.want)
		}
	}
}

// TestSecretsStaySecret puts a value that breaks every rule through a secret
// field of each kind.
func TestSecretsStaySecret(t *testing.T) {
	secret := "hunter2@@hunter2"
	rules := Rules{
		Kind: Text, Secret: true, Format: Email, Min: At("100"), Max: At("3"), Pattern: "^x$", Options: []string{"y"},
		Rules: MustParse(`{"rules":[{"rule":{"op":"range","cmp":"gt","n":1}},{"rule":{"op":"starts_with","class":"symbols"}}]}`),
	}
	doc, err := json.Marshal(map[string]any{"password": secret, "pin": 918273})
	if err != nil {
		t.Fatal(err)
	}
	members := Rules{Kind: JSON, Secret: true, Fields: []Member{{"password", rules}, {"pin", Rules{Kind: Int, Max: At("5")}}}}
	failures := slices.Concat(rules.Check(secret), members.Check(doc))
	if len(failures) < 8 {
		t.Errorf("only %d failures: %v", len(failures), failures)
	}
	for _, f := range failures {
		if strings.Contains(f.Message, "hunter") || strings.Contains(f.Message, "918273") {
			t.Errorf("%s tells the secret: %s", f.Rule, f.Message)
		}
	}
}

func TestMembers(t *testing.T) {
	rules := Rules{Kind: JSON, Fields: []Member{
		{"media_id", Rules{Kind: Int, Required: true, Min: At("1")}},
		{"name", Rules{Kind: Text, Max: At("3")}},
		{"at", Rules{Kind: Time}},
		{"on", Rules{Kind: Date}},
		{"price", Rules{Kind: Decimal, Scale: 2}},
		{"raw", Rules{Kind: Bytes, Max: At("2")}},
		{"ok", Rules{Kind: Bool}},
		{"any", Rules{Kind: JSON}},
	}}
	for doc, want := range map[string]string{
		`{"media_id": 1}`: "",
		`{"media_id": 1, "name": "abc", "at": "2026-01-02T03:04:05Z", "on": "2026-01-02", "price": "1.25", "raw": "YWI=", "ok": false, "any": {"x": 1}, "more": 1}`: "",
		`{"media_id": 1, "price": 1.25}`: "",
		`{"media_id": 1, "name": null}`:  "",
		`{}`:                             "required: media_id: is required",
		`{"media_id": null}`:             "required: media_id: is required",
		`{"media_id": 0}`:                "min: media_id: must be at least 1, not 0",
		`{"media_id": "1"}`:              "type: media_id: must be a whole number",
		`{"media_id": 1.5}`:              "type: media_id: must be a whole number",
		`{"media_id": 1, "name": 3}`:     "type: name: must be a string",
		`{"media_id": 1, "at": "x"}`:     `type: at: must be an RFC 3339 time, such as "2026-01-02T15:04:05Z"`,
		`{"media_id": 1, "on": "x"}`:     "date: on: must be a day of the calendar",
		`{"media_id": 1, "price": "x"}`:  "type: price: must be a decimal number or a string of one",
		`{"media_id": 1, "raw": "YWJj"}`: "max: raw: must be at most 2 bytes long, not 3",
		`{"media_id": 1, "ok": "true"}`:  "type: ok: must be true or false",
		`[]`:                             "json: must be a JSON object",
	} {
		var got []string
		for _, f := range rules.Check(json.RawMessage(doc)) {
			got = append(got, f.Rule+": "+f.Message)
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%s: got %q, want %q", doc, got, want)
		}
	}
}

func TestBound(t *testing.T) {
	for _, s := range []string{"0", "-1", "1.5", "9223372036854775807", "-9223372036854775808", "0.000000001"} {
		b, err := ParseBound(s)
		if err != nil || !b.IsSet() || b.String() != s {
			t.Errorf("%s: %v %v", s, b, err)
		}
	}
	for _, s := range []string{"", "-", ".5", "5.", "1e3", "+1", "1_000", " 1", "0x10", "1.0000000001", strings.Repeat("1", 30), "NaN"} {
		if b, err := ParseBound(s); err == nil {
			t.Errorf("%q is taken for %v", s, b)
		}
	}
	if (Bound{}).IsSet() || (Bound{}).Int() != 0 || (Bound{}).String() != "" {
		t.Error("the zero bound is one")
	}
	if At("1.9").Int() != 1 || At("9999999999999999999").Int() != 1<<63-1 || AtInt(7).String() != "7" {
		t.Error("Int")
	}
	defer func() {
		if recover() == nil {
			t.Error("At takes nonsense")
		}
	}()
	At("x")
}

func TestCheckAllocatesNothing(t *testing.T) {
	text := Rules{Kind: Text, Required: true, Max: At("100")}
	number := Rules{Kind: Int, Max: At("100")}
	var s, n any = "some text of a row", int64(12)
	if a := testing.AllocsPerRun(100, func() {
		if text.Check(s) != nil || number.Check(n) != nil {
			t.Error("refused")
		}
	}); a > 0 {
		t.Errorf("%v allocations", a)
	}
}

func ExampleRules_Check() {
	r := Rules{Kind: Text, Required: true, Max: At("5"), Pattern: "^[a-z]+$"}
	for _, f := range r.Check("Too long") {
		fmt.Println(f.Rule, "-", f.Message)
	}
	// Output:
	// max - must be at most 5 characters, not 8
	// pattern - must match ^[a-z]+$
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":"\ud83d\ude00"}`, `"\u0000"`, `[1e400,-0.5]`, `"\ud800\u`, `{"a":{"b":[[]]}}`, "\"\\\\\""} {
		f.Add([]byte(s))
	}
	r := Rules{Kind: JSON, Fields: []Member{{"a", Rules{Kind: Decimal, Scale: 2}}, {"b", Rules{Kind: Time}}}}
	f.Fuzz(func(_ *testing.T, b []byte) { r.Check(b) })
}
