package worker

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// TestMatching: for patterns as people write them, there is a text that they match.
func TestMatching(t *testing.T) {
	for _, pattern := range []string{
		`^[A-Z]{3}-[0-9]+$`, `^\d{4}-\d{2}-\d{2}$`, `^(a|b)c?$`, `^[^a-z]+$`, `^\w+@\w+\.com$`, `^v?\d+(\.\d+){2}$`, `x`, `^$`,
		`^[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}$`, `(?i)^abc$`, `^.{5,}$`, `^\S+ \S+$`,
	} {
		if text := matching(pattern); !regexp.MustCompile(pattern).MatchString(text) {
			t.Errorf("%s does not match %q", pattern, text)
		}
	}
}

// TestSampleText: the rules of a field accept the sample, or there is none.
func TestSampleText(t *testing.T) {
	for name, rules := range map[string]check.Rules{
		"plain":       {},
		"email":       {Format: check.Email},
		"url":         {Format: check.URL},
		"slug":        {Format: check.Slug},
		"long":        {Min: check.AtInt(300)},
		"short":       {Max: check.AtInt(1)},
		"exact":       {Min: check.AtInt(2), Max: check.AtInt(2)},
		"pattern":     {Pattern: "^[A-Z]{3}$"},
		"long digits": {Pattern: "^[0-9]+$", Min: check.AtInt(1)},
		"options":     {Options: []string{"q"}},
	} {
		rules.Kind, rules.Required = check.Text, true
		text, err := strconv.Unquote(sampleText(&model.Field{Name: "media_name", Rules: rules}))
		if err != nil || len(rules.Check(text)) > 0 {
			t.Errorf("%s: %q, %v, %v", name, text, err, rules.Check(text))
		}
	}
	if got := sampleText(&model.Field{Name: "x", Rules: check.Rules{Kind: check.Text, Options: []string{}, Pattern: `^\b$`}}); got != "" {
		t.Errorf("a sample that no rule accepts: %s", got)
	}
}

// TestNumbersWithinBounds are numbers next to 1 that their bounds permit.
func TestNumbersWithinBounds(t *testing.T) {
	for _, r := range []check.Rules{{}, {Min: check.AtInt(5)}, {Max: check.AtInt(-3)}, {Min: check.AtInt(-9), Max: check.AtInt(0)}} {
		r.Kind = check.Int
		if n := sampleInt(r); len(r.Check(n)) > 0 {
			t.Errorf("%d: %v", n, r.Check(n))
		}
	}
	if got := sampleDecimal(check.Rules{Kind: check.Decimal, Min: check.At("1.5"), Scale: 1}); got != "1.5" {
		t.Errorf("a decimal: %s", got)
	}
}

func TestComment(t *testing.T) {
	got := comment([]string{strings.Repeat("word ", 30), "\tcode"})
	for line := range strings.Lines(got) {
		if len(line) > 101 || !strings.HasPrefix(line, "//") {
			t.Errorf("%q", line)
		}
	}
	if !strings.HasSuffix(got, "//\n//\tcode\n") {
		t.Errorf("got\n%s", got)
	}
}
