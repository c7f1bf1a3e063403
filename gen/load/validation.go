package load

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/hegner123/modulagen/gen/load/node"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// validation reads a field's further rules. A rule that requires makes the
// field required: that it may be null in the database would mislead.
func (def *Definition) validation(n *yaml.Node, f *model.Field) {
	v := node.Section(n, "validation")
	if v == nil || f.Type == "bytes" || f.Type == "reference" {
		return
	}
	r := ruleReader{f: def.f}
	f.Rules.Rules = r.entries(v, "rules", 0)
	if slices.ContainsFunc(f.Rules.Rules, func(r check.Rule) bool { return r.Op == check.OpRequired }) {
		f.Required = true
	}
}

type ruleReader struct {
	f    *file
	seen int
}

func (r *ruleReader) entries(n *yaml.Node, key string, depth int) []check.Rule {
	var out []check.Rule
	for _, e := range node.Items(n, key) {
		if r.seen++; r.seen == check.MaxRules+1 {
			r.f.wrong(e, fmt.Sprintf("more than %d rules in one field", check.MaxRules), "use a pattern")
		}
		if r.seen > check.MaxRules {
			return out
		}
		if g := node.Section(e, "group"); g != nil {
			if depth == check.MaxDepth {
				r.f.wrong(g, fmt.Sprintf("groups stand at most %d deep", check.MaxDepth), "")
				continue
			}
			out = append(out, check.Rule{AllOf: r.entries(g, "all_of", depth+1), AnyOf: r.entries(g, "any_of", depth+1)})
			continue
		}
		if one := node.Section(e, "rule"); one != nil {
			if rule, ok := r.rule(one, depth); ok {
				out = append(out, rule)
			}
		}
	}
	return out
}

func (r *ruleReader) rule(n *yaml.Node, depth int) (check.Rule, bool) {
	rule := check.Rule{
		Op: check.Op(node.Text(n, "op")), Value: node.Text(n, "value"), Class: node.Text(n, "class"),
		Cmp: node.Text(n, "cmp"), Negate: node.True(n, "negate"), Message: node.Text(n, "message"),
	}
	for _, v := range node.Items(n, "values") {
		rule.Values = append(rule.Values, v.Value)
	}
	if v := node.Get(n, "n"); v != nil && plainNumber.MatchString(v.Value) {
		if b, err := check.ParseBound(v.Value); err == nil {
			rule.N = b
		}
	}
	if rule.Op.Takes() == nil || !known(rule) {
		return rule, false // reported with the tables
	}
	if broken := rule.Broken(); broken != "" {
		r.f.wrong(n, broken, "")
		return rule, false
	}
	if rule.Op == check.OpRequired && depth > 0 {
		r.f.wrong(n, "required cannot stand in a group", "write required: true at the field")
		return rule, false
	}
	return rule, true
}

func known(r check.Rule) bool {
	return (r.Cmp == "" || slices.Contains(check.Cmps, r.Cmp)) && (r.Class == "" || slices.Contains(check.Classes, r.Class))
}
