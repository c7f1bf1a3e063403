package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Op is what a validation rule looks at.
type Op string

// The operators of ModulaCMS's validation.
const (
	OpRequired   Op = "required"    // not empty
	OpContains   Op = "contains"    // holds Value, or a character of Class
	OpStartsWith Op = "starts_with" // the same, at the start
	OpEndsWith   Op = "ends_with"   // the same, at the end
	OpEquals     Op = "equals"      // is Value
	OpLength     Op = "length"      // its characters, compared with N
	OpCount      Op = "count"       // how often Value, or a character of Class, stands in it, compared with N
	OpRange      Op = "range"       // its number, compared with N
	OpItemCount  Op = "item_count"  // the items of a JSON array or of a list with commas, compared with N
	OpOneOf      Op = "one_of"      // is one of Values
)

// Ops is every operator, in the order of the documentation.
var Ops = []Op{OpRequired, OpContains, OpStartsWith, OpEndsWith, OpEquals, OpLength, OpCount, OpRange, OpItemCount, OpOneOf}

// Cmps is every comparison with N.
var Cmps = []string{"eq", "neq", "gt", "gte", "lt", "lte"}

// Classes is every class of characters. Letters and digits are those of ASCII;
// symbols are all characters that are in no other class.
var Classes = []string{"uppercase", "lowercase", "digits", "symbols", "spaces"}

// Rule is one validation rule in ModulaCMS's form, or a group of them: a group
// has AllOf or AnyOf and nothing else.
type Rule struct {
	Op      Op
	Value   string   // contains, starts_with, ends_with, equals, count
	Values  []string // one_of
	Class   string   // instead of Value: contains, starts_with, ends_with, count
	Cmp     string   // length, count, range, item_count
	N       Bound    // length, count, range, item_count
	Negate  bool     // contains, starts_with, ends_with, equals, one_of: must not
	Message string   // instead of the rule's own

	AllOf, AnyOf []Rule
}

// takes says which parts a rule of each operator has: those named are needed,
// "value|class" is exactly one of the two, "negate?" may be there.
var takes = map[Op][]string{
	OpRequired:   {},
	OpContains:   {"value|class", "negate?"},
	OpStartsWith: {"value|class", "negate?"},
	OpEndsWith:   {"value|class", "negate?"},
	OpEquals:     {"value", "negate?"},
	OpLength:     {"cmp", "n"},
	OpCount:      {"value|class", "cmp", "n"},
	OpRange:      {"cmp", "n"},
	OpItemCount:  {"cmp", "n"},
	OpOneOf:      {"values", "negate?"},
}

// Takes returns the parts that a rule of this operator has beside op and
// message: a name is needed, "value|class" is exactly one of the two, and a
// name with a question mark may be left out. It is nil for an unknown operator.
func (o Op) Takes() []string { return takes[o] }

// Broken returns what is wrong with a rule that is not a group, "" when nothing
// is. It says nothing about its place: required stands only outside of groups.
func (r Rule) Broken() string {
	parts, ok := takes[r.Op]
	if !ok {
		return fmt.Sprintf("unknown op %q", r.Op)
	}
	has := map[string]bool{
		"value": r.Value != "", "values": len(r.Values) > 0, "class": r.Class != "",
		"cmp": r.Cmp != "", "n": r.N.IsSet(), "negate": r.Negate,
	}
	for _, p := range parts {
		name := strings.TrimSuffix(p, "?")
		if name == p && !hasOne(has, p) {
			return fmt.Sprintf("%s needs %s", r.Op, strings.ReplaceAll(p, "|", " or "))
		}
		for one := range strings.SplitSeq(name, "|") {
			delete(has, one)
		}
	}
	for _, name := range []string{"value", "values", "class", "cmp", "n", "negate"} {
		if has[name] {
			return fmt.Sprintf("%s takes no %s", r.Op, name)
		}
	}
	return r.brokenParts()
}

// hasOne reports whether exactly one of the alternatives is there.
func hasOne(has map[string]bool, alternatives string) bool {
	n := 0
	for one := range strings.SplitSeq(alternatives, "|") {
		if has[one] {
			n++
		}
	}
	return n == 1
}

func (r Rule) brokenParts() string {
	switch {
	case r.Class != "" && !slices.Contains(Classes, r.Class):
		return fmt.Sprintf("unknown class %q", r.Class)
	case r.Cmp != "" && !slices.Contains(Cmps, r.Cmp):
		return fmt.Sprintf("unknown cmp %q", r.Cmp)
	case r.N.IsSet() && r.Op != OpRange && (!r.N.whole || r.N.n < 0 || r.N.n > 1_000_000):
		return fmt.Sprintf("n of %s is a whole number from 0 to 1000000", r.Op)
	case len(r.Value) > MaxText || len(r.Message) > MaxText:
		return fmt.Sprintf("value and message have at most %d bytes", MaxText)
	case len(r.Values) > MaxRules:
		return fmt.Sprintf("values has at most %d entries", MaxRules)
	}
	for _, v := range r.Values {
		if len(v) > MaxText {
			return fmt.Sprintf("each of values has at most %d bytes", MaxText)
		}
	}
	return ""
}

// The document, as ModulaCMS keeps it.
type (
	document struct {
		Rules []entry `json:"rules"`
	}
	entry struct {
		Rule  *rule  `json:"rule,omitempty"`
		Group *group `json:"group,omitempty"`
	}
	group struct {
		AllOf []entry `json:"all_of,omitempty"`
		AnyOf []entry `json:"any_of,omitempty"`
	}
	rule struct {
		Op      Op          `json:"op"`
		Value   string      `json:"value,omitempty"`
		Values  []string    `json:"values,omitempty"`
		Class   string      `json:"class,omitempty"`
		Cmp     string      `json:"cmp,omitempty"`
		N       json.Number `json:"n,omitempty"`
		Negate  bool        `json:"negate,omitempty"`
		Message string      `json:"message,omitempty"`
	}
)

// Parse reads rules in ModulaCMS's form:
//
//	{"rules": [
//	  {"rule": {"op": "length", "cmp": "gte", "n": 8}},
//	  {"group": {"any_of": [
//	    {"rule": {"op": "contains", "class": "digits"}},
//	    {"rule": {"op": "contains", "class": "symbols"}}
//	  ]}}
//	]}
//
// An empty text or object is no rules.
func Parse(doc string) ([]Rule, error) {
	const limit = 1 << 18
	if len(doc) > limit {
		return nil, fmt.Errorf("check: validation has at most %d bytes", limit)
	}
	if strings.TrimSpace(doc) == "" {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(doc)))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	var d document
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("check: validation: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("check: validation: more than one document")
	}
	p := parser{}
	return p.entries(d.Rules, 0)
}

// MustParse is Parse for text that is known to be right, as generated code's
// is. It panics otherwise.
func MustParse(doc string) []Rule {
	rules, err := Parse(doc)
	if err != nil {
		panic(err)
	}
	return rules
}

type parser struct{ seen int }

func (p *parser) entries(in []entry, depth int) ([]Rule, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("check: validation: groups stand at most %d deep", MaxDepth)
	}
	var out []Rule
	for _, e := range in {
		if p.seen++; p.seen > MaxRules {
			return nil, fmt.Errorf("check: validation: at most %d rules", MaxRules)
		}
		r, err := p.entry(e, depth)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (p *parser) entry(e entry, depth int) (Rule, error) {
	if (e.Rule == nil) == (e.Group == nil) {
		return Rule{}, errors.New("check: validation: an entry is either a rule or a group")
	}
	if e.Group != nil {
		if (len(e.Group.AllOf) == 0) == (len(e.Group.AnyOf) == 0) {
			return Rule{}, errors.New("check: validation: a group has either all_of or any_of")
		}
		all, err := p.entries(e.Group.AllOf, depth+1)
		if err != nil {
			return Rule{}, err
		}
		anyOf, err := p.entries(e.Group.AnyOf, depth+1)
		return Rule{AllOf: all, AnyOf: anyOf}, err
	}
	in := e.Rule
	r := Rule{Op: in.Op, Value: in.Value, Values: in.Values, Class: in.Class, Cmp: in.Cmp, Negate: in.Negate, Message: in.Message}
	if in.N != "" {
		n, err := ParseBound(in.N.String())
		if err != nil {
			return Rule{}, fmt.Errorf("check: validation: n of %s: %w", in.Op, err)
		}
		r.N = n
	}
	if broken := r.Broken(); broken != "" {
		return Rule{}, fmt.Errorf("check: validation: %s", broken)
	}
	if r.Op == OpRequired && depth > 0 {
		return Rule{}, errors.New("check: validation: required cannot stand in a group")
	}
	return r, nil
}

// Document writes rules as Parse reads them, always alike; "" for none.
func Document(rules []Rule) string {
	if len(rules) == 0 {
		return ""
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(document{Rules: entriesOf(rules)}); err != nil {
		return "" // plain strings and numbers always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func entriesOf(rules []Rule) []entry {
	var out []entry
	for _, r := range rules {
		if len(r.AllOf) > 0 || len(r.AnyOf) > 0 {
			out = append(out, entry{Group: &group{AllOf: entriesOf(r.AllOf), AnyOf: entriesOf(r.AnyOf)}})
			continue
		}
		out = append(out, entry{Rule: &rule{
			Op: r.Op, Value: r.Value, Values: r.Values, Class: r.Class, Cmp: r.Cmp,
			N: json.Number(r.N.String()), Negate: r.Negate, Message: r.Message,
		}})
	}
	return out
}
