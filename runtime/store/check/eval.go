package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// rules applies the validation rules to a value in its text form.
func (c *checker) rules(s string) {
	for i := range c.r.Rules {
		c.failures = append(c.failures, evaluate(&c.r.Rules[i], s)...)
	}
}

// evaluate returns what one rule or group finds. Of a group of alternatives that
// all fail, the first one's failures stand for it, as in ModulaCMS.
func evaluate(r *Rule, s string) []Failure {
	if len(r.AllOf) > 0 {
		var out []Failure
		for i := range r.AllOf {
			out = append(out, evaluate(&r.AllOf[i], s)...)
		}
		return out
	}
	if len(r.AnyOf) > 0 {
		var first []Failure
		for i := range r.AnyOf {
			f := evaluate(&r.AnyOf[i], s)
			if len(f) == 0 {
				return nil
			}
			if first == nil {
				first = f
			}
		}
		return first
	}
	if r.Op == OpRequired || r.holds(s) != r.Negate { // required was looked at before
		return nil
	}
	message := r.Message
	if message == "" {
		message = r.describe()
	}
	return []Failure{{Rule: string(r.Op), Message: message}}
}

func (r *Rule) holds(s string) bool {
	switch r.Op {
	case OpContains:
		return r.Value != "" && strings.Contains(s, r.Value) || r.Class != "" && strings.ContainsFunc(s, r.inClass)
	case OpStartsWith:
		first, size := utf8.DecodeRuneInString(s)
		return r.Value != "" && strings.HasPrefix(s, r.Value) || r.Class != "" && size > 0 && r.inClass(first)
	case OpEndsWith:
		last, size := utf8.DecodeLastRuneInString(s)
		return r.Value != "" && strings.HasSuffix(s, r.Value) || r.Class != "" && size > 0 && r.inClass(last)
	case OpEquals:
		return s == r.Value
	case OpOneOf:
		return slices.Contains(r.Values, s)
	case OpLength:
		return r.compare(r.N.compareInt(int64(utf8.RuneCountInString(s))))
	case OpCount:
		return r.compare(r.N.compareInt(int64(r.occurrences(s))))
	case OpItemCount:
		return r.compare(r.N.compareInt(int64(items(s))))
	case OpRange:
		return r.inRange(s)
	}
	return false
}

func (r *Rule) occurrences(s string) int {
	if r.Value != "" {
		return strings.Count(s, r.Value)
	}
	n := 0
	for _, ch := range s {
		if r.inClass(ch) {
			n++
		}
	}
	return n
}

func (r *Rule) inRange(s string) bool {
	if len(s) > 64 {
		return false
	}
	d, err := decimal.NewFromString(strings.TrimSpace(s))
	if err != nil || d.Exponent() > 1000 || d.Exponent() < -1000 {
		return false
	}
	return r.compare(d.Cmp(r.N.d))
}

func (r *Rule) compare(sign int) bool {
	switch r.Cmp {
	case "eq":
		return sign == 0
	case "neq":
		return sign != 0
	case "gt":
		return sign > 0
	case "gte":
		return sign >= 0
	case "lt":
		return sign < 0
	case "lte":
		return sign <= 0
	}
	return false
}

func (r *Rule) inClass(ch rune) bool {
	upper, lower := ch >= 'A' && ch <= 'Z', ch >= 'a' && ch <= 'z'
	digit := ch >= '0' && ch <= '9'
	space := ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r'
	switch r.Class {
	case "uppercase":
		return upper
	case "lowercase":
		return lower
	case "digits":
		return digit
	case "spaces":
		return space
	case "symbols":
		return !upper && !lower && !digit && !space
	}
	return false
}

// items counts the items of a JSON array, or else those between commas.
func items(s string) int {
	if strings.HasPrefix(s, "[") {
		var list []json.RawMessage
		if json.Unmarshal([]byte(s), &list) == nil {
			return len(list)
		}
	}
	n := 0
	for part := range strings.SplitSeq(s, ",") {
		if strings.TrimSpace(part) != "" {
			n++
		}
	}
	return n
}

var cmpWords = map[string]string{"eq": "exactly", "neq": "other than", "gt": "more than", "gte": "at least", "lt": "less than", "lte": "at most"}

func (r *Rule) describe() string {
	must := "must "
	if r.Negate {
		must = "must not "
	}
	amount := cmpWords[r.Cmp] + " " + r.N.String()
	plural := "s"
	if r.N.Int() == 1 {
		plural = ""
	}
	switch r.Op {
	case OpContains:
		return must + "contain " + r.target()
	case OpStartsWith:
		return must + "start with " + r.target()
	case OpEndsWith:
		return must + "end with " + r.target()
	case OpEquals:
		return must + fmt.Sprintf("be %q", r.Value)
	case OpOneOf:
		return must + "be one of " + list(r.Values)
	case OpLength:
		return "must have " + amount + " character" + plural
	case OpCount:
		return "must have " + amount + " of " + r.target()
	case OpItemCount:
		return "must have " + amount + " item" + plural
	case OpRange:
		return "must be a number that is " + amount
	}
	return "must hold to " + string(r.Op)
}

func (r *Rule) target() string {
	if r.Value != "" {
		return fmt.Sprintf("%q", r.Value)
	}
	return map[string]string{
		"uppercase": "an upper-case letter", "lowercase": "a lower-case letter", "digits": "a digit",
		"symbols": "a symbol", "spaces": "a space",
	}[r.Class]
}
