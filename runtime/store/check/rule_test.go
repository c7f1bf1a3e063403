package check

import (
	"fmt"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	for _, c := range []struct{ rule, good, bad string }{
		{`"op":"contains","value":"@"`, "a@b|@", "ab|"},
		{`"op":"contains","class":"uppercase"`, "aBc", "abc|Ä|"},
		{`"op":"contains","class":"symbols"`, "a!|ä", "a 1\tB|"},
		{`"op":"contains","value":"x","negate":true`, "abc|", "axb"},
		{`"op":"starts_with","value":"ab"`, "abc|ab", "cab|"},
		{`"op":"starts_with","class":"digits"`, "1a", "a1|"},
		{`"op":"ends_with","value":"/"`, "a/", "/a|"},
		{`"op":"ends_with","class":"lowercase","negate":true`, "aB|", "Ba"},
		{`"op":"equals","value":"x"`, "x", "xx|"},
		{`"op":"one_of","values":["a","b"]`, "a|b", "c|"},
		{`"op":"one_of","values":["a","b"],"negate":true`, "c|", "a"},
		{`"op":"length","cmp":"gte","n":2`, "ab|äö", "a|"},
		{`"op":"length","cmp":"neq","n":0`, "a", ""},
		{`"op":"count","class":"digits","cmp":"eq","n":2`, "1a2", "1|123"},
		{`"op":"count","value":"ab","cmp":"lt","n":2`, "ab|", "abab"},
		{`"op":"range","cmp":"gt","n":-1.5`, "0|-1.4|1e3| 7", "-1.5|x||1e999999999"},
		{`"op":"range","cmp":"lte","n":1000000000000000`, "3", "1000000000000001"},
		{`"op":"item_count","cmp":"eq","n":2`, `a,b|[1,[2,3]]|a, ,b`, `a||[1]|[1,2,3]`},
	} {
		rules, err := Parse(`{"rules":[{"rule":{` + c.rule + `}}]}`)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		r := Rules{Kind: Text, Rules: rules}
		for _, s := range strings.Split(c.good, "|") {
			if f := r.Check(s); f != nil {
				t.Errorf("%s refuses %q: %v", c.rule, s, f)
			}
		}
		for _, s := range strings.Split(c.bad, "|") {
			if f := r.Check(s); len(f) != 1 {
				t.Errorf("%s accepts %q", c.rule, s)
			}
		}
	}
}

const password = `{"rules":[
	{"rule":{"op":"length","cmp":"gte","n":8,"message":"is too short"}},
	{"group":{"any_of":[
		{"rule":{"op":"contains","class":"digits"}},
		{"group":{"all_of":[{"rule":{"op":"contains","class":"symbols"}},{"rule":{"op":"contains","class":"spaces"}}]}}
	]}},
	{"rule":{"op":"equals","value":"password","negate":true}}
]}`

func TestGroups(t *testing.T) {
	r := Rules{Kind: Text, Rules: MustParse(password)}
	for value, want := range map[string]string{
		"longenough1":   "",
		"long enough !": "",
		"long enough":   "contains", // the first alternative speaks for the group
		"short":         "length contains",
		"password":      "contains equals",
	} {
		if got := broken(r, value); got != want {
			t.Errorf("%q breaks %q, want %q", value, got, want)
		}
	}
}

func TestDocumentIsCanonical(t *testing.T) {
	doc := Document(MustParse(password))
	if again := Document(MustParse(doc)); again != doc {
		t.Errorf("%s\nbecomes\n%s", doc, again)
	}
	if !strings.HasPrefix(doc, `{"rules":[{"rule":{"op":"length","cmp":"gte","n":8,"message":"is too short"}},{"group":{"any_of":`) {
		t.Error(doc)
	}
	if Document(nil) != "" || MustParse("") != nil || MustParse("{}") != nil || MustParse(`{"rules":[]}`) != nil {
		t.Error("no rules are some")
	}
}

func TestParseRefuses(t *testing.T) {
	nested := `{"rule":{"op":"equals","value":"x"}}`
	for range MaxDepth + 1 {
		nested = `{"group":{"all_of":[` + nested + `]}}`
	}
	many := strings.Repeat(`{"rule":{"op":"required"}},`, MaxRules) + `{"rule":{"op":"required"}}`
	for doc, want := range map[string]string{
		`{"rule":[]}`:            "unknown field",
		`{"rules":[]} {}`:        "more than one document",
		`{"rules":[{}]}`:         "either a rule or a group",
		`[`:                      "unexpected EOF",
		rule1(`"op":"xx"`):       `unknown op "xx"`,
		rule1(``):                `unknown op ""`,
		rule1(`"op":"contains"`): "contains needs value or class",
		rule1(`"op":"contains","value":"a","class":"digits"`):              "contains needs value or class",
		rule1(`"op":"contains","value":"a","n":3`):                         "contains takes no n",
		rule1(`"op":"contains","class":"vowels"`):                          `unknown class "vowels"`,
		rule1(`"op":"required","value":"a"`):                               "required takes no value",
		rule1(`"op":"length","n":3`):                                       "length needs cmp",
		rule1(`"op":"length","cmp":"ge","n":3`):                            `unknown cmp "ge"`,
		rule1(`"op":"length","cmp":"gte","n":1.5`):                         "whole number",
		rule1(`"op":"length","cmp":"gte","n":-1`):                          "whole number",
		rule1(`"op":"length","cmp":"gte","n":3,"negate":true`):             "length takes no negate",
		rule1(`"op":"range","cmp":"gte","n":1e3`):                          "not a plain decimal number",
		rule1(`"op":"one_of","values":[]`):                                 "one_of needs values",
		rule1(`"op":"equals","value":"` + strings.Repeat("x", 2000) + `"`): "at most 1000 bytes",
		`{"rules":[{"group":{}}]}`:                                         "either all_of or any_of",
		`{"rules":[{"group":{"all_of":[{"rule":{"op":"required"}}]}}]}`:    "required cannot stand in a group",
		`{"rules":[` + nested + `]}`:                                       "at most 10 deep",
		`{"rules":[` + many + `]}`:                                         "at most 100 rules",
		strings.Repeat(" ", 1<<18+1):                                       "at most 262144 bytes",
	} {
		if _, err := Parse(doc); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: got %v, want %q", doc, err, want)
		}
	}
}

func rule1(s string) string { return `{"rules":[{"rule":{` + s + `}}]}` }

func TestPatternLimits(t *testing.T) {
	r := Rules{Kind: Text, Pattern: strings.Repeat("a", MaxPattern+1)}
	if f := r.Check("a"); len(f) != 1 || !strings.Contains(f[0].Message, "at most 1000 bytes") {
		t.Error(f)
	}
	r.Pattern = "("
	if f := r.Check("a"); len(f) != 1 || f[0].Rule != "pattern" {
		t.Error(f)
	}
}

func ExampleParse() {
	rules, err := Parse(`{"rules": [{"rule": {"op": "contains", "class": "digits"}}]}`)
	if err != nil {
		panic(err)
	}
	r := Rules{Kind: Text, Rules: rules}
	fmt.Println(r.Check("no digit here")[0].Message)
	// Output: must contain a digit
}

func FuzzParse(f *testing.F) {
	f.Add(password, "x")
	f.Add(rule1(`"op":"range","cmp":"gt","n":1`), "1e999999999")
	f.Fuzz(func(t *testing.T, doc, value string) {
		rules, err := Parse(doc)
		if err != nil {
			return
		}
		r := Rules{Kind: Text, Rules: rules}
		r.Check(value)
		if again, err := Parse(Document(rules)); err != nil || Document(again) != Document(rules) {
			t.Errorf("%s is not canonical: %v", Document(rules), err)
		}
	})
}
